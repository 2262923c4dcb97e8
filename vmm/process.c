// SPDX-License-Identifier: BSD-3-Clause
/*
 * A VM as a sandboxed process, for machines without KVM; see vm.h.
 *
 * The monitor forks once more. The child has the same image and the same memory at the
 * same addresses as a KVM guest, and besides its event fds nothing: no other fd, and no
 * system call but reading, writing and polling those. A fault is caught by a handler
 * that runs on a stack of its own, leaves a crash record in control memory and exits.
 * The monitor does for it what it does for a KVM guest.
 *
 *     fd 0      wake event: read, poll
 *     fd 1      control event: write
 *     fd 2...   doorbells: write
 */

#include "vmm/vm.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/layout.h"
#include "base/errtext.h"
#include "vmm/checkpoint.h"
#include "vmm/jail.h"

enum { FD_WAKE, FD_CONTROL, FD_NET, FD_SPARE = 40, EXIT_CRASH = 99 };

static struct boot_info *boot(const struct vm *vm)
{
    return (struct boot_info *)(vm->base + (LAYOUT_BOOT - LAYOUT_BASE));
}

/* ---- in the child ------------------------------------------------------------------- */

static uint32_t vector_of(int sig, const siginfo_t *si, const greg_t *regs)
{
    if (sig == SIGSYS)
        return CONTROL_SYSCALL;
    if (sig == SIGFPE && regs[REG_TRAPNO] == 0)
        return 0;
    return (uint32_t)regs[REG_TRAPNO];
}

/* Nothing here may rely on what the guest may have changed: no locks, no heap, no thread
 * data (FS is the guest's). */
__attribute__((no_sanitize("address", "undefined", "thread"))) static void
on_fault(int sig, siginfo_t *si, void *context)
{
    const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct control_head *head = (struct control_head *)(uintptr_t)LAYOUT_CONTROL;
    volatile struct control_crash *c = &head->crash;

    c->vector = vector_of(sig, si, regs);
    c->error_code = (uint64_t)regs[REG_ERR];
    c->rip = (uint64_t)regs[REG_RIP];
    c->rsp = (uint64_t)regs[REG_RSP];
    c->rbp = (uint64_t)regs[REG_RBP];
    c->rbx = (uint64_t)regs[REG_RBX];
    c->r12 = (uint64_t)regs[REG_R12];
    c->r13 = (uint64_t)regs[REG_R13];
    c->r14 = (uint64_t)regs[REG_R14];
    c->r15 = (uint64_t)regs[REG_R15];
    c->address = 0;
    if (sig == SIGSYS)
        c->address = (uint64_t)si->si_syscall;
    else if (c->vector == 14)
        c->address = (uint64_t)regs[REG_CR2];
    c->valid = 1;
    __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(EXIT_CRASH) : "memory");
}

static int catch_faults(struct diag *d)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    const size_t size = 64 << 10;
    stack_t alt = {.ss_size = size};
    struct sigaction sa = {.sa_sigaction = on_fault,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK};

    alt.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    sigfillset(&sa.sa_mask);
    if (alt.ss_sp == MAP_FAILED || sigaltstack(&alt, NULL) < 0)
        return diag_err(d, "signal stack: %s", errtext(errno));
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &sa, NULL);
    return 0;
}

/* Out of the monitor's way first, then down to where the guest expects them. */
static int arrange_fds(struct vm *vm, int control, struct diag *d)
{
    int fds[FD_NET + NETMEM_MAX_IFS] = {vm->wake, control};
    int n = FD_NET + (int)vm->spec.n_ifs;

    memcpy(fds + FD_NET, vm->doorbells, vm->spec.n_ifs * sizeof(int));
    for (int i = 0; i < n; i++) {
        fds[i] = fcntl(fds[i], F_DUPFD, FD_SPARE);
        if (fds[i] < 0)
            return diag_err(d, "file descriptors: %s",
                            errtext(errno == EINVAL ? EMFILE : errno));
    }
    for (int i = 0; i < n; i++)
        dup2(fds[i], i);
    return (int)syscall(SYS_close_range, (unsigned)n, ~0u, 0);
}

/* What the page tables are to a KVM guest. */
static int protect(struct vm *vm, struct diag *d)
{
    const struct image *im = &vm->host->image;
    uint8_t *hot = vm->base;
    const size_t end = LAYOUT_CONTROL - LAYOUT_BASE;
    int bad = 0;

    bad |= mprotect(hot, end, PROT_NONE);
    bad |= mprotect((void *)LAYOUT_BOOT, 4096, PROT_READ);
    bad |= mprotect((void *)LAYOUT_WAIT, 4096, PROT_READ | PROT_WRITE);
    bad |= mprotect((void *)LAYOUT_DATA, im->data_mem, PROT_READ | PROT_WRITE);
    bad |= mprotect((void *)LAYOUT_STACK, LAYOUT_STACK_SIZE, PROT_READ | PROT_WRITE);
    bad |= mprotect((void *)LAYOUT_TEXT, im->text_size, PROT_READ | PROT_EXEC);
    /* The heap's first part lies elsewhere only for KVM's sake. */
    bad |= mprotect(hot + LAYOUT_HEAP_PHYS, LAYOUT_HEAP_FIRST, PROT_NONE);
    return bad ? diag_err(d, "memory protection: %s", strerror(errno)) : 0;
}

