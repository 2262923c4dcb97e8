// SPDX-License-Identifier: BSD-3-Clause
/*
 * ControlSocket -- read and write handlers through a socket
 *
 * Usage:    ControlSocket(TCP, PORT [, ...]), ControlSocket(UNIX, FILENAME [, ...]),
 *           ControlSocket(SOCKET, FD [, ...])
 * Ports:    none
 * Args:     TYPE      TCP, UNIX, or SOCKET: a descriptor that is a connection already
 *           PORT      port number or service; with '+' behind it also one of the next eleven
 *           FILENAME  path of the socket, which goes away again with the element
 *           FD        number of the descriptor
 *           READONLY  default false: refuse to write
 *           PROXY     an element: all handlers are taken to be its own
 *           VERBOSE   default false: tell about connections on the console
 *           LOCALHOST default false: TCP: only from this machine
 *           RETRIES   default 0: how often to try again, each second, if the socket cannot
 *                     be opened
 *           RETRY_WARNINGS  default true: warn each time
 * Handlers: port      TCP: the port
 *           filename  UNIX: the path
 * Example:  ControlSocket(TCP, 7777, LOCALHOST true)
 * See also: ChatterSocket, Script
 *
 * Speaks Click's protocol, Click::ControlSocket/1.3: READ, READDATA, READUNTIL, WRITE,
 * WRITEDATA, WRITEUNTIL, CHECKREAD, CHECKWRITE, LLRPC, HELP and QUIT. When a configuration
 * is exchanged, connections stay open; for TCP the new one needs RETRIES 1, since the port
 * is taken until then. A UNIX socket that an earlier program left behind is replaced.
 */

#include "engine/args.h"
#include "engine/control_protocol.h"
#include "engine/element.h"
#include "engine/host.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 2048 };

enum socket_type { TYPE_TCP, TYPE_UNIX, TYPE_SOCKET };

struct control_conn {
    struct control_conn *next;
    int fd;
    struct control control;
};

struct control_socket {
    bool read_only, verbose, local, retry_warnings;
    int32_t retries;
    struct element *proxy;
    enum socket_type type;
    char name[128];             /* port, path or descriptor */
    int fd;                     /* 1 + the listening descriptor; 0: none */
    struct control_conn *conns; /* owned */
    struct control_target target;
    struct timer retry;
};

static const struct arg_spec control_socket_args[] = {
    ARG_BOOL(control_socket, read_only, "READONLY", ARG_KEY, "false",
             "refuse to write"),
    ARG_ELEMENT(control_socket, proxy, "PROXY", ARG_KEY, NULL,
                "whose handlers are meant"),
    ARG_BOOL(control_socket, verbose, "VERBOSE", ARG_KEY, "false",
             "tell about connections"),
    ARG_I32(control_socket, retries, "RETRIES", ARG_KEY, "0", "how often to try again"),
    ARG_BOOL(control_socket, retry_warnings, "RETRY_WARNINGS", ARG_KEY, "true",
             "warn each time"),
    ARG_BOOL(control_socket, local, "LOCALHOST", ARG_KEY, "false", "this machine only"),
    ARG_END,
};

/* --- arguments ---------------------------------------------------------------------------- */

static int parse_type(struct control_socket *s, const struct text *type, struct conf *c,
                      struct diag *d)
{
    static const char *const names[] = {"TCP", "UNIX", "SOCKET"};
    char *upper = arena_strdup(c->scratch, type->s);

    for (char *at = upper; at && *at; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at;
    for (unsigned i = 0; upper && i < 3; i++)
        if (strcmp(names[i], upper) == 0) {
            s->type = (enum socket_type)i;
            return 0;
        }
    return diag_err(d, "unknown socket type '%s'", upper ? upper : "");
}

static int parse_tcp(struct element *e, struct control_socket *s, const char *text,
                     struct diag *d)
{
    size_t len = strlen(text);
    uint64_t n;
    char number[16];
    uint16_t port;

    if (parse_port(e, text, IPPROTO_TCP, &port)) {
        snprintf(s->name, sizeof s->name, "%u", port);
        return 0;
    }
    if (len > 1 && len < sizeof number && text[len - 1] == '+') {
        memcpy(number, text, len - 1);
        number[len - 1] = '\0';
        if (parse_u64(number, 0, &n) && n > 0 && n < 65536) {
            snprintf(s->name, sizeof s->name, "%u+", (unsigned)n);
            return 0;
        }
    }
    return diag_err(d, "PORT requires TCP port");
}

static int parse_name(struct element *e, struct control_socket *s, const char *text,
                      struct diag *d)
{
    const struct sockaddr_un *un = NULL;
    uint64_t n;

