// SPDX-License-Identifier: BSD-3-Clause
/*
 * CPUQueue -- a queue for each thread that brings packets
 *
 * Usage:    CPUQueue(CAPACITY 128)
 * Ports:    1 in, 1 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 128
 * Counters: drops  packets that found the queue full
 * Handlers: capacity  (read) the argument CAPACITY
 * Example:  FromDevice(0) -> CPUQueue -> ToDevice(1);
 * See also: Queue, ThreadSafeQueue
 *
 * One thread runs a router here, so it is one queue; as in Click it tells nobody when it is
 * empty or full.
 */

#include "engine/element.h"
#include "engine/queue.h"

struct cpu_queue {
    struct queue q;
    uint32_t capacity;
};

static const struct arg_spec cpu_queue_args[] = {
    ARG_U32(cpu_queue, capacity, "CAPACITY", ARG_POS, "128", "most packets"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec cpu_queue_counters[] = {
    [C_DROPS] = {"drops", "packets that found the queue full"},
    {NULL, NULL},
};

static int cpu_queue_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct cpu_queue *s = element_state(e);

    queue_init(&s->q, s->capacity);
    return 0;
}

static void cpu_queue_take_state(struct element *e, struct element *old)
{
    struct cpu_queue *s = element_state(e), *from = element_state(old);

    element_count(e, C_DROPS, queue_take(&s->q, &from->q));
}

static void cpu_queue_cleanup(struct element *e)
{
    queue_fini(&((struct cpu_queue *)element_state(e))->q);
}

static void cpu_queue_push(struct element *e, unsigned port, struct batch *b)
{
    struct cpu_queue *s = element_state(e);
    uint32_t n = queue_put(&s->q, b->p, b->n);

    element_count(e, C_DROPS, b->n - n);
    while (n < b->n)
        pkt_free(b->p[n++]);
}

static uint32_t cpu_queue_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    struct cpu_queue *s = element_state(e);
    uint32_t n = queue_get(&s->q, b->p + b->n, max);

    b->n += n;
    return n;
}

static const struct handler_spec cpu_queue_handlers[] = {
    HANDLER_VALUE(cpu_queue, capacity, ARG_KIND_U32, HANDLER_READ, "capacity",
                  "most packets"),
    HANDLER_END,
};

ELEMENT(CPUQueue) = {
    .name = "CPUQueue",
    .state_size = sizeof(struct cpu_queue),
    .ports = "1/1",
    .processing = "h/l",
    .args = cpu_queue_args,
    .counters = cpu_queue_counters,
    .handlers = cpu_queue_handlers,
    .configure = cpu_queue_configure,
    .take_state = cpu_queue_take_state,
    .cleanup = cpu_queue_cleanup,
    .push = cpu_queue_push,
    .pull = cpu_queue_pull,
};