__attribute__((no_sanitize("address", "undefined", "thread"))) static _Noreturn void
enter(uint64_t entry)
{
    __asm__ volatile("syscall"
                     :
                     : "a"(SYS_arch_prctl), "D"(ARCH_SET_FS), "S"((uint64_t)LAYOUT_FS)
                     : "rcx", "r11", "memory");
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "jmp *%1"
                     :
                     : "r"((uint64_t)(LAYOUT_STACK + LAYOUT_STACK_SIZE - 8)),
                       "r"(entry), "D"((uint64_t)LAYOUT_BOOT)
                     : "memory");
    __builtin_unreachable();
}

/* A shell has done all that does not depend on whose it will be: its user. */
static void await_user(struct vm *vm, int told)
{
    madvise((void *)LAYOUT_DATA, vm->host->image.data_mem, MADV_POPULATE_WRITE);
    madvise((void *)(LAYOUT_STACK + LAYOUT_STACK_SIZE - 0x4000), 0x4000,
            MADV_POPULATE_WRITE);
    if (read(told, &vm->spec.uid, sizeof vm->spec.uid) != sizeof vm->spec.uid)
        _exit(0); /* the monitor is gone */
    prctl(PR_SET_NAME, *boot(vm)->vm_name ? boot(vm)->vm_name : "clickos-vm", 0, 0, 0);
}

/* `told`: where a shell hears who its user is; -1: it is no shell. */
static int become_guest(struct vm *vm, pid_t monitor, int control, int told,
                        struct diag *d)
{
    struct jail_rule rules[8 + FD_NET + NETMEM_MAX_IFS] = {
        JAIL_IF(SYS_read, 0, FD_WAKE),     JAIL_ANY(SYS_ppoll),
        JAIL_ANY(SYS_rt_sigreturn),        JAIL_ANY(SYS_exit_group),
        JAIL_IF(SYS_write, 0, FD_CONTROL),
    };
    size_t n = 5;

    rules[n++] = (struct jail_rule)JAIL_IF(SYS_arch_prctl, 0, ARCH_SET_FS);
    for (unsigned i = 0; i < vm->spec.n_ifs; i++)
        rules[n++] = (struct jail_rule)JAIL_IF(SYS_write, 0, FD_NET + i);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (protect(vm, d) < 0 || catch_faults(d) < 0)
        return -1;
    if (told >= 0)
        await_user(vm, told);
    if (arrange_fds(vm, control, d) < 0 || jail_identity(vm->spec.uid, d) < 0)
        return -1;
    /* Changing the user has cleared it; and a monitor of another user may not signal us. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != monitor)
        _exit(0); /* it ended before that */
    if (jail_calls(rules, n, 1, d) < 0)
        return -1;
    enter(vm->host->image.entry);
}

/* Not even a guest yet: say why the way a guest would. */
static _Noreturn void fail_child(const struct diag *d)
{
    struct control_head *head = (struct control_head *)(uintptr_t)LAYOUT_CONTROL;

    head->crash.vector = CONTROL_REFUSED;
    if (d->n_messages)
        snprintf(head->crash.message, sizeof head->crash.message, "%s",
                 d->messages[0].text);
    head->crash.valid = 1;
    _exit(EXIT_CRASH);
}

/* ---- in the monitor ----------------------------------------------------------------- */

static int jail(struct vm *vm, struct diag *d)
{
    static const struct jail_rule rules[] = {
        JAIL_ANY(SYS_ppoll),
        JAIL_ANY(SYS_poll),
        JAIL_ANY(SYS_read),
        JAIL_ANY(SYS_write),
        JAIL_ANY(SYS_recvfrom),
        JAIL_ANY(SYS_sendto),
        JAIL_ANY(SYS_sendmsg),
        JAIL_ANY(SYS_accept4),
        JAIL_ANY(SYS_getsockopt),
        JAIL_ANY(SYS_close),
        JAIL_ANY(SYS_clock_gettime),
        JAIL_ANY(SYS_wait4),
        JAIL_ANY(SYS_brk),
        JAIL_ANY(SYS_munmap),
        JAIL_ANY(SYS_memfd_create),
        JAIL_ANY(SYS_pwrite64),
        JAIL_ANY(SYS_ftruncate),
        JAIL_ANY(SYS_mincore),
        JAIL_ANY(SYS_sysinfo),
        JAIL_ANY(SYS_rt_sigreturn),
        JAIL_ANY(SYS_exit_group),
        JAIL_ANY(SYS_restart_syscall),
        JAIL_IF(SYS_mmap, 2, PROT_READ | PROT_WRITE),
    };

    if (jail_identity(vm->spec.uid, d) < 0 ||
        jail_calls(rules, sizeof rules / sizeof rules[0], 0, d) < 0)
        return -1;
    vm->times.jailed = clock_ns();
    return 0;
}

