// SPDX-License-Identifier: BSD-3-Clause
/*
 * FrontDropQueue -- store packets, dropping the oldest when full
 *
 * Usage:    FrontDropQueue(CAPACITY 1000)
 * Ports:    1 in, 1-2 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 1000
 * Counters: drops  packets that found the queue full
 * Handlers: length            (read) packets stored now
 *           highwater_length  (read) most packets ever stored
 *           capacity          (read/write) the argument CAPACITY
 *           reset_counts      (write) set drops and highwater_length to what is now
 *           reset             (write) drop all packets
 * Example:  FromDevice(0) -> FrontDropQueue(20) -> ToDevice(1);
 * See also: Queue, MixedQueue
 *
 * When the queue is full, the oldest packet makes room for the one that arrives, and leaves
 * by output 1 if that is connected.
 */

#include "engine/queue_element.h"

static const struct arg_spec front_drop_queue_args[] = {
    QUEUE_ARGS(queue_element),
    ARG_END,
};

static const struct counter_spec front_drop_queue_counters[] = {
    QUEUE_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec front_drop_queue_handlers[] = {
    QUEUE_HANDLERS,
    HANDLER_END,
};

static int front_drop_queue_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct queue_element *s = element_state(e);

    s->drop_front = true;
    return queue_element_configure(e, c, d);
}

static void front_drop_queue_push(struct element *e, unsigned port, struct batch *b)
{
    struct queue_element *s = element_state(e);
    uint32_t room = s->q.capacity - s->q.n, old, skipped, took;
    struct batch gone;

    /* The oldest go: those in the queue, and then the first of the batch. */
    gone.n = b->n > room ? b->n - room : 0;
    old = queue_get(&s->q, gone.p, gone.n);
    skipped = gone.n - old;
    memcpy(gone.p + old, b->p, skipped * sizeof(struct pkt *));
    took = queue_put(&s->q, b->p + skipped, b->n - skipped);
    if (took)
        notifier_wake(&s->empty);
    if (gone.n)
        queue_element_overflow(e, &gone, 0);
    if (__builtin_expect(skipped + took < b->n, 0)) /* memory ran out */
        queue_element_overflow(e, b, skipped + took);
}

ELEMENT(FrontDropQueue) = {
    .name = "FrontDropQueue",
    .state_size = sizeof(struct queue_element),
    .ports = "1/1-2",
    .processing = "h/lh",
    .args = front_drop_queue_args,
    .live = true,
    .counters = front_drop_queue_counters,
    .handlers = front_drop_queue_handlers,
    .configure = front_drop_queue_configure,
    .take_state = queue_element_take_state,
    .cleanup = queue_element_cleanup,
    .cast = queue_element_cast_empty,
    .push = front_drop_queue_push,
    .pull = queue_element_pull,
};
