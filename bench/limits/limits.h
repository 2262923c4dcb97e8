// SPDX-License-Identifier: BSD-3-Clause
/*
 * limits.h -- hand-written loops, each for one fixed configuration: what the engine could
 * reach at best
 *
 * A limit does all the work that its configuration asks for, in batches of 32, with
 * everything known at compile time: no graph, no virtual calls, no general packets. Its
 * packets are records that refer to bytes, as the engine's are; the source hands out
 * references to a template, so whoever writes copies first, or packets of their own.
 *
 * With a `sink` a limit passes it every packet that it would have thrown away, in order:
 * the benchmark compares that with what the engine's configuration emits.
 */

#ifndef BENCH_LIMITS_LIMITS_H
#define BENCH_LIMITS_LIMITS_H

#include "bench/limits/packets.h"
#include "engine/ip_routes.h"

#include <stddef.h>
#include <stdint.h>

enum { LIMIT_BATCH = 32, LIMIT_ROOM = 256, LIMIT_POOL = 4096, LIMIT_QUEUE = 1024 };

enum limit_feed { FEED_CLONES, FEED_PRIVATE, FEED_FLOWS };

struct limit_pkt {
    uint8_t *data;
    uint32_t len;
    uint32_t shared; /* refers to a template */
};

typedef void limit_sink(void *ctx, const uint8_t *data, uint32_t len);

struct limit {
    enum limit_feed feed;
    struct flow_order order;
    uint8_t *templates;     /* owned; one or, for FEED_FLOWS, one a flow */
    uint32_t size;          /* rules, routes, flows */
    limit_sink *sink;       /* NULL: packets are thrown away */
    uint32_t to_mark;       /* batches until mark() is called again */
    uint32_t (*mark)(void); /* returns how many */
    void *sink_ctx;
    const char *trace; /* name of the file, for those that read one */

    /* A pool of private buffers, last in first out. */
    uint8_t (*room)[LIMIT_ROOM]; /* owned; [LIMIT_POOL] */
    uint32_t free[LIMIT_POOL], n_free;
    struct limit_pkt queue[LIMIT_QUEUE]; /* for those that store packets */
    unsigned head, tail;
    uint64_t packets, bytes; /* for those that count */
    uint64_t random;
    struct ip_routes routes;
    void *table; /* owned: rules or mappings */
};

/* For `size` rules, routes or flows. Returns -1 when memory ran out. */
int limit_init(struct limit *l, enum limit_feed feed, uint32_t size);
void limit_fini(struct limit *l);

static inline uint8_t *limit_room(struct limit *l)
{
    return l->room[l->free[--l->n_free]] + LIMIT_HEADROOM;
}

/* Make a packet's bytes its own. */
static inline void limit_own(struct limit *l, struct limit_pkt *p)
{
    uint8_t *data;

    if (!p->shared)
        return;
    data = limit_room(l);
    __builtin_memcpy(data, p->data, PACKET_SLOT);
    p->data = data;
    p->shared = 0;
}

static inline void limit_source_flows(struct limit *l, struct limit_pkt *b)
{
    for (unsigned i = 0; i < LIMIT_BATCH; i++) {
        uint8_t *data = l->templates + (size_t)PACKET_SLOT * flow_next(&l->order);

        __builtin_prefetch(data);
        b[i] = (struct limit_pkt){data, PACKET_LEN, 1};
    }
    for (unsigned i = 0; i < LIMIT_BATCH; i++)
        limit_own(l, &b[i]);
}

/* Before every batch. */
static inline void limit_mark(struct limit *l)
{
    if (__builtin_expect(!l->to_mark--, 0))
        l->to_mark = l->mark();
}

/* Fill a batch with references to a packet of another kind. */
static inline void limit_source_of(struct limit *l, struct limit_pkt *b, uint8_t *data,
                                   uint32_t len)
{
    limit_mark(l);
    for (unsigned i = 0; i < LIMIT_BATCH; i++)
        b[i] = (struct limit_pkt){data, len, 1};
    /* The next packet might be another. */
    __asm__ volatile("" : : "r"(b) : "memory");
}

