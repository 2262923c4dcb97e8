// SPDX-License-Identifier: BSD-3-Clause
/*
 * Socket -- packets to and from a socket of the operating system
 *
 * Usage:    Socket(TYPE, ADDRESS... [, CLIENT, SNAPLEN 2048, VERBOSE, ...])
 * Ports:    0-1 in, 0-1 out; push or pull in, push out
 * Args:     TYPE ADDRESS...  TCP or UDP: IP, PORT [, LOCALIP, LOCALPORT];
 *                    UNIX or UNIX_DGRAM: FILENAME [, LOCALFILENAME]
 *           CLIENT   true: connect to the address; false: be found under it. Default:
 *                    true without an output, or with a local address
 *           SNAPLEN  longest packet that is received, default 2048
 *           NODELAY  default true: send TCP data at once
 *           SNDBUF, RCVBUF  sizes of the kernel's buffers
 *           TIMESTAMP  default true: set the timestamp of received packets
 *           HEADROOM default 28: room before the data of received packets
 *           VERBOSE  default false: tell about connections
 *           ALLOW    a routing table, as RadixIPLookup: addresses with a route may connect or
 *                    send datagrams
 *           DENY     a routing table: of the others, those with a route may not
 *           PROPER  accepted; has no effect
 * Counters: received   packets received
 *           sent       packets sent
 *           drops      packets that could not be sent
 * Handlers: scheduled, tickets  (rw) the task, with a pull input
 * Example:  Socket(UDP, 0.0.0.0, 5000) -> Print -> Socket(UDP, 10.0.0.2, 6000);
 * See also: RawSocket, FromDevice, ControlSocket
 *
 * A server of TCP or UNIX has one connection at a time. A server of UDP or UNIX_DGRAM
 * sends to whoever sent last; a UDP client for address 0.0.0.0 sends to the destination
 * annotation. A packet pushed in waits until the socket takes it.
 */

#include "engine/os/socket_element.h"

#include "engine/host.h"
#include "engine/ip_lookup.h"
#include "engine/net_headers.h"
#include "engine/os/socket_recv.h"
#include "engine/platform.h"
#include "engine/task_handlers.h"

#include "engine/lang/lang.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PULL_BURST = 32, WAIT_MS = 1000 };

const struct arg_spec socket_element_args[] = {
    {.name = "CLIENT",
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct socket_element, client_arg),
     .seen = 1 + offsetof(struct socket_element, have_client),
     .help = "connect to the address"},
    ARG_BOOL(socket_element, verbose, "VERBOSE", 0, "false", "tell about connections"),
    ARG_U32(socket_element, snaplen, "SNAPLEN", 0, "2048", "longest packet"),
    ARG_U32(socket_element, headroom, "HEADROOM", 0, "28", "room before the data"),
    ARG_BOOL(socket_element, timestamp, "TIMESTAMP", 0, "true", "set timestamps"),
    ARG_BOOL(socket_element, nodelay, "NODELAY", 0, "true", "send TCP data at once"),
    ARG_I32(socket_element, sndbuf, "SNDBUF", 0, "-1", "kernel's send buffer"),
    ARG_I32(socket_element, rcvbuf, "RCVBUF", 0, "-1", "kernel's receive buffer"),
    ARG_ELEMENT(socket_element, allow, "ALLOW", 0, NULL, "who may connect"),
    ARG_ELEMENT(socket_element, deny, "DENY", 0, NULL, "who may not"),
    ARG_BOOL(socket_element, proper, "PROPER", 0, "false", "accepted"),
    ARG_END,
};

enum { C_RECEIVED, C_SENT, C_DROPS };
const struct counter_spec socket_element_counters[] = {
    [C_RECEIVED] = {"received", "packets received"},
    [C_SENT] = {"sent", "packets sent"},
    [C_DROPS] = {"drops", "packets that could not be sent"},
    {NULL, NULL},
};

/* --- arguments -------------------------------------------------------------------------- */

static int parse_inet(struct element *e, const struct conf *c, int at, const char *what,
                      union socket_addr *out, socklen_t *len, struct diag *d)
{
    const struct socket_element *s = element_state(e);
    uint32_t addr;
    uint16_t port = 0;

    if (!parse_ip(e, c->argv[at], &addr))
        return diag_err(d, "%s address: parse error", what);
    if (at + 1 < c->argc &&
        !parse_port(e, c->argv[at + 1],
                    s->kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, &port))
        return diag_err(d, "%s port: parse error", what);
    out->in = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = addr};
    *len = sizeof out->in;
    return 0;
}

static int parse_unix(struct element *e, const struct conf *c, int at, const char *what,
                      union socket_addr *out, socklen_t *len, struct diag *d)
{
    size_t n = strlen(c->argv[at]);
    const char *name = lang_unquote(c->scratch, c->argv[at], &n);
    socklen_t head = offsetof(struct sockaddr_un, sun_path);