    if (s->type == TYPE_TCP)
        return parse_tcp(e, s, text, d);
    if (s->type == TYPE_UNIX && strlen(text) >= sizeof un->sun_path)
        return diag_err(d, "filename too long");
    if (s->type == TYPE_SOCKET && (!parse_u64(text, 0, &n) || n > INT32_MAX))
        return diag_err(d, "FD: parse error");
    snprintf(s->name, sizeof s->name, "%s", text);
    return 0;
}

static int control_socket_configure(struct element *e, struct conf *c, struct diag *d)
{
    static const char *const second[] = {"PORT", "FILENAME", "FD"};
    struct control_socket *s = element_state(e);
    struct text type, name;

    if (c->argc < 1)
        return diag_err(d, "TYPE: required argument missing");
    if (!args_string(c->scratch, c->argv[0], &type))
        return diag_err(d, "TYPE: parse error");
    if (parse_type(s, &type, c, d) < 0)
        return -1;
    if (c->argc < 2)
        return diag_err(d, "%s: required argument missing", second[s->type]);
    if (c->argc > 2)
        return diag_err(d, "too many arguments");
    if (!args_string(c->scratch, c->argv[1], &name))
        return diag_err(d, "%s: parse error", second[s->type]);
    return parse_name(e, s, name.s, d);
}

/* --- connections --------------------------------------------------------------------------- */

static void control_socket_ready(void *arg, int fd, short revents);

static void watch(struct element *e, int fd, short events)
{
    const struct platform *p = element_platform(e);

    p->host->watch(p->ctx, fd, events, control_socket_ready, e);
}

static void unwatch(struct element *e, int fd)
{
    const struct platform *p = element_platform(e);

    p->host->unwatch(p->ctx, fd);
}

static void conn_add(struct element *e, int fd)
{
    struct control_socket *s = element_state(e);
    struct control_conn *conn = calloc(1, sizeof *conn);

    if (!conn) {
        close(fd);
        return;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    control_init(&conn->control, &control_router_ops, &s->target, s->read_only);
    conn->fd = fd;
    conn->next = s->conns;
    s->conns = conn;
    watch(e, fd, POLLIN | POLLOUT);
}

static void conn_remove(struct element *e, struct control_conn *conn)
{
    struct control_socket *s = element_state(e);
    struct control_conn **at = &s->conns;

    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    unwatch(e, conn->fd);
    close(conn->fd);
    if (s->verbose)
        element_say(e, "%s: closed connection %d\n", element_declaration(e), conn->fd);
    control_fini(&conn->control);
    free(conn);
}

static void conn_read(struct control_conn *conn)
{
    char buf[READ_SIZE];
    ssize_t n;

    if (conn->control.in_closed)
        return;
    n = read(conn->fd, buf, sizeof buf);
    if (n > 0)
        control_feed(&conn->control, buf, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        control_close_input(&conn->control);
}

/* Send what the client takes now. False: it is gone. */
static bool conn_write(struct control_conn *conn)
{
    size_t len;
    const char *text;
    ssize_t n;

    while ((text = control_output(&conn->control, &len)), len > 0) {
        n = write(conn->fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        control_sent(&conn->control, (size_t)n);
    }
    return true;
}

/* One command each time, so that the router goes on between two of them. */
static void conn_ready(struct element *e, struct control_conn *conn)
{
    bool more;
    size_t waiting;

    conn_read(conn);
    more = control_step(&conn->control);
    if (!conn_write(conn) || control_finished(&conn->control)) {
        conn_remove(e, conn);
        return;
    }
    control_output(&conn->control, &waiting);
    /* With its input closed, only what is left to do keeps it awake. */
    watch(e, conn->fd,
          (short)((conn->control.in_closed ? 0 : POLLIN) |
                  (waiting || more || conn->control.in_closed ? POLLOUT : 0)));
}

static void accept_one(struct element *e, int listener)
{
    struct control_socket *s = element_state(e);
    struct sockaddr_in sin = {0};
    socklen_t len = sizeof sin;
    char address[INET_ADDRSTRLEN];
    int fd = accept(listener, (struct sockaddr *)&sin, &len);

    if (fd < 0) {
        if (errno != EAGAIN)
            element_say(e, "%s: accept: %s\n", element_declaration(e), strerror(errno));
        return;
    }
    if (s->verbose && s->type == TYPE_TCP)
        element_say(e, "%s: opened connection %d from %s.%d\n", element_declaration(e),
                    fd, inet_ntop(AF_INET, &sin.sin_addr, address, sizeof address),
                    ntohs(sin.sin_port));
    else if (s->verbose)
        element_say(e, "%s: opened connection %d\n", element_declaration(e), fd);
    conn_add(e, fd);
}

static void control_socket_ready(void *arg, int fd, short revents)
{
    struct element *e = arg;
    struct control_socket *s = element_state(e);

    (void)revents;
    if (fd == s->fd - 1) {
        accept_one(e, fd);
        return;
    }
    for (struct control_conn *conn = s->conns; conn; conn = conn->next)
        if (conn->fd == fd) {
            conn_ready(e, conn);
            return;
        }
}

/* --- life ------------------------------------------------------------------------------------- */

static bool same_socket(const struct control_socket *s,
                        const struct control_socket *old)
{
    size_t len = strlen(s->name);

    return s->type == old->type &&
           (strcmp(s->name, old->name) == 0 ||
            (s->type == TYPE_TCP && len && s->name[len - 1] == '+'));
}

/* Whether an element of the configuration that is being replaced will hand its socket
 * over. */
static bool will_take_over(struct element *e)
{
    const struct platform *p = element_platform(e);
    struct element *old = p->host->replaced(p->ctx, e);

    return old && same_socket(element_state(e), element_state(old));
}

static void warn_retry(struct element *e, const char *call, const char *why,
                       struct diag *d)
{
    struct control_socket *s = element_state(e);
    int left = s->retries + 1;

    if (!s->retry_warnings)
        return;
    if (d)
        diag_warn(d, "%s: %s (%d %s left)", call, why, left,
                  left == 1 ? "try" : "tries");
    else
        element_say(e, "warning: %s: %s (%d %s left)\n", call, why, left,
                    left == 1 ? "try" : "tries");
}

static int fail(struct element *e, const char *call, const char *why, struct diag *d)
{
    if (d)
        return diag_err(d, "%s: %s", call, why);
    element_say(e, "%s: %s\n", call, why);
    return -1;
}

/* Open the socket, or try again later. `d` may be NULL when the router runs. */
static int open_socket(struct element *e, struct diag *d)
{
    struct control_socket *s = element_state(e);
    const struct platform *p = element_platform(e);
    struct host_address a = {.is_unix = s->type == TYPE_UNIX,
                             .name = s->name,
                             .local = s->local,
                             .replace = true};
    bool take_over = will_take_over(e);
    const char *why;
    int fd;

    s->retries--;
    /* A new socket of that path would cut off the clients of the old one. */
    if (take_over && s->type == TYPE_UNIX)
        return 0;
    a.sole = s->retries >= 0 && take_over;
    fd = p->host->listen(p->ctx, &a);
    if (fd >= 0) {
        if (s->type == TYPE_TCP)
            snprintf(s->name, sizeof s->name, "%u", a.port);
        s->fd = fd + 1;
        watch(e, fd, POLLIN);
        return 0;
    }
    why = strerror(errno);
    if (s->retries < 0)
        return fail(e, a.call, why, d);
    warn_retry(e, a.call, why, d);
    timer_after(&s->retry, 1000000000);
    return 0;
}

static void retry_fired(struct element *e, struct timer *t)
{
    const struct control_socket *s = element_state(e);

    (void)t;
    if (!s->fd && open_socket(e, NULL) < 0)
        router_stop(e->router);
}

static int control_socket_initialize(struct element *e, struct diag *d)
{
    struct control_socket *s = element_state(e);

    s->target = (struct control_target){e->router, s->proxy};
    timer_init(&s->retry, e, retry_fired);
    if (s->type != TYPE_SOCKET)
        return open_socket(e, d);
    /* A configuration that takes over finds the connection with the old one. */
    if (!will_take_over(e))
        conn_add(e, (int)strtol(s->name, NULL, 10));
    return 0;
}

static void control_socket_take_state(struct element *e, struct element *from)
{
    struct control_socket *s = element_state(e), *old = element_state(from);

    if (s->fd || !same_socket(s, old))
        return;
    memcpy(s->name, old->name, sizeof s->name);
    s->fd = old->fd;
    s->conns = old->conns;
    old->fd = 0;
    old->conns = NULL;
    timer_cancel(&s->retry);
    if (s->fd)
        watch(e, s->fd - 1, POLLIN);
    for (struct control_conn *conn = s->conns; conn; conn = conn->next) {
        conn->control.ctx = &s->target;
        conn->control.read_only = s->read_only;
        watch(e, conn->fd, POLLIN | POLLOUT);
    }
}

static void control_socket_cleanup(struct element *e)
{
    struct control_socket *s = element_state(e);

    if (s->fd) {
        unwatch(e, s->fd - 1);
        shutdown(s->fd - 1, SHUT_RDWR);
        close(s->fd - 1);
        if (s->type == TYPE_UNIX)
            unlink(s->name);
    }
    s->fd = 0;
    s->verbose = false;
    while (s->conns) {
        conn_write(s->conns);
        conn_remove(e, s->conns);
    }
}

static int read_name(struct element *e, const struct handler_spec *h, const char *param,
                     struct sbuf *out, struct diag *d)
{
    const struct control_socket *s = element_state(e);

    sbuf_puts(out, s->name);
    return 0;
}

static const struct handler_spec control_socket_handlers[] = {
    {.name = "port", .help = "TCP: the port", .flags = HANDLER_READ, .read = read_name},
    {.name = "filename",
     .help = "UNIX: the path",
     .flags = HANDLER_READ,
     .read = read_name},
    HANDLER_END,
};

ELEMENT(ControlSocket) = {
    .name = "ControlSocket",
    .state_size = sizeof(struct control_socket),
    .ports = "0/0",
    .args = control_socket_args,
    .any_args = true,
    .driver_only = true,
    .handlers = control_socket_handlers,
    .configure = control_socket_configure,
    .initialize = control_socket_initialize,
    .take_state = control_socket_take_state,
    .cleanup = control_socket_cleanup,
};
