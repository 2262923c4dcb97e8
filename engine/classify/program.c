// SPDX-License-Identifier: BSD-3-Clause
/* program.c -- rules as a decision program: see program.h */

#include "engine/classify/program.h"

#include <stdlib.h>
#include <string.h>

/* Where a branch leads: > 0 a step, <= 0 output -x, or one of these. */
enum { J_DROP = INT32_MIN, J_SUCCESS = INT32_MIN + 1, J_FAILURE = INT32_MIN + 2 };

struct step {
    uint8_t base;
    uint32_t offset, value, mask; /* offset: as printed */
    int32_t j[2];                 /* no, yes; always forward */
    bool short_yes;               /* packets that are too short take "yes" */
};

static const uint32_t base_start[N_BASES] = {
    [BASE_NET] = 256, [BASE_TRANSP] = 512, [BASE_IP6] = 768};
static const struct expr_test anything;

struct program {
    struct step *steps; /* owned */
    uint32_t n, room;
    uint32_t newest; /* first step of the last rule, whose failures are loose ends */
    int32_t start;   /* without steps: where all packets go */
    bool failed;
};

struct program *program_new(void)
{
    struct program *p = calloc(1, sizeof *p);

    if (p)
        p->start = J_DROP;
    return p;
}

void program_free(struct program *p)
{
    if (p)
        free(p->steps);
    free(p);
}

/* Bytes of packet, from the base, that a step needs. */
static uint32_t reach(const struct step *s)
{
    return s->mask ? s->offset + 4 - (uint32_t)__builtin_ctz(s->mask) / 8 : 0;
}

static bool same_word(const struct step *a, const struct step *b)
{
    return a->base == b->base && a->offset == b->offset;
}

/* --- from trees to steps ---------------------------------------------------------- */

static void add_step(struct program *p, const struct expr_test *t, uint32_t value,
                     uint32_t mask)
{
    uint32_t room = p->room ? 2 * p->room : 64;
    void *steps;

    if (p->n == p->room) {
        steps = room < INT32_MAX / 2 ? realloc(p->steps, room * sizeof *p->steps)
                                     : NULL;
        if (!steps) {
            p->failed = true;
            return;
        }
        p->steps = steps;
        p->room = room;
    }
    p->steps[p->n++] = (struct step){.base = t->base,
                                     .offset = t->offset + base_start[t->base],
                                     .value = value,
                                     .mask = mask,
                                     .j = {J_FAILURE, J_SUCCESS}};
}

/* Loose ends of the steps from `first` up to `end`. */
static void redirect(struct program *p, uint32_t first, uint32_t end, int32_t success,
                     int32_t failure)
{
    for (uint32_t i = first; i < end; i++)
        for (int k = 0; k < 2; k++) {
            int32_t *j = &p->steps[i].j[k];

            if (*j == J_SUCCESS)
                *j = success;
            else if (*j == J_FAILURE)
                *j = failure;
        }
}

/* The opposite; with `flip`, too short packets go where they went. */
static void negate(struct program *p, uint32_t first, bool flip)
{
    redirect(p, first, p->n, J_FAILURE, J_SUCCESS);
    for (uint32_t i = first; flip && i < p->n; i++)
        p->steps[i].short_yes = !p->steps[i].short_yes;
}

/* "> value" as tests of bit groups from the highest down: while the value's top bits are
 * 0, any packet bit that is set there decides for "greater"; while they are 1, any that
 * is clear decides against. */
static void add_greater(struct program *p, const struct expr_test *t)
{
    uint32_t mask = t->mask, value = t->value, first = p->n;

    if (value >= mask) { /* nothing is greater */
        add_step(p, t, 0, 0);
        negate(p, first, true);
        return;
    }
    while (value < mask) {
        bool ones = value > mask >> 1;
        uint32_t rest = ones ? ~(value + (mask & -mask)) & mask : value;
        uint32_t upper = rest ? mask & ~(UINT32_MAX >> __builtin_clz(rest)) : mask;
        uint32_t at = p->n;

        add_step(p, t, ones ? upper : 0, upper);
        if (!ones)
            negate(p, at, true);
        mask &= ~upper;
        value &= mask;
        if (value < mask) /* go on with the lower bits */
            redirect(p, at, p->n, ones ? (int32_t)p->n : J_SUCCESS,
                     ones ? J_FAILURE : (int32_t)p->n);
    }
}

