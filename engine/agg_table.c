// SPDX-License-Identifier: BSD-3-Clause
/* agg_table.c -- numbers for conversations: see agg_table.h */

#include "engine/agg_table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64 };
_Static_assert(AGG_WAYS == 3, "agg_bucket_matches() asks three");

void agg_table_init(struct agg_table *t, uint64_t seed)
{
    *t = (struct agg_table){.seed = seed};
}

void agg_table_fini(struct agg_table *t)
{
    free(t->memory);
    *t = (struct agg_table){.seed = t->seed};
}

bool agg_table_get(const struct agg_table *t, const struct agg_key *k,
                   struct agg_slot *out)
{
    return agg_table_find(t, k, agg_hash(t, k), out);
}

static void agg_place(struct agg_table *t, const struct agg_key *k,
                      struct agg_slot *out)
{
    const uint32_t mask = t->n_buckets - 1;

    for (uint32_t i = agg_hash(t, k) & mask;; i = (i + 1) & mask) {
        struct agg_bucket *b = &t->buckets[i];

        for (uint32_t w = 0; w < AGG_WAYS; w++)
            if (!(b->flags[w] & AGG_USED)) {
                *out = (struct agg_slot){b, w};
                return;
            }
        b->overflowed = 1;
    }
}

static struct agg_key agg_key_of(const struct agg_slot *s)
{
    const struct agg_bucket *b = s->bucket;

    return (struct agg_key){b->a[s->way], b->b[s->way], b->ports[s->way],
                            (*agg_flags(s) & AGG_UDP) != 0};
}

static void agg_set(const struct agg_slot *s, const struct agg_key *k, uint8_t flags)
{
    s->bucket->a[s->way] = k->a;
    s->bucket->b[s->way] = k->b;
    s->bucket->ports[s->way] = k->ports;
    *agg_flags(s) = flags;
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
        struct agg_key k = agg_key_of(&from);

        agg_place(&bigger, &k, &to);
        agg_set(&to, &k, *agg_flags(&from));
        *agg_aggregate(&to) = *agg_aggregate(&from);
        *agg_last_s(&to) = *agg_last_s(&from);
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
    agg_set(out, k, k->udp ? AGG_USED | AGG_UDP : AGG_USED);
    *agg_aggregate(out) = *agg_last_s(out) = 0;
    t->count++;
    return true;
}

void agg_table_remove(struct agg_table *t, const struct agg_slot *s)
{
    *agg_flags(s) = 0;
    t->count--;
}

bool agg_table_next(const struct agg_table *t, uint32_t *at, struct agg_slot *out)
{
    for (; *at < t->n_buckets * AGG_WAYS; ++*at) {
        uint32_t bucket = *at / AGG_WAYS, way = *at % AGG_WAYS;

        if (t->buckets[bucket].flags[way] & AGG_USED) {
            *out = (struct agg_slot){&t->buckets[bucket], way};
            ++*at;
            return true;
        }
    }
    return false;
}
