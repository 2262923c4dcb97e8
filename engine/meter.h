// SPDX-License-Identifier: BSD-3-Clause
/*
 * meter.h -- choosing an output by the current rate: Meter and BandwidthMeter
 */

#ifndef ENGINE_METER_H
#define ENGINE_METER_H

#include "engine/element.h"
#include "engine/ewma.h"

struct meter {
    struct ewma rate;
    uint64_t
        *limits; /* [n], a period, in the rate's fixed point; in the router's arena */
    uint32_t n;
    bool bytes;
};

int meter_configure(struct element *e, struct conf *c, bool bytes, struct diag *d);
void meter_push(struct element *e, unsigned port, struct batch *b);

#define METER_HANDLERS                                                                 \
    HANDLER_READER(meter_read_rate, "rate", "the current rate, a second"),             \
        HANDLER_READER(meter_read_meters, "meters", "the arguments")
int meter_read_rate(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d);
int meter_read_meters(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d);

#endif
