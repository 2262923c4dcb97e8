// SPDX-License-Identifier: BSD-3-Clause
/*
 * QuickNoteQueue -- a Queue that says at once that it is empty
 *
 * Usage:    QuickNoteQueue(CAPACITY 1000)
 * Ports:    1 in, 1-2 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 1000
 * Counters: drops  packets that found the queue full
 * Handlers: length            (read) packets stored now
 *           highwater_length  (read) most packets ever stored
 *           capacity          (read/write) the argument CAPACITY
 *           reset_counts      (write) set drops and highwater_length to what is now
 *           reset             (write) drop all packets
 * Example:  FromDevice(0) -> QuickNoteQueue -> ToDevice(1);
 * See also: Queue
 *
 * In Click it differs from Queue in that those who pull go to sleep a little earlier; here
 * all queues are that quick.
 */

#include "engine/queue_element.h"

static const struct arg_spec quick_note_queue_args[] = {
    QUEUE_ARGS(queue_element),
    ARG_END,
};

static const struct counter_spec quick_note_queue_counters[] = {
    QUEUE_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec quick_note_queue_handlers[] = {
    QUEUE_HANDLERS,
    HANDLER_END,
};

ELEMENT(QuickNoteQueue) = {
    .name = "QuickNoteQueue",
    .state_size = sizeof(struct queue_element),
    .plain = true, /* but for what turns.h says */
    .ports = "1/1-2",
    .processing = "h/lh",
    .args = quick_note_queue_args,
    .live = true,
    .counters = quick_note_queue_counters,
    .handlers = quick_note_queue_handlers,
    .configure = queue_element_configure,
    .take_state = queue_element_take_state,
    .cleanup = queue_element_cleanup,
    .cast = queue_element_cast_both,
    .push = queue_element_push,
    .pull = queue_element_pull,
};