static void add_test(struct program *p, const struct expr_test *t)
{
    uint32_t first = p->n;

    if (t->op == EXPR_GT)
        add_greater(p, t);
    else
        add_step(p, t, t->value, t->mask);
    if (t->negated)
        negate(p, first, true);
}

static void add_tree(struct program *p, const struct expr *x)
{
    uint32_t first = p->n, at[3];

    switch (x->kind) {
    case EXPR_TEST:
        add_test(p, &x->test);
        return;
    case EXPR_NOT:
        add_tree(p, x->child[0]);
        negate(p, first, false);
        return;
    case EXPR_IF:
        for (uint32_t i = 0; i < 3; i++) {
            at[i] = p->n;
            add_tree(p, x->child[i]);
        }
        redirect(p, at[0], at[1], (int32_t)at[1], (int32_t)at[2]);
        return;
    case EXPR_TRUE:
        add_step(p, &anything, 0, 0);
        return;
    case EXPR_AND:
    case EXPR_OR:
        break;
    }
    for (uint32_t i = 0; i < x->n; i++) {
        first = p->n;
        add_tree(p, x->child[i]);
        if (i + 1 < x->n)
            redirect(p, first, p->n, x->kind == EXPR_AND ? (int32_t)p->n : J_SUCCESS,
                     x->kind == EXPR_AND ? J_FAILURE : (int32_t)p->n);
    }
    if (!x->n)
        add_step(p, &anything, 0, 0);
    if (!x->n && x->kind == EXPR_OR)
        negate(p, first, false);
}

/* The rules before leave through J_FAILURE and now go on here. */
int program_add(struct program *p, const struct expr *x, int output)
{
    uint32_t first = p->n;

    redirect(p, p->newest, first, J_DROP, (int32_t)first);
    p->newest = first;
    add_tree(p, x);
    redirect(p, first, p->n, output < 0 ? J_DROP : -output, J_FAILURE);
    return p->failed ? -1 : 0;
}

/* --- what is known already -------------------------------------------------------- */

/* Sets of branches "step 2 * i + k was taken", as bits. */
static void set_add(uint64_t *set, uint32_t i)
{
    set[i / 64] |= (uint64_t)1 << i % 64;
}

static bool set_has(const uint64_t *set, uint32_t i)
{
    return set[i / 64] >> i % 64 & 1;
}

/* Having left `s` by branch `dir`: is the result of `x` certainly `next`, as far as the
 * bits go? */
static bool bits_imply(const struct step *s, int dir, const struct step *x, int next)
{
    uint32_t both = s->mask & x->mask;

    if (!same_word(s, x))
        return false;
    if (dir && next)
        return both == x->mask && (s->value & both) == x->value;
    if (dir)
        return ((s->value ^ x->value) & both) != 0;
    if (next)
        return (s->mask & (s->mask - 1)) == 0 && s->mask == x->mask &&
               s->value != x->value;
    return both == s->mask && s->value == (x->value & both);
}

/* The same with packets that are too short for the one or the other. Either both tests
 * see all of their bytes, or both take the short way. */
static bool implies(const struct step *s, int dir, const struct step *x, int next)
{
    bool long_enough = s->short_yes != dir;

    if (!x->mask)
        return next == 1;
    if (!bits_imply(s, dir, x, next))
        return false;
    if (x->short_yes != next && (!long_enough || reach(x) > reach(s)))
        return false;
    return long_enough || reach(x) >= reach(s);
}

struct facts {
    struct program *p;
    uint32_t words; /* of one set */
    uint64_t *sets; /* owned; for each step, what every way to it has in common */
    bool *reached;  /* owned */
};

/* Where a packet with these facts really goes when it goes to `to`. */
static int32_t forward(const struct facts *f, const uint64_t *set, int32_t to)
{
    const struct step *steps = f->p->steps;
    bool moved = true;

    while (to > 0 && moved) {
        moved = !steps[to].mask;
        if (moved)
            to = steps[to].j[1];
        for (uint32_t b = f->words * 64; !moved && b-- > 0;) {
            if (!set[b / 64])
                b &= ~63u; /* nothing in this word */
            else if (set_has(set, b))
                for (int next = 0; next < 2 && !moved; next++)
                    if (implies(&steps[b / 2], b % 2, &steps[to], next)) {
                        to = steps[to].j[next];
                        moved = true;
                    }
        }
    }
    return to;
}

