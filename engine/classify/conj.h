// SPDX-License-Identifier: BSD-3-Clause
/*
 * conj.h -- rules in normal form: any of several conjunctions of simple conditions
 *
 * match.c cannot index arbitrary trees. Each rule is therefore expanded into conjunctions
 * ("terms"). A term is what it asks of words, as mask and value; ranges that a mask cannot
 * say; and checks, which are whatever else has to hold and is only tried on packets that
 * satisfy the rest. Terms that contradict themselves are dropped.
 *
 * A tree whose expansion would be much larger than itself stays one term: the conditions
 * that stand on its outermost level, and one check for everything.
 *
 * Memory: the set owns heap arrays; nothing refers to the trees afterwards, since checks
 *         keep copies in the set's arena.
 */

#ifndef ENGINE_CLASSIFY_CONJ_H
#define ENGINE_CLASSIFY_CONJ_H

#include "base/arena.h"
#include "engine/classify/expr.h"

/* (word & mask) == value of a word at an offset; mask is not 0. */
struct conj_word {
    uint8_t base;
    uint16_t offset;
    uint32_t mask, value;
};

/* lo <= (word & mask) <= hi; mask is one run of bits. */
struct conj_range {
    uint8_t base;
    uint16_t offset;
    uint32_t mask, lo, hi;
};

/* A test, or a tree if `x` is set, that must come out as `want`. */
struct conj_check {
    struct expr_test test;
    const struct expr *x; /* in the set's arena */
    bool want;
};

/* Indices into the arrays of the set. */
struct conj {
    uint32_t rule;
    uint32_t word, range, check; /* first of each */
    uint16_t n_words, n_ranges, n_checks;
};

struct conj_set {
    struct arena *arena; /* borrowed; for trees in checks */
    struct conj *terms;  /* owned; in the order of the rules */
    struct conj_word *words;
    struct conj_range *ranges;
    struct conj_check *checks;
    uint32_t n_terms, n_words, n_ranges, n_checks;
    uint32_t room_terms, room_words, room_ranges, room_checks;
    bool failed; /* memory ran out */
};

void conj_set_init(struct conj_set *s, struct arena *a);
void conj_set_fini(struct conj_set *s);

/* Add the terms of one rule; they match when `x` is true. -1 when memory ran out. */
int conj_set_add(struct conj_set *s, const struct expr *x, uint32_t rule);

#endif
