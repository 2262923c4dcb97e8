// SPDX-License-Identifier: BSD-3-Clause
/*
 * program_known.c -- branches of a decision program that skip what is known
 *
 * When every way to a step has passed a test that decides the step's own, branches to
 * the step can go on to where it leads. Looking at every way takes exponential time, so
 * each step keeps at most PATHS_MAX lists of branches such that each way to it takes all
 * branches of at least one list; lists beyond that are replaced by what they have in
 * common. This is Click's optimizer ("dominators"): the limit decides what it finds.
 *
 * Branches are numbered 2 * step + (1 for "yes"). In lists, steps with the same test are
 * one: the first of them.
 *
 * Memory: the lists of a program take time and room in proportion to the square of its
 * steps, so programs with too many of them are left as they are.
 */

#include "engine/classify/program_impl.h"

#include "engine/classify/expr.h"

#include <stdlib.h>
#include <string.h>

enum { PATHS_MAX = 4, NUMBERS_MAX = 1 << 22 };

struct numbers {
    int32_t *v; /* owned */
    uint32_t n, room;
    bool failed;
};

static void number_add(struct numbers *l, int32_t x)
{
    uint32_t room = l->room ? 2 * l->room : 64;
    int32_t *v;

    if (l->n == l->room) {
        v = room <= NUMBERS_MAX ? realloc(l->v, room * sizeof *v) : NULL;
        if (!v) {
            l->failed = true;
            return;
        }
        l->v = v;
        l->room = room;
    }
    l->v[l->n++] = x;
}

/* Lists that are parts of one array, and a list of such parts. */
struct parts {
    struct numbers start, end;
};

struct known {
    struct steps *p;
    uint32_t *length; /* owned; bytes of packet that there are at each step */
    int32_t *first;   /* owned; for each step, the first step with the same test */
    int32_t *branch_to, *branch_next, *branch_prev; /* owned; branches to each step */
    struct numbers list;                            /* all lists, one after the other */
    struct numbers list_start;                      /* of each, and the end */
    struct numbers step_lists; /* number of the first list of each step, and the end */
};

static int32_t branch_of(int32_t step, bool yes)
{
    return 2 * step + yes;
}

/* --- what a test says about another ----------------------------------------------- */

/* Packets that leave `s` by `dir` may be too short for `s`: do they, at `x`, still do
 * what other packets do? */
static bool short_ok(const struct step *s, bool dir, const struct step *x, bool next,
                     uint32_t length)
{
    uint32_t reach = step_reach(s);

    return s->short_yes != dir || s->offset + 4 <= length || reach <= length ||
           (reach <= step_reach(x) && next == x->short_yes);
}

static bool implies_yes(const struct step *s, bool dir, const struct step *x,
                        uint32_t length)
{
    uint32_t both = s->mask & x->mask;

    if (!x->mask)
        return true;
    if (!same_word(s, x) || !short_ok(s, dir, x, true, length))
        return false;
    if (dir)
        return both == x->mask && (s->value & both) == x->value;
    return (s->mask & (s->mask - 1)) == 0 && s->mask == x->mask && s->value != x->value;
}

static bool implies_no(const struct step *s, bool dir, const struct step *x,
                       uint32_t length)
{
    uint32_t both = s->mask & x->mask;

    if (!dir && !s->mask)
        return true;
    if ((dir && !x->mask) || !same_word(s, x) || !short_ok(s, dir, x, false, length))
        return false;
    if (dir)
        return both == x->mask && (s->value & both) != x->value;
    return both == s->mask && s->value == (x->value & both);
}

/* --- branches to a step ----------------------------------------------------------- */

static void branches_init(struct known *k)
{
    for (uint32_t i = 0; i < k->p->n; i++)
        k->branch_to[i] = -1;
    for (uint32_t b = 0; b < 2 * k->p->n; b++) {
        int32_t to = k->p->s[b / 2].j[b % 2];

        k->branch_next[b] = k->branch_prev[b] = -1;
        if (to <= 0)
            continue;
        k->branch_next[b] = k->branch_to[to];
        if (k->branch_to[to] >= 0)
            k->branch_prev[k->branch_to[to]] = (int32_t)b;
        k->branch_to[to] = (int32_t)b;
    }
}

