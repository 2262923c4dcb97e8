// SPDX-License-Identifier: BSD-3-Clause
/* One VM inside its monitor process: memory and the daemon; see vm.h. What runs the guest
 * is in kvm.c and process.c. */

#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/layout.h"
#include "base/errtext.h"
#include "vmm/checkpoint.h"
#include "vmm/client.h"

/* Console text is passed on at this rate at most; a guest that writes faster loses some
 * of it and does not keep the daemon busy. */
enum {
    CONSOLE_RATE = 1 << 20,
    CONSOLE_BURST = 1 << 18,
    CONSOLE_CHUNK = 2048,
    CONSOLE_PAUSE_NS = 20000000
};

/* ---- memory ----------------------------------------------------------------------- */

static void *at(const struct vm *vm, uint64_t guest_address)
{
    return vm->base + (guest_address - LAYOUT_BASE);
}

void *vm_at(const struct vm *vm, uint64_t address)
{
    if (vm->spec.isolation == VMM_KVM && address >= LAYOUT_HEAP &&
        address < LAYOUT_HEAP + LAYOUT_HEAP_FIRST)
        address -= LAYOUT_HEAP - (LAYOUT_BASE + LAYOUT_HEAP_PHYS);
    return at(vm, address);
}

/* AVX needs the processor and, in a VM, a virtual one that keeps its registers. */
static uint64_t guest_cpu(const struct vm *vm)
{
    bool kept = vm->spec.isolation != VMM_KVM || (vm->host->xcr0 & 6) == 6;

    return kept && __builtin_cpu_supports("avx2") ? BOOT_AVX2 : 0;
}

static void fill_boot(struct vm *vm)
{
    struct boot_info *b = at(vm, LAYOUT_BOOT);
    struct boot_wait *w = at(vm, LAYOUT_WAIT);

    *b = (struct boot_info){
        .magic = BOOT_MAGIC,
        .abi = BOOT_ABI,
        .mode = vm->spec.isolation == VMM_KVM ? GUEST_KVM : GUEST_PROCESS,
        .resume = vm->spec.has_state,
        .tsc_base = vm->clock.tsc_base,
        .tsc_mult = vm->clock.mult,
        .ns_base = vm->clock.ns_base,
        .wall_offset_ns = vm->clock.wall_offset_ns,
        .heap = LAYOUT_HEAP,
        .heap_size = vm->spec.heap,
        .netmem = vm->spec.n_ifs ? LAYOUT_NETMEM : 0,
        .netmem_size = vm->spec.n_ifs ? vm->spec.mem_size : 0,
        .control = LAYOUT_CONTROL,
        .wait = LAYOUT_WAIT,
        .poll_ns = vm->spec.poll_ns,
        .cpu = guest_cpu(vm),
        .wake_fd = -1,
        .control_fd = -1,
    };
    memcpy(b->vm_name, vm->spec.name, sizeof b->vm_name - 1);
    if (getrandom(b->seed, sizeof b->seed, GRND_NONBLOCK) < 0)
        b->seed[0] = vm->clock.tsc_base;
    memcpy(at(vm, LAYOUT_FS + 0x28), &b->seed[1], sizeof b->seed[1]);
    w->heap_have = vm->heap_have;
}

/* What a guest is certain to touch before its first packet: one call a piece here costs
 * less than one fault a page there, and KVM maps the neighbours of a page along with it
 * when they are present. The rings are not in it: little of them is touched. */
static void touch(struct vm *vm)
{
    const uint64_t data = vm->host->image.data_mem;
    const struct {
        uint64_t from, size;
    } pieces[] = {
        {LAYOUT_BASE + 0x1000, 0x6000},
        {LAYOUT_BOOT, LAYOUT_DATA - LAYOUT_BOOT + (data < 0x8000 ? data : 0x8000)},
        {LAYOUT_STACK + LAYOUT_STACK_SIZE - 0x4000, 0x4000},
        {LAYOUT_CONTROL, CONTROL_REQUEST_AT + 0x1000},
        {LAYOUT_BASE + LAYOUT_HEAP_PHYS, 0x16000},
    };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        madvise(at(vm, pieces[i].from), pieces[i].size, MADV_POPULATE_WRITE);
    if (vm->spec.n_ifs)
        madvise(at(vm, LAYOUT_NETMEM), 0x2000, MADV_POPULATE_WRITE);
}