/* The child is gone. Its record may be forged, like everything a guest writes. */
static void take_crash(struct vm *vm, int status)
{
    struct control_crash crash;

    mailbox_crash(&vm->mailbox, &crash);
    if (!crash.valid) {
        memset(&crash, 0, sizeof crash);
        crash.vector = CONTROL_REFUSED;
        if (WIFSIGNALED(status))
            snprintf(crash.message, sizeof crash.message,
                     "the guest process was ended: %s", strsignal(WTERMSIG(status)));
        else
            snprintf(crash.message, sizeof crash.message,
                     "the guest process has exited with status %d",
                     WEXITSTATUS(status));
    }
    if (crash.vector != CONTROL_PANIC && crash.vector != CONTROL_REFUSED)
        crash.message[0] = '\0';
    vm_crashed(vm, &crash);
}

/* Whether the guest stood still for one and may go on. */
static bool take_checkpoint(struct vm *vm)
{
    volatile struct boot_wait *w = (struct boot_wait *)(uintptr_t)LAYOUT_WAIT;
    uint64_t asked = w->asked;

    if (asked == vm->checkpoints)
        return false;
    checkpoint_make(vm);
    vm->checkpoints = asked;
    w->done = asked;
    return true;
}

/* The guest sleeps in its own process; what wakes us is the daemon, its control event, or
 * its death. A posted request wakes it. */
static void supervise(struct vm *vm, pid_t child, int control, int child_fd)
{
    const uint64_t one = 1;
    uint64_t rung;
    int status = 0;
    bool checkpoint;

    for (;;) {
        struct pollfd p[4] = {
            {.fd = control, .events = POLLIN},
            {.fd = child_fd, .events = POLLIN},
            {.fd = vm->listen, .events = POLLIN},
            {.fd = -1},
        };
        struct timespec t;

        checkpoint = take_checkpoint(vm);
        if ((vm_serve(vm) || checkpoint) && write(vm->wake, &one, sizeof one) < 0)
            break;
        p[3].fd = vm->daemon.fd;
        p[3].events = link_events(&vm->daemon);
        t = vm_patience(vm, UINT64_MAX);
        if (ppoll(p, 4, &t, NULL) < 0 && errno != EINTR)
            break;
        if (p[0].revents & POLLIN && read(control, &rung, sizeof rung) < 0)
            break;
        if (p[3].revents & (POLLHUP | POLLERR) && !(p[3].events & POLLIN))
            link_replace(&vm->daemon, -1);
        if (p[1].revents)
            break;
    }
    if (waitpid(child, &status, 0) == child)
        take_crash(vm, status);
}

/* The guest's process; `told` is what become_guest() says. */
static pid_t fork_guest(struct vm *vm, int control, const int told[2], struct diag *d)
{
    pid_t monitor = getpid(), child = fork();

    if (child == 0) {
        if (told[1] >= 0)
            close(told[1]);
        become_guest(vm, monitor, control, told[0], d);
        fail_child(d);
    }
    if (child < 0)
        diag_err(d, "fork: %s", errtext_fork(errno));
    if (told[0] >= 0)
        close(told[0]);
    vm->times.created = clock_ns();
    return child;
}

/* A shell: both processes wait. */
static int await_identity(struct vm *vm, int tell, struct diag *d)
{
    int rc = vm_await_identity(vm, d);

    if (rc == 0 &&
        write(tell, &vm->spec.uid, sizeof vm->spec.uid) != sizeof vm->spec.uid)
        rc = diag_err(d, "the guest process does not wait: %s", errtext(errno));
    close(tell);
    return rc;
}

int vm_run_process(struct vm *vm, struct diag *d)
{
    int control = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), told[2] = {-1, -1}, child_fd;
    bool shell = vm->spec.shell;
    pid_t child;

    if (control < 0 || (shell && pipe2(told, O_CLOEXEC) < 0))
        return diag_err(d, "event fd: %s", errtext(errno));
    if (vm_map(vm, true, d) < 0)
        return -1;
    boot(vm)->wake_fd = FD_WAKE;
    boot(vm)->control_fd = FD_CONTROL;
    for (unsigned i = 0; i < vm->spec.n_ifs; i++)
        boot(vm)->net_fds[i] = FD_NET + (int)i;
    if (!shell)
        vm_serve(vm); /* a configuration may be waiting for us already */
    child = fork_guest(vm, control, told, d);
    if (child < 0 || (shell && await_identity(vm, told[1], d) < 0))
        return -1;
    child_fd = (int)syscall(SYS_pidfd_open, child, 0);
    if (child_fd < 0)
        return diag_err(d, "pidfd: %s", errtext(errno));
    if (jail(vm, d) < 0)
        return -1;
    vm->times.entered = clock_ns();
    supervise(vm, child, control, child_fd);
    return 0;
}
