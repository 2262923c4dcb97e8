// SPDX-License-Identifier: BSD-3-Clause
/* Hosts and VMs of the client library; see client.h. The fork server is in
 * client_server.c, the connection to a monitor in client_link.c. */

#include "vmm/client.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/errtext.h"
#include "vmm/client_private.h"

enum { DEFAULT_MTU = 1500, DEFAULT_BUFFERS = 4096, DEFAULT_TIMEOUT_MS = 5000 };

uint64_t vmm_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int vmm_watch(struct vmm_host *h, int fd, void *what, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = what};

    return epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- host --------------------------------------------------------------------------- */

/* Beside our own program, or where `make install` puts it. */
static char *find_beside(const char *name)
{
    char self[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *dir;

    if (n < 0)
        return NULL;
    self[n] = '\0';
    dir = dirname(self);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (access(path, R_OK) < 0)
        snprintf(path, sizeof path, "%s/../lib/clickos/%s", dir, name);
    return strdup(path);
}

struct vmm_host *vmm_host_new(const struct vmm_host_options *o, struct diag *d)
{
    struct vmm_host *h = calloc(1, sizeof *h);

    if (!h) {
        diag_err(d, "out of memory");
        return NULL;
    }
    h->server = -1;
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    h->monitor = o && o->monitor ? strdup(o->monitor) : find_beside("clickos-vmm");
    h->image = o && o->image ? strdup(o->image) : find_beside("guest.elf");
    if (h->epoll < 0 || h->timer < 0 || !h->monitor || !h->image ||
        vmm_watch(h, h->timer, &h->timer, EPOLLIN) < 0) {
        diag_err(d, "event loop: %s", strerror(errno));
        vmm_host_free(h);
        return NULL;
    }
    if (vmm_server_start(h, !o || !o->wait_later, d) < 0) {
        vmm_host_free(h);
        return NULL;
    }
    return h;
}

void vmm_host_free(struct vmm_host *h)
{
    if (!h)
        return;
    while (h->vms)
        vmm_free(h->vms);
    vmm_server_finish(h);
    close_fd(h->epoll);
    close_fd(h->timer);
    free(h->monitor);
    free(h->image);
    free(h);
}

int vmm_host_wait(struct vmm_host *h, struct diag *d)
{
    return vmm_server_settle(h, d);
}

int vmm_host_fd(const struct vmm_host *h)
{
    return h->epoll;
}

bool vmm_host_has_kvm(const struct vmm_host *h, const char **why)
{
    if (why)
        *why = h->why;
    return h->has_kvm;
}

/* For the request whose answer is overdue first, or the next shell. */
void vmm_arm_timer(struct vmm_host *h)
{
    struct itimerspec t = {.it_interval = {0}};
    uint64_t first = UINT64_MAX;

    if (h->refill_ns)
        first = h->refill_ns;
    for (const struct vmm *vm = h->asking; vm; vm = vm->asking_next)
        first = vm->deadline_ns < first ? vm->deadline_ns : first;
    if (first != UINT64_MAX) {
        t.it_value.tv_sec = (time_t)(first / 1000000000u);
        t.it_value.tv_nsec = (long)(first % 1000000000u);
    }
    timerfd_settime(h->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void release(struct vmm *vm);

static void bury(struct vmm_host *h)
{
    while (h->graveyard) {
        struct vmm *vm = h->graveyard;

        h->graveyard = vm->next;
        release(vm);
    }
}

void vmm_host_dispatch(struct vmm_host *h)
{
    struct epoll_event ev[64];
    int n = epoll_wait(h->epoll, ev, 64, 0);
    uint64_t ticks;

    h->dispatching = true;
    for (int i = 0; i < n; i++) {
        struct vmm *vm = ev[i].data.ptr;

        if (ev[i].data.ptr == h) {
            vmm_server_dispatch(h);
        } else if (ev[i].data.ptr == &h->timer) {
            if (read(h->timer, &ticks, sizeof ticks) > 0) {
                vmm_link_overdue(h);
                vmm_pool_refill(h);
            }
        } else if (!vm->dead) {
            vmm_link_dispatch(vm, ev[i].events);
        }
    }
    h->dispatching = false;
    bury(h);
    vmm_arm_timer(h);
}

/* ---- packet memory ------------------------------------------------------------------ */

/* What the guest and the switch find in it is written here, before either maps it. */
static int fill_memory(int fd, const struct vmm_spec *s, uint32_t n_buffers)
{
    const struct netmem_head head = {.magic = NETMEM_MAGIC,
                                     .abi = NETMEM_ABI,
                                     .n_ifs = s->n_ifs,
                                     .n_buffers = n_buffers,
                                     .buffers_at = netmem_buffers_at(s->n_ifs),
                                     .size = netmem_size(s->n_ifs, n_buffers)};

    return pwrite(fd, &head, sizeof head, 0) == sizeof head ? 0 : -1;
}

int vmm_write_identity(const struct vmm *vm, const struct vmm_spec *s)
{
    for (unsigned i = 0; i < s->n_ifs; i++) {
        struct {
            uint8_t mac[6], pad[2];
            uint32_t mtu;
        } first = {.mtu = s->mtu ? s->mtu : DEFAULT_MTU};
        off_t at = (off_t)(NETMEM_IFS_AT + i * sizeof(struct netmem_if));

        memcpy(first.mac, s->macs[i], 6);
        if (pwrite(vm->net.mem_fd, &first, sizeof first, at) != sizeof first)
            return -1;
    }
    return 0;
}

static int make_net(struct vmm *vm, const struct vmm_spec *s, struct diag *d)
{
    uint32_t n_buffers = s->n_buffers ? s->n_buffers : DEFAULT_BUFFERS;
    struct vmm_net *net = &vm->net;

    net->n_ifs = s->n_ifs;
    net->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (net->wake_fd < 0)
        return diag_err(d, "event fd: %s", errtext(errno));
    for (unsigned i = 0; i < s->n_ifs; i++) {
        net->doorbell_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (net->doorbell_fds[i] < 0)
            return diag_err(d, "event fd: %s", errtext(errno));
    }
    vm->net_valid = true;
    if (!s->n_ifs)
        return 0;
    net->mem_size = netmem_size(s->n_ifs, n_buffers);
    net->mem_fd = memfd_create("clickos-packets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (net->mem_fd >= 0 && ftruncate(net->mem_fd, (off_t)net->mem_size) == 0 &&
        s->state_fd > 0 && vmm_state_fill_net(s, net, d) < 0)
        return -1;
    if (net->mem_fd < 0 || fill_memory(net->mem_fd, s, n_buffers) < 0 ||
        vmm_write_identity(vm, s) < 0 ||
        fcntl(net->mem_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return diag_err(d, "packet memory: %s", errtext(errno));
    return 0;
}

/* ---- VMs ---------------------------------------------------------------------------- */

static struct vmm *new_vm(struct vmm_host *h, const struct vmm_events *events,
                          void *ctx)
{
    static const struct vmm_events none = {0};
    struct vmm *vm = calloc(1, sizeof *vm);

    if (!vm)
        return NULL;
    vm->host = h;
    vm->events = events ? events : &none;
    vm->ctx = ctx;
    vm->pidfd = vm->link = vm->state_fd = -1;
    vm->status = -1;
    vm->last = &vm->first;
    vm->net.mem_fd = vm->net.wake_fd = -1;
    for (unsigned i = 0; i < NETMEM_MAX_IFS; i++)
        vm->net.doorbell_fds[i] = -1;
    vm->next = h->vms;
    if (h->vms)
        h->vms->prev = vm;
    h->vms = vm;
    return vm;
}

struct vmm *vmm_test_attach(struct vmm_host *h, int link, uint32_t id,
                            const struct vmm_events *events)
{
    struct vmm *vm = new_vm(h, events, NULL);

    if (vm) {
        vm->link = link;
        vm->id = id;
        vm->adopted = id == 0;
    }
    return vm;
}

static void release(struct vmm *vm)
{
    while (vm->first) {
        struct asked *a = vm->first;

        vm->first = a->next;
        free(a->bytes);
        free(a);
    }
    close_fd(vm->net.mem_fd);
    close_fd(vm->net.wake_fd);
    for (unsigned i = 0; i < NETMEM_MAX_IFS; i++)
        close_fd(vm->net.doorbell_fds[i]);
    close_fd(vm->pidfd);
    close_fd(vm->state_fd);
    free(vm->socket_path);
    free(vm);
}

void vmm_free(struct vmm *vm)
{
    struct vmm_host *h;

    if (!vm || vm->dead)
        return;
    h = vm->host;
    vm->dead = true;
    vmm_link_close(vm);
    if (vm->prev)
        vm->prev->next = vm->next;
    else
        h->vms = vm->next;
    if (vm->next)
        vm->next->prev = vm->prev;
    if (!h->dispatching) {
        release(vm);
        return;
    }
    vm->next = h->graveyard;
    h->graveyard = vm;
}

static int check_state(const struct vmm_host *h, const struct vmm_spec *s,
                       struct diag *d)
{
    struct vmm_spec had = {0};

    if (s->state_fd <= 0)
        return 0;
    if (vmm_state_shape(h, s->state_fd, &had, d) < 0)
        return -1;
    if (had.n_ifs != s->n_ifs || had.heap != vmm_shape_of(h, s).heap ||
        (had.n_ifs && had.n_buffers != vmm_shape_of(h, s).n_buffers))
        return diag_err(d,
                        "the state is that of a VM of %u interfaces, %u buffers and "
                        "%llu bytes of memory",
                        had.n_ifs, had.n_buffers, (unsigned long long)had.heap);
    return 0;
}

static int check_spec(const struct vmm_host *h, const struct vmm_spec *s,
                      struct diag *d)
{
    uint32_t n = s->n_buffers ? s->n_buffers : DEFAULT_BUFFERS;

    if (s->n_ifs > NETMEM_MAX_IFS)
        return diag_err(d, "%u interfaces: at most %u are possible", s->n_ifs,
                        NETMEM_MAX_IFS);
    if (n > NETMEM_MAX_BUFFERS)
        return diag_err(d, "%u packet buffers: at most %u are possible", n,
                        NETMEM_MAX_BUFFERS);
    if (s->heap && (s->heap < VMM_HEAP_MIN || s->heap > VMM_HEAP_MAX))
        return diag_err(d, "%llu bytes of heap: between %llu and %llu are possible",
                        (unsigned long long)s->heap, VMM_HEAP_MIN, VMM_HEAP_MAX);
    if (s->isolation == VMM_KVM && !h->has_kvm)
        return diag_err(d, "no KVM here (%s); process isolation would work", h->why);
    return check_state(h, s, d);
}

static int make_listener(const char *path, struct diag *d)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof a.sun_path)
        return diag_err(d,
                        "%s: longer than the %zu bytes a socket's name may have: "
                        "shorten the state folder's path or the VM's name",
                        path, sizeof a.sun_path - 1);
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        unlink(path);
        if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && chmod(path, 0600) == 0 &&
            listen(fd, 4) == 0)
            return fd;
    }
    diag_err(d, "%s: %s", path, errtext(errno));
    close_fd(fd);
    return -1;
}

static enum vmm_isolation isolation_for(const struct vmm_host *h,
                                        const struct vmm_spec *s)
{
    if (s->isolation != VMM_AUTO)
        return s->isolation;
    return h->has_kvm ? VMM_KVM : VMM_PROCESS;
}

static struct wire_spawn spawn_message(const struct vmm *vm, const struct vmm_spec *s)
{
    struct wire_spawn m = {
        .type = WIRE_SPAWN,
        .id = vm->id,
        .isolation = vm->isolation,
        .n_ifs = s->n_ifs,
        .has_listen = s->socket_path != NULL,
        .uid = s->uid,
        .shell = vm->shell,
        .n_buffers = s->n_buffers ? s->n_buffers : DEFAULT_BUFFERS,
        .has_state = s->state_fd > 0,
        .elapse = s->elapse,
        .heap = s->heap ? s->heap : VMM_HEAP_DEFAULT,
        .poll_ns = s->poll_ns ? s->poll_ns : VMM_POLL_DEFAULT,
        .mem_size = vm->net.mem_size,
        .spawn_ns = vm->timing.spawn,
    };

    memcpy(m.name, vm->name, sizeof m.name);
    return m;
}

static int ask_server(struct vmm *vm, const struct vmm_spec *s, int link, int listener,
                      struct diag *d)
{
    const struct wire_spawn m = spawn_message(vm, s);
    int fds[WIRE_MAX_FDS];
    unsigned n = 0;

    fds[n++] = link;
    fds[n++] = vm->net.wake_fd;
    if (m.has_listen)
        fds[n++] = listener;
    if (m.has_state)
        fds[n++] = s->state_fd;
    if (s->n_ifs)
        fds[n++] = vm->net.mem_fd;
    for (unsigned i = 0; i < s->n_ifs; i++)
        fds[n++] = vm->net.doorbell_fds[i];
    return vmm_server_send(vm->host, &m, sizeof m, fds, n, d);
}

struct vmm_shape vmm_shape_of(const struct vmm_host *h, const struct vmm_spec *s)
{
    return (struct vmm_shape){s->n_ifs, s->n_buffers ? s->n_buffers : DEFAULT_BUFFERS,
                              s->heap ? s->heap : VMM_HEAP_DEFAULT,
                              isolation_for(h, s)};
}

/* A monitor for `s`, or for nobody in particular. */
struct vmm *vmm_spawn_new(struct vmm_host *h, const struct vmm_spec *s, bool shell,
                          struct diag *d)
{
    int pair[2] = {-1, -1}, listener = -1;
    struct vmm *vm = new_vm(h, NULL, NULL);

    if (!vm) {
        diag_err(d, "out of memory");
        return NULL;
    }
    vm->shell = shell;
    vm->timing.spawn = vmm_now_ns();
    vm->id = ++h->next_id ? h->next_id : ++h->next_id;
    vm->isolation = isolation_for(h, s);
    snprintf(vm->name, sizeof vm->name, "%s", s->name ? s->name : "");
    if (make_net(vm, s, d) < 0)
        goto fail;
    if (s->socket_path && ((listener = make_listener(s->socket_path, d)) < 0 ||
                           !(vm->socket_path = strdup(s->socket_path))))
        goto fail;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        diag_err(d, "socketpair: %s", errtext(errno));
        goto fail;
    }
    vm->link = pair[0];
    if (vmm_watch(h, vm->link, vm, EPOLLIN) < 0 ||
        ask_server(vm, s, pair[1], listener, d) < 0)
        goto fail;
    /* The fork server is wanted now; what we do meanwhile can wait. */
    sched_yield();
    close(pair[1]);
    close_fd(listener);
    return vm;
fail:
    close_fd(pair[1]);
    close_fd(listener);
    if (vm->socket_path)
        unlink(vm->socket_path);
    vmm_free(vm);
    return NULL;
}

