// SPDX-License-Identifier: BSD-3-Clause
/* ewma.c -- how many a second, as a moving average: see ewma.h */

#include "engine/ewma.h"

enum { EWMA_SHIFT = 4 }; /* each period weighs 1/16 */

static void ewma_period(struct ewma *r, uint64_t events)
{
    /* Half a unit is added so that the average can come down to 0 and up to the top. */
    int64_t gap = (int64_t)((events << r->bits) - r->average) + (1 << (EWMA_SHIFT - 1));

    r->average = (uint64_t)((int64_t)r->average + (gap >> EWMA_SHIFT));
}

void ewma_roll(struct ewma *r, int64_t period)
{
    int64_t idle = period - r->period - 1;

    ewma_period(r, r->total);
    r->total = 0;
    r->period = period;
    /* After 100 periods nearly nothing is left of what was before; rounding would keep
     * the rest for ever. */
    if (idle >= 100)
        r->average = 0;
    else
        while (idle-- > 0 && r->average)
            ewma_period(r, 0);
}
