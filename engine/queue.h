// SPDX-License-Identifier: BSD-3-Clause
/*
 * queue.h -- a bounded ring of packets, the core of everything that stores some
 *
 * The ring grows with what is really stored, from 64 places on, and starts again at its
 * first place whenever it has run empty: a Queue(1000) in a young VM touches one page, and
 * a queue that stays short lives in a few cache lines.
 *
 * Memory: the ring is on the heap, owned by the queue, and so are the packets in it. When
 *         memory runs out the queue is full earlier than its capacity says.
 */

#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "engine/pkt.h"

#include <stdbool.h>
#include <stdint.h>

struct queue {
    struct pkt **ring;  /* owned; [size], NULL until something was stored */
    uint32_t size;      /* places; a power of two or 0 */
    uint32_t head;      /* place of the oldest packet */
    uint32_t n;         /* packets */
    uint32_t capacity;  /* most packets */
    uint32_t highwater; /* most packets so far */
};

/* An empty queue; touches no memory but `q`. */
void queue_init(struct queue *q, uint32_t capacity);
/* Release packets and ring; may be called on zeroed memory and twice. */
void queue_fini(struct queue *q);

/* Append the first packets of `p`; returns how many of the `n` fitted. */
uint32_t queue_put(struct queue *q, struct pkt *const *p, uint32_t n);
/* Put one packet before the oldest. Returns whether it fitted. */
bool queue_put_front(struct queue *q, struct pkt *p);

/* Take out up to `max` packets, the oldest first; returns how many. */
uint32_t queue_get(struct queue *q, struct pkt **p, uint32_t max);
/* Take out the newest; NULL when empty. */
struct pkt *queue_get_newest(struct queue *q);

/* Change the capacity. Packets that no longer fit are released, the newest first or, with
 * `keep_newest`, the oldest. Returns how many. */
uint32_t queue_set_capacity(struct queue *q, uint32_t capacity, bool keep_newest);

/* Move all packets of `old` behind those of `q`. Those that do not fit are released;
 * returns how many. */
uint32_t queue_take(struct queue *q, struct queue *old);

#endif
