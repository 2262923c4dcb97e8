// SPDX-License-Identifier: BSD-3-Clause
/*
 * A VM on KVM: a guest without a kernel, entered directly in ring 3; see vm.h.
 *
 * While the guest runs, a signal (a message from the daemon, a time-out) makes KVM_RUN
 * return. The handler also sets kvm_run.immediate_exit, so that one which arrives just
 * before KVM_RUN is not lost.
 */

#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/layout.h"
#include "base/errtext.h"
#include "vmm/checkpoint.h"
#include "vmm/jail.h"
#include "vmm/paging.h"

enum {
    CR0 = 0x80050033, /* PG AM WP NE ET MP PE */
    CR4_PAE = 1 << 5,
    CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10,
    CR4_OSXSAVE = 1 << 18,
    EFER = 0xd00,    /* LME LMA NXE; no SCE: `syscall` is an invalid opcode */
    RFLAGS = 0x3202, /* IOPL 3, IF: some KVMs look at IOPL and not at the bitmap */
    XCR0_WANTED = 0xe7,
    MAX_REFUSED = 40,
    REFUSED_MS = 5,
};

struct vcpu {
    struct vm *vm;
    int vm_fd, fd;
    struct kvm_run *run;
    uint32_t slots;
    unsigned refused; /* KVM_RUN, for want of a thread, so many times in a row */
};

/* The only mutable globals: what a signal handler can reach. */
static volatile sig_atomic_t kicked;
static struct kvm_run *running;

static void on_signal(int sig)
{
    kicked = 1;
    if (running)
        __atomic_store_n(&running->immediate_exit, 1, __ATOMIC_RELAXED);
}

/* ---- once, in the fork server ------------------------------------------------------ */

static void find_xcr0(struct vm_host *h)
{
    for (uint32_t i = 0; i < h->cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &h->cpuid->entries[i];

        if (e->function == 0xd && e->index == 0)
            h->xcr0 = e->eax & XCR0_WANTED;
    }
    /* The three parts of AVX-512 go together. */
    if ((h->xcr0 & 0xe0) != 0xe0)
        h->xcr0 &= 7;
}

/* KVM takes a while over some entries, since it asks the processor again. A guest asks for
 * none itself (where `cpuid` is left to it, it sees the processor's own): these are what
 * KVM needs to allow AVX and to know how wide an address is. */
static void trim_cpuid(struct kvm_cpuid2 *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &c->entries[i];
        uint32_t f = e->function;

        if (f <= 1 || (f == 0xd && e->index == 0) || f == 0x80000000 ||
            f == 0x80000001 || f == 0x80000008)
            c->entries[n++] = *e;
    }
    c->nent = n;
}

static void set_segments(struct kvm_sregs *s)
{
    const struct kvm_segment code = {.limit = 0xffffffff,
                                     .selector = SEL_USER_CODE,
                                     .type = 11,
                                     .present = 1,
                                     .dpl = 3,
                                     .s = 1,
                                     .l = 1,
                                     .g = 1};
    const struct kvm_segment data = {.limit = 0xffffffff,
                                     .selector = SEL_USER_DATA,
                                     .type = 3,
                                     .present = 1,
                                     .dpl = 3,
                                     .db = 1,
                                     .s = 1,
                                     .g = 1};

    s->cs = code;
    s->ds = s->es = s->fs = s->gs = s->ss = data;
    s->fs.base = LAYOUT_FS;
    s->tr = (struct kvm_segment){.base = LAYOUT_BASE + PAGING_TSS,
                                 .limit = PAGING_TSS_SIZE - 1,
                                 .selector = SEL_TSS,
                                 .type = 11,
                                 .present = 1};
    s->idt.base = LAYOUT_BASE + PAGING_IDT;
    s->idt.limit = PAGING_IDT_SIZE - 1;
    s->gdt.base = LAYOUT_BASE + PAGING_GDT;
    s->gdt.limit = PAGING_GDT_SIZE - 1;
}

