// SPDX-License-Identifier: BSD-3-Clause
/* captures.c -- a port's packets into a client's FIFO: see captures.h */

#include "ctl/captures.h"

#include "base/errtext.h"
#include "ctl/json_get.h"
#include "ctl/nets.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct capture {
    uint32_t id;
    char key[16];               /* the id as text */
    struct capture_stats stats; /* the last ones, once it has ended */
    bool ended;
};

static struct capture *find(struct daemon_state *s, const char *key)
{
    return strmap_gets(&s->captures, key);
}

static void end(struct daemon_state *s, struct capture *k)
{
    if (k->ended)
        return;
    backplane_capture_stats(s->bp, k->id, &k->stats);
    backplane_stop_capture(s->bp, k->id, NULL);
    k->ended = true;
}

void capture_done(struct daemon_state *s, uint32_t id)
{
    char key[16];
    struct capture *k;

    snprintf(key, sizeof key, "%" PRIu32, id);
    k = find(s, key);
    if (k)
        end(s, k);
}

void captures_free(struct daemon_state *s)
{
    struct strmap_entry *e;
    size_t at = 0;

    while ((e = strmap_next(&s->captures, &at)))
        free(e->value);
    strmap_fini(&s->captures);
}

/* A FIFO that somebody reads from already: else opening it would wait, or fail. */
static int open_fifo(const char *path, struct diag *d)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return diag_err(d, "cannot open the FIFO %s: %s", path, errtext(errno));
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
        return fd;
    close(fd);
    return diag_err(d, "%s is no FIFO", path);
}

struct wish {
    const char *port, *fifo;
    uint64_t count, snaplen;
};

static int read_wish(const json_t *o, struct wish *w, struct diag *d)
{
    static const char *const known[] = {"port", "fifo", "count", "snaplen"};

    *w = (struct wish){0};
    if (json_get_only(o, known, 4, d) < 0 ||
        json_get_string(o, "port", &w->port, d) < 0 ||
        json_get_string(o, "fifo", &w->fifo, d) < 0 ||
        json_get_u64(o, "count", 0, INT64_MAX, &w->count, d) < 0 ||
        json_get_u64(o, "snaplen", 1, 262144, &w->snaplen, d) < 0)
        return -1;
    if (!w->port || !w->fifo)
        return diag_err(d, "a capture needs 'port' and 'fifo'");
    return 0;
}

static struct capture *start(struct daemon_state *s, uint32_t port,
                             const struct wish *w, struct diag *d)
{
    struct capture_config config = {
        .port = port, .count = w->count, .snaplen = (uint32_t)w->snaplen};
    struct capture *k = calloc(1, sizeof *k);

    config.fd = open_fifo(w->fifo, d);
    if (!k || config.fd < 0 || backplane_start_capture(s->bp, &config, &k->id, d) < 0) {
        if (config.fd >= 0)
            close(config.fd);
        free(k);
        return NULL;
    }
    close(config.fd);
    snprintf(k->key, sizeof k->key, "%" PRIu32, k->id);
    if (strmap_puts(&s->captures, k->key, k) == 0)
        return k;
    backplane_stop_capture(s->bp, k->id, NULL);
    free(k);
    diag_err(d, "out of memory");
    return NULL;
}

static json_t *describe(struct daemon_state *s, struct capture *k)
{
    if (!k->ended)
        backplane_capture_stats(s->bp, k->id, &k->stats);
    return json_pack("{s:s, s:I, s:I, s:I, s:b}", "id", k->key, "packets",
                     (json_int_t)k->stats.packets, "bytes", (json_int_t)k->stats.bytes,
                     "missed", (json_int_t)k->stats.missed, "done",
                     k->ended || k->stats.done);
}

static void capture_start(struct daemon_state *s, struct call *c)
{
    struct diag d = DIAG_INIT;
    json_t *o = json_get_object(c->body.data, c->body.len, &d);
    struct wish w;
    struct capture *k;
    uint32_t port;

    if (!o || read_wish(o, &w, &d) < 0)
        call_fail_diag(c, HTTP_BAD_REQUEST, "bad_request", &d);
    else if (!(port = backplane_find_port(s->bp, w.port)))
        call_fail(c, HTTP_NOT_FOUND, "no_such_port",
                  "there is no port '%.60s': see 'clickos port ls'", w.port);
    else if (!(k = start(s, port, &w, &d)))
        call_fail_diag(c, HTTP_REFUSED, "refused", &d);
    else
        call_json(c, HTTP_CREATED, describe(s, k));
    json_decref(o);
    diag_fini(&d);
}

static void capture_show(struct daemon_state *s, struct call *c)
{
    struct capture *k = find(s, c->args[0]);

    if (k)
        call_json(c, HTTP_OK, describe(s, k));
    else
        fail_unknown(c, &s->captures, "capture", "no_such_capture", c->args[0]);
}

static void capture_stop(struct daemon_state *s, struct call *c)
{
    struct capture *k = find(s, c->args[0]);

    if (!k) {
        fail_unknown(c, &s->captures, "capture", "no_such_capture", c->args[0]);
        return;
    }
    end(s, k);
    strmap_remove(&s->captures, k->key, strlen(k->key));
    call_json(c, HTTP_OK, describe(s, k));
    free(k);
}

ROUTE(capture_start) = {
    .method = "POST",
    .path = "/v1/captures",
    .run = capture_start,
    .help = "write a port's packets as pcap into a FIFO",
};

ROUTE(capture_show) = {
    .method = "GET",
    .path = "/v1/captures/{capture}",
    .run = capture_show,
    .help = "how far a capture is",
};

ROUTE(capture_stop) = {
    .method = "DELETE",
    .path = "/v1/captures/{capture}",
    .run = capture_stop,
    .help = "end a capture",
};
