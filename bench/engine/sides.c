// SPDX-License-Identifier: BSD-3-Clause
/* sides.c -- running the engine's side of a row and the hand-written one: see bench.h */

#include "bench/engine/bench.h"
#include "bench/engine/stretches.h"
#include "bench/engine/turns.h"

#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { BUDGET = 128, WARM_UPS = 6 };

void collector_add(void *ctx, const uint8_t *data, uint32_t len)
{
    struct collector *c = ctx;

    c->packets++;
    for (uint32_t i = 0; i < len; i++) /* FNV-1a */
        c->hash = (c->hash ^ data[i]) * 0x100000001b3ull;
    c->hash = (c->hash ^ len) * 0x100000001b3ull;
}

/* --- interfaces: 0 feeds, 1 collects -------------------------------------------------- */

struct feeder {
    struct pkt_pool *pool;
    uint64_t left;
    struct flow_order order;
    uint8_t (*packets)[PACKET_SLOT]; /* owned; one, or one a flow */
    const uint8_t *next[BATCH_MAX];  /* in order, where batches are full */
};

static uint32_t no_tx(void *dev, struct batch *b)
{
    uint32_t n = b->n;

    batch_free(b);
    return n;
}

static uint32_t collector_tx(void *dev, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        collector_add(dev, b->p[i]->data, b->p[i]->len);
    return no_tx(dev, b);
}

static uint32_t no_rx(void *dev, struct batch *b, uint32_t max)
{
    return 0;
}

/* As a network card would: packets of their own, whose bytes somebody else has written. Which
 * flow is next is known a batch ahead. */
static inline uint32_t feed(struct feeder *f, struct batch *b, uint32_t max, bool flows)
{
    uint32_t n = f->left < max ? (uint32_t)f->left : max;
    struct pkt *const *p = b->p + b->n;

    n = batch_new(f->pool, b, n, PKT_HEADROOM, PACKET_LEN);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(p[i]->data, f->next[i], PACKET_LEN);
        if (!flows)
            continue;
        f->next[i] = f->packets[flow_next(&f->order)];
        __builtin_prefetch(f->next[i]);
    }
    f->left -= n;
    return n;
}

static uint32_t private_rx(void *dev, struct batch *b, uint32_t max)
{
    return feed(dev, b, max, false);
}

static uint32_t flows_rx(void *dev, struct batch *b, uint32_t max)
{
    return feed(dev, b, max, true);
}

static const struct netdev_ops collector_ops = {no_rx, collector_tx};
static const struct netdev_ops private_ops = {private_rx, no_tx};
static const struct netdev_ops flows_ops = {flows_rx, no_tx};

static void feeder_init(struct feeder *f, const struct row *row, struct pkt_pool *pool,
                        uint64_t packets)
{
    bool flows = row->feed == FEED_FLOWS && !(row->flags & NEEDS_TRACE);
    uint32_t n = flows ? row->size : 1;

    *f = (struct feeder){.pool = pool, .left = packets, .order = {.n = n}};
    f->packets = aligned_alloc(PACKET_SLOT, (size_t)n * PACKET_SLOT);
    if (!f->packets)
        errx(1, "out of memory");
    packet_make(f->packets[0]);
    for (uint32_t i = 0; flows && i < n; i++)
        packet_make_flow(f->packets[i], i);
    for (uint32_t i = 0; i < LIMIT_BATCH; i++)
        f->next[i] = f->packets[flows ? flow_next(&f->order) : 0];
}

/* --- the two sides -------------------------------------------------------------------- */

static int64_t steady_ns(void *ctx)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* As in the driver. */
static void large_pages(void *ctx, void *at, size_t n)
{
    madvise(at, n, MADV_HUGEPAGE);
}

static void console(void *ctx, const char *text, size_t len)
{
    fwrite(text, 1, len, stderr);
}

/* What it takes to map a trace does not come evenly: no stretches. */
static uint32_t begin(const struct row *row, uint64_t steps)
{
    return stretches_begin(row->flags & NEEDS_TRACE ? 0 : steps);
}