/* A shell stands still: its packet memory may become another's. */
static int refill(const struct vmm *vm, const struct vmm_spec *s)
{
    if (s->state_fd <= 0 || !s->n_ifs)
        return 0;
    return vmm_clear_net(&vm->net) == 0 && vmm_state_fill_net(s, &vm->net, NULL) == 0 &&
                   fill_memory(vm->net.mem_fd, s, vm->shape.n_buffers) == 0
               ? 0
               : -1;
}

/* Whether `vm`, out of the pool, could be made the one that `s` describes. */
static bool personalise(struct vmm *vm, const struct vmm_spec *s)
{
    int listener = -1;
    bool given;

    snprintf(vm->name, sizeof vm->name, "%s", s->name ? s->name : "");
    if (s->socket_path && ((listener = make_listener(s->socket_path, NULL)) < 0 ||
                           !(vm->socket_path = strdup(s->socket_path)))) {
        close_fd(listener);
        return false;
    }
    given = refill(vm, s) == 0 && vmm_write_identity(vm, s) == 0 &&
            vmm_pool_give(vm, s, listener);
    close_fd(listener);
    return given;
}

/* A shell as the VM of `s`; NULL if there is none that will do. */
static struct vmm *spawn_from_pool(struct vmm_host *h, const struct vmm_spec *s,
                                   uint64_t now)
{
    const struct vmm_shape shape = vmm_shape_of(h, s);
    struct vmm *vm;

    if (!h->pool_size || (s->state_fd > 0 && (shape.isolation != VMM_KVM ||
                                              !vmm_state_fits_shell(s->state_fd))))
        return NULL;
    vmm_pool_order(h, &shape);
    while ((vm = vmm_pool_take(h, &shape, s->state_fd > 0))) {
        vm->timing.spawn = now;
        if (personalise(vm, s))
            return vm;
        vmm_kill(vm);
        vmm_free(vm);
    }
    return NULL;
}

