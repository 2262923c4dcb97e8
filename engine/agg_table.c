// SPDX-License-Identifier: BSD-3-Clause
/* agg_table.c -- numbers for conversations: see agg_table.h */

#include "engine/agg_table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64 };
_Static_assert(AGG_WAYS == 3, "agg_table_get() asks three");

void agg_table_init(struct agg_table *t, uint64_t seed)
{
    *t = (struct agg_table){.seed = seed};
}

void agg_table_fini(struct agg_table *t)
{
    free(t->memory);
    *t = (struct agg_table){.seed = t->seed};
}

static uint32_t agg_hash(const struct agg_table *t, const struct agg_key *k)
{
    uint64_t h = t->seed ^ ((uint64_t)k->a << 32 | k->b);

    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
    h ^= (uint64_t)k->ports << 1 | k->udp;
    h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(h >> 32) & (t->n_buckets - 1);
}

static void agg_set(const struct agg_table *t, uint32_t bucket, unsigned way,
                    struct agg_slot *out)
{
    out->entry = &t->buckets[bucket].entry[way];
    out->flags = &t->buckets[bucket].flags[way];
    out->number = bucket * AGG_WAYS + way;
}

/* Bit `way` if it is that way's key. Which way it is, nobody can predict: no branches. */
static inline unsigned agg_hit(const struct agg_bucket *b, unsigned way,
                               const struct agg_key *k, uint8_t wanted)
{
    const struct agg_entry *n = &b->entry[way];
    uint32_t differ = (n->a ^ k->a) | (n->b ^ k->b) | (n->ports ^ k->ports) |
                      ((b->flags[way] & (AGG_USED | AGG_UDP)) ^ wanted);

    return (unsigned)(differ == 0) << way;
}

void agg_table_prefetch(const struct agg_table *t, const struct agg_key *k)
{
    if (t->n_buckets)
        __builtin_prefetch(&t->buckets[agg_hash(t, k)], 1);
}

bool agg_table_get(const struct agg_table *t, const struct agg_key *k,
                   struct agg_slot *out)
{
    uint8_t wanted = k->udp ? AGG_USED | AGG_UDP : AGG_USED;

    if (!t->n_buckets)
        return false;
    for (uint32_t i = agg_hash(t, k);; i = (i + 1) & (t->n_buckets - 1)) {
        const struct agg_bucket *b = &t->buckets[i];

        unsigned hit = agg_hit(b, 0, k, wanted) | agg_hit(b, 1, k, wanted) |
                       agg_hit(b, 2, k, wanted);

        if (__builtin_expect(hit != 0, 1)) {
            agg_set(t, i, (unsigned)__builtin_ctz(hit), out);
            return true;
        }
        if (!b->overflowed)
            return false;
    }
}

static void agg_place(struct agg_table *t, const struct agg_key *k,
                      struct agg_slot *out)
{
    for (uint32_t i = agg_hash(t, k);; i = (i + 1) & (t->n_buckets - 1)) {
        struct agg_bucket *b = &t->buckets[i];

        for (unsigned w = 0; w < AGG_WAYS; w++)
            if (!(b->flags[w] & AGG_USED)) {
                agg_set(t, i, w, out);
                return;
            }
        b->overflowed = 1;
    }
}

static bool agg_grow(struct agg_table *t)
{
    struct agg_table bigger = {.seed = t->seed};
    struct agg_slot from, to;
    uint32_t at = 0;

    bigger.n_buckets = t->n_buckets ? 2 * t->n_buckets : FIRST_BUCKETS;
    if (!bigger.n_buckets)
        return false;
    bigger.memory = calloc(bigger.n_buckets + 1u, sizeof(struct agg_bucket));
    if (!bigger.memory)
        return false;
    bigger.buckets = (struct agg_bucket *)(void *)(((uintptr_t)bigger.memory + 63) &
                                                   ~(uintptr_t)63);
    while (agg_table_next(t, &at, &from)) {
        struct agg_key k = {from.entry->a, from.entry->b, from.entry->ports,
                            (*from.flags & AGG_UDP) != 0};

        agg_place(&bigger, &k, &to);
        *to.entry = *from.entry;
        *to.flags = *from.flags;
        bigger.count++;
    }
    free(t->memory);
    *t = bigger;
    return true;
}

bool agg_table_put(struct agg_table *t, const struct agg_key *k, struct agg_slot *out)
{
    if (t->count >= t->n_buckets * 2 && !agg_grow(t) &&
        t->count >= t->n_buckets * AGG_WAYS)
        return false;
    agg_place(t, k, out);
    *out->entry = (struct agg_entry){.a = k->a, .b = k->b, .ports = k->ports};
    *out->flags = k->udp ? AGG_USED | AGG_UDP : AGG_USED;
    t->count++;
    return true;
}

void agg_table_remove(struct agg_table *t, const struct agg_slot *s)
{
    *s->flags = 0;
    t->count--;
}

bool agg_table_next(const struct agg_table *t, uint32_t *at, struct agg_slot *out)
{
    for (; *at < t->n_buckets * AGG_WAYS; ++*at) {
        uint32_t bucket = *at / AGG_WAYS;
        unsigned way = *at % AGG_WAYS;

        if (t->buckets[bucket].flags[way] & AGG_USED) {
            agg_set(t, bucket, way, out);
            ++*at;
            return true;
        }
    }
    return false;
}