static void set_control_registers(struct vm_host *h)
{
    struct kvm_sregs *s = h->sregs;

    s->cr0 = CR0;
    s->cr3 = PAGING_PML4;
    s->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (h->xcr0 ? CR4_OSXSAVE : 0);
    s->efer = EFER;
}

/* A VM that never runs, to learn what a new vCPU looks like. It stays: with the first vCPU
 * on the machine that has no interrupt controller in the kernel, and after the last, KVM
 * patches its own code on all processors, which takes longer than all else about a vCPU. */
static int learn(struct vm_host *h)
{
    int vm = ioctl(h->kvm_fd, KVM_CREATE_VM, 0), cpu = -1;
    int size = ioctl(h->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

    if (vm < 0 || size < 0)
        goto out;
    h->vcpu_size = (size_t)size;
    cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (cpu < 0 || ioctl(cpu, KVM_GET_SREGS, h->sregs) < 0)
        goto out;
    find_xcr0(h);
    trim_cpuid(h->cpuid);
    set_segments(h->sregs);
    set_control_registers(h);
    h->idle_vm = vm;
    h->idle_cpu = cpu;
    return 0;
out:
    if (cpu >= 0)
        close(cpu);
    if (vm >= 0)
        close(vm);
    return -1;
}

void vm_host_probe_kvm(struct vm_host *h)
{
    enum { ENTRIES = 256 };
    const int regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;

    h->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (h->kvm_fd < 0)
        goto fail;
    h->cpuid = calloc(1, sizeof *h->cpuid + ENTRIES * sizeof h->cpuid->entries[0]);
    h->sregs = calloc(1, sizeof *h->sregs);
    if (!h->cpuid || !h->sregs)
        goto fail;
    h->cpuid->nent = ENTRIES;
    if (ioctl(h->kvm_fd, KVM_GET_SUPPORTED_CPUID, h->cpuid) < 0 || learn(h) < 0)
        goto fail;
    h->sync_regs = (ioctl(h->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS) & regs) ==
                   regs;
    return;
fail:
    snprintf(h->kvm_why, sizeof h->kvm_why, "/dev/kvm: %s", strerror(errno));
    if (h->kvm_fd >= 0)
        close(h->kvm_fd);
    free(h->cpuid);
    free(h->sregs);
    h->cpuid = NULL;
    h->sregs = NULL;
    h->kvm_fd = -1;
}

/* ---- bringing one to life ----------------------------------------------------------- */

static int add_memory(struct vcpu *c, uint64_t phys, uint64_t size, void *where)
{
    struct kvm_userspace_memory_region r = {.slot = c->slots,
                                            .guest_phys_addr = phys,
                                            .memory_size = size,
                                            .userspace_addr = (uint64_t)where};

    if (ioctl(c->vm_fd, KVM_SET_USER_MEMORY_REGION, &r) < 0)
        return -1;
    c->slots++;
    return 0;
}

/* From here the monitor is not in the guest's way: a doorbell goes straight to the
 * switch. */
static int connect_doorbells(struct vcpu *c)
{
    for (unsigned i = 0; i < c->vm->spec.n_ifs; i++) {
        struct kvm_ioeventfd e = {.addr = PORT_NET_DOORBELL + i,
                                  .len = 1,
                                  .fd = c->vm->doorbells[i],
                                  .flags = KVM_IOEVENTFD_FLAG_PIO};

        if (ioctl(c->vm_fd, KVM_IOEVENTFD, &e) < 0)
            return -1;
    }
    return 0;
}

static int set_registers(struct vcpu *c)
{
    const struct vm_host *h = c->vm->host;
    struct kvm_xcrs x = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = h->xcr0}}};
    struct kvm_regs r = {.rip = h->image.entry,
                         .rdi = LAYOUT_BOOT,
                         .rsp = LAYOUT_STACK + LAYOUT_STACK_SIZE - 8,
                         .rflags = RFLAGS};
    /* Guest time is our time: one scale serves both. */
    uint64_t no_offset = 0;
    struct kvm_device_attr tsc = {.group = KVM_VCPU_TSC_CTRL,
                                  .attr = KVM_VCPU_TSC_OFFSET,
                                  .addr = (uint64_t)&no_offset};

    ioctl(c->fd, KVM_SET_DEVICE_ATTR, &tsc);
    if (ioctl(c->fd, KVM_SET_CPUID2, h->cpuid) < 0 ||
        (!h->sync_regs && ioctl(c->fd, KVM_SET_SREGS, h->sregs) < 0) ||
        (h->xcr0 && ioctl(c->fd, KVM_SET_XCRS, &x) < 0) ||
        (!h->sync_regs && ioctl(c->fd, KVM_SET_REGS, &r) < 0))
        return -1;
    if (h->sync_regs) {
        c->run->s.regs.regs = r;
        c->run->s.regs.sregs = *h->sregs;
        c->run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    }
    return 0;
}

