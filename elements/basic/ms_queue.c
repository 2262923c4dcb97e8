// SPDX-License-Identifier: BSD-3-Clause
/*
 * MSQueue -- a Queue that several threads may pull from
 *
 * Usage:    MSQueue(CAPACITY 1000)
 * Ports:    1 in, 1-2 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 1000
 * Counters: drops  packets that found the queue full
 * Handlers: length            (read) packets stored now
 *           highwater_length  (read) most packets ever stored
 *           capacity          (read/write) the argument CAPACITY
 *           reset_counts      (write) set drops and highwater_length to what is now
 *           reset             (write) drop all packets
 * Example:  FromDevice(0) -> MSQueue -> ToDevice(1);
 * See also: Queue, ThreadSafeQueue
 *
 * An old name of ThreadSafeQueue, which a warning recommends. One thread runs a router
 * here, so it is exactly Queue.
 */

#include "engine/queue_element.h"

static const struct arg_spec ms_queue_args[] = {
    QUEUE_ARGS(queue_element),
    ARG_END,
};

static const struct counter_spec ms_queue_counters[] = {
    QUEUE_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec ms_queue_handlers[] = {
    QUEUE_HANDLERS,
    HANDLER_END,
};

static int ms_queue_configure(struct element *e, struct conf *c, struct diag *d)
{
    diag_warn(d, "MSQueue is deprecated, use ThreadSafeQueue instead");
    return queue_element_configure(e, c, d);
}

ELEMENT(MSQueue) = {
    .name = "MSQueue",
    .state_size = sizeof(struct queue_element),
    .plain = true, /* but for what turns.h says */
    .ports = "1/1-2",
    .processing = "h/lh",
    .args = ms_queue_args,
    .live = true,
    .counters = ms_queue_counters,
    .handlers = ms_queue_handlers,
    .configure = ms_queue_configure,
    .take_state = queue_element_take_state,
    .cleanup = queue_element_cleanup,
    .cast = queue_element_cast_both,
    .push = queue_element_push,
    .pull = queue_element_pull,
};
