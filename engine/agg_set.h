// SPDX-License-Identifier: BSD-3-Clause
/*
 * agg_set.h -- from 32-bit numbers to 64-bit values, for elements that count aggregates
 *
 * Open addressing with linear probing, at most half full, 16 bytes an entry: a look-up
 * mostly touches one cache line. A value of 0 means that the number is not there.
 *
 * Memory: on the heap; zeroed memory is an empty set; can be moved as it is.
 */

#ifndef ENGINE_AGG_SET_H
#define ENGINE_AGG_SET_H

#include <stddef.h>
#include <stdint.h>

struct agg_value {
    uint64_t value; /* 0: the place is free */
    uint32_t agg;
    uint32_t pad;
};

struct agg_set {
    struct agg_value *slots; /* owned */
    uint32_t n_slots;        /* power of two or 0 */
    uint32_t used; /* at least so many places have a value, no more than n_slots / 2 */
};

void agg_set_fini(struct agg_set *s);

/* The entry of `agg`, NULL when it has none. */
struct agg_value *agg_set_get(const struct agg_set *s, uint32_t agg);

/* The entry of `agg`, a place for it with value 0 if there was none; the caller sets a
 * value before the next call. NULL when memory ran out. */
struct agg_value *agg_set_put(struct agg_set *s, uint32_t agg);

/* Nothing if it is not there. */
void agg_set_remove(struct agg_set *s, uint32_t agg);

/* All entries in ascending order, as a heap array of copies; `*n` is their number. NULL when
 * there are none or memory ran out. */
struct agg_value *agg_set_sorted(const struct agg_set *s, size_t *n);

#endif
