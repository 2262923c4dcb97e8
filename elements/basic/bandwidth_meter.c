// SPDX-License-Identifier: BSD-3-Clause
/*
 * BandwidthMeter -- choose the output by how many bytes a second arrive
 *
 * Usage:    BandwidthMeter(RATE1, ..., RATEn)
 * Ports:    1 in, n+1 out; push
 * Args:     RATE1 ... RATEn  bits or bytes a second, such as 10Mbps; each larger than the one before
 * Counters: none
 * Handlers: rate    (read) the current rate
 *           meters  (read) the arguments
 * Example:  ... -> m :: BandwidthMeter(10Mbps) -> ...;  m[1] -> Discard;
 * See also: Meter, BandwidthRatedSplitter
 *
 * Below RATE1 packets leave by output 0, below RATE2 by output 1, and so on; the last
 * output is for what is faster than all. The rate is a moving average over some tens of
 * milliseconds.
 */

#include "engine/meter.h"

static int bandwidth_meter_configure(struct element *e, struct conf *c, struct diag *d)
{
    return meter_configure(e, c, true, d);
}

static const struct handler_spec bandwidth_meter_handlers[] = {
    METER_HANDLERS,
    HANDLER_END,
};

ELEMENT(BandwidthMeter) = {
    .name = "BandwidthMeter",
    .state_size = sizeof(struct meter),
    .ports = "1/2-",
    .processing = "h/h",
    .any_args = true,
    .handlers = bandwidth_meter_handlers,
    .configure = bandwidth_meter_configure,
    .push = meter_push,
};