static double run(struct router *r, const struct row *row, const struct feeder *f,
                  uint64_t packets)
{
    bool source = row->feed == FEED_CLONES || row->flags & NEEDS_TRACE;
    uint32_t burst = row->flags & ONE_BY_ONE ? 1 : LIMIT_BATCH;
    uint32_t stretch = begin(row, packets / BUDGET / burst);
    uint64_t steps = 0;
    int64_t next;
    double took;

    while (source ? !router_stopped(r) : f->left > 0) {
        router_run(r, BUDGET, &next);
        if (++steps % stretch == 0)
            stretch_end();
    }
    took = stretches_total(steps);
    for (int i = 0; i < 64; i++) /* what is still in queues */
        router_run(r, BUDGET, &next);
    return took;
}

/* The engine's side: its interfaces and a router. */
struct side {
    struct feeder f;
    struct netdev devs[2];
    struct platform p;
    char *config;
    struct router *r;
    struct bench_install install;
};

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void side_init(struct side *s, const struct row *row, uint64_t packets,
                      struct collector *c)
{
    struct diag d = DIAG_INIT;

    *s = (struct side){
        .devs = {{.ops = row->feed == FEED_FLOWS ? &flows_ops : &private_ops,
                  .dev = &s->f,
                  .name = "0",
                  .mtu = 1500},
                 {.ops = &collector_ops, .dev = c, .name = "1", .mtu = 1500}},
        .p = {.now = steady_ns,
              .console = console,
              .large_pages = large_pages,
              .netdevs = s->devs,
              .n_netdevs = 2,
              .has_os = true,
              .program = "engine_bench"},
        .config = bench_config(row, packets, c ? "ToNetfront(1)" : "Discard"),
    };
    s->p.pool = pkt_pool_new(0);
    pkt_pool_set_wide(s->p.pool, __builtin_cpu_supports("avx2"));
    feeder_init(&s->f, row, s->p.pool, packets);
    s->install = (struct bench_install){processor_seconds(), heap_bytes()};
    s->r = router_new(&s->p, s->config, strlen(s->config), row->name, NULL, &d);
    if (!s->r)
        errx(1, "%s", diag_text(&d));
    s->install.seconds = processor_seconds() - s->install.seconds;
    s->install.bytes = heap_bytes() - s->install.bytes;
    diag_fini(&d);
}

static void side_fini(struct side *s)
{
    router_free(s->r);
    pkt_pool_free(s->p.pool);
    free(s->f.packets);
    free(s->config);
}

double bench_engine(const struct row *row, uint64_t packets, struct collector *c)
{
    struct side s;
    double took;

    side_init(&s, row, packets, c);
    router_activate(s.r, NULL);
    took = run(s.r, row, &s.f, packets);
    side_fini(&s);
    return took;
}

/* Packets a second while it runs for a little. */
static double driver_pace(void *ctx)
{
    struct router *r = ctx;
    const uint64_t *count = &router_find(r, "src")->counters[0];
    int64_t until = steady_ns(NULL) + PACE_MS * 1000000ll, next;
    double began = processor_seconds();
    uint64_t before = *count;

    while (steady_ns(NULL) < until)
        router_run(r, BUDGET, &next);
    return (double)(*count - before) / (processor_seconds() - began);
}

double bench_driver(const struct row *row, bool in_turns)
{
    struct side s;
    double pps;

    side_init(&s, row, 0, NULL);
    router_activate(s.r, NULL);
    for (int i = 0; i < WARM_UPS; i++)
        driver_pace(s.r);
    pps = turns_best_pace(driver_pace, s.r, in_turns);
    side_fini(&s);
    return pps;
}

struct bench_install bench_install(const struct row *row)
{
    struct side s;

    side_init(&s, row, 0, NULL);
    side_fini(&s);
    return s.install;
}

double bench_limit(const struct row *row, uint64_t packets, struct collector *c)
{
    static struct limit l;
    double took;

    if (limit_init(&l, row->feed, row->size) < 0)
        errx(1, "out of memory");
    if (row->flags & NEEDS_TRACE)
        l.trace = bench_trace(row);
    l.sink = c ? collector_add : NULL;
    l.sink_ctx = c;
    l.mark = stretch_end;
    l.to_mark = begin(row, packets / LIMIT_BATCH);
    row->limit(&l, packets);
    took = stretches_total(packets / LIMIT_BATCH);
    limit_fini(&l);
    return took;
}
