// SPDX-License-Identifier: BSD-3-Clause
/*
 * Burster -- pull bursts of packets at fixed times and push them on
 *
 * Usage:    Burster(INTERVAL, BURST 8)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     INTERVAL  time from burst to burst
 *           BURST     most packets a burst, default 8
 * Counters: none
 * Handlers: none
 * Example:  Queue -> Burster(0.1) -> ToDevice(0);
 * See also: TimedUnqueue
 *
 * TimedUnqueue with another default.
 */

#include "engine/timed_unqueue.h"

static const struct arg_spec burster_args[] = {
    TIMED_UNQUEUE_ARGS("8"),
    ARG_END,
};

ELEMENT(Burster) = {
    .name = "Burster",
    .state_size = sizeof(struct timed_unqueue),
    .ports = "1/1",
    .processing = "l/h",
    .args = burster_args,
    .configure = timed_unqueue_configure,
    .initialize = timed_unqueue_initialize,
};