/* Follow both branches of step i, and tell the steps they lead to what is known then. */
static void follow(struct facts *f, uint32_t i, uint64_t *set)
{
    struct step *s = &f->p->steps[i];

    for (int k = 0; k < 2; k++) {
        int32_t to;

        memcpy(set, f->sets + (size_t)i * f->words, f->words * sizeof *set);
        set_add(set, 2 * i + (uint32_t)k);
        to = s->j[k] = forward(f, set, s->j[k]);
        if (to <= 0)
            continue;
        for (uint32_t w = 0; w < f->words; w++) {
            uint64_t *at = f->sets + (size_t)to * f->words + w;

            *at = f->reached[to] ? *at & set[w] : set[w];
        }
        f->reached[to] = true;
    }
}

static void skip_known(struct program *p)
{
    struct facts f = {.p = p, .words = 2 * p->n / 64 + 1};
    uint64_t *set = calloc(f.words, sizeof *set);

    f.sets = calloc((size_t)p->n * f.words, sizeof *f.sets);
    f.reached = calloc(p->n, sizeof *f.reached);
    if (f.sets && f.reached && set) {
        f.reached[0] = true;
        for (uint32_t i = 0; i < p->n; i++)
            if (f.reached[i])
                follow(&f, i, set);
    }
    free(set);
    free(f.sets);
    free(f.reached);
}

/* --- order, merging, leaving out -------------------------------------------------- */

/* The protocol, whose word lies behind the fragment's, is asked for first. */
static uint32_t order_of(const struct step *s)
{
    return s->base == BASE_NET && s->offset == 256 + 8 ? 256 + 3 : s->offset;
}

static bool in_order(const struct step *a, const struct step *b)
{
    if (!same_word(a, b))
        return order_of(a) < order_of(b) ||
               (order_of(a) == order_of(b) && a->base < b->base);
    if (a->mask != b->mask)
        return a->mask < b->mask;
    return a->value <= b->value;
}

static void count_ways(const struct program *p, uint32_t *ways)
{
    memset(ways, 0, p->n * sizeof *ways);
    for (uint32_t i = 0; i < p->n; i++)
        for (int k = 0; k < 2; k++)
            if (p->steps[i].j[k] > 0)
                ways[p->steps[i].j[k]]++;
}

/* Steps that stand in a row and leave it to the same place may change places. */
static bool sort_once(struct program *p, const uint32_t *ways)
{
    bool changed = false;

    for (uint32_t i = 0; i < p->n; i++)
        for (int k = 0; k < 2; k++) {
            struct step *a = &p->steps[i], *b, was;
            int32_t j = a->j[k];

            if (j <= 0 || ways[j] != 1)
                continue;
            b = &p->steps[j];
            if (a->j[!k] != b->j[!k] || a->short_yes != b->short_yes || in_order(a, b))
                continue;
            was = *b;
            *b = *a;
            b->j[k] = was.j[k];
            *a = was;
            a->j[k] = j;
            changed = true;
        }
    return changed;
}