    if (!name || !n || n >= sizeof out->un.sun_path)
        return diag_err(d, "%s filename '%s' too long", what, name ? name : "");
    out->un = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->un.sun_path, name, n);
    /* A name that begins with a NUL is in the abstract name space and has no end. */
    *len = head + (socklen_t)n + (*name ? 1 : 0);
    return 0;
}

static int parse_addresses(struct element *e, const struct conf *c, struct diag *d)
{
    struct socket_element *s = element_state(e);
    int per = s->family == AF_INET ? 2 : 1;
    int (*parse)(struct element *, const struct conf *, int, const char *,
                 union socket_addr *, socklen_t *,
                 struct diag *) = s->family == AF_INET ? parse_inet : parse_unix;

    if (c->argc < 1 + per)
        return diag_err(d, "too few arguments");
    if (c->argc > 1 + 2 * per)
        return diag_err(d, "too many arguments");
    if (parse(e, c, 1, "remote", &s->remote, &s->remote_len, d) < 0)
        return -1;
    s->have_local = c->argc > 1 + per;
    return s->have_local ? parse(e, c, 1 + per, "local", &s->local, &s->local_len, d)
                         : 0;
}

static int check_table(const struct element *table, struct diag *d)
{
    if (!table || table->cls->push == ip_lookup_push)
        return 0;
    return diag_err(d, "%s is not an IPRouteTable", table->name);
}

int socket_element_configure(struct element *e, struct conf *c, struct diag *d)
{
    static const struct {
        const char *name;
        int family, kind;
    } types[] = {
        {"TCP", AF_INET, SOCK_STREAM},
        {"UDP", AF_INET, SOCK_DGRAM},
        {"UNIX", AF_UNIX, SOCK_STREAM},
        {"UNIX_DGRAM", AF_UNIX, SOCK_DGRAM},
    };
    struct socket_element *s = element_state(e);
    size_t len = c->argc ? strlen(c->argv[0]) : 0;
    const char *type = c->argc ? lang_unquote(c->scratch, c->argv[0], &len) : NULL;

    if (check_table(s->allow, d) < 0 || check_table(s->deny, d) < 0)
        return -1;
    if (!type)
        return diag_err(d, "TYPE: required argument missing");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!strcasecmp(types[i].name, type)) {
            s->family = types[i].family;
            s->kind = types[i].kind;
        }
    if (!s->family)
        return diag_err(d, "unknown socket type '%s'", type);
    if (s->snaplen < 1 || s->snaplen > PKT_MAX_LEN)
        return diag_err(d, "SNAPLEN: out of range");
    if (parse_addresses(e, c, d) < 0)
        return -1;
    s->client = s->have_client ? s->client_arg : !e->n_out || s->have_local;
    s->to_anno = s->client && s->family == AF_INET && s->kind == SOCK_DGRAM &&
                 !s->remote.in.sin_addr.s_addr;
    return 0;
}

/* --- connections ------------------------------------------------------------------------ */

static void socket_ready(void *arg, int fd, short revents);

/* Ask for what is interesting now: packets to read, room to write. */
static void socket_watch(struct element *e, int fd, bool write)
{
    const struct platform *p = element_platform(e);
    const struct socket_element *s = element_state(e);
    bool listening = fd != s->active - 1;

    p->host->watch(
        p->ctx, fd,
        (short)((e->n_out || listening ? POLLIN : 0) | (write ? POLLOUT : 0)),
        socket_ready, e);
}

static void socket_close_active(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct socket_element *s = element_state(e);

    if (!s->active)
        return;
    p->host->unwatch(p->ctx, s->active - 1);
    close(s->active - 1);
    if (s->verbose)
        element_say(e, "%s: closed connection %d\n", element_declaration(e),
                    s->active - 1);
    if (s->active == s->fd)
        s->fd = 0;
    s->active = 0;
    if (s->fd) /* the next one may have been waiting */
        socket_watch(e, s->fd - 1, false);
}

