// SPDX-License-Identifier: BSD-3-Clause
/*
 * Shaper -- let so many packets a second be pulled
 *
 * Usage:    Shaper(RATE)
 * Ports:    1 in, 1-2 out; pull
 * Args:     RATE  packets a second
 * Counters: none
 * Handlers: rate    (read/write) the argument RATE
 *           config  (read) the same
 *           reset   (write) forget what has passed
 * Example:  Queue -> Shaper(1000) -> ToDevice(0);
 * See also: BandwidthShaper, RatedUnqueue, DelayShaper
 *
 * Output 1 gives the packets that are not due, at any rate.
 *
 * A pause is made up for, but for no more than a second. Those downstream sleep until the
 * next packet may go.
 */

#include "engine/shaper.h"

static const struct arg_spec shaper_element_args[] = {
    ARG_U32(shaper, rate, "RATE", ARG_M, NULL, "packets a second"),
    ARG_END,
};

static int shaper_element_configure(struct element *e, struct conf *c, struct diag *d)
{
    return shaper_configure(e, false, d);
}

static const struct handler_spec shaper_element_handlers[] = {
    SHAPER_HANDLERS,
    HANDLER_END,
};

ELEMENT(Shaper) = {
    .name = "Shaper",
    .state_size = sizeof(struct shaper),
    .ports = "1/1-2",
    .processing = "l/l",
    .args = shaper_element_args,
    .live = true,
    .handlers = shaper_element_handlers,
    .configure = shaper_element_configure,
    .initialize = shaper_initialize,
    .cast = shaper_cast,
    .pull = shaper_pull,
};
