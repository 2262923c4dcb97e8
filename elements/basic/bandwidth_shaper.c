// SPDX-License-Identifier: BSD-3-Clause
/*
 * BandwidthShaper -- let so many bytes a second be pulled
 *
 * Usage:    BandwidthShaper(RATE)
 * Ports:    1 in, 1-2 out; pull
 * Args:     RATE  bits or bytes a second, such as 10Mbps or 1MBps
 * Counters: none
 * Handlers: rate    (read/write) the argument RATE
 *           config  (read) the same
 *           reset   (write) forget what has passed
 * Example:  Queue -> BandwidthShaper(10Mbps) -> ToDevice(0);
 * See also: Shaper, BandwidthRatedUnqueue
 *
 * A pause is made up for, but for no more than a second. Those downstream sleep until the
 * next packet may go.
 */

#include "engine/shaper.h"

static const struct arg_spec bandwidth_shaper_args[] = {
    ARG_BANDWIDTH(shaper, bandwidth, "RATE", ARG_M, NULL, "bits or bytes a second"),
    ARG_END,
};

static int bandwidth_shaper_configure(struct element *e, struct conf *c, struct diag *d)
{
    return shaper_configure(e, true, d);
}

static const struct handler_spec bandwidth_shaper_handlers[] = {
    SHAPER_HANDLERS,
    HANDLER_END,
};

ELEMENT(BandwidthShaper) = {
    .name = "BandwidthShaper",
    .state_size = sizeof(struct shaper),
    .ports = "1/1-2",
    .processing = "l/l",
    .args = bandwidth_shaper_args,
    .live = true,
    .handlers = bandwidth_shaper_handlers,
    .configure = bandwidth_shaper_configure,
    .initialize = shaper_initialize,
    .cast = shaper_cast,
    .pull = shaper_pull,
};