static void socket_prepare(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static bool has_route(const struct element *table, uint32_t addr)
{
    struct ip_lookup *l = table ? element_state(table) : NULL;

    return l && ip_routes_find(&l->routes, addr).port >= 0;
}

static bool socket_allowed(const struct socket_element *s,
                           const union socket_addr *from)
{
    if (s->family != AF_INET)
        return true;
    return has_route(s->allow, from->in.sin_addr.s_addr) ||
           !has_route(s->deny, from->in.sin_addr.s_addr);
}

/* "%s: VERB connection FD from ADDRESS", if we shall tell. */
static void socket_tell(struct element *e, const char *what,
                        const union socket_addr *from)
{
    const struct socket_element *s = element_state(e);
    char buf[64];

    if (s->verbose && s->family == AF_INET)
        element_say(e, "%s: %s from %s:%u\n", element_declaration(e), what,
                    unparse_ip(from->in.sin_addr.s_addr, buf),
                    ntohs(from->in.sin_port));
    else if (s->verbose)
        element_say(e, "%s: %s from %s\n", element_declaration(e), what,
                    from->un.sun_path);
}

static void socket_accept(struct element *e)
{
    union socket_addr from = {0};
    socklen_t from_len = sizeof from - 1;
    char what[48];
    const struct platform *p = element_platform(e);
    struct socket_element *s = element_state(e);
    int fd = accept(s->fd - 1, &from.sa, &from_len);

    if (fd < 0) {
        if (errno != EAGAIN)
            element_say(e, "%s: accept: %s\n", element_declaration(e), strerror(errno));
        return;
    }
    snprintf(what, sizeof what, "%s connection %d",
             socket_allowed(s, &from) ? "opened" : "denied", fd);
    socket_tell(e, what, &from);
    if (!socket_allowed(s, &from)) {
        close(fd);
        return;
    }
    socket_prepare(fd);
    s->active = 1 + fd;
    p->host->unwatch(p->ctx, s->fd - 1); /* one at a time: others wait */
    socket_watch(e, fd, false);
    if (s->task.run)
        task_schedule(&s->task);
}

/* --- in --------------------------------------------------------------------------------- */

/* Receive one packet; false when there is none. */
static bool socket_receive(struct element *e)
{
    struct socket_element *s = element_state(e);
    const struct socket_recv how = {s->snaplen, s->headroom, s->kind == SOCK_STREAM,
                                    s->timestamp};
    union socket_addr from;
    socklen_t from_len = sizeof from;
    struct pkt *p = socket_recv(e, s->active - 1, &how, &from.sa, &from_len);

    if (!p || (!p->len && how.stream)) {
        if (!p && (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ||
                   errno == ENOMEM))
            return false;
        if (!p && s->verbose)
            element_say(e, "%s: %s\n", element_declaration(e), strerror(errno));
        pkt_free(p);
        socket_close_active(e);
        return false;
    }
    if (!s->client && s->kind == SOCK_DGRAM && !socket_allowed(s, &from)) {
        socket_tell(e, "dropped datagram", &from);
        pkt_free(p);
        return true;
    }
    if (!s->client && s->kind == SOCK_DGRAM) {
        s->remote = from;
        s->remote_len = from_len;
    }
    element_count(e, C_RECEIVED, 1);
    out_push_one(e, 0, p);
    return true;
}

static void socket_ready(void *arg, int fd, short revents)
{
    struct element *e = arg;
    struct socket_element *s = element_state(e);

    if (fd == s->fd - 1 && s->fd != s->active) {
        socket_accept(e);
        return;
    }
    if (e->n_out && revents & (POLLIN | POLLHUP | POLLERR))
        for (int i = 0; i < PULL_BURST && s->active && socket_receive(e); i++)
            ;
    else if (revents & (POLLHUP | POLLERR))
        socket_close_active(e);
    if (s->active && revents & POLLOUT) {
        socket_watch(e, fd, false);
        task_schedule(&s->task);
    }
}

/* --- out -------------------------------------------------------------------------------- */

/* Send what is left of a packet. 1: sent; 0: not all of it, for now; -1: never. */
static int socket_send(struct element *e, struct pkt *p)
{
    struct socket_element *s = element_state(e);
    ssize_t n;

    if (s->to_anno)
        s->remote.in.sin_addr.s_addr = pkt_dst_ip(p);
    for (;;) {
        if (s->kind == SOCK_STREAM)
            n = send(s->active - 1, p->data, p->len, MSG_NOSIGNAL);
        else
            n = sendto(s->active - 1, p->data, p->len, MSG_NOSIGNAL, &s->remote.sa,
                       s->remote_len);
        if (n >= 0) {
            pkt_pull(p, (uint32_t)n);
            if (p->len && s->kind == SOCK_STREAM)
                continue;
            return 1;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == ENOBUFS)
            return 0;
        if (s->verbose)
            element_say(e, "%s: %s\n", element_declaration(e), strerror(errno));
        if (s->kind == SOCK_STREAM)
            socket_close_active(e);
        return -1;
    }
}

void socket_element_push(struct element *e, unsigned port, struct batch *b)
{
    struct socket_element *s = element_state(e);

    for (uint32_t i = 0; i < b->n; i++) {
        int sent = -1;

        while (s->active && (s->kind == SOCK_STREAM || s->remote_len) &&
               (sent = socket_send(e, b->p[i])) == 0) {
            struct pollfd wait = {.fd = s->active - 1, .events = POLLOUT};

            if (poll(&wait, 1, WAIT_MS) <= 0)
                break;
        }
        element_count(e, sent > 0 ? C_SENT : C_DROPS, 1);
        pkt_free(b->p[i]);
    }
}

static bool socket_run(struct element *e, struct task *t)
{
    struct socket_element *s = element_state(e);
    bool worked = false;

    for (int i = 0; i < PULL_BURST && s->active; i++) {
        struct pkt *p = s->waiting ? s->waiting : in_pull_one(e, 0);
        int sent;

        s->waiting = NULL;
        if (!p)
            break;
        worked = true;
        if ((sent = socket_send(e, p)) == 0) {
            s->waiting = p;
            socket_watch(e, s->active - 1, true);
            return true;
        }
        element_count(e, sent > 0 ? C_SENT : C_DROPS, 1);
        pkt_free(p);
    }
    if (s->active && (worked || signal_active(&s->signal)))
        task_reschedule(t);
    return worked;
}

/* --- life ------------------------------------------------------------------------------- */

static int socket_fail(const struct element *e, const char *call, struct diag *d)
{
    (void)e;
    return diag_err(d, "%s: %s", call, strerror(errno));
}

static int socket_options(struct element *e, int fd, struct diag *d)
{
    const struct socket_element *s = element_state(e);
    int one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (s->family == AF_INET && s->kind == SOCK_STREAM && s->nodelay &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
        return socket_fail(e, "setsockopt(TCP_NODELAY)", d);
    if (s->sndbuf >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &s->sndbuf, sizeof s->sndbuf) < 0)
        return socket_fail(e, "setsockopt(SO_SNDBUF)", d);
    if (s->rcvbuf >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &s->rcvbuf, sizeof s->rcvbuf) < 0)
        return socket_fail(e, "setsockopt(SO_RCVBUF)", d);
    return 0;
}