static void sort_rows(struct program *p)
{
    uint32_t *ways = malloc(p->n * sizeof *ways + 1);

    if (!ways)
        return;
    count_ways(p, ways);
    for (uint32_t round = 0; round < p->n && sort_once(p, ways); round++)
        ;
    free(ways);
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

/* "a and b" in one word are one step. */
static bool merge_and(struct step *s, const struct step *next)
{
    uint32_t both = s->mask & next->mask;

    if (s->j[0] != next->j[0] || !same_word(s, next) || s->short_yes ||
        next->short_yes || ((s->value ^ next->value) & both))
        return false;
    s->value |= next->value;
    s->mask |= next->mask;
    s->j[1] = next->j[1];
    return true;
}

/* "x or y", where x and y differ in one bit, is one step that ignores the bit. */
static bool merge_or(struct step *s, const struct step *next)
{
    uint32_t differ = s->value ^ next->value;
    struct step merged = *s;

    if (s->j[1] != next->j[1] || !same_word(s, next) || s->mask != next->mask ||
        s->short_yes != next->short_yes || (differ & (differ - 1)))
        return false;
    merged.mask &= ~differ;
    merged.value &= ~differ;
    merged.j[0] = next->j[0];
    if (reach(&merged) != reach(s))
        return false;
    *s = merged;
    return true;
}

static void merge(struct program *p)
{
    for (uint32_t i = p->n; i-- > 0;) {
        struct step *s = &p->steps[i];
        bool again = true;

        while (again) {
            struct step *yes = s->j[1] > 0 ? &p->steps[s->j[1]] : NULL;
            struct step *no = s->j[0] > 0 ? &p->steps[s->j[0]] : NULL;

            again = no && merge_or(s, no);
            if (again || !yes)
                continue;
            if (s->j[0] == yes->j[1] && can_flip(yes))
                flip(yes);
            again = merge_and(s, yes);
        }
    }
}

/* Where a branch to `to` ends up once steps that make no difference are left out. */
static int32_t skip_idle(const struct program *p, int32_t to)
{
    while (to > 0 && (!p->steps[to].mask || p->steps[to].j[0] == p->steps[to].j[1]))
        to = p->steps[to].j[1];
    return to;
}

static void remove_unused(struct program *p)
{
    int32_t *place = calloc(p->n + 1, sizeof *place), first;
    uint32_t n = 0;

    if (!place)
        return;
    first = p->steps[0].mask && p->steps[0].j[0] != p->steps[0].j[1]
                ? -1
                : skip_idle(p, p->steps[0].j[1]);
    if (first > 0)
        p->steps[0] = p->steps[first];
    else if (!p->steps[0].mask || p->steps[0].j[0] == p->steps[0].j[1]) {
        p->start = first;
        p->n = 0;
    }
    for (uint32_t i = 0; i < p->n; i++) { /* place: 1 + the new number */
        if (i && !place[i])
            continue;
        place[i] = (int32_t)++n;
        for (int k = 0; k < 2; k++) {
            p->steps[i].j[k] = skip_idle(p, p->steps[i].j[k]);
            if (p->steps[i].j[k] > 0)
                place[p->steps[i].j[k]] = 1;
        }
    }
    for (uint32_t i = 0; i < p->n; i++) {
        struct step s = p->steps[i];

        if (!place[i])
            continue;
        for (int k = 0; k < 2; k++)
            if (s.j[k] > 0)
                s.j[k] = place[s.j[k]] - 1;
        p->steps[place[i] - 1] = s;
    }
    p->n = n;
    free(place);
}

void program_optimize(struct program *p)
{
    if (!p->n)
        return;
    redirect(p, 0, p->n, J_DROP, J_DROP);
    sort_rows(p);
    skip_known(p);
    merge(p);
    remove_unused(p);
}

/* --- use -------------------------------------------------------------------------- */

int program_match(const struct program *p, const struct expr_view *v)
{
    int32_t at = p->n ? 0 : p->start;

    while (p->n) {
        const struct step *s = &p->steps[at];
        uint32_t have,
            w = expr_word(v, s->base, s->offset - base_start[s->base], &have);

        at = s->j[s->mask & ~have ? s->short_yes : (w & s->mask) == s->value];
        if (at <= 0)
            break;
    }
    return at > J_FAILURE ? -at : -1;
}

bool program_uses(const struct program *p, int output)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->steps[i].j[0] == -output || p->steps[i].j[1] == -output)
            return true;
    return !p->n && p->start == -output;
}

static void target_text(struct sbuf *out, int32_t j)
{
    if (j == J_DROP || j == J_FAILURE)
        sbuf_puts(out, "[X]");
    else if (j <= 0)
        sbuf_printf(out, "[%d]", -j);
    else
        sbuf_printf(out, "step %d", j);
}

void program_text(const struct program *p, struct sbuf *out)
{
    uint32_t safe = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        const struct step *s = &p->steps[i];

        sbuf_printf(out, "%2u %3u/%08x%%%08x  yes->", i, s->offset, s->value, s->mask);
        target_text(out, s->j[1]);
        sbuf_puts(out, "  no->");
        target_text(out, s->j[0]);
        sbuf_puts(out, s->short_yes ? "  short->yes\n" : "\n");
        safe = safe > reach(s) ? safe : reach(s);
    }
    if (!p->n) {
        sbuf_puts(out, "all->");
        target_text(out, p->start);
        sbuf_putc(out, '\n');
    }
    sbuf_printf(out, "safe length %u\nalignment offset 0\n", safe);
}
