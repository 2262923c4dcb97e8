// SPDX-License-Identifier: BSD-3-Clause
/*
 * token_bucket.h -- so many a second, with bursts
 *
 * A bucket fills with `rate` tokens a second up to its capacity. The level is kept in
 * billionths of a token, so that a nanosecond adds a whole number and nothing is ever
 * rounded: long-term rates are exact.
 */

#ifndef ENGINE_TOKEN_BUCKET_H
#define ENGINE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_ONE UINT64_C(1000000000)

/* No limit at all, as a rate. */
#define TOKEN_UNLIMITED UINT64_MAX

struct token_bucket {
    uint64_t level, room; /* now and at most, in billionths */
    uint64_t rate;        /* tokens a second */
    int64_t at_ns;        /* when `level` was right */
};

/* Capacities up to 2^34 tokens; a bucket starts with `tokens` in it. */
static inline void token_bucket_init(struct token_bucket *t, uint64_t rate,
                                     uint64_t capacity, uint64_t tokens, int64_t now_ns)
{
    *t = (struct token_bucket){.level = tokens * TOKEN_ONE,
                               .room = capacity * TOKEN_ONE,
                               .rate = rate,
                               .at_ns = now_ns};
}

static inline void token_bucket_refill(struct token_bucket *t, int64_t now_ns)
{
    uint64_t gain;

    if (now_ns <= t->at_ns)
        return;
    if (__builtin_mul_overflow((uint64_t)(now_ns - t->at_ns), t->rate, &gain) ||
        t->level >= t->room || gain > t->room - t->level)
        t->level = t->level > t->room ? t->level : t->room;
    else
        t->level += gain;
    t->at_ns = now_ns;
}

/* Another rate and capacity from now on; keeps what is in it, as far as that fits. */
static inline void token_bucket_change(struct token_bucket *t, uint64_t rate,
                                       uint64_t capacity, int64_t now_ns)
{
    token_bucket_refill(t, now_ns);
    t->rate = rate;
    t->room = capacity * TOKEN_ONE;
    t->level = t->level < t->room ? t->level : t->room;
}

/* The same, but as full as it was: with twice the capacity there is twice as much in it. */
static inline void token_bucket_rescale(struct token_bucket *t, uint64_t rate,
                                        uint64_t capacity, int64_t now_ns)
{
    unsigned __int128 level;

    token_bucket_refill(t, now_ns);
    level = t->room ? (unsigned __int128)t->level * (capacity * TOKEN_ONE) / t->room
                    : 0;
    t->rate = rate;
    t->room = capacity * TOKEN_ONE;
    t->level = level < t->room ? (uint64_t)level : t->room;
}

static inline bool token_bucket_has(const struct token_bucket *t, uint64_t tokens)
{
    return t->level >= tokens * TOKEN_ONE || t->rate == TOKEN_UNLIMITED;
}

/* Whole tokens. */
static inline uint64_t token_bucket_count(const struct token_bucket *t)
{
    return t->rate == TOKEN_UNLIMITED ? UINT64_MAX : t->level / TOKEN_ONE;
}

/* Take tokens if there are enough. */
static inline bool token_bucket_take(struct token_bucket *t, uint64_t tokens)
{
    if (!token_bucket_has(t, tokens))
        return false;
    t->level -= t->rate == TOKEN_UNLIMITED ? 0 : tokens * TOKEN_ONE;
    return true;
}

/* Take `tokens`, or all that there are if there are fewer. */
static inline void token_bucket_drain(struct token_bucket *t, uint64_t tokens)
{
    if (t->rate != TOKEN_UNLIMITED)
        t->level -= tokens * TOKEN_ONE < t->level ? tokens * TOKEN_ONE : t->level;
}

/* ns after the last refill until `tokens` are there; INT64_MAX: never. */
static inline int64_t token_bucket_wait(const struct token_bucket *t, uint64_t tokens)
{
    if (token_bucket_has(t, tokens))
        return 0;
    if (!t->rate || tokens * TOKEN_ONE > t->room)
        return INT64_MAX;
    return (int64_t)((tokens * TOKEN_ONE - t->level + t->rate - 1) / t->rate);
}

#endif