/* A process has all of its heap from the start, and we see it, too; in a VM, what has grown
 * beyond the first part is where the guest sees it. */
static int map_heap(struct vm *vm, bool shared, struct diag *d)
{
    uint64_t have = vm->spec.has_state ? vm->state.head.heap_have : 0;

    if (shared)
        return vm_map_heap(vm, 0, vm->spec.heap, true, d);
    if (have <= LAYOUT_HEAP_FIRST)
        return 0;
    if (vm_map_heap(vm, LAYOUT_HEAP_FIRST, have - LAYOUT_HEAP_FIRST, false, d) < 0)
        return -1;
    vm->heap_have = have;
    return 0;
}

int vm_map_heap(const struct vm *vm, uint64_t from, uint64_t size, bool shared,
                struct diag *d)
{
    const int flags = MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE |
                      (shared ? MAP_SHARED : MAP_PRIVATE);

    if (mmap(at(vm, LAYOUT_HEAP + from), size, PROT_READ | PROT_WRITE, flags, -1, 0) ==
        MAP_FAILED)
        return diag_err(d, "heap of the VM: %s", errtext(errno));
    /* Who needs so much has tables. It is as good without them, if not as quick. */
    if (!shared && from >= LAYOUT_HEAP_FIRST)
        madvise(at(vm, LAYOUT_HEAP + from), size, MADV_HUGEPAGE);
    return 0;
}

int vm_map(struct vm *vm, bool shared, struct diag *d)
{
    const struct image *im = &vm->host->image;
    const int flags = MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE |
                      (shared ? MAP_SHARED : MAP_PRIVATE);

    /* Text and constants are there already: the fork server's. */
    vm->base = (uint8_t *)(uintptr_t)LAYOUT_BASE;
    if (mmap(vm->base, LAYOUT_TEXT - LAYOUT_BASE, PROT_READ | PROT_WRITE, flags, -1,
             0) == MAP_FAILED ||
        (vm->spec.n_ifs &&
         mmap(at(vm, LAYOUT_NETMEM), vm->spec.mem_size, PROT_READ | PROT_WRITE,
              MAP_SHARED | MAP_FIXED_NOREPLACE, vm->mem, 0) == MAP_FAILED))
        return diag_err(d, "memory of the VM: %s", errtext(errno));
    vm->heap_have = shared ? vm->spec.heap : LAYOUT_HEAP_FIRST;
    if (map_heap(vm, shared, d) < 0)
        return -1;
    touch(vm);
    mailbox_init(&vm->mailbox, at(vm, LAYOUT_CONTROL));
    if (!vm->spec.has_state)
        memcpy(at(vm, LAYOUT_DATA), im->data, im->data_size);
    else if (checkpoint_restore(vm, d) < 0)
        return -1;
    fill_boot(vm);
    return 0;
}

/* ---- the daemon ------------------------------------------------------------------- */

static void make_async(const struct vm *vm, int fd)
{
    if (!vm->async || fd < 0)
        return;
    fcntl(fd, F_SETOWN, getpid());
    fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static struct wire_hello hello(const struct vm *vm)
{
    struct wire_hello h = {
        .abi = WIRE_ABI,
        .isolation = vm->spec.isolation,
        .n_ifs = vm->spec.n_ifs,
        .ready = vm->reported_ready,
        .mem_size = vm->spec.mem_size,
        .times = vm->times,
    };

    memcpy(h.name, vm->spec.name, sizeof h.name);
    return h;
}

/* Greet a daemon that has found us: it has none of our fds. */
static bool send_hello(struct vm *vm, int fd)
{
    struct {
        struct wire_head head;
        struct wire_hello hello;
    } msg = {{WIRE_HELLO, sizeof(struct wire_hello)}, hello(vm)};
    int fds[WIRE_MAX_FDS], n = 0;
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(sizeof fds)];
    } control = {0};
    struct iovec iov = {&msg, sizeof msg};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};

    fds[n++] = vm->wake;
    if (vm->spec.n_ifs)
        fds[n++] = vm->mem;
    for (unsigned i = 0; i < vm->spec.n_ifs; i++)
        fds[n++] = vm->doorbells[i];
    m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
    control.h = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                 .cmsg_type = SCM_RIGHTS,
                                 .cmsg_len = CMSG_LEN((size_t)n * sizeof(int))};
    memcpy(CMSG_DATA(&control.h), fds, (size_t)n * sizeof(int));
    return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof msg;
}

