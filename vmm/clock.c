// SPDX-License-Identifier: BSD-3-Clause
/* Time for guests; see clock.h. */

#include "vmm/clock.h"

#include <time.h>
#include <x86intrin.h>

enum { BASELINE_NS = 10000000 };

static uint64_t read_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

/* The pair whose two readings lay closest together: we may have been interrupted. */
static void read_pair(uint64_t *tsc, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 5; i++) {
        uint64_t before = __rdtsc(), t = clock_ns(), after = __rdtsc();

        if (after - before < best) {
            best = after - before;
            *tsc = before + best / 2;
            *ns = t;
        }
    }
}

void clock_init(struct clock_start *c)
{
    read_pair(&c->tsc, &c->ns);
}

void clock_measure(const struct clock_start *c, struct clock_scale *s)
{
    uint64_t gone = clock_ns() - c->ns;

    if (gone < BASELINE_NS)
        nanosleep(&(struct timespec){.tv_nsec = (long)(BASELINE_NS - gone)}, NULL);
    read_pair(&s->tsc_base, &s->ns_base);
    s->mult = (uint64_t)(((unsigned __int128)(s->ns_base - c->ns) << 32) /
                         (s->tsc_base - c->tsc));
    s->wall_offset_ns = (int64_t)(read_ns(CLOCK_REALTIME) - clock_ns());
}

uint64_t clock_wall_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

void clock_set(struct clock_scale *s, uint64_t guest_ns)
{
    s->ns_base += guest_ns - clock_guest_ns(s);
    s->wall_offset_ns = (int64_t)(clock_wall_ns() - guest_ns);
}

uint64_t clock_guest_ns(const struct clock_scale *s)
{
    return s->ns_base +
           (uint64_t)(((unsigned __int128)(__rdtsc() - s->tsc_base) * s->mult) >> 32);
}
