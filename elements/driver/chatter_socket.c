// SPDX-License-Identifier: BSD-3-Clause
/*
 * ChatterSocket -- send what the console says to whoever connects
 *
 * Usage:    ChatterSocket(TCP, PORT [, ...]), ChatterSocket(UNIX, FILENAME [, ...])
 * Ports:    none
 * Args:     TYPE      TCP or UNIX
 *           PORT      port number or service
 *           FILENAME  path of the socket, which goes away again with the element
 *           CHANNEL   default "default", the console; or what elements say that have an
 *                     argument CHANNEL with this name
 *           QUIET_CHANNEL  default true; false: the console hears that channel too
 *           GREETING  default true: greet with the name of the protocol
 *           RETRIES   default 0: how often to try again, each second, if the socket cannot
 *                     be opened
 *           RETRY_WARNINGS  default true: warn each time
 * Example:  ChatterSocket(UNIX, /run/click.chatter)
 * See also: ControlSocket, Print, IPPrint
 *
 * A client that connects gets all messages from then on. One that falls 64 KiB behind is
 * dropped.
 */

#include "engine/args.h"
#include "engine/chatter.h"
#include "engine/element.h"
#include "engine/host.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_BACKLOG = 65536 };

struct chatter_client {
    struct chatter_client *next;
    int fd;
    struct sbuf waiting; /* what it has not taken yet */
};

struct chatter_socket {
    struct text channel;
    bool greeting, quiet, retry_warnings, is_unix;
    int32_t retries;
    char name[128];
    int fd;                         /* 1 + the listening descriptor; 0: none */
    struct chatter_client *clients; /* owned */
    struct timer retry;
    struct chatter_channel *from; /* in the router's arena; NULL: the console */
    struct chatter_listener listener;
};

static const struct arg_spec chatter_socket_args[] = {
    ARG_WORD(chatter_socket, channel, "CHANNEL", ARG_KEY, "default", "whose messages"),
    ARG_BOOL(chatter_socket, quiet, "QUIET_CHANNEL", ARG_KEY, "true",
             "only clients hear the channel"),
    ARG_BOOL(chatter_socket, greeting, "GREETING", ARG_KEY, "true", "greet clients"),
    ARG_I32(chatter_socket, retries, "RETRIES", ARG_KEY, "0", "how often to try again"),
    ARG_BOOL(chatter_socket, retry_warnings, "RETRY_WARNINGS", ARG_KEY, "true",
             "warn each time"),
    ARG_END,
};

static int unknown_type(const struct text *type, struct conf *c, struct diag *d)
{
    char *upper = arena_strdup(c->scratch, type->s);

    for (char *at = upper; at && *at; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at;
    return diag_err(d, "unknown socket type `%s'", upper ? upper : "");
}

static int chatter_socket_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct chatter_socket *s = element_state(e);
    struct text type, name;
    uint16_t port;

    if (c->argc < 1)
        return diag_err(d, "TYPE: required argument missing");
    if (!args_string(c->scratch, c->argv[0], &type))
        return diag_err(d, "TYPE: parse error");
    s->is_unix = strcasecmp(type.s, "UNIX") == 0;
    if (!s->is_unix && strcasecmp(type.s, "TCP") != 0)
        return unknown_type(&type, c, d);
    if (c->argc < 2)
        return diag_err(d, "%s: required argument missing",
                        s->is_unix ? "FILENAME" : "PORT");
    if (c->argc > 2)
        return diag_err(d, "too many arguments");
    if (!args_string(c->scratch, c->argv[1], &name) ||
        (!s->is_unix && !parse_port(e, name.s, IPPROTO_TCP, &port)))
        return diag_err(d, "%s: parse error", s->is_unix ? "FILENAME" : "PORT");
    if (name.len >= 108)
        return diag_err(d, "filename too long");
    if (s->is_unix)
        snprintf(s->name, sizeof s->name, "%s", name.s);
    else
        snprintf(s->name, sizeof s->name, "%u", port);
    return 0;
}

/* --- clients --------------------------------------------------------------------------------- */

static void chatter_socket_ready(void *arg, int fd, short revents);

static void watch(struct element *e, int fd, short events)
{
    const struct platform *p = element_platform(e);

    p->host->watch(p->ctx, fd, events, chatter_socket_ready, e);
}

static void client_remove(struct element *e, struct chatter_client *client)
{
    struct chatter_socket *s = element_state(e);
    const struct platform *p = element_platform(e);
    struct chatter_client **at = &s->clients;

    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    p->host->unwatch(p->ctx, client->fd);
    close(client->fd);
    sbuf_fini(&client->waiting);
    free(client);
}

/* Send what the client takes. False: it is gone, or too far behind. */
static bool client_flush(struct chatter_client *client)
{
    struct sbuf *w = &client->waiting, rest = SBUF_INIT;
    ssize_t n = w->len ? send(client->fd, w->data, w->len, MSG_NOSIGNAL) : 0;

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    if (n > 0) {
        sbuf_add(&rest, w->data + n, w->len - (size_t)n);
        sbuf_fini(w);
        *w = rest;
    }
    return w->len <= MAX_BACKLOG && !w->failed;
}

static void client_send(struct element *e, struct chatter_client *client)
{
    if (!client_flush(client)) {
        client_remove(e, client);
        return;
    }
    watch(e, client->fd, (short)(POLLIN | (client->waiting.len ? POLLOUT : 0)));
}

