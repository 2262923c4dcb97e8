// SPDX-License-Identifier: BSD-3-Clause
/*
 * RatedUnqueue -- pull packets and push them on, so many a second
 *
 * Usage:    RatedUnqueue(RATE, BURST_DURATION 20ms, BURST_SIZE)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     RATE            packets a second
 *           BURST_DURATION  what may be saved up while there is nothing to move, as a
 *                           time; default 20 ms
 *           BURST_SIZE      the same as a number
 * Counters: none
 * Handlers: rate    (read/write) the argument RATE
 *           config  (read) the same
 *           active  (read/write) whether packets are moved at all
 *           calls   (read) what the task has done
 *           scheduled, tickets  of the task that pulls
 * Example:  Queue -> RatedUnqueue(1000) -> ToDevice(0);
 * See also: BandwidthRatedUnqueue, RatedSplitter, Shaper, Unqueue
 */

#include "engine/rated.h"

static const struct arg_spec rated_unqueue_args[] = {
    RATED_PACKET_ARGS(rated_unqueue, rated),
    ARG_END,
};

static int rated_unqueue_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct rated_unqueue *s = element_state(e);

    return rated_configure(e, &s->rated, false, d);
}

static const struct handler_spec rated_unqueue_handlers[] = {
    RATED_UNQUEUE_HANDLERS,
    HANDLER_END,
};

ELEMENT(RatedUnqueue) = {
    .name = "RatedUnqueue",
    .state_size = sizeof(struct rated_unqueue),
    .ports = "1/1",
    .processing = "l/h",
    .args = rated_unqueue_args,
    .live = true,
    .handlers = rated_unqueue_handlers,
    .configure = rated_unqueue_configure,
    .initialize = rated_unqueue_initialize,
};
