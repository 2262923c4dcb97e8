// SPDX-License-Identifier: BSD-3-Clause
/*
 * agg_table.h -- numbers for conversations: from addresses and ports to an aggregate
 *
 * A hash table whose bucket is one cache line with three entries in it, filled to at most
 * two thirds, so that nearly every look-up reads one line. Both directions of a conversation
 * are one entry, under its smaller side first. A full bucket goes on in the next one, and
 * remembers that.
 *
 * Memory:  on the heap; can be moved to another owner as it is.
 * Time:    whole seconds of packet time, modulo 2^32.
 */

#ifndef ENGINE_AGG_TABLE_H
#define ENGINE_AGG_TABLE_H

#include <smmintrin.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct agg_key {
    uint32_t a, b;  /* addresses, any order that is always the same */
    uint32_t ports; /* in the same order */
    bool udp;       /* conversations of TCP and of UDP are never the same */
};

enum agg_flags {
    AGG_USED = 1,
    AGG_UDP = 2,
    AGG_REVERSE = 4, /* its first packet went from b to a */
    AGG_OVER_0 = 8,  /* closed by packets in that direction; both: it is over */
    AGG_OVER_1 = 16,
    AGG_FLAGS = 32, /* combinations */
};

enum { AGG_WAYS = 3 };

struct agg_bucket { /* place `way` of every array is an entry */
    alignas(64) uint32_t a[AGG_WAYS];
    uint32_t b[AGG_WAYS], ports[AGG_WAYS], aggregate[AGG_WAYS], last_s[AGG_WAYS];
    uint8_t flags[AGG_WAYS];
    uint8_t overflowed; /* some entries of this bucket are in the next ones */
};
_Static_assert(sizeof(struct agg_bucket) == 64, "one cache line");

struct agg_table {
    void *memory; /* owned */
    struct agg_bucket *buckets;
    uint32_t n_buckets; /* power of two; 0: nothing stored yet */
    uint32_t count;
    uint64_t seed;
};

/* An entry, valid until the next agg_table_put(). */
struct agg_slot {
    struct agg_bucket *bucket; /* borrowed */
    uint32_t way;
};

static inline uint32_t *agg_aggregate(const struct agg_slot *s)
{
    return &s->bucket->aggregate[s->way];
}

static inline uint32_t *agg_last_s(const struct agg_slot *s)
{
    return &s->bucket->last_s[s->way];
}

static inline uint8_t *agg_flags(const struct agg_slot *s)
{
    return &s->bucket->flags[s->way];
}

void agg_table_init(struct agg_table *t, uint64_t seed);
void agg_table_fini(struct agg_table *t);

/* Good enough that nobody who does not know the seed can fill one bucket. */
static inline uint32_t agg_hash(const struct agg_table *t, const struct agg_key *k)
{
    uint64_t h = t->seed ^ ((uint64_t)k->a << 32 | k->b);

    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
    h ^= (uint64_t)k->ports << 1 | k->udp;
    h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(h >> 32);
}

/* Fetch what agg_table_find() will look at. */
static inline void agg_table_prefetch(const struct agg_table *t, uint32_t hash)
{
    if (t->n_buckets)
        __builtin_prefetch(&t->buckets[hash & (t->n_buckets - 1)], 1);
}

/* Reads one number more than there are: every array has another one behind it. */
static inline __m128i agg_ways_same(const uint32_t *ways, uint32_t wanted)
{
    return _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(const void *)ways),
                           _mm_set1_epi32((int)wanted));
}

/* A bit for each way that has the key. Which way it is, nobody can predict: no branches. */
static inline unsigned agg_bucket_matches(const struct agg_bucket *b,
                                          const struct agg_key *k)
{
    const int wanted = k->udp ? AGG_USED | AGG_UDP : AGG_USED;
    __m128i same = agg_ways_same(b->a, k->a), flags;
    int packed;

    same = _mm_and_si128(same, agg_ways_same(b->b, k->b));
    same = _mm_and_si128(same, agg_ways_same(b->ports, k->ports));
    memcpy(&packed, b->flags, sizeof packed);
    flags = _mm_and_si128(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(packed)),
                          _mm_set1_epi32(AGG_USED | AGG_UDP));
    same = _mm_and_si128(same, _mm_cmpeq_epi32(flags, _mm_set1_epi32(wanted)));
    return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(same)) & ((1 << AGG_WAYS) - 1);
}

/* Find an entry; false when there is none. `hash` is the key's. */
static inline bool agg_table_find(const struct agg_table *t, const struct agg_key *k,
                                  uint32_t hash, struct agg_slot *out)
{
    const uint32_t mask = t->n_buckets - 1;

    for (uint32_t i = hash & mask; t->n_buckets; i = (i + 1) & mask) {
        struct agg_bucket *b = &t->buckets[i];
        unsigned hit = agg_bucket_matches(b, k);

        if (__builtin_expect(hit != 0, 1)) {
            *out = (struct agg_slot){b, (uint32_t)__builtin_ctz(hit)};
            return true;
        }
        if (!b->overflowed)
            break;
    }
    return false;
}

bool agg_table_get(const struct agg_table *t, const struct agg_key *k,
                   struct agg_slot *out);
/* Make one, which must not be there. False when memory ran out. */
bool agg_table_put(struct agg_table *t, const struct agg_key *k, struct agg_slot *out);
void agg_table_remove(struct agg_table *t, const struct agg_slot *s);

/* Go through all: start with *at = 0. Removing the entry that came last is allowed. */
bool agg_table_next(const struct agg_table *t, uint32_t *at, struct agg_slot *out);

#endif
