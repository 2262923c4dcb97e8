// SPDX-License-Identifier: BSD-3-Clause
/*
 * rates.c -- limit of IPRateMonitor: see limits.h
 *
 * Rates of the networks of 8, 16, 24 and 32 bits that packets come from, all of which are
 * there from the first packet on. An average moves by 1/32 every 8 ms, with ten bits behind
 * the point; that of the host goes with each packet.
 */

#include "bench/limits/headers.h"

#include <stdlib.h>
#include <time.h>

enum { LEVELS = 4, WAYS = 256, PERIODS = 125 };

struct rate {
    uint32_t period, total, average;
    struct rate *below; /* [WAYS] */
};

struct rates {
    struct rate ways[1024][WAYS]; /* of all networks */
    uint32_t n, now;
};

static uint32_t period_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint32_t)t.tv_sec * PERIODS + (uint32_t)t.tv_nsec / (1000000000 / PERIODS);
}

static __attribute__((noinline)) void rate_roll(struct rate *r, uint32_t now)
{
    uint32_t periods = now - r->period;

    r->average = (uint32_t)(r->average +
                            ((((int64_t)r->total << 10) - r->average + 16) >> 5));
    for (uint32_t i = 1; i < periods && r->average >> 4; i++)
        r->average = (uint32_t)(r->average + ((16 - (int64_t)r->average) >> 5));
    r->total = 0;
    r->period = now;
}

/* Count a packet; what its source sends a second. */
static inline uint32_t rate_count(struct rates *t, uint32_t addr)
{
    struct rate *ways = t->ways[0], *r = NULL;

    for (unsigned i = 0; i < LEVELS; i++) {
        r = &ways[addr >> (24 - 8 * i) & (WAYS - 1)];
        if (__builtin_expect(r->period != t->now, 0))
            rate_roll(r, t->now);
        r->total++;
        if (__builtin_expect(!r->below, 0) && i + 1 < LEVELS && t->n < 1024)
            r->below = t->ways[t->n++];
        ways = r->below;
    }
    return (uint32_t)((uint64_t)r->average * PERIODS >> 10);
}

void limit_rates(struct limit *l, uint64_t n)
{
    struct rates *t = l->table = calloc(1, sizeof *t);
    struct limit_pkt b[LIMIT_BATCH];
    uint32_t rate[LIMIT_BATCH];

    if (!t)
        return;
    for (t->n = 1; n; n -= LIMIT_BATCH) {
        unsigned good;

        limit_source(l, b);
        t->now = period_now();
        good = limit_strip(b);
        for (unsigned i = 0; i < good; i++)
            rate[i] = rate_count(t, be32(load32(b[i].data + 12)));
        __asm__ volatile("" : : "r"(rate) : "memory");
        limit_discard(l, b, good);
    }
}
