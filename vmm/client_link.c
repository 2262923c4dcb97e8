// SPDX-License-Identifier: BSD-3-Clause
/* The daemon's end of the connection to a monitor: frames in, requests out; see client.h.
 * Everything that comes in is a claim by a process that its guest may have taken over. */

#include "base/errtext.h"
#include "vmm/client_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SMALL_FRAME = 64 << 10, /* bytes of any frame but a reply */
    GRACE_MS = 3000,        /* for the monitor to say that the guest was too slow */
    BOOT_MS =
        30000, /* for one that has not even begun, on a machine that is too busy */
};

static void protocol_error(struct vmm *vm, const char *what)
{
    vm->protocol = true;
    strncpy(vm->why, what, sizeof vm->why - 1);
    vmm_kill(vm);
    vmm_link_close(vm);
}

/* ---- requests ----------------------------------------------------------------------- */

static void asking_add(struct vmm *vm)
{
    struct vmm_host *h = vm->host;

    if (vm->asking)
        return;
    vm->asking = true;
    vm->asking_prev = NULL;
    vm->asking_next = h->asking;
    if (h->asking)
        h->asking->asking_prev = vm;
    h->asking = vm;
}

static void asking_remove(struct vmm *vm)
{
    if (!vm->asking)
        return;
    vm->asking = false;
    if (vm->asking_prev)
        vm->asking_prev->asking_next = vm->asking_next;
    else
        vm->host->asking = vm->asking_next;
    if (vm->asking_next)
        vm->asking_next->asking_prev = vm->asking_prev;
}

static void want_write(struct vmm *vm, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = vm};

    if (vm->link_write == on || vm->link < 0)
        return;
    vm->link_write = on;
    epoll_ctl(vm->host->epoll, EPOLL_CTL_MOD, vm->link, &ev);
}

static void send_first(struct vmm *vm)
{
    struct asked *a = vm->first;

    while (a && a->sent < a->len && vm->link >= 0) {
        ssize_t n = send(vm->link, a->bytes + a->sent, a->len - a->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0) {
            /* That it is gone is noticed by reading. */
            want_write(vm, errno == EAGAIN);
            return;
        }
        a->sent += (size_t)n;
    }
    want_write(vm, false);
}

void vmm_link_next(struct vmm *vm)
{
    if (!vm->first || vm->link < 0)
        return;
    vm->deadline_ns = vmm_now_ns() + (vm->first->timeout_ms + GRACE_MS +
                                      (vm->was_ready ? 0 : BOOT_MS)) *
                                         UINT64_C(1000000);
    asking_add(vm);
    send_first(vm);
}

void vmm_link_answer(struct vmm *vm, uint32_t status, const char *text, size_t len)
{
    struct asked *a = vm->first;

    vm->first = a->next;
    if (!vm->first)
        vm->last = &vm->first;
    asking_remove(vm);
    if (!vm->dead)
        a->reply(vm, a->ctx, status, text, len);
    if (vm->state_fd >= 0) {
        close(vm->state_fd); /* nobody wanted it */
        vm->state_fd = -1;
    }
    free(a->bytes);
    free(a);
    if (!vm->dead && !vm->asking)
        vmm_link_next(vm);
}

void vmm_link_overdue(struct vmm_host *h)
{
    uint64_t now = vmm_now_ns();

    for (struct vmm *vm = h->asking, *next; vm; vm = next) {
        next = vm->asking_next;
        if (now >= vm->deadline_ns)
            protocol_error(vm, "the monitor does not answer");
    }
}

/* ---- frames ------------------------------------------------------------------------- */

static void take_times(struct vmm *vm, const struct wire_times *t)
{
    vm->timing = (struct vmm_timing){.spawn = t->spawn,
                                     .forked = t->forked,
                                     .created = t->created,
                                     .jailed = t->jailed,
                                     .entered = t->entered,
                                     .ready = t->ready,
                                     .reported = vmm_now_ns()};
}

static bool is_ready(struct vmm *vm)
{
    if (vm->was_ready)
        return false;
    vm->was_ready = true;
    if (vm->events->ready)
        vm->events->ready(vm, vm->ctx, &vm->timing);
    return true;
}

/* The fds of an adopted VM: wake, memory, doorbells. The switch will map the memory, so its
 * size must be what is said and unable to change. */
