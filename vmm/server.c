// SPDX-License-Identifier: BSD-3-Clause
/* The fork server; see server.h. */

#include "vmm/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/client.h"

struct child {
    uint32_t id;
    pid_t pid;
};

struct server {
    struct vm_host *host;
    int fd, signals;
    struct child *children; /* owned; those that live */
    size_t n, room;
};

static void tell(struct server *s, const void *msg, size_t len)
{
    /* The daemon always reads; should it have died, we are about to find out. */
    if (send(s->fd, msg, len, MSG_NOSIGNAL) < 0)
        return;
}

static void say_hello(struct server *s)
{
    struct wire_server m = {.type = WIRE_SERVER,
                            .abi = WIRE_ABI,
                            .has_kvm = s->host->kvm_fd >= 0,
                            .image = s->host->image.id};

    memcpy(m.why, s->host->kvm_why, sizeof m.why);
    tell(s, &m, sizeof m);
}

/* ---- one VM ------------------------------------------------------------------------- */

static void take_fds(struct vm *vm, const int *fds)
{
    vm->link = *fds++;
    vm->wake = *fds++;
    vm->listen = vm->spec.has_listen ? *fds++ : -1;
    vm->state.fd = vm->spec.has_state ? *fds++ : -1;
    vm->mem = vm->spec.n_ifs ? *fds++ : -1;
    for (unsigned i = 0; i < vm->spec.n_ifs; i++)
        vm->doorbells[i] = *fds++;
}

static int be_monitor(struct server *s, const struct wire_spawn *spec, const int *fds)
{
    struct vm *vm;
    sigset_t mask;
    uint64_t forked = clock_ns();

    close(s->fd);
    close(s->signals);
    if (s->host->kvm_fd >= 0) {
        close(s->host->idle_cpu);
        close(s->host->idle_vm);
    }
    /* Whoever reads what the daemon prints is not to wait for the end of all VMs. A
     * sanitizer's report is worth that. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    dup2(STDOUT_FILENO, STDERR_FILENO);
#endif
    /* Messages of the daemon interrupt a running guest, and nothing before that: a signal
     * makes KVM_CREATE_VM fail with EINTR. */
    sigemptyset(&mask);
    sigaddset(&mask, SIGIO);
    sigaddset(&mask, SIGALRM);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    vm = calloc(1, sizeof *vm);
    if (!vm)
        return 1;
    vm->host = s->host;
    vm->spec = *spec;
    vm->spec.name[sizeof vm->spec.name - 1] = '\0';
    vm->times.spawn = spec->spawn_ns;
    vm->times.forked = forked;
    vm->n_buffers = spec->n_buffers;
    take_fds(vm, fds);
    prctl(PR_SET_NAME, vm->spec.name[0] ? vm->spec.name : "clickos-vm", 0, 0, 0);
    return vm_main(vm);
}

static int make_room(struct server *s)
{
    size_t room = s->room ? 2 * s->room : 64;
    struct child *c;

    if (s->n < s->room)
        return 0;
    c = realloc(s->children, room * sizeof *c);
    if (!c)
        return -1;
    s->children = c;
    s->room = room;
    return 0;
}

static size_t expected_fds(const struct wire_spawn *m)
{
    return 2 + (m->has_listen ? 1 : 0) + (m->has_state ? 1 : 0) +
           (m->n_ifs ? 1 + m->n_ifs : 0);
}

/* Returns the exit status in the child, -1 in the server. `cut_off`: there was no room for
 * some of the descriptors. */
static int on_spawn(struct server *s, const struct wire_spawn *m, const int *fds,
                    size_t n_fds, bool cut_off)
{
    struct wire_child answer = {.type = WIRE_SPAWNED, .id = m->id, .pid = -1};

    if (cut_off) {
        answer.status = EMFILE;
    } else if (m->n_ifs > NETMEM_MAX_IFS || n_fds != expected_fds(m)) {
        answer.status = EINVAL;
    } else if (make_room(s) < 0) {
        answer.status = ENOMEM;
    } else {
        answer.pid = fork();
        if (answer.pid == 0)
            return be_monitor(s, m, fds);
        if (answer.pid < 0)
            answer.status = errno;
        else
            s->children[s->n++] = (struct child){m->id, answer.pid};
    }
    tell(s, &answer, sizeof answer);
    return -1;
}

/* ---- messages and deaths -------------------------------------------------------------- */

/* Only what has not been reaped is in the list, so the pid is still the VM's. */
static void on_kill(struct server *s, const struct wire_child *m)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->children[i].id == m->id)
            kill(s->children[i].pid, m->status);
}

static void reap(struct server *s)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    while (read(s->signals, &info, sizeof info) > 0)
        continue;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < s->n; i++)
            if (s->children[i].pid == pid) {
                const struct wire_child m = {.type = WIRE_EXITED,
                                             .id = s->children[i].id,
                                             .pid = pid,
                                             .status = status};

                s->children[i] = s->children[--s->n];
                tell(s, &m, sizeof m);
                break;
            }
}

static size_t fds_of(struct msghdr *m, int *fds)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    size_t n;

    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return 0;
    n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    return n;
}

/* Returns the status in a child, -1 to go on, -2 when the daemon has gone. */
static int on_message(struct server *s)
{
    union {
        uint32_t type;
        struct wire_spawn spawn;
        struct wire_child child;
    } msg;
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
    } control;
    int fds[WIRE_MAX_FDS], rc = -1;
    struct iovec iov = {&msg, sizeof msg};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(s->fd, &m, MSG_CMSG_CLOEXEC);
    size_t n_fds;

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? -1 : -2;
    if (n == 0)
        return -2;
    n_fds = fds_of(&m, fds);
    if (n == sizeof msg.spawn && msg.type == WIRE_SPAWN)
        rc = on_spawn(s, &msg.spawn, fds, n_fds, m.msg_flags & MSG_CTRUNC);
    else if (n == sizeof msg.child && msg.type == WIRE_SIGNAL)
        on_kill(s, &msg.child);
    if (rc < 0)
        for (size_t i = 0; i < n_fds; i++)
            close(fds[i]);
    return rc;
}

int server_run(struct vm_host *h, int fd)
{
    struct server s = {.host = h, .fd = fd};
    sigset_t chld;
    int rc = -1;

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    /* A guest in a process is its monitor's child. When that is killed, somebody must reap
     * the guest, and process 1 of a container may not. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    s.signals = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
    say_hello(&s);
    while (rc == -1) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
                              {.fd = s.signals, .events = POLLIN}};

        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[1].revents)
            reap(&s);
        if (p[0].revents)
            rc = on_message(&s);
    }
    return rc < 0 ? 0 : rc;
}
