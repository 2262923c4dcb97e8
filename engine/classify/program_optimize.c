// SPDX-License-Identifier: BSD-3-Clause
/* program_optimize.c -- shorter decision programs, as Click makes them */

#include "engine/classify/expr.h"
#include "engine/classify/program_impl.h"

#include <stdlib.h>
#include <string.h>

/* --- order ------------------------------------------------------------------------ */

/* The protocol, whose word lies behind the fragment's, is asked for first. */
static uint32_t order_of(const struct step *s)
{
    return s->base == BASE_NET && s->offset == 256 + 8 ? 256 + 3 : s->offset;
}

static bool in_order(const struct step *a, const struct step *b)
{
    uint32_t oa = order_of(a), ob = order_of(b);

    if (oa != ob)
        return oa < ob;
    if (a->mask != b->mask)
        return a->mask < b->mask;
    return a->value <= b->value;
}

/* For each step, the only step that leads to it, or 0 if there are more or none; so the
 * step that stands first never moves. */
static void find_before(const struct steps *p, uint32_t *before)
{
    for (uint32_t i = 0; i < p->n; i++)
        before[i] = UINT32_MAX;
    for (uint32_t i = 0; i < p->n; i++)
        for (int k = 0; k < 2; k++) {
            int32_t j = p->s[i].j[k];

            if (j > 0)
                before[j] = before[j] == UINT32_MAX ? i : 0;
        }
}

/* Swap step i with one of the two behind it. */
static bool swap_behind(struct steps *p, const uint32_t *before, uint32_t i)
{
    struct step *a = &p->s[i], *b, was;

    for (int k = 0; k < 2; k++) {
        int32_t j = a->j[k];

        if (j <= 0 || before[j] == 0)
            continue;
        b = &p->s[j];
        if (a->j[!k] != b->j[!k] || in_order(a, b))
            continue;
        was = *b;
        *b = *a;
        b->j[k] = was.j[k];
        *a = was;
        a->j[k] = j;
        return true;
    }
    return false;
}

/* Bubble sort along the branches, for a number of swaps that sorts every program that
 * people read. */
void program_sort(struct steps *p)
{
    uint32_t *before = calloc((size_t)p->n + 1, sizeof *before);
    uint64_t swaps_left = 64 * (uint64_t)p->n + 1000000;
    uint32_t i = 0;

    if (!before)
        return;
    find_before(p, before);
    while (i < p->n && swaps_left) {
        if (!swap_behind(p, before, i)) {
            i++;
            continue;
        }
        swaps_left--;
        if (before[i] != UINT32_MAX && before[i] > 0)
            i = before[i];
    }
    free(before);
}

/* --- merging ---------------------------------------------------------------------- */

/* Can a packet's word be what both tests ask for? */
static bool compatible(const struct step *s, const struct step *x, bool with_short)
{
    uint32_t both = s->mask & x->mask;

    if (!s->mask || !x->mask)
        return true;
    if (!same_word(s, x) ||
        (with_short && x->short_yes != s->short_yes && step_reach(s) < step_reach(x)))
        return false;
    return (s->value & both) == (x->value & both);
}

/* A test of one bit can be put the other way round. */
static bool can_flip(const struct step *s)
{
    return s->mask && (s->mask & (s->mask - 1)) == 0;
}

static void flip(struct step *s)
{
    int32_t no = s->j[0];

    s->value ^= s->mask;
    s->j[0] = s->j[1];
    s->j[1] = no;
    s->short_yes = !s->short_yes;
}

/* "x or y", where x and y differ in one bit, is one step that ignores the bit. Words at
 * offset 0 are left alone. */
static bool merge_or(struct step *s, const struct step *next)
{
    uint32_t differ = s->value ^ next->value;
    struct step merged = *s;

    if (!s->offset || !same_word(s, next) || !s->mask || s->mask != next->mask ||
        (!s->short_yes && next->short_yes) || s->j[1] != next->j[1] ||
        (differ & (differ - 1)))
        return false;
    merged.mask &= ~differ;
    merged.value &= ~differ;
    merged.j[0] = next->j[0];
    if (step_reach(&merged) != step_reach(s))
        return false;
    *s = merged;
    return true;
}

/* "a and b" in one word are one step. */
static bool merge_and(struct step *s, const struct step *next)
{
    if (s->j[0] != next->j[0] || !compatible(next, s, true))
        return false;
    if (!s->mask) {
        s->offset = next->offset;
        s->base = next->base;
    }
    s->j[1] = next->j[1];
    s->value |= next->value;
    s->mask |= next->mask;
    return true;
}

static bool merge_one(struct steps *p, struct step *s)
{
    struct step *no = s->j[0] > 0 ? &p->s[s->j[0]] : NULL, *yes;

    if (no && compatible(no, s, false) && can_flip(s))
        flip(s);
    else if (no && merge_or(s, no))
        return true;
    if (s->j[1] <= 0)
        return false;
    yes = &p->s[s->j[1]];
    if (s->j[0] == yes->j[1] && can_flip(yes))
        flip(yes);
    return merge_and(s, yes);
}

static void merge(struct steps *p)
{
    for (uint32_t i = p->n; i-- > 0;)
        while (merge_one(p, &p->s[i]))
            ;
}

/* --- leaving out ------------------------------------------------------------------ */

/* Branches to steps that make no difference go on to where those lead. Returns where the
 * whole program begins. */
static int32_t skip_idle(struct steps *p, int32_t *goes)
{
    for (uint32_t i = p->n; i-- > 0;) {
        struct step *s = &p->s[i];

        for (int k = 0; k < 2; k++)
            if (s->j[k] > 0)
                s->j[k] = goes[s->j[k]];
        goes[i] = s->mask && s->j[0] != s->j[1] ? (int32_t)i : s->j[1];
    }
    return goes[0];
}

/* Steps that nothing leads to go; the others close up. */
static void close_up(struct steps *p, int32_t *place)
{
    int32_t n = 0;

    for (uint32_t i = 0; i < p->n; i++)
        place[i] = i ? -1 : 0;
    for (uint32_t i = 0; i < p->n; i++) {
        if (place[i] < 0)
            continue;
        place[i] = n++;
        for (int k = 0; k < 2; k++)
            if (p->s[i].j[k] > 0)
                place[p->s[i].j[k]] = 0;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        struct step s = p->s[i];

        if (place[i] < 0)
            continue;
        for (int k = 0; k < 2; k++)
            s.j[k] = s.j[k] > 0 ? place[s.j[k]] : s.j[k];
        p->s[place[i]] = s;
    }
    p->n = (uint32_t)n;
}

static void remove_unused(struct steps *p)
{
    int32_t *place = calloc((size_t)p->n + 1, sizeof *place), first;
    const struct step *s = &p->s[0];

    if (!place || !p->n) {
        free(place);
        return;
    }
    first = skip_idle(p, place);
    p->all = 1;
    if (first > 0)
        p->s[0] = p->s[first];
    else if (first < 0 || s->j[1] != 0 || (s->mask && s->j[0] != 0))
        p->all = first < 0 ? first : 1;
    else
        p->all = 0;
    if (p->all <= 0)
        p->n = 0;
    else
        close_up(p, place);
    free(place);
}

void program_optimize_steps(struct steps *p)
{
    program_sort(p);
    program_skip_known(p);
    merge(p);
    remove_unused(p);
}
