// SPDX-License-Identifier: BSD-3-Clause
/*
 * RawSocket -- IP packets to and from a raw socket of the system
 *
 * Usage:    RawSocket(TYPE [, PORT, SNAPLEN 2048, HEADROOM])
 * Ports:    0-1 in, 0-1 out; pull in, push out
 * Args:     TYPE      protocol of IP, by name or number: tcp, udp, icmp, gre, ...
 *           PORT      with TCP and UDP: port that is kept for us as long as the
 *                     configuration runs
 *           SNAPLEN   bytes of a packet that are received, default 2048
 *           HEADROOM  room before the data, default 28
 * Counters: received  packets received
 *           sent      packets sent
 *           drops     packets that could not be sent
 * Handlers: scheduled, tickets  (rw) the task, with an input
 * Example:  RawSocket(icmp) -> IPPrint -> Discard;
 * See also: Socket, FromDevice, KernelTun
 *
 * Packets begin with their IP header, which is sent as it is, to its destination address. What
 * comes in has network header and destination annotation set. The kernel handles it, too. Needs
 * the right to open raw sockets.
 */

#include "engine/os/raw_socket.h"

#include "engine/args.h"
#include "engine/host.h"
#include "engine/nameinfo.h"
#include "engine/net_headers.h"
#include "engine/os/link_type.h"
#include "engine/os/socket_recv.h"
#include "engine/platform.h"
#include "engine/task_handlers.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BURST = 32, BACKOFF_MAX_NS = 1000000 };

const struct arg_spec raw_socket_args[] = {
    ARG_WORD(raw_socket, type, "TYPE", ARG_M, NULL, "protocol of IP"),
    ARG_WORD(raw_socket, port_arg, "PORT", ARG_POS, NULL, "port that is kept"),
    ARG_U32(raw_socket, snaplen, "SNAPLEN", 0, "2048", "bytes of a packet"),
    ARG_U32(raw_socket, headroom, "HEADROOM", 0, "28", "room before the data"),
    ARG_END,
};

enum { C_RECEIVED, C_SENT, C_DROPS };
const struct counter_spec raw_socket_counters[] = {
    [C_RECEIVED] = {"received", "packets received"},
    [C_SENT] = {"sent", "packets sent"},
    [C_DROPS] = {"drops", "packets that could not be sent"},
    {NULL, NULL},
};

int raw_socket_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct raw_socket *s = element_state(e);
    struct arg_spec port = {.name = "PORT", .kind = ARG_KIND_U16};
    uint32_t protocol;

    if (!name_query_int(e, NAME_IP_PROTO, s->type.s, &protocol) || protocol > 255)
        return diag_err(d, "TYPE: parse error");
    s->protocol = (uint8_t)protocol;
    if (s->snaplen < 1 || s->snaplen > PKT_MAX_LEN || s->headroom > PKT_MAX_LEN)
        return diag_err(d, "SNAPLEN or HEADROOM out of range");
    if (s->protocol == IP_PROTO_TCP)
        port.kind = ARG_KIND_PORT_TCP;
    else if (s->protocol == IP_PROTO_UDP)
        port.kind = ARG_KIND_PORT_UDP;
    return s->port_arg.len ? args_value(e, &port, s->port_arg.s, NULL, &s->port, d) : 0;
}

/* --- in --------------------------------------------------------------------------------- */

static bool receive(struct element *e)
{
    struct raw_socket *s = element_state(e);
    const struct socket_recv how = {s->snaplen, s->headroom, .timestamp = true};
    struct pkt *p = socket_recv(e, s->fd - 1, &how, NULL, NULL);

    if (!p) {
        if (errno != EAGAIN && errno != EINTR && errno != ENOMEM)
            element_say(e, "recv: %s\n", strerror(errno));
        return false;
    }
    element_count(e, C_RECEIVED, 1);
    if (link_type_force_ip(p, LINK_RAW))
        out_push_one(e, 0, p);
    else
        pkt_free(p);
    return true;
}

static void raw_socket_ready(void *arg, int fd, short revents)
{
    for (int i = 0; i < BURST && receive(arg); i++)
        ;
}

/* --- out -------------------------------------------------------------------------------- */