static int create(struct vcpu *c, struct diag *d)
{
    struct vm *vm = c->vm;
    const struct paging_spec p = {.text_size = vm->host->image.text_size,
                                  .rodata_size = vm->host->image.rodata_size,
                                  .data_mem = vm->host->image.data_mem,
                                  .netmem_size = vm->spec.mem_size,
                                  .heap_size = vm->spec.heap,
                                  .n_ifs = vm->spec.n_ifs};

    c->vm_fd = ioctl(vm->host->kvm_fd, KVM_CREATE_VM, 0);
    if (c->vm_fd < 0)
        return diag_err(d, "KVM_CREATE_VM: %s", errtext_fork(errno));
    paging_build(vm->base, &p);
    if (add_memory(
            c, 0, LAYOUT_NETMEM - LAYOUT_BASE + ((vm->spec.mem_size + 4095) & ~4095ull),
            vm->base) < 0 ||
        (vm->heap_have > LAYOUT_HEAP_FIRST &&
         add_memory(c, LAYOUT_HEAP - LAYOUT_BASE + LAYOUT_HEAP_FIRST,
                    vm->heap_have - LAYOUT_HEAP_FIRST,
                    vm_at(vm, LAYOUT_HEAP + LAYOUT_HEAP_FIRST)) < 0))
        return diag_err(d, "memory for KVM: %s", errtext(errno));
    c->fd = ioctl(c->vm_fd, KVM_CREATE_VCPU, 0);
    if (c->fd < 0)
        return diag_err(d, "KVM_CREATE_VCPU: %s", errtext(errno));
    c->run = mmap(NULL, vm->host->vcpu_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd,
                  0);
    if (c->run == MAP_FAILED)
        return diag_err(d, "vCPU: %s", errtext(errno));
    if (set_registers(c) < 0 || connect_doorbells(c) < 0)
        return diag_err(d, "vCPU: %s", errtext(errno));
    vm->times.created = clock_ns();
    return 0;
}

