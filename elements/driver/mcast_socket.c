// SPDX-License-Identifier: BSD-3-Clause
/*
 * McastSocket -- packets to and from a multicast group, by UDP
 *
 * Usage:    McastSocket(MCASTIP, MCASTPORT [, SOURCEIP, SOURCEPORT, LOOP, ...])
 * Ports:    0-1 in, 0-1 out; push or pull in, push out
 * Args:     MCASTIP     address of the group
 *           MCASTPORT   its port
 *           SOURCEIP    address of the interface to use, and to send from; default: what the
 *                       routing table says
 *           SOURCEPORT  port to send from; default: any
 *           LOOP        default true: others on this machine get what is sent, too
 *           SNAPLEN     longest packet that is received, default 2048
 *           HEADROOM    room before the data of received packets, default 28
 *           TIMESTAMP   default true: set the timestamp of received packets
 *           SNDBUF, RCVBUF  sizes of the kernel's buffers
 * Counters: received    packets received
 *           sent        packets sent
 *           drops       packets that could not be sent
 * Handlers: scheduled, tickets  (rw) the task, with a pull input
 * Example:  link :: McastSocket(239.0.0.1, 1234, 10.0.0.1); sw :: EtherSwitch -> link -> sw;
 * See also: Socket
 *
 * With SOURCEIP our own packets do not come back to us; without it LOOP false keeps them away.
 */

#include "engine/element.h"
#include "engine/host.h"
#include "engine/os/socket_recv.h"
#include "engine/platform.h"
#include "engine/task_handlers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BURST = 32, WAIT_MS = 1000 };

struct mcast_socket {
    uint32_t group, source; /* network byte order */
    uint16_t group_port, source_port;
    bool loop, timestamp;
    uint32_t snaplen, headroom;
    int32_t sndbuf, rcvbuf;

    struct sockaddr_in to, from;
    int in, out;         /* 1 + the descriptors; 0: none */
    struct pkt *waiting; /* owned; the socket did not take it */
    struct task task;
    struct signal signal;
};

#define MCAST_PORT(member_, name_, flags_, def_, help_)                                \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_UDP, .flags = flags_, .def = def_,        \
        .help = help_, .offset = offsetof(struct mcast_socket, member_),               \
    }
static const struct arg_spec mcast_socket_args[] = {
    ARG_IP(mcast_socket, group, "MCASTIP", ARG_M, NULL, "group"),
    MCAST_PORT(group_port, "MCASTPORT", ARG_M, NULL, "its port"),
    ARG_IP(mcast_socket, source, "SOURCEIP", ARG_POS, "0.0.0.0", "interface"),
    MCAST_PORT(source_port, "SOURCEPORT", ARG_POS, "0", "port to send from"),
    ARG_BOOL(mcast_socket, loop, "LOOP", 0, "true", "others here get it, too"),
    ARG_U32(mcast_socket, snaplen, "SNAPLEN", 0, "2048", "longest packet"),
    ARG_U32(mcast_socket, headroom, "HEADROOM", 0, "28", "room before the data"),
    ARG_BOOL(mcast_socket, timestamp, "TIMESTAMP", 0, "true", "set timestamps"),
    ARG_I32(mcast_socket, sndbuf, "SNDBUF", 0, "-1", "kernel's send buffer"),
    ARG_I32(mcast_socket, rcvbuf, "RCVBUF", 0, "-1", "kernel's receive buffer"),
    ARG_END,
};

enum { C_RECEIVED, C_SENT, C_DROPS };
static const struct counter_spec mcast_socket_counters[] = {
    [C_RECEIVED] = {"received", "packets received"},
    [C_SENT] = {"sent", "packets sent"},
    [C_DROPS] = {"drops", "packets that could not be sent"},
    {NULL, NULL},
};

static int mcast_socket_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct mcast_socket *s = element_state(e);

    if (s->snaplen < 1 || s->snaplen > PKT_MAX_LEN || s->headroom > PKT_MAX_LEN)
        return diag_err(d, "SNAPLEN or HEADROOM out of range");
    s->to = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons(s->group_port),
                                 .sin_addr.s_addr = s->group};
    s->from = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons(s->source_port),
                                   .sin_addr.s_addr = s->source};
    return 0;
}

/* --- packets ---------------------------------------------------------------------------- */

static bool is_ours(const struct mcast_socket *s, const struct sockaddr_in *from)
{
    return s->source && s->source == from->sin_addr.s_addr &&
           s->from.sin_port == from->sin_port;
}

static bool receive(struct element *e)
{
    struct mcast_socket *s = element_state(e);
    const struct socket_recv how = {s->snaplen, s->headroom, .timestamp = s->timestamp};
    struct sockaddr_in from = {0};
    socklen_t from_len = sizeof from;
    struct pkt *p = socket_recv(e, s->in - 1, &how, (struct sockaddr *)&from,
                                &from_len);

    if (!p) {
        if (errno != EAGAIN && errno != EINTR && errno != ENOMEM)
            element_say(e, "%s: %s\n", element_declaration(e), strerror(errno));
        return false;
    }
    if (is_ours(s, &from)) {
        pkt_free(p);
        return true;
    }
    element_count(e, C_RECEIVED, 1);
    out_push_one(e, 0, p);
    return true;
}

static void mcast_socket_ready(void *arg, int fd, short revents)
{
    for (int i = 0; i < BURST && receive(arg); i++)
        ;
}

/* 0, or an errno. */
static int send_one(struct element *e, const struct pkt *p)
{
    const struct mcast_socket *s = element_state(e);
    int why = 0;

    if (sendto(s->out - 1, p->data, p->len, MSG_DONTWAIT,
               (const struct sockaddr *)&s->to, sizeof s->to) < 0)
        why = errno;
    if (why && why != EAGAIN && why != ENOBUFS)
        element_say(e, "%s: %s\n", element_declaration(e), strerror(why));
    return why;
}

