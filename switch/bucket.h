// SPDX-License-Identifier: BSD-3-Clause
/*
 * bucket.h -- token bucket
 *
 * Holds up to `burst` tokens and gains `per_ns` of them a nanosecond. Takers may run into
 * debt by one batch, which the next ones wait for: the rate is kept exactly in the long
 * run and nobody has to know a packet's size before it is taken.
 */

#ifndef SWITCH_BUCKET_H
#define SWITCH_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    double per_ns; /* 0: no limit */
    double burst, tokens;
    uint64_t filled_ns;
};

void bucket_init(struct bucket *b, double per_second, double burst, uint64_t now_ns);

/* Bring it up to date. Time that runs backwards adds nothing. */
void bucket_fill(struct bucket *b, uint64_t now_ns);

/* ns from the last fill until there is a token. 0: there is one. */
uint64_t bucket_wait_ns(const struct bucket *b);

static inline bool bucket_limits(const struct bucket *b)
{
    return b->per_ns > 0;
}

/* Take `n` if there are any tokens at all. */
static inline bool bucket_take(struct bucket *b, double n)
{
    if (b->tokens <= 0)
        return false;
    b->tokens -= n;
    return true;
}

#endif