static int jail(struct vcpu *c, struct diag *d)
{
    static const struct jail_rule rules[] = {
        JAIL_IF(SYS_ioctl, 1, KVM_RUN),
        JAIL_IF(SYS_ioctl, 1, KVM_GET_REGS),
        JAIL_IF(SYS_ioctl, 1, KVM_GET_SREGS),
        JAIL_IF(SYS_ioctl, 1, KVM_SET_USER_MEMORY_REGION),
        JAIL_ANY(SYS_ppoll),
        JAIL_ANY(SYS_poll),
        JAIL_ANY(SYS_read),
        JAIL_ANY(SYS_write),
        JAIL_ANY(SYS_recvfrom),
        JAIL_ANY(SYS_sendto),
        JAIL_ANY(SYS_sendmsg),
        JAIL_ANY(SYS_accept4),
        JAIL_ANY(SYS_getsockopt),
        JAIL_IF(SYS_fcntl, 1, F_SETFL),
        JAIL_IF(SYS_fcntl, 1, F_SETOWN),
        JAIL_ANY(SYS_close),
        JAIL_ANY(SYS_setitimer),
        JAIL_ANY(SYS_clock_gettime),
        JAIL_ANY(SYS_getpid),
        JAIL_IF(SYS_mmap, 2, PROT_READ | PROT_WRITE),
        JAIL_IF(SYS_madvise, 2, MADV_HUGEPAGE),
        JAIL_ANY(SYS_munmap),
        JAIL_ANY(SYS_brk),
        /* For checkpoints: a memfd and what goes into it. */
        JAIL_ANY(SYS_memfd_create),
        JAIL_ANY(SYS_pwrite64),
        JAIL_ANY(SYS_ftruncate),
        JAIL_ANY(SYS_mincore),
        JAIL_ANY(SYS_sysinfo),
        JAIL_ANY(SYS_rt_sigreturn),
        JAIL_ANY(SYS_exit_group),
        JAIL_ANY(SYS_restart_syscall),
    };

    if (jail_identity(c->vm->spec.uid, d) < 0 ||
        jail_calls(rules, sizeof rules / sizeof rules[0], 0, d) < 0)
        return -1;
    c->vm->times.jailed = clock_ns();
    return 0;
}

/* ---- the guest's exits -------------------------------------------------------------- */

static struct control_crash where(struct vcpu *c, uint32_t vector)
{
    struct control_crash crash = {.vector = vector};
    struct kvm_regs r;

    if (ioctl(c->fd, KVM_GET_REGS, &r) == 0) {
        crash.rip = r.rip;
        crash.rsp = r.rsp;
        crash.rbp = r.rbp;
        crash.rbx = r.rbx;
        crash.r12 = r.r12;
        crash.r13 = r.r13;
        crash.r14 = r.r14;
        crash.r15 = r.r15;
    }
    return crash;
}

/* Where EFER.SCE is not minded, `syscall` goes to LSTAR, which is 0, and faults there;
 * rcx has the address behind it. */
static bool is_system_call(struct vcpu *c, const struct fault_frame *f,
                           struct control_crash *crash)
{
    const struct image *im = &c->vm->host->image;
    struct kvm_regs r;
    const uint8_t *code;

    if (f->vector != 14 || f->rip != 0 || ioctl(c->fd, KVM_GET_REGS, &r) < 0 ||
        r.rcx < LAYOUT_TEXT + 2 || r.rcx > LAYOUT_TEXT + im->text_size)
        return false;
    code = c->vm->base + (r.rcx - 2 - LAYOUT_BASE);
    if (code[0] != 0x0f || code[1] != 0x05)
        return false;
    crash->vector = CONTROL_SYSCALL;
    crash->address = r.rax;
    crash->rip = r.rcx - 2;
    crash->rsp = f->rsp;
    return true;
}

/* A stub has spoken; or, where KVM minds IOPL and not the bitmap, somebody in ring 3 who
 * would like to be taken for one. */
static void on_fault(struct vcpu *c)
{
    struct control_crash crash = where(c, CONTROL_PORT);
    const struct fault_frame *f = paging_frame(c->vm->base, crash.rsp);
    struct kvm_sregs s;

    crash.address = PORT_FAULT;
    if (f && is_system_call(c, f, &crash)) {
        vm_crashed(c->vm, &crash);
        return;
    }
    if (f && ioctl(c->fd, KVM_GET_SREGS, &s) == 0 && s.cs.dpl == 0) {
        crash.vector = (uint32_t)f->vector;
        crash.error_code = f->error_code;
        crash.rip = f->rip;
        crash.rsp = f->rsp;
        crash.address = f->vector == 14 ? s.cr2 : 0;
    }
    vm_crashed(c->vm, &crash);
}