static bool take_net(struct vmm *vm, const struct wire_hello *m)
{
    unsigned want = 1 + (m->n_ifs ? 1 + m->n_ifs : 0);
    struct stat st;
    int seals;

    if (m->n_ifs > NETMEM_MAX_IFS || vm->n_fds != want)
        return false;
    if (m->n_ifs) {
        seals = fcntl(vm->fds[1], F_GET_SEALS);
        if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(vm->fds[1], &st) < 0 ||
            (uint64_t)st.st_size != m->mem_size)
            return false;
    }
    vm->net = (struct vmm_net){.mem_fd = m->n_ifs ? vm->fds[1] : -1,
                               .mem_size = m->mem_size,
                               .n_ifs = m->n_ifs,
                               .wake_fd = vm->fds[0]};
    for (unsigned i = 0; i < NETMEM_MAX_IFS; i++)
        vm->net.doorbell_fds[i] = i < m->n_ifs ? vm->fds[2 + i] : -1;
    vm->n_fds = 0;
    vm->net_valid = true;
    return true;
}

/* Its descriptors are lost, which is not its fault: it is to be asked again. */
static bool hang_up(struct vmm *vm)
{
    snprintf(vm->why, sizeof vm->why, "%s", errtext(EMFILE));
    vm->greeted = false;
    shutdown(vm->link, SHUT_RDWR);
    return true;
}

static bool on_hello(struct vmm *vm, const struct wire_hello *m)
{
    if (vm->greeted || m->abi != WIRE_ABI)
        return false;
    if (m->isolation != VMM_KVM && m->isolation != VMM_PROCESS)
        return false;
    vm->greeted = true;
    if (!vm->adopted)
        return true;
    if (!take_net(vm, m))
        return vm->cut_off && hang_up(vm);
    vm->isolation = (enum vmm_isolation)m->isolation;
    memcpy(vm->name, m->name, sizeof vm->name - 1);
    take_times(vm, &m->times);
    is_ready(vm);
    return true;
}

static bool on_console(struct vmm *vm)
{
    uint32_t lost;

    if (vm->head.len < sizeof lost)
        return false;
    memcpy(&lost, vm->body, sizeof lost);
    if (vm->events->console)
        vm->events->console(vm, vm->ctx, (const char *)vm->body + sizeof lost,
                            vm->head.len - sizeof lost, lost);
    return true;
}

static bool on_reply(struct vmm *vm)
{
    struct wire_reply r;

    if (vm->head.len < sizeof r)
        return false;
    memcpy(&r, vm->body, sizeof r);
    if (!vm->first || vm->first->id != r.id || vm->first->sent < vm->first->len)
        return false;
    if (vm->first->checkpoint && vm->cut_off)
        r.status = VMM_NO_FILES;
    vm->cut_off = false;
    vmm_link_answer(vm, r.status, (const char *)vm->body + sizeof r,
                    vm->head.len - sizeof r);
    return true;
}

static bool on_crash(struct vmm *vm)
{
    struct vmm_stack stack;
    struct wire_crash c;

    if (vm->head.len < sizeof c || vm->head.len - sizeof c > WIRE_MAX_STACK)
        return false;
    memcpy(&c, vm->body, sizeof c);
    stack = (struct vmm_stack){c.stack_at, vm->body + sizeof c,
                               vm->head.len - sizeof c};
    c.crash.message[sizeof c.crash.message - 1] = '\0';
    vm->crashed = true;
    if (vm->events->crash)
        vm->events->crash(vm, vm->ctx, &c.crash, &stack);
    return true;
}

static bool on_end(struct vmm *vm)
{
    size_t n = vm->head.len < WIRE_WHY - 1 ? vm->head.len : WIRE_WHY - 1;

    memcpy(vm->why, vm->body, n);
    vm->why[n] = '\0';
    return true;
}

static bool on_ready(struct vmm *vm)
{
    struct wire_times t;

    if (vm->head.len != sizeof t)
        return false;
    memcpy(&t, vm->body, sizeof t);
    if (!vm->was_ready)
        take_times(vm, &t);
    is_ready(vm);
    return true;
}