static void set_branch(struct known *k, int32_t b, int32_t to)
{
    int32_t *j = &k->p->s[b / 2].j[b % 2], *at, prev = -1;

    if (*j > 0) {
        if (k->branch_prev[b] >= 0)
            k->branch_next[k->branch_prev[b]] = k->branch_next[b];
        else
            k->branch_to[*j] = k->branch_next[b];
        if (k->branch_next[b] >= 0)
            k->branch_prev[k->branch_next[b]] = k->branch_prev[b];
    }
    if (to > 0) {
        for (at = &k->branch_to[to]; *at >= 0 && *at < b; at = &k->branch_next[*at])
            prev = *at;
        k->branch_prev[b] = prev;
        k->branch_next[b] = *at;
        *at = b;
        if (k->branch_next[b] >= 0)
            k->branch_prev[k->branch_next[b]] = b;
    }
    *j = to;
}

/* --- lists ------------------------------------------------------------------------ */

/* What all of the parts of `in` have in common; they ascend. `in` and `out` may be one. */
static void common(const struct numbers *in, const struct parts *parts,
                   struct numbers *out)
{
    uint32_t n = parts->start.n, agree = 0;
    int32_t *pos = n ? malloc(n * sizeof *pos) : NULL, x = -1;

    if (!pos) {
        out->failed = true;
        return;
    }
    memcpy(pos, parts->start.v, n * sizeof *pos);
    for (uint32_t i = 0; !out->failed; i = (i + 1) % n) {
        while (pos[i] < parts->end.v[i] && in->v[pos[i]] < x)
            pos[i]++;
        if (pos[i] >= parts->end.v[i])
            break;
        if (in->v[pos[i]] > x) {
            x = in->v[pos[i]];
            agree = 0;
        }
        if (++agree < n)
            continue;
        number_add(out, x++);
        agree = 0;
        i = n - 1; /* begin at the first again */
    }
    free(pos);
}

/* The lists of the steps before `step`, each ending with the branch that leads on. A list
 * that takes the other branch of the same test is of no packet. */
static void lists_before(struct known *k, int32_t step, struct parts *out)
{
    int32_t last = -1;

    for (int32_t b = k->branch_to[step]; b >= 0; b = k->branch_next[b]) {
        int32_t from = b / 2, id = branch_of(k->first[from], b % 2);

        if (from == last) { /* both branches: the test decides nothing */
            if (out->end.n)
                out->end.v[out->end.n - 1]--;
            continue;
        }
        last = from;
        for (int32_t l = k->step_lists.v[from]; l < k->step_lists.v[from + 1]; l++) {
            int32_t at = k->list_start.v[l], end = k->list_start.v[l + 1];

            while (at < end - 1 && (k->list.v[at] ^ id) != 1)
                at++;
            if (at < end - 1)
                continue;
            number_add(&out->start, k->list_start.v[l]);
            number_add(&out->end, end);
            k->list.v[end - 1] = id;
        }
    }
}

/* A copy of one list before, for the step whose "no" branch is `mine`. Returns the branch
 * of the step's test that the list has, or -1. */
static int32_t copy_list(struct known *k, int32_t start, int32_t end, int32_t mine)
{
    int32_t last = end > start ? k->list.v[end - 1] : -1, has = -1;

    for (int32_t i = start; i < end && !k->list.failed; i++) {
        int32_t b = k->list.v[i];

        if (i < end - 1 && (b ^ last) <= 1)
            continue; /* it comes again */
        if ((b ^ mine) <= 1)
            has = b;
        number_add(&k->list, b);
    }
    return has;
}

