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

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
};

enum { AGG_WAYS = 3 };

struct agg_entry { /* 20 bytes; its flags stand in the bucket */
    uint32_t a, b, ports, aggregate, last_s;
};

struct agg_bucket {
    alignas(64) struct agg_entry entry[AGG_WAYS];
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

/* An entry: its number is valid until the next agg_table_put(). */
struct agg_slot {
    struct agg_entry *entry;
    uint8_t *flags;
    uint32_t number; /* bucket * AGG_WAYS + place */
};

void agg_table_init(struct agg_table *t, uint64_t seed);
void agg_table_fini(struct agg_table *t);

/* Fetch what agg_table_get() will look at. */
void agg_table_prefetch(const struct agg_table *t, const struct agg_key *k);
/* Find an entry; false when there is none. */
bool agg_table_get(const struct agg_table *t, const struct agg_key *k,
                   struct agg_slot *out);
/* Make one, which must not be there. False when memory ran out. */
bool agg_table_put(struct agg_table *t, const struct agg_key *k, struct agg_slot *out);
void agg_table_remove(struct agg_table *t, const struct agg_slot *s);

/* Go through all: start with *at = 0. Removing the entry that came last is allowed. */
bool agg_table_next(const struct agg_table *t, uint32_t *at, struct agg_slot *out);

#endif