static int socket_open(struct element *e, struct diag *d)
{
    struct socket_element *s = element_state(e);
    int fd = socket(s->family, s->kind, 0);

    if (fd < 0)
        return socket_fail(e, "socket", d);
    s->fd = 1 + fd;
    if (socket_options(e, fd, d) < 0)
        return -1;
    if (!s->client) {
        s->local = s->remote;
        s->local_len = s->remote_len;
        s->have_local = true;
        if (s->kind == SOCK_DGRAM)
            s->remote_len = 0; /* nobody has sent yet */
    }
    if (s->have_local && bind(fd, &s->local.sa, s->local_len) < 0)
        return socket_fail(e, "bind", d);
    s->bound = s->have_local;
    if (s->kind == SOCK_DGRAM) {
        s->active = s->fd;
    } else if (s->client) {
        if (connect(fd, &s->remote.sa, s->remote_len) < 0)
            return socket_fail(e, "connect", d);
        s->active = s->fd;
    } else if (listen(fd, 2) < 0) {
        return socket_fail(e, "listen", d);
    }
    socket_prepare(fd);
    return 0;
}

int socket_element_initialize(struct element *e, struct diag *d)
{
    struct socket_element *s = element_state(e);

    if (!element_platform(e)->host)
        return diag_err(d, "there are no sockets here");
    if (socket_open(e, d) < 0)
        return -1;
    socket_watch(e, s->fd - 1, false);
    if (e->n_in && !element_input_is_push(e, 0)) {
        task_join(&s->task, e, socket_run, true, d);
        signal_up(&s->signal, e, 0, &s->task);
    }
    return 0;
}

void socket_element_cleanup(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct socket_element *s = element_state(e);
    bool named = s->fd && s->bound && s->family == AF_UNIX;

    s->verbose = false;
    socket_close_active(e);
    if (s->fd) {
        if (p->host)
            p->host->unwatch(p->ctx, s->fd - 1);
        close(s->fd - 1);
    }
    s->fd = 0;
    if (named && s->local.un.sun_path[0])
        unlink(s->local.un.sun_path);
    pkt_free(s->waiting);
    s->waiting = NULL;
}

const struct handler_spec socket_element_handlers[] = {
    TASK_HANDLERS(socket_element, task),
    HANDLER_END,
};

ELEMENT(Socket) = {
    .name = "Socket",
    .state_size = sizeof(struct socket_element),
    .ports = "0-1/0-1",
    .processing = "a/h",
    .flow = "x/y",
    .driver_only = true,
    .any_args = true,
    .args = socket_element_args,
    .counters = socket_element_counters,
    .handlers = socket_element_handlers,
    .configure = socket_element_configure,
    .initialize = socket_element_initialize,
    .cleanup = socket_element_cleanup,
    .push = socket_element_push,
};