/* Copy all lists before. Returns the branch that all of them say the step takes, or -1. */
static int32_t copy_lists(struct known *k, int32_t step, const struct parts *before)
{
    int32_t mine = branch_of(k->first[step], false);
    bool decided = true;

    for (uint32_t i = 0; i < before->start.n; i++) {
        int32_t has = copy_list(k, before->start.v[i], before->end.v[i], mine);

        decided = decided && has >= 0 && (i == 0 || has == mine);
        if (decided)
            mine = has;
        number_add(&k->list, mine);
        number_add(&k->list_start, (int32_t)k->list.n);
    }
    return decided ? mine : -1;
}

static void skip_step(struct known *k, int32_t step, int32_t to)
{
    while (k->branch_to[step] >= 0)
        set_branch(k, k->branch_to[step], to);
}

/* No packet comes here, or none any more. */
static void no_lists(struct known *k, int32_t step, uint32_t n_lists)
{
    k->list_start.n = n_lists;
    k->list.n = (uint32_t)k->list_start.v[n_lists - 1];
    if (step) {
        set_branch(k, branch_of(step, false), J_DROP);
        set_branch(k, branch_of(step, true), J_DROP);
        return;
    }
    number_add(&k->list, branch_of(step, false));
    number_add(&k->list_start, (int32_t)k->list.n);
}

static void make_lists(struct known *k, int32_t step)
{
    struct parts before = {.start.n = 0};
    uint32_t n_lists = k->list_start.n;
    int32_t decided = -1;

    lists_before(k, step, &before);
    if (before.start.n > PATHS_MAX) {
        common(&k->list, &before, &k->list);
        number_add(&k->list, branch_of(k->first[step], false));
        number_add(&k->list_start, (int32_t)k->list.n);
    } else if (before.start.n) {
        decided = copy_lists(k, step, &before);
        if (decided >= 0)
            skip_step(k, step, k->p->s[step].j[decided % 2]);
    }
    if (!before.start.n || decided >= 0)
        no_lists(k, step, n_lists);
    number_add(&k->step_lists, (int32_t)k->list_start.n - 1);
    k->list.failed = k->list.failed || before.start.failed || before.end.failed;
    free(before.start.v);
    free(before.end.v);
}

/* --- branches --------------------------------------------------------------------- */

/* How far a branch to `to` goes with what the list [start, end) knows. All places on the
 * way go into `way`. */
static void follow(const struct known *k, int32_t to, int32_t start, int32_t end,
                   struct numbers *way)
{
    const struct step *s = k->p->s;
    int32_t i;

    number_add(way, to);
    while (to > 0 && !way->failed) {
        for (i = end - 1; i >= start; i--) {
            int32_t from = k->list.v[i] / 2;
            bool dir = k->list.v[i] % 2;

            if (implies_yes(&s[from], dir, &s[to], k->length[from])) {
                to = s[to].j[1];
                break;
            }
            if (implies_no(&s[from], dir, &s[to], k->length[from])) {
                to = s[to].j[0];
                break;
            }
        }
        if (i < start)
            return;
        number_add(way, to);
    }
}

/* The last place that is on all ways: where they end, or else a step. */
static int32_t last_common(const struct numbers *ways, const struct parts *parts)
{
    int32_t place = ways->v[parts->end.v[0] - 1];
    struct numbers steps = {.n = 0};
    bool same = place <= 0 || parts->start.n == 1;

    for (uint32_t i = 1; i < parts->start.n; i++)
        same = same && ways->v[parts->end.v[i] - 1] == place;
    if (!same) {
        common(ways, parts, &steps);
        place = steps.n ? steps.v[steps.n - 1] : ways->v[0];
    }
    free(steps.v);
    return place;
}

static void shift_branch(struct known *k, int32_t step, bool yes)
{
    int32_t to = k->p->s[step].j[yes], shifted = to;
    struct numbers ways = {.n = 0};
    struct parts parts = {.start.n = 0};

    if (to <= 0)
        return;
    for (int32_t l = k->step_lists.v[step]; l < k->step_lists.v[step + 1]; l++) {
        int32_t end = k->list_start.v[l + 1];

        k->list.v[end - 1] = branch_of(k->first[step], yes);
        number_add(&parts.start, (int32_t)ways.n);
        follow(k, to, k->list_start.v[l], end, &ways);
        number_add(&parts.end, (int32_t)ways.n);
    }
    if (parts.start.n && !ways.failed && !parts.start.failed && !parts.end.failed)
        shifted = last_common(&ways, &parts);
    if (shifted != to)
        set_branch(k, branch_of(step, yes), shifted);
    free(ways.v);
    free(parts.start.v);
    free(parts.end.v);
}