static void take_connections(struct vm *vm)
{
    int fd;

    if (vm->listen < 0)
        return;
    while ((fd = accept4(vm->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct ucred peer;
        socklen_t len = sizeof peer;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
            (peer.uid != 0 && peer.uid != vm->host->owner) || !send_hello(vm, fd)) {
            close(fd);
            continue;
        }
        vm->greeted = true;
        link_replace(&vm->daemon, fd);
        make_async(vm, fd);
    }
}

static void pass_console_on(struct vm *vm)
{
    char text[CONSOLE_CHUNK];
    uint64_t now = clock_ns(), credit;
    uint32_t lost;

    credit = vm->console_credit + (now - vm->console_ns) / (1000000000 / CONSOLE_RATE);
    vm->console_credit = credit > CONSOLE_BURST ? CONSOLE_BURST : (uint32_t)credit;
    vm->console_ns = now;
    while (vm->console_credit >= CONSOLE_CHUNK &&
           link_room(&vm->daemon) >= CONSOLE_CHUNK + 64 && vm->daemon.fd >= 0) {
        size_t n = mailbox_console(&vm->mailbox, text, sizeof text, &lost);

        if (!n)
            break;
        vm->console_credit -= (uint32_t)n;
        link_frame(&vm->daemon, WIRE_CONSOLE, &lost, sizeof lost, text, n);
        link_send(&vm->daemon);
    }
}

static void say_hello(struct vm *vm)
{
    struct wire_hello h = hello(vm);

    if (!vm->greeted)
        link_frame(&vm->daemon, WIRE_HELLO, &h, sizeof h, NULL, 0);
    vm->greeted = true;
}

/* With the greeting: sent before the guest has booted, it would only put the daemon onto our
 * processor. */
static void report_ready(struct vm *vm)
{
    if (vm->reported_ready || !mailbox_ready(&vm->mailbox))
        return;
    vm->times.ready = clock_ns();
    vm->reported_ready = true;
    say_hello(vm);
    link_frame(&vm->daemon, WIRE_READY, &vm->times, sizeof vm->times, NULL, 0);
}

/* While the guest runs only a signal can tell us that its time is up. */
static void arm_timer(const struct vm *vm)
{
    uint64_t now = clock_ns(), left = 1000000;
    struct itimerval t = {.it_interval = {0}};

    if (!vm->async)
        return;
    if (vm->daemon.deadline_ns > now)
        left += vm->daemon.deadline_ns - now;
    t.it_value.tv_sec = (time_t)(left / 1000000000u);
    t.it_value.tv_usec = (suseconds_t)(left % 1000000000u / 1000);
    setitimer(ITIMER_REAL, &t, NULL);
}

bool vm_serve(struct vm *vm)
{
    bool posted;

    report_ready(vm);
    take_connections(vm);
    pass_console_on(vm);
    link_answer(&vm->daemon, clock_ns());
    link_send(&vm->daemon);
    posted = link_receive(&vm->daemon);
    link_send(&vm->daemon);
    /* Nobody has it any more, and without a socket nobody ever will. */
    if (vm->daemon.fd < 0 && vm->listen < 0)
        _exit(1);
    if (posted)
        arm_timer(vm);
    return posted;
}

struct timespec vm_patience(const struct vm *vm, uint64_t until_ns)
{
    uint64_t left = UINT64_MAX, now;

    if (until_ns != UINT64_MAX) {
        now = clock_guest_ns(&vm->clock);
        left = until_ns > now ? until_ns - now : 0;
    }
    if (vm->daemon.open) {
        uint64_t due = vm->daemon.deadline_ns;

        now = clock_ns();
        due = due > now ? due - now : 0;
        left = due < left ? due : left;
    }
    /* Console text that had to wait for its turn. */
    if (vm->daemon.fd >= 0 && mailbox_console_waiting(&vm->mailbox))
        left = left < CONSOLE_PAUSE_NS ? left : CONSOLE_PAUSE_NS;
    if (left > UINT64_C(3600000000000))
        left = UINT64_C(3600000000000);
    return (struct timespec){(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
}

void vm_wait(struct vm *vm, uint64_t until_ns)
{
    for (;;) {
        struct pollfd p[3] = {
            {.fd = vm->wake, .events = POLLIN},
            {.fd = vm->listen, .events = POLLIN},
            {.fd = -1},
        };
        struct timespec t;
        uint64_t woken;

        if (vm_serve(vm) || mailbox_nudge(&vm->mailbox))
            return;
        p[2].fd = vm->daemon.fd;
        p[2].events = link_events(&vm->daemon);
        t = vm_patience(vm, until_ns);
        if (ppoll(p, 3, &t, NULL) < 0 && errno != EINTR)
            return;
        if (p[2].revents & (POLLHUP | POLLERR) && !(p[2].events & POLLIN))
            link_replace(&vm->daemon, -1);
        if (p[0].revents & POLLIN && read(vm->wake, &woken, sizeof woken) > 0)
            return;
        if (until_ns != UINT64_MAX && clock_guest_ns(&vm->clock) >= until_ns)
            return;
    }
}

/* Messages of the daemon interrupt us from now on. */
static void meet_daemon(struct vm *vm)
{
    make_async(vm, vm->link);
    make_async(vm, vm->listen);
}

/* The daemon has looked at it already; this is about what we rely on. */
static int open_state(struct vm *vm, struct diag *d)
{
    const struct state_head *h = &vm->state.head;

    if (state_open(&vm->state, vm->state.fd, d) < 0)
        return -1;
    if (h->image != vm->host->image.id || h->heap != vm->spec.heap ||
        h->n_ifs != vm->spec.n_ifs || h->mem_size != vm->spec.mem_size)
        return diag_err(d, "the state is that of another kind of VM");
    return 0;
}

/* ---- shells ----------------------------------------------------------------------- */

/* Nothing of the VM-to-be has reached the guest so far, so that one shell is as good as
 * another; what it learns now is all that tells it from them. */
static void take_identity(struct vm *vm, const struct wire_give *g, int listener)
{
    struct boot_info *b = at(vm, LAYOUT_BOOT);
    struct clock_scale now;

    vm->spec.shell = 0;
    vm->spec.uid = g->uid;
    vm->spec.has_listen = g->has_listen;
    vm->spec.poll_ns = b->poll_ns = g->poll_ns;
    vm->listen = listener;
    memcpy(vm->spec.name, g->name, sizeof vm->spec.name - 1);
    memcpy(b->vm_name, vm->spec.name, sizeof b->vm_name - 1);
    /* The wall clock may have been set since; the scale of the steady one must stay. */
    clock_measure(&vm->host->clock, &now);
    b->wall_offset_ns = now.wall_offset_ns;
    prctl(PR_SET_NAME, vm->spec.name[0] ? vm->spec.name : "clickos-vm", 0, 0, 0);
    vm->times.spawn = g->spawn_ns;
    vm->times.forked = vm->times.created = clock_ns();
}

/* `fds`: its listener and its state; -1: none. */
static int receive_identity(struct vm *vm, struct wire_give *g, int fds[2])
{
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    int got[2];
    size_t n = 0, k = 0;
    struct iovec iov = {g, sizeof *g};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *c;

    fds[0] = fds[1] = -1;
    if (recvmsg(vm->link, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *g)
        return -1;
    c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (n != (size_t)(!!g->has_listen + !!g->has_state) || n > 2)
        return -1;
    if (n)
        memcpy(got, CMSG_DATA(c), n * sizeof(int));
    if (g->has_listen)
        fds[0] = got[k++];
    if (g->has_state)
        fds[1] = got[k];
    return 0;
}

/* It becomes one that was another VM before: nothing of the shell's own boot stays. */
static int take_state(struct vm *vm, int fd, bool elapse, struct diag *d)
{
    vm->spec.has_state = 1;
    vm->spec.elapse = elapse;
    vm->state.fd = fd;
    if (open_state(vm, d) < 0)
        return -1;
    checkpoint_clear(vm);
    if (checkpoint_restore(vm, d) < 0)
        return -1;
    fill_boot(vm);
    return 0;
}

int vm_await_identity(struct vm *vm, struct diag *d)
{
    struct pollfd p = {.fd = vm->link, .events = POLLIN};
    struct wire_give g;
    int fds[2];

    say_hello(vm);
    link_flush(&vm->daemon, 1000);
    while (poll(&p, 1, -1) < 0)
        if (errno != EINTR)
            break;
    if (receive_identity(vm, &g, fds) < 0)
        return diag_err(d, "the daemon has gone");
    take_identity(vm, &g, fds[0]);
    meet_daemon(vm);
    return g.has_state ? take_state(vm, fds[1], g.elapse, d) : 0;
}

/* ---- the end ---------------------------------------------------------------------- */

void vm_crashed(struct vm *vm, const struct control_crash *crash)
{
    uint64_t guard = LAYOUT_STACK - 65536, at = crash->rsp;

    vm->crash = (struct wire_crash){.crash = *crash};
    vm->crash.crash.valid = 1;
    /* After an overflow it points below the stack. */
    if (at >= guard && at < LAYOUT_STACK)
        at = LAYOUT_STACK;
    if (at >= LAYOUT_STACK && at < LAYOUT_STACK + LAYOUT_STACK_SIZE)
        vm->crash.stack_at = at;
}

/* Whose addresses these are the daemon finds out: it has the image's unwinding tables. */
static bool send_crash(struct vm *vm)
{
    uint64_t at = vm->crash.stack_at, size = 0;

    if (at)
        size = LAYOUT_STACK + LAYOUT_STACK_SIZE - at;
    if (size > WIRE_MAX_STACK)
        size = WIRE_MAX_STACK;
    return link_frame_long(&vm->daemon, WIRE_CRASH, &vm->crash, sizeof vm->crash,
                           at ? vm_at(vm, at) : NULL, size);
}

static void say_why(struct vm *vm, struct diag *d)
{
    const char *why = d->n_messages ? d->messages[0].text : "the guest has stopped";

    link_frame(&vm->daemon, WIRE_END, why, strlen(why), NULL, 0);
}

/* To a daemon that is not there now it is told when the next one comes: until then we are
 * all that knows of it. */
static void report_crash(struct vm *vm)
{
    for (;;) {
        struct pollfd p = {.fd = vm->listen, .events = POLLIN};

        pass_console_on(vm);
        link_flush(&vm->daemon, 1000);
        if (send_crash(vm))
            link_flush(&vm->daemon, 1000);
        if (vm->daemon.fd >= 0 || vm->listen < 0)
            return;
        poll(&p, 1, -1);
        take_connections(vm);
    }
}

int vm_main(struct vm *vm)
{
    struct diag d = DIAG_INIT;
    int rc;

    vm->console_ns = clock_ns();
    vm->console_credit = CONSOLE_BURST;
    clock_measure(&vm->host->clock, &vm->clock);
    vm->async = vm->spec.isolation == VMM_KVM;
    link_init(&vm->daemon, &vm->mailbox, vm->link);
    if (!vm->spec.shell)
        meet_daemon(vm);
    if (vm->spec.has_state && open_state(vm, &d) < 0)
        rc = -1;
    else
        rc = vm->spec.isolation == VMM_KVM ? vm_run_kvm(vm, &d)
                                           : vm_run_process(vm, &d);
    if (rc == 0)
        pass_console_on(vm);
    /* A reply that is half sent must end before anything else can be said. */
    link_flush(&vm->daemon, 1000);
    if (vm->crash.crash.valid) {
        report_crash(vm);
    } else {
        say_why(vm, &d);
        link_flush(&vm->daemon, 1000);
    }
    diag_fini(&d);
    return rc == 0 ? 0 : 1;
}
