// SPDX-License-Identifier: BSD-3-Clause
/*
 * Shaper -- let so many packets a second be pulled
 *
 * Usage:    Shaper(RATE)
 * Ports:    1 in, 1 out; pull
 * Args:     RATE  packets a second
 * Counters: none
 * Handlers: rate    (read/write) the argument RATE
 *           config  (read) the same
 * Example:  Queue -> Shaper(1000) -> ToDevice(0);
 * See also: BandwidthShaper, RatedUnqueue, DelayShaper
 *
 * A pause is made up for, but for no more than a second. Those downstream sleep until the
 * next packet may go.
 */

#include "engine/rated.h"

static const struct arg_spec shaper_args[] = {
    ARG_U32(rated_shaper, rated.rate, "RATE", ARG_M, NULL, "packets a second"),
    ARG_END,
};

static int shaper_configure(struct element *e, struct conf *c, struct diag *d)
{
    return rated_shaper_configure(e, false, d);
}

static const struct handler_spec shaper_handlers[] = {
    RATED_HANDLERS(rated_shaper, rated, rated_shaper_write_rate),
    HANDLER_END,
};

ELEMENT(Shaper) = {
    .name = "Shaper",
    .state_size = sizeof(struct rated_shaper),
    .ports = "1/1",
    .processing = "l/l",
    .args = shaper_args,
    .live = true,
    .handlers = shaper_handlers,
    .configure = shaper_configure,
    .initialize = rated_shaper_initialize,
    .cast = rated_shaper_cast,
    .pull = rated_shaper_pull,
};