static void mcast_socket_push(struct element *e, unsigned port, struct batch *b)
{
    const struct mcast_socket *s = element_state(e);

    for (uint32_t i = 0; i < b->n; i++) {
        struct pollfd wait = {.fd = s->out - 1, .events = POLLOUT};
        int why;

        while ((why = send_one(e, b->p[i])) == EAGAIN && poll(&wait, 1, WAIT_MS) > 0)
            ;
        element_count(e, why ? C_DROPS : C_SENT, 1);
    }
    batch_free(b);
}

static void mcast_socket_writable(void *arg, int fd, short revents)
{
    struct element *e = arg;
    const struct platform *p = element_platform(e);

    p->host->unwatch(p->ctx, fd);
    task_schedule(&((struct mcast_socket *)element_state(e))->task);
}

static bool mcast_socket_run(struct element *e, struct task *t)
{
    const struct platform *platform = element_platform(e);
    struct mcast_socket *s = element_state(e);
    bool worked = false;

    for (int i = 0; i < BURST; i++) {
        struct pkt *p = s->waiting ? s->waiting : in_pull_one(e, 0);
        int why;

        s->waiting = NULL;
        if (!p)
            break;
        worked = true;
        why = send_one(e, p);
        if (why == EAGAIN || why == ENOBUFS) {
            s->waiting = p;
            platform->host->watch(platform->ctx, s->out - 1, POLLOUT,
                                  mcast_socket_writable, e);
            return true;
        }
        element_count(e, why ? C_DROPS : C_SENT, 1);
        pkt_free(p);
    }
    if (worked || signal_active(&s->signal))
        task_reschedule(t);
    return worked;
}

/* --- life ------------------------------------------------------------------------------- */

static int option(int fd, int level, int name, const char *text, const void *value,
                  socklen_t len, struct diag *d)
{
    return setsockopt(fd, level, name, value, len) < 0
               ? diag_err(d, "setsockopt(%s): %s", text, strerror(errno))
               : 0;
}

#define OPTION(fd, level, name, value, d)                                              \
    option(fd, level, name, #name, &(value), sizeof(value), d)

static int bind_source(struct mcast_socket *s, int out, struct diag *d)
{
    socklen_t len = sizeof s->from;

    if (!s->source)
        return 0;
    if (bind(out, (struct sockaddr *)&s->from, sizeof s->from) < 0)
        return diag_err(d, "bind: %s", strerror(errno));
    if (getsockname(out, (struct sockaddr *)&s->from, &len) < 0)
        return diag_err(d, "getsockname: %s", strerror(errno));
    return OPTION(out, IPPROTO_IP, IP_MULTICAST_IF, s->from.sin_addr, d);
}

static int open_sockets(struct mcast_socket *s, struct diag *d)
{
    int in = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int out = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct ip_mreq member = {s->to.sin_addr, s->from.sin_addr};
    int one = 1, loop = s->loop;

    s->in = 1 + in;
    s->out = 1 + out;
    if (in < 0 || out < 0)
        return diag_err(d, "socket: %s", strerror(errno));
    if ((s->sndbuf >= 0 && OPTION(out, SOL_SOCKET, SO_SNDBUF, s->sndbuf, d) < 0) ||
        (s->rcvbuf >= 0 && OPTION(in, SOL_SOCKET, SO_RCVBUF, s->rcvbuf, d) < 0) ||
        OPTION(in, SOL_SOCKET, SO_REUSEADDR, one, d) < 0)
        return -1;
    if (bind(in, (struct sockaddr *)&s->to, sizeof s->to) < 0)
        return diag_err(d, "bind: %s", strerror(errno));
    if (bind_source(s, out, d) < 0 ||
        OPTION(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, member, d) < 0 ||
        OPTION(out, IPPROTO_IP, IP_MULTICAST_LOOP, loop, d) < 0)
        return -1;
    return 0;
}

static int mcast_socket_initialize(struct element *e, struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct mcast_socket *s = element_state(e);

    if (!p->host)
        return diag_err(d, "there are no sockets here");
    if (open_sockets(s, d) < 0)
        return -1;
    if (e->n_out &&
        p->host->watch(p->ctx, s->in - 1, POLLIN, mcast_socket_ready, e) < 0)
        return diag_err(d, "out of memory");
    if (e->n_in && !element_input_is_push(e, 0)) {
        task_join(&s->task, e, mcast_socket_run, true, d);
        signal_up(&s->signal, e, 0, &s->task);
    }
    return 0;
}

static void close_one(struct element *e, int *fd)
{
    const struct platform *p = element_platform(e);

    if (*fd) {
        p->host->unwatch(p->ctx, *fd - 1);
        close(*fd - 1);
    }
    *fd = 0;
}

static void mcast_socket_cleanup(struct element *e)
{
    struct mcast_socket *s = element_state(e);

    close_one(e, &s->in);
    close_one(e, &s->out);
    pkt_free(s->waiting);
    s->waiting = NULL;
}

static const struct handler_spec mcast_socket_handlers[] = {
    TASK_HANDLERS(mcast_socket, task),
    HANDLER_END,
};

ELEMENT(McastSocket) = {
    .name = "McastSocket",
    .state_size = sizeof(struct mcast_socket),
    .ports = "0-1/0-1",
    .processing = "a/h",
    .flow = "x/y",
    .driver_only = true,
    .args = mcast_socket_args,
    .counters = mcast_socket_counters,
    .handlers = mcast_socket_handlers,
    .configure = mcast_socket_configure,
    .initialize = mcast_socket_initialize,
    .cleanup = mcast_socket_cleanup,
    .push = mcast_socket_push,
};
