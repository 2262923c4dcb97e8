// SPDX-License-Identifier: BSD-3-Clause
/* server.c -- HTTP over a Unix socket: see server.h */

#include "ctl/server.h"

#include "base/errtext.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A call and the connection that waits for it. */
struct exchange {
    struct call call;
    struct server *server;             /* borrowed */
    struct MHD_Connection *connection; /* borrowed */
    struct exchange *next, *prev;      /* of all that are open */
    bool started;                      /* the route's function has run */
    bool suspended;                    /* libmicrohttpd waits for us */
};

struct server {
    struct MHD_Daemon *mhd;     /* owned */
    struct loop *loop;          /* borrowed */
    struct daemon_state *state; /* borrowed */
    struct loop_watch watch;
    struct exchange *open;
    bool work; /* a connection was resumed: MHD_run() before sleeping */
};

/* ---- the socket ------------------------------------------------------------------ */

static int set_address(struct sockaddr_un *a, const char *path, struct diag *d)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a->sun_path)
        return diag_err(d, "socket path %s is longer than %zu bytes", path,
                        sizeof a->sun_path - 1);
    strcpy(a->sun_path, path);
    return 0;
}

static bool somebody_answers(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;

    if (fd >= 0)
        close(fd);
    return answers;
}

static int set_owner(const char *path, const char *group, struct diag *d)
{
    struct group *g;

    if (chmod(path, 0660) < 0)
        return diag_err(d, "cannot set the mode of %s: %s", path, strerror(errno));
    if (!group)
        return 0;
    g = getgrnam(group);
    if (!g)
        return diag_err(d, "there is no group '%s'", group);
    if (chown(path, (uid_t)-1, g->gr_gid) < 0)
        return diag_err(d, "cannot give %s to group %s: %s", path, group,
                        strerror(errno));
    return 0;
}

int server_listen(const char *path, const char *group, struct diag *d)
{
    struct sockaddr_un a;
    mode_t mask;
    int fd, rc;

    if (set_address(&a, path, d) < 0)
        return -1;
    if (somebody_answers(&a))
        return diag_err(d, "another daemon answers on %s", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return diag_err(d, "cannot create a socket: %s", errtext(errno));
    unlink(path);
    mask = umask(0177); /* nobody may connect before the group is set */
    rc = bind(fd, (struct sockaddr *)&a, sizeof a);
    umask(mask);
    if (rc < 0)
        diag_err(d, "cannot listen on %s: %s", path, strerror(errno));
    else if ((rc = set_owner(path, group, d)) == 0 && (rc = listen(fd, SOMAXCONN)) < 0)
        diag_err(d, "cannot listen on %s: %s", path, strerror(errno));
    if (rc == 0)
        return fd;
    close(fd);
    return -1;
}

/* ---- exchanges ------------------------------------------------------------------- */

static void wake(struct call *c)
{
    struct exchange *x = c->transport;

    if (!x->suspended)
        return;
    x->suspended = false;
    x->server->work = true;
    MHD_resume_connection(x->connection);
}

static struct exchange *exchange_new(struct server *v, struct MHD_Connection *con)
{
    struct exchange *x = calloc(1, sizeof *x);

    if (!x)
        return NULL;
    x->server = v;
    x->connection = con;
    x->call.wake = wake;
    x->call.transport = x;
    x->next = v->open;
    if (v->open)
        v->open->prev = x;
    v->open = x;
    return x;
}

static void exchange_free(struct exchange *x)
{
    if (x->prev)
        x->prev->next = x->next;
    else
        x->server->open = x->next;
    if (x->next)
        x->next->prev = x->prev;
    call_fini(&x->call);
    free(x);
}

/* libmicrohttpd has finished with a request, answered or not. A suspended one cannot
 * come here, so nobody holds a call that is freed. */
static void completed(void *ctx, struct MHD_Connection *con, void **con_ctx,
                      enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *con_ctx;

    (void)ctx, (void)con, (void)why;
    if (!x)
        return;
    if (x->call.cancel)
        x->call.cancel(&x->call, x->call.cancel_ctx);
    exchange_free(x);
    *con_ctx = NULL;
}

static enum MHD_Result send_answer(struct exchange *x)
{
    struct call *c = &x->call;
    struct MHD_Response *r;
    enum MHD_Result rc;
    size_t len = c->answer.len;
    char *text;

    if (c->answer.failed) {
        c->status = HTTP_INTERNAL;
        len = 0;
    }
    text = sbuf_take(&c->answer); /* may be long: not to be copied */
    r = MHD_create_response_from_buffer(text ? len : 0, text, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(text);
        return MHD_NO;
    }
    if (c->content_type)
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, c->content_type);
    if (*c->allow)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, c->allow);
    rc = MHD_queue_response(x->connection, c->status, r);
    MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result take_query(void *ctx, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct call *c = ctx;

    (void)kind;
    return c->answered || call_add_query(c, name, value) < 0 ? MHD_NO : MHD_YES;
}

