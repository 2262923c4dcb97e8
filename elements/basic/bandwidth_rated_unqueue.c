// SPDX-License-Identifier: BSD-3-Clause
/*
 * BandwidthRatedUnqueue -- pull packets and push them on, so many bytes a second
 *
 * Usage:    BandwidthRatedUnqueue(RATE, BURST_DURATION 20ms, BURST_BYTES)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     RATE            bits or bytes a second, such as 10Mbps or 1MBps
 *           BURST_DURATION  what may be saved up while there is nothing to move, as a
 *                           time; default 20 ms
 *           BURST_BYTES     the same as a number
 * Counters: none
 * Handlers: rate    (read/write) the argument RATE
 *           config  (read) the same
 *           active  (read/write) whether packets are moved at all
 *           calls   (read) what the task has done
 *           scheduled, tickets  of the task that pulls
 * Example:  Queue -> BandwidthRatedUnqueue(10Mbps) -> ToDevice(0);
 * See also: RatedUnqueue, BandwidthShaper, LinkUnqueue
 */

#include "engine/rated.h"

static const struct arg_spec bandwidth_rated_unqueue_args[] = {
    RATED_BYTE_ARGS(rated_unqueue, rated),
    ARG_END,
};

static int bandwidth_rated_unqueue_configure(struct element *e, struct conf *c,
                                             struct diag *d)
{
    struct rated_unqueue *s = element_state(e);

    return rated_configure(e, &s->rated, true, d);
}

static const struct handler_spec bandwidth_rated_unqueue_handlers[] = {
    RATED_UNQUEUE_HANDLERS,
    HANDLER_END,
};

ELEMENT(BandwidthRatedUnqueue) = {
    .name = "BandwidthRatedUnqueue",
    .state_size = sizeof(struct rated_unqueue),
    .ports = "1/1",
    .processing = "l/h",
    .args = bandwidth_rated_unqueue_args,
    .live = true,
    .handlers = bandwidth_rated_unqueue_handlers,
    .configure = bandwidth_rated_unqueue_configure,
    .initialize = rated_unqueue_initialize,
};
