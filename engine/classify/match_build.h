// SPDX-License-Identifier: BSD-3-Clause
/*
 * match_build.h -- what the parts of the builder share: see match.h
 *
 * match_build.c turns terms into items and those into trees; match_tables.c takes out
 * before that what hash tables serve better.
 */

#ifndef ENGINE_CLASSIFY_MATCH_BUILD_H
#define ENGINE_CLASSIFY_MATCH_BUILD_H

#include "engine/classify/conj.h"
#include "engine/classify/match_impl.h"

#include <stddef.h>

/* A term as the builder sees it; words in host byte order. */
struct match_item {
    uint32_t mask[SLOTS], value[SLOTS];
    uint32_t rule, term;
    uint32_t first_check, n_checks; /* compiled ones */
    bool deferred;                  /* goes to the next tree */
};

struct match_build {
    struct classify *c;
    const struct conj_set *set;
    struct match_item *items; /* owned */
    uint32_t n_items;

    /* owned */
    uint32_t *nodes, *buckets;
    struct match_rec *recs;
    struct match_ext *ext;
    struct match_check *checks;
    uint32_t n_nodes, room_nodes, n_recs, room_recs, n_checks, room_checks;
    uint32_t n_buckets, room_buckets;
    uint32_t recs_max; /* beyond this many, leaves stay as they are */
    bool any_ext, last_tree, failed;
};

/* Room for `more` objects behind n in a heap array; false, and b->failed, without memory. */
bool match_reserve(struct match_build *b, void **array, uint32_t n, uint32_t more,
                   uint32_t *room, size_t size);

/* Records of the items whose numbers are in `list`, in its order; how to refer to them. */
uint32_t match_make_leaf(struct match_build *b, const uint32_t *list, uint32_t n,
                         const int32_t *outputs);

/* Take the items that hash tables serve well out of `list` and make these tables. Returns
 * how many are left; their order stays. */
uint32_t match_make_tables(struct match_build *b, uint32_t *list, uint32_t n,
                           const int32_t *outputs);

#endif