static void on_panic(struct vcpu *c)
{
    struct control_crash said, crash = where(c, CONTROL_PANIC);

    mailbox_crash(&c->vm->mailbox, &said);
    memcpy(crash.message, said.message, sizeof crash.message);
    vm_crashed(c->vm, &crash);
}

/* Back more of the heap: at least doubling, so that it is asked for seldom. */
static void on_heap(struct vcpu *c)
{
    struct vm *vm = c->vm;
    volatile struct boot_wait *w = (struct boot_wait *)(vm->base +
                                                        (LAYOUT_WAIT - LAYOUT_BASE));
    uint64_t want = w->heap_want, have = vm->heap_have, size;

    if (want > vm->spec.heap || want <= have || c->slots >= LAYOUT_HEAP_STEPS)
        return;
    size = want - have < have ? have : want - have;
    size = (size + (2 << 20) - 1) & ~(uint64_t)((2 << 20) - 1);
    size = size > vm->spec.heap - have ? vm->spec.heap - have : size;
    if (vm_map_heap(vm, have, size, false, NULL) < 0)
        return;
    if (add_memory(c, LAYOUT_HEAP - LAYOUT_BASE + have, size,
                   vm->base + (LAYOUT_HEAP - LAYOUT_BASE) + have) < 0) {
        munmap(vm->base + (LAYOUT_HEAP - LAYOUT_BASE) + have, size);
        return;
    }
    vm->heap_have = have + size;
    w->heap_have = vm->heap_have;
}

static void on_wait(struct vcpu *c)
{
    volatile struct boot_wait *w = (struct boot_wait *)(c->vm->base +
                                                        (LAYOUT_WAIT - LAYOUT_BASE));

    vm_wait(c->vm, w->until_ns);
}

/* False: the VM has ended. */
static bool on_port(struct vcpu *c)
{
    struct control_crash crash;
    uint16_t port = c->run->io.port;

    if (c->run->io.direction == KVM_EXIT_IO_OUT) {
        switch (port) {
        case PORT_WAIT:
            on_wait(c);
            return true;
        case PORT_CHECKPOINT:
            checkpoint_make(c->vm);
            return true;
        case PORT_CONTROL_DOORBELL:
            vm_serve(c->vm);
            return true;
        case PORT_HEAP:
            on_heap(c);
            return true;
        case PORT_PANIC:
            on_panic(c);
            return false;
        case PORT_FAULT:
            on_fault(c);
            return false;
        default:
            break;
        }
    }
    crash = where(c, CONTROL_PORT);
    crash.address = port;
    vm_crashed(c->vm, &crash);
    return false;
}

static void on_refusal(struct vcpu *c, const char *what, unsigned long long detail)
{
    struct control_crash crash = where(c, CONTROL_REFUSED);

    snprintf(crash.message, sizeof crash.message, "%s (%llu)", what, detail);
    vm_crashed(c->vm, &crash);
}

static bool handle_exit(struct vcpu *c)
{
    struct control_crash crash;

    switch (c->run->exit_reason) {
    case KVM_EXIT_IO:
        return on_port(c);
    case KVM_EXIT_INTR:
        return true;
    case KVM_EXIT_MMIO:
        crash = where(c, CONTROL_OUTSIDE);
        crash.address = LAYOUT_BASE + c->run->mmio.phys_addr;
        vm_crashed(c->vm, &crash);
        return false;
    case KVM_EXIT_SHUTDOWN:
        crash = where(c, CONTROL_SHUTDOWN);
        vm_crashed(c->vm, &crash);
        return false;
    case KVM_EXIT_FAIL_ENTRY:
        on_refusal(c, "KVM cannot enter the guest",
                   c->run->fail_entry.hardware_entry_failure_reason);
        return false;
    case KVM_EXIT_INTERNAL_ERROR:
        on_refusal(c, "KVM cannot execute an instruction", c->run->internal.suberror);
        return false;
    default:
        on_refusal(c, "KVM left the guest for an unknown reason", c->run->exit_reason);
        return false;
    }
}