struct vmm *vmm_spawn(struct vmm_host *h, const struct vmm_spec *s,
                      const struct vmm_events *events, void *ctx, struct diag *d)
{
    uint64_t now = vmm_now_ns();
    struct vmm *vm;

    if (check_spec(h, s, d) < 0 || (h->server < 0 && vmm_server_start(h, true, d) < 0))
        return NULL;
    vm = spawn_from_pool(h, s, now);
    if (!vm)
        vm = vmm_spawn_new(h, s, false, d);
    if (!vm)
        return NULL;
    vm->events = events ? events : vm->events;
    vm->ctx = ctx;
    return vm;
}

struct vmm *vmm_adopt(struct vmm_host *h, const char *path,
                      const struct vmm_events *events, void *ctx, struct diag *d)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const int on = 1;
    struct vmm *vm;

    if (strlen(path) >= sizeof a.sun_path) {
        diag_err(d, "%s: too long for a socket's name", path);
        return NULL;
    }
    strcpy(a.sun_path, path);
    vm = new_vm(h, events, ctx);
    if (vm)
        vm->adopted = true;
    if (!vm || !(vm->socket_path = strdup(path))) {
        diag_err(d, "out of memory");
        vmm_free(vm);
        return NULL;
    }
    vm->link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (vm->link < 0 ||
        setsockopt(vm->link, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
        connect(vm->link, (struct sockaddr *)&a, sizeof a) < 0 ||
        vmm_watch(h, vm->link, vm, EPOLLIN) < 0) {
        diag_err(d, "%s: %s", path, errtext(errno));
        vmm_free(vm);
        return NULL;
    }
    return vm;
}