/* 0, or an errno. */
static int send_one(struct element *e, const struct pkt *p)
{
    const struct raw_socket *s = element_state(e);
    struct sockaddr_in to = {.sin_family = AF_INET};

    if (p->len < sizeof(struct ip4_hdr)) {
        element_say(e, "runt IP packet (%u bytes)\n", p->len);
        return EINVAL;
    }
    to.sin_addr.s_addr = load32(p->data + offsetof(struct ip4_hdr, dst));
    if (sendto(s->fd - 1, p->data, p->len, 0, (struct sockaddr *)&to, sizeof to) >= 0)
        return 0;
    if (errno != ENOBUFS && errno != EAGAIN)
        element_say(e, "sendto: %s\n", strerror(errno));
    return errno;
}

static bool raw_socket_run(struct element *e, struct task *t)
{
    struct raw_socket *s = element_state(e);
    bool worked = false;

    for (int i = 0; i < BURST; i++) {
        struct pkt *p = s->waiting ? s->waiting : in_pull_one(e, 0);
        int why;

        s->waiting = NULL;
        if (!p)
            break;
        worked = true;
        why = send_one(e, p);
        if (why == ENOBUFS || why == EAGAIN) {
            s->waiting = p;
            s->backoff_ns = s->backoff_ns ? s->backoff_ns * 2 : 1000;
            if (s->backoff_ns > BACKOFF_MAX_NS)
                s->backoff_ns = BACKOFF_MAX_NS;
            timer_after(&s->timer, s->backoff_ns);
            return true;
        }
        s->backoff_ns = 0;
        element_count(e, why ? C_DROPS : C_SENT, 1);
        pkt_free(p);
    }
    if (worked || signal_active(&s->signal))
        task_reschedule(t);
    return worked;
}

static void raw_socket_fire(struct element *e, struct timer *t)
{
    task_schedule(&((struct raw_socket *)element_state(e))->task);
}

/* --- life ------------------------------------------------------------------------------- */

/* An ordinary socket on the port keeps others from it. */
static int claim_port(struct raw_socket *s, struct diag *d)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(s->port)};
    int fd = socket(
        AF_INET,
        (s->protocol == IP_PROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return diag_err(d, "socket: %s", strerror(errno));
    s->claim = 1 + fd;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
        return diag_err(d, "bind: %s", strerror(errno));
    return 0;
}

int raw_socket_initialize(struct element *e, struct diag *d)
{
    const struct platform *p = element_platform(e);
    struct raw_socket *s = element_state(e);
    int fd, one = 1;

    if (!p->host)
        return diag_err(d, "there are no sockets here");
    fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, s->protocol);
    if (fd < 0)
        return diag_err(d, "socket: %s", strerror(errno));
    s->fd = 1 + fd;
    if (s->port && claim_port(s, d) < 0)
        return -1;
    if (setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof one) < 0)
        return diag_err(d, "IP_HDRINCL: %s", strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) < 0)
        return diag_err(d, "SO_BROADCAST: %s", strerror(errno));
    if (e->n_out && p->host->watch(p->ctx, fd, POLLIN, raw_socket_ready, e) < 0)
        return diag_err(d, "out of memory");
    timer_init(&s->timer, e, raw_socket_fire);
    if (e->n_in) {
        task_join(&s->task, e, raw_socket_run, true, d);
        signal_up(&s->signal, e, 0, &s->task);
    }
    return 0;
}

void raw_socket_cleanup(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct raw_socket *s = element_state(e);

    if (s->fd) {
        p->host->unwatch(p->ctx, s->fd - 1);
        close(s->fd - 1);
    }
    if (s->claim)
        close(s->claim - 1);
    s->fd = s->claim = 0;
    pkt_free(s->waiting);
    s->waiting = NULL;
}

const struct handler_spec raw_socket_handlers[] = {
    TASK_HANDLERS(raw_socket, task),
    HANDLER_END,
};

ELEMENT(RawSocket) = {
    .name = "RawSocket",
    .state_size = sizeof(struct raw_socket),
    .ports = "0-1/0-1",
    .processing = "l/h",
    .flow = "x/y",
    .driver_only = true,
    .args = raw_socket_args,
    .counters = raw_socket_counters,
    .handlers = raw_socket_handlers,
    .configure = raw_socket_configure,
    .initialize = raw_socket_initialize,
    .cleanup = raw_socket_cleanup,
};
