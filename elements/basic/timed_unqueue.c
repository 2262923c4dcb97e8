// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimedUnqueue -- pull packets every so often and push them on
 *
 * Usage:    TimedUnqueue(INTERVAL, BURST 1)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     INTERVAL  time from burst to burst
 *           BURST     most packets a burst, default 1
 * Counters: none
 * Handlers: none
 * Example:  Queue -> TimedUnqueue(0.01, 5) -> ToDevice(0);
 * See also: Unqueue, RatedUnqueue, Burster
 *
 * It sleeps while the input is empty; the packet that ends this is moved at once.
 */

#include "engine/timed_unqueue.h"

static const struct arg_spec timed_unqueue_args[] = {
    TIMED_UNQUEUE_ARGS("1"),
    ARG_END,
};

ELEMENT(TimedUnqueue) = {
    .name = "TimedUnqueue",
    .state_size = sizeof(struct timed_unqueue),
    .ports = "1/1",
    .processing = "l/h",
    .args = timed_unqueue_args,
    .configure = timed_unqueue_configure,
    .initialize = timed_unqueue_initialize,
};
