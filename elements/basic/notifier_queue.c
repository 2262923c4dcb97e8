// SPDX-License-Identifier: BSD-3-Clause
/*
 * NotifierQueue -- store packets, and tell when there are some
 *
 * Usage:    NotifierQueue(CAPACITY 1000)
 * Ports:    1 in, 1-2 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 1000
 * Counters: drops  packets that found the queue full
 * Handlers: length            (read) packets stored now
 *           highwater_length  (read) most packets ever stored
 *           capacity          (read/write) the argument CAPACITY
 *           reset_counts      (write) set drops and highwater_length to what is now
 *           reset             (write) drop all packets
 * Example:  FromDevice(0) -> NotifierQueue(200) -> ToDevice(1);
 * See also: Queue, SimpleQueue
 *
 * Like Queue, but sources do not notice that it is full.
 */

#include "engine/queue_element.h"

static const struct arg_spec notifier_queue_args[] = {
    QUEUE_ARGS(queue_element),
    ARG_END,
};

static const struct counter_spec notifier_queue_counters[] = {
    QUEUE_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec notifier_queue_handlers[] = {
    QUEUE_HANDLERS,
    HANDLER_END,
};

ELEMENT(NotifierQueue) = {
    .name = "NotifierQueue",
    .state_size = sizeof(struct queue_element),
    .plain = true, /* but for what turns.h says */
    .ports = "1/1-2",
    .processing = "h/lh",
    .args = notifier_queue_args,
    .live = true,
    .counters = notifier_queue_counters,
    .handlers = notifier_queue_handlers,
    .configure = queue_element_configure,
    .take_state = queue_element_take_state,
    .cleanup = queue_element_cleanup,
    .cast = queue_element_cast_empty,
    .push = queue_element_push,
    .pull = queue_element_pull,
};
