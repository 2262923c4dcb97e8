// SPDX-License-Identifier: BSD-3-Clause
/*
 * FullNoteQueue -- another name of Queue
 *
 * Usage:    FullNoteQueue(CAPACITY 1000)
 * Ports:    1 in, 1-2 out; push in, pull out
 * Args:     CAPACITY  most packets that are stored, default 1000
 * Counters: drops  packets that found the queue full
 * Handlers: length            (read) packets stored now
 *           highwater_length  (read) most packets ever stored
 *           capacity          (read/write) the argument CAPACITY
 *           reset_counts      (write) set drops and highwater_length to what is now
 *           reset             (write) drop all packets
 * Example:  InfiniteSource -> FullNoteQueue -> ToDevice(0);
 * See also: Queue
 *
 * Exactly Queue, under the name by which Click knows its notifications.
 */

#include "engine/queue_element.h"

static const struct arg_spec full_note_queue_args[] = {
    QUEUE_ARGS(queue_element),
    ARG_END,
};

static const struct counter_spec full_note_queue_counters[] = {
    QUEUE_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec full_note_queue_handlers[] = {
    QUEUE_HANDLERS,
    HANDLER_END,
};

ELEMENT(FullNoteQueue) = {
    .name = "FullNoteQueue",
    .state_size = sizeof(struct queue_element),
    .plain = true, /* but for what turns.h says */
    .ports = "1/1-2",
    .processing = "h/lh",
    .args = full_note_queue_args,
    .live = true,
    .counters = full_note_queue_counters,
    .handlers = full_note_queue_handlers,
    .configure = queue_element_configure,
    .take_state = queue_element_take_state,
    .cleanup = queue_element_cleanup,
    .cast = queue_element_cast_both,
    .push = queue_element_push,
    .pull = queue_element_pull,
};