/* KVM says EAGAIN while it cannot have the thread that it wants for each VM: wait a little
 * for a process to end. False: it has been too long. */
static bool may_go_on(struct vcpu *c, int error)
{
    if (error == EINTR)
        return true;
    if (error != EAGAIN || ++c->refused == MAX_REFUSED)
        return false;
    poll(NULL, 0, REFUSED_MS);
    return true;
}

/* KVM says EFAULT for memory that is mapped but cannot be had. */
static bool on_error(struct vcpu *c, int error)
{
    struct control_crash crash;

    if (may_go_on(c, error))
        return true;
    crash = where(c, error == EFAULT ? CONTROL_OUTSIDE : CONTROL_REFUSED);
    snprintf(crash.message, sizeof crash.message, "KVM_RUN: %s", errtext_fork(error));
    vm_crashed(c->vm, &crash);
    return false;
}

static void run(struct vcpu *c)
{
    bool alive = true;

    c->vm->times.entered = clock_ns();
    vm_serve(c->vm); /* a configuration may be waiting for us already */
    while (alive) {
        if (kicked) {
            kicked = 0;
            __atomic_store_n(&c->run->immediate_exit, 0, __ATOMIC_RELAXED);
            vm_serve(c->vm);
        }
        if (ioctl(c->fd, KVM_RUN, 0) < 0) {
            alive = on_error(c, errno);
        } else {
            c->refused = 0;
            alive = handle_exit(c);
        }
    }
}

/* Run a shell up to where it would sleep. The guest is still alone with our image: no
 * configuration, no packet. */
static int warm_up(struct vcpu *c, struct diag *d)
{
    for (;;) {
        if (ioctl(c->fd, KVM_RUN, 0) < 0) {
            if (may_go_on(c, errno))
                continue;
            return diag_err(d, "KVM_RUN: %s", errtext_fork(errno));
        }
        if (c->run->exit_reason == KVM_EXIT_IO && c->run->io.port == PORT_WAIT)
            return 0;
        /* What it prints waits in the ring until the daemon knows whose it is. */
        if (c->run->exit_reason == KVM_EXIT_IO &&
            c->run->io.port == PORT_CONTROL_DOORBELL)
            continue;
        if (!handle_exit(c))
            return diag_err(d, "the guest does not start");
    }
}

/* A shell that was given a state begins at the entry point, as that asks for. KVM still
 * has to finish with the port that it stood at. */
static int go_on(struct vcpu *c, struct diag *d)
{
    struct kvm_regs r = {.rip = c->vm->host->image.entry,
                         .rdi = LAYOUT_BOOT,
                         .rsp = LAYOUT_STACK + LAYOUT_STACK_SIZE - 8,
                         .rflags = RFLAGS};

    if (!c->vm->spec.has_state)
        return 0;
    c->run->immediate_exit = 1;
    ioctl(c->fd, KVM_RUN, 0);
    c->run->immediate_exit = 0;
    return ioctl(c->fd, KVM_SET_REGS, &r) < 0
               ? diag_err(d, "KVM_SET_REGS: %s", strerror(errno))
               : 0;
}

int vm_run_kvm(struct vm *vm, struct diag *d)
{
    struct vcpu c = {.vm = vm, .vm_fd = -1, .fd = -1};
    struct sigaction sa = {.sa_handler = on_signal};
    sigset_t none;

    sigaction(SIGIO, &sa, NULL);
    sigaction(SIGALRM, &sa, NULL);
    if (vm_map(vm, false, d) < 0 || create(&c, d) < 0)
        return -1;
    if (vm->spec.shell &&
        (warm_up(&c, d) < 0 || vm_await_identity(vm, d) < 0 || go_on(&c, d) < 0))
        return -1;
    /* What came while they were blocked is delivered now, and seen before the guest runs. */
    running = c.run;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (jail(&c, d) < 0)
        return -1;
    run(&c);
    return 0;
}
