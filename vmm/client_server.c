// SPDX-License-Identifier: BSD-3-Clause
/* The daemon's side of the fork server: starting it, talking to it; see client.h. */

#include "base/errtext.h"
#include "vmm/client_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 10000, FINISH_MS = 2000, SERVER_FD = 3 };

static _Noreturn void exec_server(const struct vmm_host *h, int fd)
{
    int null = open("/dev/null", O_RDWR);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, 0);
    dup2(null, 1);
    if (fd == SERVER_FD)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, SERVER_FD);
    syscall(SYS_close_range, SERVER_FD + 1, ~0u, 0);
    execl(h->monitor, h->monitor, "--server", h->image, (char *)NULL);
    _exit(127);
}

/* The first message says whether there is KVM. */
static int await_hello(struct vmm_host *h, struct diag *d)
{
    struct pollfd p = {.fd = h->server, .events = POLLIN};
    struct wire_server m;
    int status;

    if (poll(&p, 1, START_MS) == 1 && recv(h->server, &m, sizeof m, 0) == sizeof m &&
        m.type == WIRE_SERVER && m.abi == WIRE_ABI) {
        h->has_kvm = m.has_kvm;
        h->image_id = m.image;
        m.why[sizeof m.why - 1] = '\0';
        memcpy(h->why, m.why, sizeof h->why);
        return 0;
    }
    if (waitpid(h->server_pid, &status, WNOHANG) == h->server_pid) {
        h->server_pid = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
            return diag_err(d, "%s: cannot be started", h->monitor);
    }
    return diag_err(d, "%s --server %s: did not start", h->monitor, h->image);
}

static int fork_server(struct vmm_host *h, struct diag *d)
{
    const int big = 4 << 20;
    int s[2];

    if (access(h->monitor, X_OK) < 0)
        return diag_err(d, "%s: %s", h->monitor, strerror(errno));
    if (access(h->image, R_OK) < 0)
        return diag_err(d, "%s: %s", h->image, strerror(errno));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
        return diag_err(d, "socketpair: %s", errtext(errno));
    setsockopt(s[0], SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
    setsockopt(s[1], SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
    h->server_pid = fork();
    if (h->server_pid == 0)
        exec_server(h, s[1]);
    close(s[1]);
    h->server = s[0];
    if (h->server_pid > 0)
        return 0;
    diag_err(d, "fork: %s", errtext_fork(errno));
    vmm_server_stop(h);
    return -1;
}

int vmm_server_settle(struct vmm_host *h, struct diag *d)
{
    if (await_hello(h, d) == 0 && vmm_watch(h, h->server, h, EPOLLIN) == 0)
        return 0;
    vmm_server_stop(h);
    return -1;
}

int vmm_server_start(struct vmm_host *h, bool settle, struct diag *d)
{
    if (fork_server(h, d) < 0)
        return -1;
    return settle ? vmm_server_settle(h, d) : 0;
}

void vmm_server_stop(struct vmm_host *h)
{
    if (h->server >= 0)
        close(h->server);
    h->server = -1;
    if (h->server_pid > 0) {
        kill(h->server_pid, SIGKILL);
        waitpid(h->server_pid, NULL, 0);
    }
    h->server_pid = 0;
}

/* It reads what is still on its way (VMs to be ended among it), and then that we are gone. */
void vmm_server_finish(struct vmm_host *h)
{
    struct pollfd p = {.fd = -1, .events = POLLIN};

    if (h->server >= 0)
        close(h->server);
    h->server = -1;
    if (h->server_pid > 0)
        p.fd = (int)syscall(SYS_pidfd_open, h->server_pid, 0);
    if (p.fd >= 0) {
        poll(&p, 1, FINISH_MS);
        close(p.fd);
    }
    vmm_server_stop(h);
}

int vmm_server_send(struct vmm_host *h, const void *msg, size_t len, const int *fds,
                    unsigned n_fds, struct diag *d)
{
    union {
        struct cmsghdr h;
        char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
    } control = {0};
    union {
        const void *in;
        void *out;
    } bytes = {msg}; /* sendmsg() does not write, but says so nowhere */
    struct iovec iov = {bytes.out, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    if (n_fds) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.h = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS,
                                     .cmsg_len = CMSG_LEN(n_fds * sizeof(int))};
        memcpy(CMSG_DATA(&control.h), fds, n_fds * sizeof(int));
    }
    for (int tries = 0; tries < 2; tries++) {
        struct pollfd p = {.fd = h->server, .events = POLLOUT};

        if (sendmsg(h->server, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
            return 0;
        if (errno != EAGAIN || poll(&p, 1, 1000) != 1)
            break;
    }
    return diag_err(d, "the fork server does not listen: %s", errtext(errno));
}

static struct vmm *find(struct vmm_host *h, uint32_t id)
{
    for (struct vmm *vm = h->vms; vm; vm = vm->next)
        if (vm->id == id && !vm->dead)
            return vm;
    return NULL;
}

static void on_child(struct vmm_host *h, const struct wire_child *m)
{
    struct vmm *vm = find(h, m->id);

    if (!vm)
        return;
    if (m->type == WIRE_SPAWNED && m->pid > 0) {
        vm->pid = m->pid;
        return;
    }
    vm->status = m->type == WIRE_EXITED ? m->status : -1;
    if (m->type == WIRE_SPAWNED && !vm->why[0])
        strncpy(vm->why, errtext_fork(m->status), sizeof vm->why - 1);
    vm->exited = true;
    /* Its last words may still be in the socket. */
    vmm_link_drain(vm);
    vmm_link_close(vm);
    vmm_end_if_over(vm);
}

/* The fork server is gone: its VMs live on, and their sockets tell us when they end. */
static void on_loss(struct vmm_host *h)
{
    vmm_server_stop(h);
    vmm_pool_drop(h);
    for (struct vmm *vm = h->vms, *next; vm; vm = next) {
        next = vm->next;
        if (vm->id && vm->pid)
            vm->pidfd = (int)syscall(SYS_pidfd_open, vm->pid, 0);
        if (vm->id && !vm->greeted && !vm->why[0])
            strcpy(vm->why, "the fork server was killed before it was there");
        vm->id = 0;
        vmm_end_if_over(vm);
    }
}

void vmm_server_dispatch(struct vmm_host *h)
{
    struct wire_child m;
    ssize_t n;

    for (int i = 0; i < 64 && h->server >= 0; i++) {
        n = recv(h->server, &m, sizeof m, MSG_DONTWAIT);
        if (n == sizeof m && (m.type == WIRE_SPAWNED || m.type == WIRE_EXITED))
            on_child(h, &m);
        else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            on_loss(h);
        else if (n < 0)
            break;
    }
}
