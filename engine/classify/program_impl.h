// SPDX-License-Identifier: BSD-3-Clause
/*
 * program_impl.h -- the steps of a decision program, between program.c and its optimizer
 *
 * The `program` handler shows what Click's optimizer comes to, and people compare it, so
 * the optimizer follows Click's step by step, oddities included.
 */

#ifndef ENGINE_CLASSIFY_PROGRAM_IMPL_H
#define ENGINE_CLASSIFY_PROGRAM_IMPL_H

#include <stdbool.h>
#include <stdint.h>

/* Where a branch leads: > 0 a step, <= 0 output -x, or one of these. */
enum { J_DROP = -INT32_MAX, J_FAILURE, J_SUCCESS };

struct step {
    uint8_t base;
    uint32_t offset, value, mask; /* offset: as printed */
    int32_t j[2];                 /* no, yes; always forward */
    bool short_yes;               /* packets that are too short take "yes" */
};

struct steps {
    struct step *s; /* owned */
    uint32_t n, room;
    int32_t all; /* without steps: where all packets go */
};

static inline bool same_word(const struct step *a, const struct step *b)
{
    return a->base == b->base && a->offset == b->offset;
}

/* Bytes of packet, as offsets are printed, that a step needs. */
static inline uint32_t step_reach(const struct step *s)
{
    return s->mask ? s->offset + 4 - (uint32_t)__builtin_ctz(s->mask) / 8 : 0;
}

/* Steps that stand in a row and leave it to the same place change places. */
void program_sort(struct steps *p);

/* Sort, let branches skip what is known, merge steps, leave out those without use. */
void program_optimize_steps(struct steps *p);

/* Branches skip steps whose result every way to them decides. */
void program_skip_known(struct steps *p);

#endif