/* Fill a batch. */
static inline void limit_source(struct limit *l, struct limit_pkt *b)
{
    limit_mark(l);
    if (l->feed == FEED_FLOWS) {
        limit_source_flows(l, b);
        return;
    }
    for (unsigned i = 0; i < LIMIT_BATCH; i++)
        b[i] = (struct limit_pkt){l->templates, PACKET_LEN, 1};
    if (l->feed == FEED_PRIVATE)
        for (unsigned i = 0; i < LIMIT_BATCH; i++)
            limit_own(l, &b[i]);
    /* The next packet might be another. */
    __asm__ volatile("" : : "r"(b) : "memory");
}

/* One packet, with `n` still to come. */
static inline void limit_source_one(struct limit *l, struct limit_pkt *p, uint64_t n)
{
    if (n % LIMIT_BATCH == 0)
        limit_mark(l);
    *p = (struct limit_pkt){l->templates, PACKET_LEN, 1};
    if (l->feed == FEED_PRIVATE)
        limit_own(l, p);
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* The end of every path. */
static inline void limit_discard(struct limit *l, struct limit_pkt *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (__builtin_expect(l->sink != NULL, 0))
            l->sink(l->sink_ctx, b[i].data, b[i].len);
        if (!b[i].shared)
            l->free[l->n_free++] = (uint32_t)((b[i].data - l->room[0]) / LIMIT_ROOM);
    }
    /* The records must have been written: the engine's are. */
    __asm__ volatile("" : : "r"(b) : "memory");
}

/* A batch into the queue, and one out of it. */
static inline void limit_put(struct limit *l, const struct limit_pkt *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        l->queue[l->head++ % LIMIT_QUEUE] = b[i];
    __asm__ volatile("" : : : "memory");
}

static inline unsigned limit_get(struct limit *l, struct limit_pkt *b)
{
    unsigned n = 0;

    while (n < LIMIT_BATCH && l->tail != l->head)
        b[n++] = l->queue[l->tail++ % LIMIT_QUEUE];
    return n;
}

static inline unsigned limit_get_one(struct limit *l, struct limit_pkt *p)
{
    if (l->tail == l->head)
        return 0;
    *p = l->queue[l->tail++ % LIMIT_QUEUE];
    return 1;
}

/* Those with `one` handle packets one at a time: the next one is not there yet. */
void limit_one_discard(struct limit *l, uint64_t n);
void limit_one_queue(struct limit *l, uint64_t n);
void limit_one_mirror(struct limit *l, uint64_t n);
void limit_one_router(struct limit *l, uint64_t n);

/* Each runs `n` packets, a multiple of LIMIT_BATCH. */
void limit_source_discard(struct limit *l, uint64_t n);
void limit_queue(struct limit *l, uint64_t n);
void limit_red(struct limit *l, uint64_t n);
void limit_codel(struct limit *l, uint64_t n);
void limit_counter(struct limit *l, uint64_t n);
void limit_counters10(struct limit *l, uint64_t n);
void limit_strip_check(struct limit *l, uint64_t n);
void limit_ether_mirror(struct limit *l, uint64_t n);
void limit_classifier20(struct limit *l, uint64_t n);
void limit_filter(struct limit *l, uint64_t n);
void limit_router(struct limit *l, uint64_t n);
void limit_router6(struct limit *l, uint64_t n);
void limit_random_address(struct limit *l, uint64_t n);
void limit_lookup(struct limit *l, uint64_t n);
void limit_nat(struct limit *l, uint64_t n);
void limit_balancer(struct limit *l, uint64_t n);
void limit_strings(struct limit *l, uint64_t n);
void limit_rates(struct limit *l, uint64_t n);
void limit_esp_gcm(struct limit *l, uint64_t n);
void limit_trace(struct limit *l, uint64_t n);
void limit_trace_flows(struct limit *l, uint64_t n);

#endif
