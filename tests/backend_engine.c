// SPDX-License-Identifier: BSD-3-Clause
/* backend_engine.c -- .test cases in this process, with a clock that the case moves */

#include "engine/handler.h"
#include "engine/platform.h"
#include "engine/router.h"
#include "tests/backend.h"
#include "tests/element_case.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROUND = 64,        /* task runs in one round */
    MAX_ROUNDS = 2000, /* a source without an end stops after so many */
    START_NS = 1000000000,
};
#define WALL_START_NS 1000000000000000000ll

struct queue {
    struct pkt *first, **last;
};

struct port_dev {
    struct queue rx, tx;
};

struct engine {
    struct platform platform;
    struct netdev netdevs[CASE_MAX_PORTS];
    struct port_dev ports[CASE_MAX_PORTS];
    struct router *router;
    struct sbuf console;
    int64_t now_ns;
    bool stopped;
};

static const char *const port_names[CASE_MAX_PORTS] = {"0", "1", "2", "3",
                                                       "4", "5", "6", "7"};

static void queue_put(struct queue *q, struct pkt *p)
{
    p->next = NULL;
    *q->last = p;
    q->last = &p->next;
}

static struct pkt *queue_take(struct queue *q)
{
    struct pkt *p = q->first;

    if (p) {
        q->first = p->next;
        p->next = NULL;
        if (!q->first)
            q->last = &q->first;
    }
    return p;
}

static uint32_t port_rx(void *dev, struct batch *b, uint32_t max)
{
    struct port_dev *port = dev;
    uint32_t n = 0;
    struct pkt *p;

    for (; n < max && (p = queue_take(&port->rx)); n++)
        batch_add(b, p);
    return n;
}

static uint32_t port_tx(void *dev, struct batch *b)
{
    struct port_dev *port = dev;
    uint32_t n = b->n;

    for (uint32_t i = 0; i < n; i++)
        queue_put(&port->tx, b->p[i]);
    b->n = 0;
    return n;
}

static const struct netdev_ops port_ops = {port_rx, port_tx};

static int64_t clock_now(void *ctx)
{
    return ((struct engine *)ctx)->now_ns;
}

static int64_t clock_offset(void *ctx)
{
    return WALL_START_NS - START_NS;
}

static void console_text(void *ctx, const char *text, size_t len)
{
    sbuf_add(&((struct engine *)ctx)->console, text, len);
}

static void engine_stop(void *ctx)
{
    ((struct engine *)ctx)->stopped = true;
}

static void *engine_open(void)
{
    struct engine *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->now_ns = START_NS;
    e->platform = (struct platform){
        .ctx = e,
        .now = clock_now,
        .wall_offset = clock_offset,
        .console = console_text,
        .stop = engine_stop,
        .pool = pkt_pool_new(0),
        .netdevs = e->netdevs,
        .n_netdevs = CASE_MAX_PORTS,
        .seed = 1,
        .simtime = true,
        .program = "test",
    };
    for (unsigned i = 0; i < CASE_MAX_PORTS; i++) {
        e->ports[i].rx.last = &e->ports[i].rx.first;
        e->ports[i].tx.last = &e->ports[i].tx.first;
        e->netdevs[i] = (struct netdev){.ops = &port_ops,
                                        .dev = &e->ports[i],
                                        .name = port_names[i],
                                        .mac = {2, 0, 0, 0, 0, (uint8_t)i},
                                        .mtu = 1500};
    }
    return e;
}

static size_t engine_close(void *ctx)
{
    struct engine *e = ctx;
    struct pkt *p;
    size_t live;

    router_free(e->router);
    for (unsigned i = 0; i < CASE_MAX_PORTS; i++) {
        while ((p = queue_take(&e->ports[i].rx)))
            pkt_free(p);
        while ((p = queue_take(&e->ports[i].tx)))
            pkt_free(p);
    }
    live = pkt_pool_live(e->platform.pool);
    pkt_pool_free(e->platform.pool);
    sbuf_fini(&e->console);
    free(e);
    return live;
}

static int engine_install(void *ctx, const char *graph, struct diag *d)
{
    struct engine *e = ctx;
    struct router *r = router_new(&e->platform, graph, strlen(graph), "config", NULL,
                                  d);

    if (!r)
        return -1;
    router_activate(r, e->router);
    router_free(e->router);
    e->router = r;
    return 0;
}

static bool engine_inject(void *ctx, unsigned port, const uint8_t *bytes, size_t len)
{
    struct engine *e = ctx;
    struct pkt *p = pkt_new(e->platform.pool, PKT_HEADROOM, len ? bytes : NULL,
                            (uint32_t)len, 0);

    if (p)
        queue_put(&e->ports[port].rx, p);
    return p != NULL;
}

static void engine_run(void *ctx, unsigned rounds)
{
    struct engine *e = ctx;
    int64_t next;

    if (!e->router)
        return;
    for (unsigned i = 0; i < (rounds ? rounds : MAX_ROUNDS); i++)
        if (!router_run(e->router, ROUND, &next) && next > e->now_ns)
            break;
}

/* Stop at every timer on the way, as time does. */
static void engine_advance(void *ctx, int64_t ns)
{
    struct engine *e = ctx;
    int64_t until = e->now_ns + ns, next;

    engine_run(e, 0);
    while (e->router) {
        router_run(e->router, ROUND, &next);
        if (next >= until)
            break;
        e->now_ns = next > e->now_ns ? next : e->now_ns + 1;
        engine_run(e, 0);
    }
    e->now_ns = until;
    engine_run(e, 0);
}

static bool engine_collect(void *ctx, unsigned port, struct got_packet *out)
{
    struct engine *e = ctx;
    struct pkt *p = queue_take(&e->ports[port].tx);

    if (!p)
        return false;
    *out = (struct got_packet){.bytes = p->data, .len = p->len, .meta = p};
    return true;
}

static void engine_release(void *ctx, struct got_packet *got)
{
    pkt_free(got->meta);
    *got = (struct got_packet){0};
}

static int engine_read(void *ctx, const char *handler, const char *param,
                       struct sbuf *out, struct diag *d)
{
    return handler_read(((struct engine *)ctx)->router, NULL, handler, param, out, d);
}

static int engine_write(void *ctx, const char *handler, const char *value, size_t len,
                        struct diag *d)
{
    return handler_write(((struct engine *)ctx)->router, NULL, handler, value, len, d);
}

static void engine_console(void *ctx, struct sbuf *out)
{
    struct engine *e = ctx;

    sbuf_add(out, sbuf_text(&e->console), e->console.len);
    sbuf_reset(&e->console);
}

const struct backend backend_engine = {
    .name = "engine",
    .sees_annotations = true,
    .has_clock = true,
    .open = engine_open,
    .close = engine_close,
    .install = engine_install,
    .inject = engine_inject,
    .run = engine_run,
    .advance = engine_advance,
    .collect = engine_collect,
    .release = engine_release,
    .read = engine_read,
    .write = engine_write,
    .console = engine_console,
};
