// SPDX-License-Identifier: BSD-3-Clause
/* bucket.c -- token bucket: see bucket.h */

#include "switch/bucket.h"

void bucket_init(struct bucket *b, double per_second, double burst, uint64_t now_ns)
{
    b->per_ns = per_second / 1e9;
    b->burst = burst < 1 ? 1 : burst;
    b->tokens = b->burst;
    b->filled_ns = now_ns;
}

void bucket_fill(struct bucket *b, uint64_t now_ns)
{
    if (now_ns <= b->filled_ns)
        return;
    b->tokens += (double)(now_ns - b->filled_ns) * b->per_ns;
    if (b->tokens > b->burst)
        b->tokens = b->burst;
    b->filled_ns = now_ns;
}

uint64_t bucket_wait_ns(const struct bucket *b)
{
    if (b->per_ns <= 0 || b->tokens > 0)
        return 0;
    /* One nanosecond more, so that rounding never leaves us at exactly zero. */
    return (uint64_t)((1e-3 - b->tokens) / b->per_ns) + 1;
}
