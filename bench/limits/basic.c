// SPDX-License-Identifier: BSD-3-Clause
/* basic.c -- limits of sources, queues and counters: see limits.h */

#include "bench/limits/limits.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int limit_init(struct limit *l, enum limit_feed feed, uint32_t size)
{
    uint32_t n = feed == FEED_FLOWS ? size : 1;

    memset(l, 0, sizeof *l);
    l->feed = feed;
    l->size = size;
    l->order = (struct flow_order){.n = n};
    l->room = malloc((size_t)LIMIT_POOL * LIMIT_ROOM);
    /* One more: limit_own() copies a whole slot, wherever the packet begins by then. */
    l->templates = aligned_alloc(PACKET_SLOT, ((size_t)n + 1) * PACKET_SLOT);
    if (!l->room || !l->templates)
        return -1;
    for (uint32_t i = 0; i < LIMIT_POOL; i++)
        l->free[l->n_free++] = LIMIT_POOL - 1 - i;
    for (uint32_t i = 0; i < n; i++)
        if (feed == FEED_FLOWS)
            packet_make_flow(l->templates + (size_t)i * PACKET_SLOT, i);
        else
            packet_make(l->templates);
    return 0;
}

void limit_fini(struct limit *l)
{
    free(l->room);
    free(l->templates);
    free(l->table);
    ip_routes_fini(&l->routes);
    memset(l, 0, sizeof *l);
}

void limit_source_discard(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        limit_discard(l, b, LIMIT_BATCH);
    }
}

/* Into a ring of 1024 and out of it again, a batch each. */
void limit_queue(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        limit_put(l, b, LIMIT_BATCH);
        limit_discard(l, b, limit_get(l, b));
    }
}

/* The same behind RED(500, 800, 0.02), whose average stays below 500: weight 1/16, ten bits
 * behind the point; the first packet of a batch finds the queue empty. */
void limit_red(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];
    int64_t average = 0;

    for (; n; n -= LIMIT_BATCH) {
        unsigned kept = 0;

        limit_source(l, b);
        for (unsigned i = 0; i < LIMIT_BATCH; i++) {
            int64_t length = (int64_t)(l->head - l->tail + kept);

            if (length)
                average += ((length << 10) - average + 8) >> 4;
            else
                average -= average >> 4;
            if (__builtin_expect(average >> 10 <= 500, 1))
                b[kept++] = b[i];
        }
        limit_put(l, b, kept);
        limit_discard(l, b, limit_get(l, b));
    }
}

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Packets carry the time at which they were put into the queue; what has waited for less
 * than CoDel's target passes. Nothing waits for longer here. */
void limit_codel(struct limit *l, uint64_t n)
{
    enum { TARGET_NS = 5000000 };
    static int64_t since[LIMIT_QUEUE];
    struct limit_pkt b[LIMIT_BATCH];
    int64_t first_above_ns = 0;

    for (; n; n -= LIMIT_BATCH) {
        unsigned from = l->tail, got, kept = 0;
        int64_t now = clock_ns();

        limit_source(l, b);
        for (unsigned i = 0; i < LIMIT_BATCH; i++)
            since[(l->head + i) % LIMIT_QUEUE] = now;
        limit_put(l, b, LIMIT_BATCH);
        got = limit_get(l, b);
        now = clock_ns();
        for (unsigned i = 0; i < got; i++) {
            if (__builtin_expect(now - since[(from + i) % LIMIT_QUEUE] < TARGET_NS, 1))
                first_above_ns = 0;
            else if (!first_above_ns)
                first_above_ns = now;
            b[kept++] = b[i];
        }
        limit_discard(l, b, kept);
    }
}

static inline void count(struct limit *l, const struct limit_pkt *b)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < LIMIT_BATCH; i++)
        bytes += b[i].len;
    l->packets += LIMIT_BATCH;
    l->bytes += bytes;
    __asm__ volatile("" : : : "memory");
}

void limit_counter(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        count(l, b);
        limit_discard(l, b, LIMIT_BATCH);
    }
}

void limit_counters10(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        for (unsigned i = 0; i < 10; i++)
            count(l, b);
        limit_discard(l, b, LIMIT_BATCH);
    }
}