static bool on_frame(struct vmm *vm)
{
    struct wire_hello hello;

    switch (vm->head.type) {
    case WIRE_HELLO:
        if (vm->head.len != sizeof hello)
            return false;
        memcpy(&hello, vm->body, sizeof hello);
        return on_hello(vm, &hello);
    case WIRE_READY:
        return on_ready(vm);
    case WIRE_CONSOLE:
        return on_console(vm);
    case WIRE_REPLY:
        return on_reply(vm);
    case WIRE_CRASH:
        return on_crash(vm);
    case WIRE_END:
        return on_end(vm);
    default:
        return false;
    }
}

/* ---- bytes -------------------------------------------------------------------------- */

static void take_control(struct vmm *vm, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fds[WIRE_MAX_FDS];

        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS && !vm->pid) {
            struct ucred peer;

            /* The kernel's word, not the monitor's. */
            memcpy(&peer, CMSG_DATA(c), sizeof peer);
            vm->pid = peer.pid;
            vm->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
            if (vm->killed) /* before we knew whom */
                vmm_kill(vm);
        }
        if (c->cmsg_type != SCM_RIGHTS)
            continue;
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
        for (size_t i = 0; i < n; i++)
            if (!vm->greeted && vm->adopted && vm->n_fds < WIRE_MAX_FDS)
                vm->fds[vm->n_fds++] = fds[i];
            else if (vm->first && vm->first->checkpoint && vm->state_fd < 0)
                vm->state_fd = fds[i];
            else
                close(fds[i]);
    }
}

/* 1: some bytes; 0: none now; -1: the connection is over. */
static int receive(struct vmm *vm, void *to, size_t room, uint32_t *have)
{
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int)) +
                   CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = {to, room};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(vm->link, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n > 0) {
        *have += (uint32_t)n;
        vm->cut_off = vm->cut_off || m.msg_flags & MSG_CTRUNC;
        take_control(vm, &m);
        return 1;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static bool begin_frame(struct vmm *vm)
{
    uint32_t max = vm->head.type == WIRE_REPLY
                       ? (uint32_t)sizeof(struct wire_reply) + CONTROL_TEXT
                       : SMALL_FRAME;

    if (vm->head.len > max)
        return false;
    vm->body_have = 0;
    vm->body = malloc(vm->head.len ? vm->head.len : 1);
    return vm->body != NULL;
}

/* As receive(), with -1 for nonsense, too. */
static int step(struct vmm *vm)
{
    int rc = 1;

    if (vm->head_have < sizeof vm->head) {
        rc = receive(vm, (uint8_t *)&vm->head + vm->head_have,
                     sizeof vm->head - vm->head_have, &vm->head_have);
        if (rc <= 0 || vm->head_have < sizeof vm->head)
            return rc;
        if (!begin_frame(vm)) {
            protocol_error(vm, "the monitor sent an impossible message");
            return -1;
        }
    }
    if (vm->body_have < vm->head.len)
        rc = receive(vm, vm->body + vm->body_have, vm->head.len - vm->body_have,
                     &vm->body_have);
    if (rc > 0 && vm->body_have == vm->head.len) {
        bool good = on_frame(vm);

        free(vm->body);
        vm->body = NULL;
        vm->head_have = 0;
        if (!good && !vm->dead) {
            protocol_error(vm, "the monitor sent a wrong message");
            return -1;
        }
    }
    return rc;
}

/* A VM that floods us gets so many turns and then waits for the others. */
void vmm_link_dispatch(struct vmm *vm, uint32_t events)
{
    if (events & EPOLLOUT)
        send_first(vm);
    for (int turns = 0; turns < 64 && vm->link >= 0 && !vm->dead; turns++) {
        int rc = step(vm);

        if (rc == 0)
            return;
        if (rc < 0) {
            vmm_link_close(vm);
            break;
        }
    }
    vmm_end_if_over(vm);
}

void vmm_link_drain(struct vmm *vm)
{
    while (vm->link >= 0 && !vm->dead && step(vm) > 0)
        continue;
}

void vmm_link_close(struct vmm *vm)
{
    if (vm->link >= 0)
        close(vm->link);
    vm->link = -1;
    asking_remove(vm);
    free(vm->body);
    vm->body = NULL;
    vm->head_have = 0;
    for (unsigned i = 0; i < vm->n_fds; i++)
        close(vm->fds[i]);
    vm->n_fds = 0;
}
