// SPDX-License-Identifier: BSD-3-Clause
/*
 * match_impl.h -- the layout of a classifier, between match_build.c and match.c
 *
 * Words of packets are kept as they lie in memory; only what is not in the fast path
 * (ranges, checks) turns them round.
 */

#ifndef ENGINE_CLASSIFY_MATCH_IMPL_H
#define ENGINE_CLASSIFY_MATCH_IMPL_H

#include "engine/classify/match.h"

#include <nmmintrin.h>
#include <stdalign.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "records hold words as loaded");

enum {
    SLOTS = 8,      /* words of a packet that records and trees can refer to */
    SLOTS_CORE = 4, /* those that fit into one vector */
    TREES_MAX = 8,
    TABLES_MAX = 8,
};

/* One term. Records of a leaf follow each other in the order of their rules. */
struct match_rec {
    alignas(16) uint32_t value[SLOTS_CORE];
    uint32_t mask[SLOTS_CORE];
    uint32_t rule;
    int32_t output;
    uint32_t flags; /* MATCH_* */
    uint32_t check; /* index of the first, with MATCH_CHECKS */
};
_Static_assert(sizeof(struct match_rec) == 48, "three vectors");

enum {
    MATCH_LAST = 1,   /* of its leaf */
    MATCH_EXT = 2,    /* has words beyond the core, at its index in ext[] */
    MATCH_CHECKS = 4, /* has checks */
};

struct match_ext {
    alignas(16) uint32_t value[SLOTS - SLOTS_CORE];
    uint32_t mask[SLOTS - SLOTS_CORE];
};

enum check_kind { CHECK_RANGE, CHECK_EQ, CHECK_TREE };

struct match_check {
    uint8_t kind, slot;
    bool want, negated, last;
    uint32_t mask, lo, hi; /* host byte order; EQ: lo is the value */
    const struct expr *x;  /* TREE */
};

/* A reference to a node is its index, to a leaf that of its first record and LEAF. */
#define MATCH_LEAF 0x80000000u

/* A node is a word that says which bits it looks at, and one reference for each value. */
#define MATCH_NODE(slot, shift, mask)                                                  \
    ((uint32_t)(slot) | (uint32_t)(shift) << 8 | (uint32_t)(mask) << 16)
#define MATCH_STEP(nodes, ref, w)                                                      \
    (nodes)[(ref) + 1 +                                                                \
            ((w)[(nodes)[ref] & 0xFF] >> ((nodes)[ref] >> 8 & 0xFF) &                  \
             (nodes)[ref] >> 16)]

struct match_tree {
    uint32_t root, first_rule;
};

/* Rules that ask for all bits of a mask, by what they want there: 2^bits references to
 * leaves in buckets[]. */
struct match_table {
    alignas(16) uint32_t mask[SLOTS_CORE];
    uint32_t first, bits, first_rule;
};

/* The bucket of a packet or a rule; CRCs, because keys differ in few bits. */
static inline uint32_t match_bucket(const struct match_table *t, __m128i words)
{
    __m128i v = _mm_and_si128(words, _mm_load_si128((const void *)t->mask));
    uint64_t h = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(v));

    h = _mm_crc32_u64(h, (uint64_t)_mm_extract_epi64(v, 1));
    return t->first + ((uint32_t)h & ((1u << t->bits) - 1));
}

struct classify {
    const uint32_t *nodes, *buckets;
    const struct match_rec *recs; /* [0] matches nothing: the empty leaf */
    const struct match_ext *ext;  /* NULL: no record has MATCH_EXT */
    const struct match_check *checks;
    uint32_t n_tables, n_trees;
    struct match_table tables[TABLES_MAX]; /* are asked before the trees */
    struct match_tree trees[TREES_MAX];
    uint32_t last_rule; /* matches every packet; UINT32_MAX: there is none */
    int32_t last_output;

    bool five_tuple;   /* core slots: fragment + protocol, source, destination, ports */
    bool ip6;          /* views are those of expr_view_pkt6() */
    bool on_data;      /* all words are at BASE_DATA */
    bool on_ip;        /* all words are at BASE_NET and BASE_TRANSP */
    bool words_decide; /* the answer depends on nothing else */
    uint32_t looks_at[SLOTS]; /* the bits of each word that it depends on, as loaded */
    uint32_t n_slots;         /* SLOTS_CORE or SLOTS */
    uint32_t n_used; /* slots that stand for a word; others are 0 in every key */
    struct {
        uint16_t base, offset;
    } slots[SLOTS];
    uint32_t need[N_BASES]; /* bytes that make all words complete */

    struct classify_stats stats;
    struct arena *arena;
};

#endif
