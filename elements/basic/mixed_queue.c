// SPDX-License-Identifier: BSD-3-Clause
/*
 * MixedQueue -- store packets, first in first out and last in first out
 *
 * Usage:    MixedQueue(CAPACITY 1000)
 * Ports:    2 in, 1-2 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 1000
 * Counters: drops  packets that were dropped because the queue was full
 * Handlers: length            (read) packets stored now
 *           highwater_length  (read) most packets ever stored
 *           capacity          (read/write) the argument CAPACITY
 *           reset_counts      (write) set drops and highwater_length to what is now
 *           reset             (write) drop all packets
 * Example:  normal -> q :: MixedQueue(50) -> ToDevice(0);  urgent -> [1] q;
 * See also: Queue, FrontDropQueue
 *
 * Packets from input 0 go behind all others, and are dropped when the queue is full. Those
 * from input 1 go before all others; when the queue is full, the hindmost makes room.
 * What is dropped leaves by output 1 if that is connected.
 */

#include "engine/queue_element.h"

static const struct arg_spec mixed_queue_args[] = {
    QUEUE_ARGS(queue_element),
    ARG_END,
};

static const struct counter_spec mixed_queue_counters[] = {
    QUEUE_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec mixed_queue_handlers[] = {
    QUEUE_HANDLERS,
    HANDLER_END,
};

static void mixed_queue_push(struct element *e, unsigned port, struct batch *b)
{
    struct queue_element *s = element_state(e);
    struct batch gone;

    if (port == 0) {
        queue_element_push(e, 0, b);
        return;
    }
    gone.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        if (s->q.n && s->q.n >= s->q.capacity)
            batch_add(&gone, queue_get_newest(&s->q));
        if (!queue_put_front(&s->q, b->p[i]))
            batch_add(&gone, b->p[i]); /* there is no room for any */
    }
    if (s->q.n)
        notifier_wake(&s->empty);
    if (gone.n)
        queue_element_overflow(e, &gone, 0);
}

ELEMENT(MixedQueue) = {
    .name = "MixedQueue",
    .state_size = sizeof(struct queue_element),
    .ports = "2/1-2",
    .processing = "h/lh",
    .args = mixed_queue_args,
    .live = true,
    .counters = mixed_queue_counters,
    .handlers = mixed_queue_handlers,
    .configure = queue_element_configure,
    .take_state = queue_element_take_state,
    .cleanup = queue_element_cleanup,
    .cast = queue_element_cast_empty,
    .push = mixed_queue_push,
    .pull = queue_element_pull,
};
