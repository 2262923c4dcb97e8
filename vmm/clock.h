// SPDX-License-Identifier: BSD-3-Clause
/*
 * clock.h -- the scale from time-stamp counter to CLOCK_MONOTONIC that guests use
 *
 * The scale is measured between clock_init() and clock_scale(), so it gets better the
 * longer the fork server runs: about 5e-6 after 10 ms, 5e-9 after 10 s.
 */

#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include <stdint.h>

struct clock_start {
    uint64_t tsc, ns;
};

struct clock_scale {
    uint64_t tsc_base, mult, ns_base; /* as boot_info has them */
    int64_t wall_offset_ns;
};

void clock_init(struct clock_start *c);

/* Sleeps when clock_init() was less than 10 ms ago. */
void clock_measure(const struct clock_start *c, struct clock_scale *s);

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */

uint64_t clock_wall_ns(void); /* CLOCK_REALTIME */

/* Let guests with this scale read `guest_ns` now. */
void clock_set(struct clock_scale *s, uint64_t guest_ns);

/* What a guest with this scale reads now. */
uint64_t clock_guest_ns(const struct clock_scale *s);

#endif