/* ---- the end ------------------------------------------------------------------------ */

static enum vmm_end kind_of_end(const struct vmm *vm)
{
    if (vm->protocol)
        return VMM_END_PROTOCOL;
    if (vm->crashed)
        return VMM_END_CRASH;
    if (vm->killed)
        return VMM_END_KILLED;
    if (vm->id && !vm->was_ready && vm->why[0])
        return VMM_END_SPAWN;
    if (!vm->why[0] && vm->status >= 0 && WIFSIGNALED(vm->status))
        return VMM_END_KILLED;
    return VMM_END_EXIT;
}

/* A VM of the fork server's is over when that says so, any other one when its socket is
 * closed. */
void vmm_end_if_over(struct vmm *vm)
{
    bool known = vm->id && vm->host->server >= 0;

    if (vm->dead || vm->ended || vm->link >= 0 || (known && !vm->exited))
        return;
    vm->ended = true;
    if (vm->shell) {
        vmm_pool_lost(vm);
        return;
    }
    /* One that never greeted us may still listen there. */
    if (vm->socket_path && (!vm->adopted || vm->greeted))
        unlink(vm->socket_path);
    while (vm->first && !vm->dead)
        vmm_link_answer(vm, VMM_GONE, "", 0);
    if (!vm->dead && vm->events->end)
        vm->events->end(vm, vm->ctx, kind_of_end(vm), vm->status, vm->why);
}

