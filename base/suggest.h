// SPDX-License-Identifier: BSD-3-Clause
/*
 * suggest.h -- the known name nearest to one that was mistyped
 *
 * Distance counts insertions, deletions, substitutions and swaps of two neighbours;
 * a difference in case alone costs an eighth of that.
 */

#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/* Longer names are never compared: nobody mistypes those. */
enum { SUGGEST_MAX_LEN = 64 };

/* What one step adds to a distance. */
enum { SUGGEST_STEP = 8 };

/* A search that goes on over several calls of suggest_add(). */
struct suggest {
    const char *wanted; /* borrowed */
    const char *best;   /* borrowed; NULL: nothing is near enough */
    unsigned distance;  /* of best */
};

void suggest_init(struct suggest *s, const char *wanted);
void suggest_add(struct suggest *s, const char *candidate); /* borrowed */

/* The nearest of `n` names, or NULL if none is near enough to be meant: that is within
 * one step for each three letters, and at least one. The first of equals wins. */
const char *suggest_nearest(const char *wanted, const char *const *names, size_t n);

/* The distance, at most `limit` + 1. */
unsigned suggest_distance(const char *a, const char *b, unsigned limit);

#endif
