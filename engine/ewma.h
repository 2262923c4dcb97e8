// SPDX-License-Identifier: BSD-3-Clause
/*
 * ewma.h -- how many a second, as an exponentially weighted moving average
 *
 * Events are summed up for a millisecond; each millisecond then moves the average by a
 * sixteenth of the difference, as Click's rate estimators do. Whoever reads the rate
 * calls ewma_update() with 0 first, so that an idle time counts.
 */

#ifndef ENGINE_EWMA_H
#define ENGINE_EWMA_H

#include <stdint.h>

enum {
    EWMA_PER_S = 1000,     /* periods a second */
    EWMA_PACKET_BITS = 10, /* of fraction, for packets */
    EWMA_BYTE_BITS = 4,    /* of fraction, for bytes */
};

struct ewma {
    uint64_t average; /* events a period, in fixed point */
    uint64_t total;   /* in the current period */
    int64_t period;   /* number of the current period */
    unsigned bits;    /* of fraction */
};

static inline void ewma_init(struct ewma *r, unsigned bits)
{
    *r = (struct ewma){.bits = bits};
}

/* Go on to a later period. */
void ewma_roll(struct ewma *r, int64_t period);

/* Count `n` events at steady time `now_ns`. */
static inline void ewma_update(struct ewma *r, int64_t now_ns, uint64_t n)
{
    int64_t period = now_ns / (1000000000 / EWMA_PER_S);

    if (__builtin_expect(period != r->period, 0))
        ewma_roll(r, period);
    r->total += n;
}

/* Events a second, rounded; and with the full `bits` of fraction. */
static inline uint64_t ewma_rate(const struct ewma *r)
{
    return (r->average * EWMA_PER_S + ((uint64_t)1 << r->bits >> 1)) >> r->bits;
}

static inline uint64_t ewma_rate_fixed(const struct ewma *r)
{
    return r->average * EWMA_PER_S;
}

#endif