void vmm_kill(struct vmm *vm)
{
    struct wire_child m = {.type = WIRE_SIGNAL, .id = vm->id, .status = SIGKILL};

    if (vm->ended)
        return;
    vm->killed = true;
    if (vm->socket_path)
        unlink(vm->socket_path);
    if (vm->id && vm->host->server >= 0)
        vmm_server_send(vm->host, &m, sizeof m, NULL, 0, NULL);
    else if (vm->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, vm->pidfd, SIGKILL, NULL, 0);
    else if (vm->pid > 0 && vm->link >= 0)
        kill(vm->pid, SIGKILL);
}

/* ---- small things ------------------------------------------------------------------- */

pid_t vmm_pid(const struct vmm *vm)
{
    return vm->pid;
}

const char *vmm_name(const struct vmm *vm)
{
    return vm->name;
}

enum vmm_isolation vmm_isolation_of(const struct vmm *vm)
{
    return vm->isolation;
}

const struct vmm_net *vmm_net(const struct vmm *vm)
{
    return vm->net_valid ? &vm->net : NULL;
}

bool vmm_pending(const struct vmm *vm)
{
    return vm->first != NULL;
}

const char *vmm_status_text(uint32_t status)
{
    switch (status) {
    case CONTROL_OK:
        return "done";
    case CONTROL_ERROR:
        return "the configuration has errors";
    case CONTROL_NO_CONFIG:
        return "no such configuration";
    case CONTROL_NO_HANDLER:
        return "no such handler";
    case CONTROL_NO_MEMORY:
        return "the VM is out of memory";
    case CONTROL_TOO_LONG:
        return "the answer is too long";
    case CONTROL_BAD_REQUEST:
        return "the VM does not know this request";
    case VMM_TIMEOUT:
        return "the VM does not answer";
    case VMM_BUSY:
        return "the VM has not finished an earlier request";
    case VMM_GONE:
        return "the VM has ended";
    case VMM_NO_COPY:
        return "the memory of the VM cannot be copied";
    case VMM_NO_MEMORY:
        return "there is no memory for a copy of the VM";
    case VMM_NO_FILES:
        return errtext(EMFILE);
    default:
        return "unknown answer";
    }
}

