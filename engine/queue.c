// SPDX-License-Identifier: BSD-3-Clause
/* queue.c -- a bounded ring of packets: see queue.h */

#include "engine/queue.h"

#include <stdlib.h>

enum { QUEUE_FIRST_SIZE = 64, QUEUE_MAX_SIZE = 1 << 30 };

void queue_init(struct queue *q, uint32_t capacity)
{
    *q = (struct queue){.capacity = capacity};
}

void queue_fini(struct queue *q)
{
    queue_set_capacity(q, 0, false);
    free(q->ring);
    q->ring = NULL;
    q->size = q->head = 0;
}

/* Copy `n` packets that start at place `at` out of the ring. */
static void ring_read(const struct queue *q, uint32_t at, struct pkt **p, uint32_t n)
{
    uint32_t first = q->size - at;

    first = first < n ? first : n;
    pkts_copy(p, q->ring + at, first);
    pkts_copy(p + first, q->ring, n - first);
}

static void ring_write(struct queue *q, uint32_t at, struct pkt *const *p, uint32_t n)
{
    uint32_t first = q->size - at;

    first = first < n ? first : n;
    pkts_copy(q->ring + at, p, first);
    pkts_copy(q->ring, p + first, n - first);
}

/* Make places for `want` packets or as many as memory allows. */
static void queue_grow(struct queue *q, uint32_t want)
{
    uint32_t size = q->size ? q->size : QUEUE_FIRST_SIZE;
    struct pkt **ring;

    while (size < want && size < QUEUE_MAX_SIZE)
        size *= 2;
    ring = malloc(size * sizeof(struct pkt *));
    if (!ring)
        return;
    if (q->n)
        ring_read(q, q->head, ring, q->n);
    free(q->ring);
    q->ring = ring;
    q->size = size;
    q->head = 0;
}

static __attribute__((noinline)) uint32_t put_many(struct queue *q,
                                                   struct pkt *const *p, uint32_t n)
{
    uint32_t room = q->capacity - q->n;

    n = n < room ? n : room;
    if (__builtin_expect(n > q->size - q->n, 0)) {
        queue_grow(q, q->n + n);
        n = n < q->size - q->n ? n : q->size - q->n;
    }
    if (!n)
        return 0;
    ring_write(q, (q->head + q->n) & (q->size - 1), p, n);
    q->n += n;
    if (q->n > q->highwater)
        q->highwater = q->n;
    return n;
}

/* Nothing is called for a single packet, so that nothing needs to be kept. */
uint32_t queue_put(struct queue *q, struct pkt *const *p, uint32_t n)
{
    uint32_t before = q->n;

    if (n != 1 || before >= q->capacity || before >= q->size)
        return put_many(q, p, n);
    q->ring[(q->head + before) & (q->size - 1)] = *p;
    q->n = before + 1;
    if (before >= q->highwater)
        q->highwater = before + 1;
    return 1;
}

bool queue_put_front(struct queue *q, struct pkt *p)
{
    if (q->n >= q->capacity)
        return false;
    if (q->n == q->size)
        queue_grow(q, q->n + 1);
    if (q->n == q->size)
        return false;
    q->head = (q->head - 1) & (q->size - 1);
    q->ring[q->head] = p;
    q->n++;
    if (q->n > q->highwater)
        q->highwater = q->n;
    return true;
}

static __attribute__((noinline)) uint32_t get_many(struct queue *q, struct pkt **p,
                                                   uint32_t n)
{
    ring_read(q, q->head, p, n);
    q->n -= n;
    q->head = q->n ? (q->head + n) & (q->size - 1) : 0;
    return n;
}

uint32_t queue_get(struct queue *q, struct pkt **p, uint32_t max)
{
    uint32_t n = q->n < max ? q->n : max, head = q->head;

    if (n > 1)
        return get_many(q, p, n);
    if (!n)
        return 0;
    *p = q->ring[head];
    q->n--;
    q->head = q->n ? (head + 1) & (q->size - 1) : 0;
    return 1;
}

struct pkt *queue_get_newest(struct queue *q)
{
    if (!q->n)
        return NULL;
    q->n--;
    return q->ring[(q->head + q->n) & (q->size - 1)];
}

uint32_t queue_set_capacity(struct queue *q, uint32_t capacity, bool keep_newest)
{
    uint32_t dropped = 0;
    struct pkt *p;

    for (; q->n > capacity; dropped++) {
        if (!keep_newest)
            p = queue_get_newest(q);
        else
            queue_get(q, &p, 1);
        pkt_free(p);
    }
    q->capacity = capacity;
    return dropped;
}

uint32_t queue_take(struct queue *q, struct queue *old)
{
    struct pkt *some[BATCH_MAX];
    uint32_t n, dropped = 0;

    while ((n = queue_get(old, some, BATCH_MAX))) {
        uint32_t took = queue_put(q, some, n);

        for (dropped += n - took; took < n; took++)
            pkt_free(some[took]);
    }
    if (old->highwater > q->highwater)
        q->highwater = old->highwater;
    return dropped;
}
