// SPDX-License-Identifier: BSD-3-Clause
/* sides.c -- running the engine's side of a row and the hand-written one: see bench.h */

#include "bench/engine/bench.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { FLOW_ROOM = 256, BUDGET = 128 };

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
    struct pkt **flows; /* owned; [order.n] */
    void *room;         /* owned: their bytes */
    uint8_t packet[PACKET_SLOT];
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

static uint32_t private_rx(void *dev, struct batch *b, uint32_t max)
{
    struct feeder *f = dev;
    uint32_t n = f->left < max ? (uint32_t)f->left : max;

    n = batch_new(f->pool, b, n, PKT_HEADROOM, PACKET_LEN);
    for (uint32_t i = b->n - n; i < b->n; i++)
        memcpy(b->p[i]->data, f->packet, PACKET_LEN);
    f->left -= n;
    return n;
}

/* Clones of random flows: the records and then the buffers are fetched ahead. */
static uint32_t flows_rx(void *dev, struct batch *b, uint32_t max)
{
    struct feeder *f = dev;
    uint32_t n = f->left < max ? (uint32_t)f->left : max;
    struct pkt *next[BATCH_MAX];

    for (uint32_t i = 0; i < n; i++) {
        next[i] = f->flows[flow_next(&f->order)];
        __builtin_prefetch(next[i]);
        __builtin_prefetch(next[i]->anno);
    }
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(next[i]->buf, 1);
    for (uint32_t i = 0; i < n; i++)
        batch_add(b, pkt_clone(next[i]));
    f->left -= n;
    return n;
}

static const struct netdev_ops collector_ops = {no_rx, collector_tx};
static const struct netdev_ops private_ops = {private_rx, no_tx};
static const struct netdev_ops flows_ops = {flows_rx, no_tx};

/* The flows' packets lie close together, in packet memory. */
static void feeder_init(struct feeder *f, const struct row *row, struct pkt_pool *pool,
                        uint64_t packets)
{
    uint8_t bytes[PACKET_SLOT];
    size_t room = (size_t)row->size * FLOW_ROOM;

    *f = (struct feeder){.pool = pool, .left = packets, .order = {.n = row->size}};
    packet_make(f->packet);
    if (row->feed != FEED_FLOWS || row->flags & NEEDS_TRACE)
        return;
    f->flows = calloc(row->size, sizeof(struct pkt *));
    f->room = aligned_alloc(1 << 21, (room + (1 << 21) - 1) & ~(size_t)((1 << 21) - 1));
    if (!f->flows || !f->room ||
        pkt_pool_add_buffers(pool, f->room, FLOW_ROOM, row->size) < 0)
        errx(1, "out of memory");
    madvise(f->room, room, MADV_HUGEPAGE);
    for (uint32_t i = 0; i < row->size; i++) {
        packet_make_flow(bytes, i);
        f->flows[i] = pkt_new(pool, PKT_HEADROOM, bytes, PACKET_LEN, 0);
    }
}

static void feeder_fini(struct feeder *f)
{
    for (uint32_t i = 0; f->flows && i < f->order.n; i++)
        pkt_free(f->flows[i]);
    free(f->flows);
}

/* --- the two sides -------------------------------------------------------------------- */

/* Processor time: the machine may be shared. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int64_t steady_ns(void *ctx)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void console(void *ctx, const char *text, size_t len)
{
    fwrite(text, 1, len, stderr);
}

/* A run in stretches of so many turns: calls of the router, or batches of a limit. */
static struct {
    double began, at, took[4096];
    uint32_t n, turns;
} stretches;

enum { STRETCHES = 200, STRETCHES_MIN = 20 };

static uint32_t stretch_end(void)
{
    double at = now();

    if (stretches.n < sizeof stretches.took / sizeof stretches.took[0])
        stretches.took[stretches.n++] = at - stretches.at;
    stretches.at = now();
    return stretches.turns - 1;
}

/* For about so many turns. */
static void stretches_begin(uint64_t turns)
{
    stretches.turns = 1 + (uint32_t)(turns / STRETCHES);
    stretches.n = 0;
    stretches.began = stretches.at = now();
}

static int by_length(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* How long `turns` turns take at the pace of the best tenth. */
static double stretches_total(uint64_t turns)
{
    if (stretches.n < STRETCHES_MIN)
        return now() - stretches.began;
    qsort(stretches.took, stretches.n, sizeof stretches.took[0], by_length);
    return stretches.took[stretches.n / 10] * (double)turns / stretches.turns;
}

static double run(struct router *r, const struct row *row, const struct feeder *f,
                  uint64_t packets)
{
    bool source = row->feed == FEED_CLONES || row->flags & NEEDS_TRACE;
    uint64_t turns = 0;
    int64_t next;
    double took;

    stretches_begin(packets / BUDGET / LIMIT_BATCH);
    while (source ? !router_stopped(r) : f->left > 0) {
        router_run(r, BUDGET, &next);
        if (++turns % stretches.turns == 0)
            stretch_end();
    }
    took = stretches_total(turns);
    for (int i = 0; i < 64; i++) /* what is still in queues */
        router_run(r, BUDGET, &next);
    return took;
}

double bench_engine(const struct row *row, uint64_t packets, struct collector *c)
{
    struct feeder f;
    struct netdev devs[2] = {
        {.ops = row->feed == FEED_FLOWS ? &flows_ops : &private_ops,
         .dev = &f,
         .name = "0",
         .mtu = 1500},
        {.ops = &collector_ops, .dev = c, .name = "1", .mtu = 1500},
    };
    struct platform p = {.now = steady_ns,
                         .console = console,
                         .netdevs = devs,
                         .n_netdevs = 2,
                         .has_os = true,
                         .program = "engine_bench"};
    char *config = bench_config(row, packets, c ? "ToNetfront(1)" : "Discard");
    struct diag d = DIAG_INIT;
    struct router *r;
    double took;

    p.pool = pkt_pool_new(0);
    pkt_pool_set_wide(p.pool, __builtin_cpu_supports("avx2"));
    feeder_init(&f, row, p.pool, packets);
    r = router_new(&p, config, strlen(config), row->name, NULL, &d);
    if (!r)
        errx(1, "%s", diag_text(&d));
    router_activate(r, NULL);
    took = run(r, row, &f, packets);
    router_free(r);
    feeder_fini(&f);
    pkt_pool_free(p.pool);
    free(f.room);
    free(config);
    diag_fini(&d);
    return took;
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
    stretches_begin(packets / LIMIT_BATCH);
    l.to_mark = stretches.turns;
    row->limit(&l, packets);
    took = stretches_total(packets / LIMIT_BATCH);
    limit_fini(&l);
    return took;
}