int vmm_request(struct vmm *vm, const struct vmm_request *r, vmm_reply_fn *reply,
                void *ctx, struct diag *d)
{
    const char *name = r->name ? r->name : "", *handler = r->handler ? r->handler : "";
    struct wire_head head = {WIRE_REQUEST,
                             (uint32_t)(sizeof(struct wire_request) + r->len)};
    struct wire_request q = {.verb = r->verb};
    struct asked *a;

    if (r->len > CONTROL_TEXT)
        return diag_err(d, "%zu bytes are more than a request can hold, %u", r->len,
                        CONTROL_TEXT);
    if (strlen(name) >= sizeof q.name || strlen(handler) >= sizeof q.handler)
        return diag_err(d, "%s: name too long",
                        strlen(name) >= sizeof q.name ? name : handler);
    if (vm->ended || vm->link < 0)
        return diag_err(d, "%s: the VM has ended", vm->name);
    a = calloc(1, sizeof *a);
    if (a)
        a->bytes = malloc(sizeof head + sizeof q + r->len);
    if (!a || !a->bytes) {
        free(a);
        return diag_err(d, "out of memory");
    }
    a->checkpoint = r->verb == CONTROL_CHECKPOINT;
    q.id = a->id = ++vm->next_request;
    q.timeout_ms = a->timeout_ms = r->timeout_ms ? r->timeout_ms : DEFAULT_TIMEOUT_MS;
    strcpy(q.name, name);
    strcpy(q.handler, handler);
    a->len = sizeof head + sizeof q + r->len;
    a->reply = reply;
    a->ctx = ctx;
    memcpy(a->bytes, &head, sizeof head);
    memcpy(a->bytes + sizeof head, &q, sizeof q);
    if (r->len)
        memcpy(a->bytes + sizeof head + sizeof q, r->text, r->len);
    *vm->last = a;
    vm->last = &a->next;
    if (vm->first == a) {
        vmm_link_next(vm);
        vmm_arm_timer(vm->host);
    }
    return 0;
}