static void begin(struct exchange *x, const char *method, const char *path)
{
    const char *type = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_TYPE);

    x->call.body_is_json = type && !strncasecmp(type, "application/json", 16);
    if (call_route(&x->call, method, path) == 0)
        MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, take_query,
                                  &x->call);
}

static void take_body(struct exchange *x, const char *data, size_t len)
{
    struct call *c = &x->call;

    if (c->answered) /* refused already: read on, so that the client can hear it */
        return;
    if (c->body.len + len > CALL_MAX_BODY)
        call_fail(c, HTTP_TOO_LARGE, "too_large", "the request is larger than %d MiB",
                  CALL_MAX_BODY >> 20);
    else
        sbuf_add(&c->body, data, len);
}

static enum MHD_Result finish(struct exchange *x)
{
    struct call *c = &x->call;

    if (!x->started && !c->answered) {
        x->started = true;
        if (c->body.failed)
            call_fail(c, HTTP_INTERNAL, "no_memory", "out of memory");
        else
            c->route->run(x->server->state, c);
    }
    if (c->answered)
        return send_answer(x);
    x->suspended = true;
    MHD_suspend_connection(x->connection);
    return MHD_YES;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *con, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **con_ctx)
{
    struct exchange *x = *con_ctx;

    (void)version;
    if (!x) {
        x = *con_ctx = exchange_new(ctx, con);
        if (!x)
            return MHD_NO;
        begin(x, method, path);
        return MHD_YES;
    }
    if (*len) {
        take_body(x, data, *len);
        *len = 0;
        return MHD_YES;
    }
    return finish(x);
}

/* ---- the server ------------------------------------------------------------------ */

static void ready(void *ctx, uint32_t events)
{
    struct server *v = ctx;

    (void)events;
    v->work = true; /* MHD_run() once, before the loop waits again */
}

void server_tick(struct server *v)
{
    v->work = true;
}

int server_before_wait(struct server *v)
{
    MHD_UNSIGNED_LONG_LONG ms;

    while (v->work) {
        v->work = false;
        MHD_run(v->mhd);
    }
    if (MHD_get_timeout(v->mhd, &ms) != MHD_YES)
        return -1;
    if (ms == 0) /* it has more to do: do not sleep, but let others have their turn */
        v->work = true;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

struct server *server_new(struct loop *l, int socket_fd, struct daemon_state *s,
                          struct diag *d)
{
    struct server *v = calloc(1, sizeof *v);
    const union MHD_DaemonInfo *info;

    if (!v) {
        close(socket_fd);
        diag_err(d, "out of memory");
        return NULL;
    }
    v->loop = l;
    v->state = s;
    v->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_PEDANTIC_CHECKS, 0, NULL,
        NULL, handle, v, MHD_OPTION_LISTEN_SOCKET, socket_fd,
        MHD_OPTION_NOTIFY_COMPLETED, completed, v, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)65536, MHD_OPTION_CONNECTION_LIMIT, 1024u, MHD_OPTION_END);
    if (!v->mhd) {
        diag_err(d, "cannot start the HTTP server: %s", errtext(errno));
        close(socket_fd);
        free(v);
        return NULL;
    }
    info = MHD_get_daemon_info(v->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    v->watch = (struct loop_watch){.ready = ready, .ctx = v};
    if (!info || loop_add(l, &v->watch, info->epoll_fd, EPOLLIN) < 0) {
        diag_err(d, "cannot watch the HTTP server: %s", strerror(errno));
        server_free(v);
        return NULL;
    }
    return v;
}

void server_free(struct server *v)
{
    if (!v)
        return;
    loop_remove(v->loop, &v->watch);
    for (struct exchange *x = v->open, *next; x; x = next) {
        next = x->next;
        if (!x->call.answered && x->started) {
            if (x->call.cancel)
                x->call.cancel(&x->call, x->call.cancel_ctx);
            if (!x->call.answered)
                call_fail(&x->call, HTTP_UNAVAILABLE, "stopping",
                          "the daemon is being stopped");
        }
    }
    MHD_run(v->mhd); /* lets the last answers out */
    MHD_stop_daemon(v->mhd);
    free(v);
}