/* --- beginning and end ------------------------------------------------------------ */

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A step whose packets were long enough says how long they are at least. The summary of
 * an IPv6 packet says nothing about the packet. */
static void find_lengths(struct known *k)
{
    struct step *s = k->p->s;

    for (uint32_t i = 0; i < k->p->n; i++)
        k->length[i] = i ? INT32_MAX : 0;
    for (uint32_t i = 0; i < k->p->n; i++) {
        uint32_t reach = s[i].base == BASE_IP6 ? 0 : step_reach(&s[i]);
        uint32_t tested = reach > k->length[i] ? reach : k->length[i];
        int32_t enough = s[i].j[!s[i].short_yes], maybe = s[i].j[s[i].short_yes];

        if (enough > 0)
            k->length[enough] = smaller(k->length[enough], tested);
        if (maybe > 0)
            k->length[maybe] = smaller(k->length[maybe], k->length[i]);
    }
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_tests(const struct step *a, const struct step *b)
{
    int c = compare_numbers(a->offset, b->offset);

    c = c ? c : compare_numbers(a->base, b->base);
    c = c ? c : compare_numbers(a->short_yes, b->short_yes);
    c = c ? c : compare_numbers(a->mask, b->mask);
    return c ? c : compare_numbers(a->value, b->value);
}

/* Steps in one program lie in one array, so their addresses tell their order. */
static int compare_steps(const void *va, const void *vb)
{
    const struct step *a = *(const struct step *const *)va;
    const struct step *b = *(const struct step *const *)vb;
    int c = compare_tests(a, b);

    return c ? c : a < b ? -1 : a > b;
}

static bool find_first(struct known *k)
{
    const struct step **order = malloc(k->p->n * sizeof *order);

    if (!order)
        return false;
    for (uint32_t i = 0; i < k->p->n; i++)
        order[i] = &k->p->s[i];
    qsort(order, k->p->n, sizeof *order, compare_steps);
    for (uint32_t i = 0; i < k->p->n; i++) {
        int32_t at = (int32_t)(order[i] - k->p->s);
        bool same = i && compare_tests(order[i], order[i - 1]) == 0;

        k->first[at] = same ? k->first[order[i - 1] - k->p->s] : at;
    }
    free(order);
    return true;
}

static bool failed(const struct known *k)
{
    return k->list.failed || k->list_start.failed || k->step_lists.failed;
}

void program_skip_known(struct steps *p)
{
    size_t n = p->n ? p->n : 1;
    struct known k = {.p = p,
                      .length = calloc(n, sizeof *k.length),
                      .first = calloc(n, sizeof *k.first),
                      .branch_to = calloc(n, sizeof *k.branch_to),
                      .branch_next = calloc(2 * n, sizeof *k.branch_next),
                      .branch_prev = calloc(2 * n, sizeof *k.branch_prev)};

    if (k.length && k.first && k.branch_to && k.branch_next && k.branch_prev &&
        find_first(&k)) {
        find_lengths(&k);
        branches_init(&k);
        number_add(&k.list_start, 0);
        number_add(&k.step_lists, 0);
        for (uint32_t i = 0; i < p->n && !failed(&k); i++) {
            make_lists(&k, (int32_t)i);
            if (failed(&k))
                break;
            shift_branch(&k, (int32_t)i, true);
            shift_branch(&k, (int32_t)i, false);
        }
    }
    free(k.length);
    free(k.first);
    free(k.branch_to);
    free(k.branch_next);
    free(k.branch_prev);
    free(k.list.v);
    free(k.list_start.v);
    free(k.step_lists.v);
}
