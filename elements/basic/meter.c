// SPDX-License-Identifier: BSD-3-Clause
/*
 * Meter -- choose the output by how many packets a second arrive
 *
 * Usage:    Meter(RATE1, ..., RATEn)
 * Ports:    1 in, n+1 out; push
 * Args:     RATE1 ... RATEn  packets a second; each larger than the one before
 * Counters: none
 * Handlers: rate    (read) the current rate
 *           meters  (read) the arguments
 * Example:  ... -> m :: Meter(1000) -> ...;  m[1] -> Discard;
 * See also: BandwidthMeter, RatedSplitter
 *
 * Below RATE1 packets leave by output 0, below RATE2 by output 1, and so on; the last
 * output is for what is faster than all. The rate is a moving average over some tens of
 * milliseconds.
 */

#include "engine/meter.h"

static int meter_element_configure(struct element *e, struct conf *c, struct diag *d)
{
    return meter_configure(e, c, false, d);
}

static const struct handler_spec meter_element_handlers[] = {
    METER_HANDLERS,
    HANDLER_END,
};

ELEMENT(Meter) = {
    .name = "Meter",
    .state_size = sizeof(struct meter),
    .ports = "1/2-",
    .processing = "h/h",
    .any_args = true,
    .handlers = meter_element_handlers,
    .configure = meter_element_configure,
    .push = meter_push,
};
