// SPDX-License-Identifier: BSD-3-Clause
/*
 * Queue -- store packets between push and pull, first in first out
 *
 * Usage:    Queue(CAPACITY 1000)
 * Ports:    1 in, 1-2 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 1000
 * Counters: drops  packets that found the queue full
 * Handlers: length            (read) packets stored now
 *           highwater_length  (read) most packets ever stored
 *           capacity          (read/write) the argument CAPACITY
 *           reset_counts      (write) set drops and highwater_length to what is now
 *           reset             (write) drop all packets
 * Example:  FromDevice(0) -> Queue(200) -> ToDevice(1);
 * See also: SimpleQueue, NotifierQueue, FrontDropQueue, Unqueue
 *
 * When the queue is full, packets that arrive are dropped, or leave by output 1 if that is
 * connected. Who pulls sleeps while it is empty, and sources that can wait do so while it
 * is full. Packets move to the queue of the same name when a configuration is exchanged;
 * those that do not fit are dropped and counted.
 */

#include "engine/queue_element.h"

static const struct arg_spec queue_args[] = {
    QUEUE_ARGS(queue_element),
    ARG_END,
};

static const struct counter_spec queue_counters[] = {
    QUEUE_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec queue_handlers[] = {
    QUEUE_HANDLERS,
    HANDLER_END,
};

ELEMENT(Queue) = {
    .name = "Queue",
    .state_size = sizeof(struct queue_element),
    .keeps = PKT_PARTS,
    .plain = true, /* but for what turns.h says */
    .ports = "1/1-2",
    .processing = "h/lh",
    .args = queue_args,
    .live = true,
    .counters = queue_counters,
    .handlers = queue_handlers,
    .configure = queue_element_configure,
    .take_state = queue_element_take_state,
    .cleanup = queue_element_cleanup,
    .cast = queue_element_cast_both,
    .push = queue_element_push,
    .pull = queue_element_pull,
};