static void heard(void *arg, const char *text, size_t len)
{
    struct element *e = arg;
    struct chatter_socket *s = element_state(e);
    struct chatter_client *next;

    for (struct chatter_client *client = s->clients; client; client = next) {
        next = client->next;
        sbuf_add(&client->waiting, text, len);
        client_send(e, client);
    }
}

static void accept_one(struct element *e)
{
    struct chatter_socket *s = element_state(e);
    int fd = accept(s->fd - 1, NULL, NULL);
    struct chatter_client *client = fd < 0 ? NULL : calloc(1, sizeof *client);

    if (fd < 0 && errno != EAGAIN)
        element_say(e, "%s: accept: %s\n", element_declaration(e), strerror(errno));
    if (fd >= 0 && !client)
        close(fd);
    if (!client)
        return;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    client->fd = fd;
    client->next = s->clients;
    s->clients = client;
    if (s->greeting)
        sbuf_puts(&client->waiting, "Click::ChatterSocket/1.0\r\n");
    client_send(e, client);
}

/* A client says nothing; when it can be read from, it is gone. */
static void client_ready(struct element *e, struct chatter_client *client)
{
    char ignored[256];
    ssize_t n = recv(client->fd, ignored, sizeof ignored, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        client_remove(e, client);
    else
        client_send(e, client);
}

static void chatter_socket_ready(void *arg, int fd, short revents)
{
    struct element *e = arg;
    struct chatter_socket *s = element_state(e);

    (void)revents;
    if (fd == s->fd - 1) {
        accept_one(e);
        return;
    }
    for (struct chatter_client *client = s->clients; client; client = client->next)
        if (client->fd == fd) {
            client_ready(e, client);
            return;
        }
}

/* --- life ------------------------------------------------------------------------------------- */

/* Open the socket, or try again later. `d` may be NULL when the router runs. */
static int open_socket(struct element *e, struct diag *d)
{
    struct chatter_socket *s = element_state(e);
    const struct platform *p = element_platform(e);
    struct host_address a = {.is_unix = s->is_unix, .name = s->name};
    int fd = p->host->listen(p->ctx, &a), left = s->retries--;
    const char *why = strerror(errno), *tries = left == 1 ? "try" : "tries";

    if (fd >= 0) {
        s->fd = fd + 1;
        watch(e, fd, POLLIN);
        return 0;
    }
    if (left <= 0 && d)
        return diag_err(d, "%s: %s", a.call, why);
    if (left <= 0) {
        element_say(e, "%s: %s\n", a.call, why);
        return -1;
    }
    if (s->retry_warnings && d)
        diag_warn(d, "%s: %s (%d %s left)", a.call, why, left, tries);
    else if (s->retry_warnings)
        element_say(e, "warning: %s: %s (%d %s left)\n", a.call, why, left, tries);
    timer_after(&s->retry, 1000000000);
    return 0;
}

static void retry_fired(struct element *e, struct timer *t)
{
    const struct chatter_socket *s = element_state(e);

    (void)t;
    if (!s->fd && open_socket(e, NULL) < 0)
        router_stop(e->router);
}

static int chatter_socket_initialize(struct element *e, struct diag *d)
{
    struct chatter_socket *s = element_state(e);
    const struct platform *p = element_platform(e);

    timer_init(&s->retry, e, retry_fired);
    if (chatter_find(e, s->channel.s, &s->from) < 0 ||
        (!s->from && p->host->tee(p->ctx, heard, e) < 0))
        return diag_err(d, "out of memory");
    s->listener = (struct chatter_listener){.hear = heard, .arg = e};
    if (s->from)
        chatter_listen(s->from, &s->listener, !s->quiet);
    return open_socket(e, d);
}

static void chatter_socket_take_state(struct element *e, struct element *from)
{
    struct chatter_socket *s = element_state(e), *old = element_state(from);

    if (s->fd || s->is_unix != old->is_unix || strcmp(s->name, old->name) != 0 ||
        strcmp(s->channel.s, old->channel.s) != 0)
        return;
    s->fd = old->fd;
    s->clients = old->clients;
    old->fd = 0;
    old->clients = NULL;
    timer_cancel(&s->retry);
    if (s->fd)
        watch(e, s->fd - 1, POLLIN);
    for (struct chatter_client *client = s->clients; client; client = client->next)
        watch(e, client->fd, POLLIN | POLLOUT);
}

static void chatter_socket_cleanup(struct element *e)
{
    struct chatter_socket *s = element_state(e);
    const struct platform *p = element_platform(e);

    p->host->untee(p->ctx, e);
    if (s->from)
        chatter_leave(s->from, &s->listener);
    if (s->fd) {
        p->host->unwatch(p->ctx, s->fd - 1);
        close(s->fd - 1);
        if (s->is_unix)
            unlink(s->name);
    }
    s->fd = 0;
    while (s->clients) {
        client_flush(s->clients);
        client_remove(e, s->clients);
    }
}

ELEMENT(ChatterSocket) = {
    .name = "ChatterSocket",
    .state_size = sizeof(struct chatter_socket),
    .ports = "0/0",
    .args = chatter_socket_args,
    .any_args = true,
    .driver_only = true,
    .configure = chatter_socket_configure,
    .initialize = chatter_socket_initialize,
    .take_state = chatter_socket_take_state,
    .cleanup = chatter_socket_cleanup,
};
