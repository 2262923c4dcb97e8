// SPDX-License-Identifier: BSD-3-Clause
/* program.c -- rules as a decision program: see program.h */

#include "engine/classify/program.h"

#include "engine/classify/program_impl.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t base_start[N_BASES] = {
    [BASE_NET] = 256, [BASE_TRANSP] = 512, [BASE_IP6] = 768};
static const struct expr_test anything;

struct program {
    bool grouped;
    struct steps *part; /* owned array of owned steps: one, or one for each rule */
    uint32_t n, room;
    uint32_t newest; /* first step of the last rule, whose failures are loose ends */
    bool failed;
};

struct program *program_new(bool grouped)
{
    struct program *p = calloc(1, sizeof *p);

    if (p)
        p->grouped = grouped;
    return p;
}

void program_free(struct program *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n; i++)
        free(p->part[i].s);
    free(p->part);
    free(p);
}

static struct steps *part_add(struct program *p)
{
    uint32_t room = p->room ? 2 * p->room : 8;
    struct steps *part;

    if (p->n == p->room) {
        part = realloc(p->part, room * sizeof *part);
        if (!part) {
            p->failed = true;
            return NULL;
        }
        p->part = part;
        p->room = room;
    }
    p->part[p->n] = (struct steps){.all = J_DROP};
    return &p->part[p->n++];
}

/* --- from trees to steps ---------------------------------------------------------- */

/* Where the rule in work goes: the steps so far, and whether memory ran out. */
struct maker {
    struct steps *to;
    bool failed;
};

static bool steps_room(struct steps *p, uint32_t n)
{
    uint32_t room = p->room ? p->room : 64;
    void *s;

    while (room < n && room < INT32_MAX / 4)
        room *= 2;
    if (n > room)
        return false;
    if (p->s && room == p->room)
        return true;
    s = realloc(p->s, room * sizeof *p->s);
    if (!s)
        return false;
    p->s = s;
    p->room = room;
    return true;
}

static void add_step(struct maker *m, const struct expr_test *t, uint32_t value,
                     uint32_t mask)
{
    struct steps *p = m->to;

    if (!steps_room(p, p->n + 1)) {
        m->failed = true;
        return;
    }
    p->s[p->n++] = (struct step){.base = t->base,
                                 .offset = t->offset + base_start[t->base],
                                 .value = value,
                                 .mask = mask,
                                 .j = {J_FAILURE, J_SUCCESS}};
}

/* Loose ends of the steps from `first` up to `end`. */
static void redirect(struct steps *p, uint32_t first, uint32_t end, int32_t success,
                     int32_t failure)
{
    for (uint32_t i = first; i < end; i++)
        for (int k = 0; k < 2; k++) {
            int32_t *j = &p->s[i].j[k];

            if (*j == J_SUCCESS)
                *j = success;
            else if (*j == J_FAILURE)
                *j = failure;
        }
}

/* The opposite; with `flip`, too short packets go where they went. */
static void negate(struct steps *p, uint32_t first, bool flip)
{
    redirect(p, first, p->n, J_FAILURE, J_SUCCESS);
    for (uint32_t i = first; flip && i < p->n; i++)
        p->s[i].short_yes = !p->s[i].short_yes;
}

/* "> value" as tests of bit groups from the highest down: while the value's top bits are
 * 0, any packet bit that is set there decides for "greater"; while they are 1, any that
 * is clear decides against. */
static void add_greater(struct maker *m, const struct expr_test *t)
{
    struct steps *p = m->to;
    uint32_t mask = t->mask, value = t->value, first = p->n;

    if (value >= mask) { /* nothing is greater */
        add_step(m, t, 0, 0);
        negate(p, first, true);
        return;
    }
    while (value < mask) {
        bool ones = value > mask >> 1;
        uint32_t rest = ones ? ~(value + (mask & -mask)) & mask : value;
        uint32_t upper = rest ? mask & ~(UINT32_MAX >> __builtin_clz(rest)) : mask;
        uint32_t at = p->n;

        add_step(m, t, ones ? upper : 0, upper);
        if (!ones)
            negate(p, at, true);
        mask &= ~upper;
        value &= mask;
        if (value < mask) /* go on with the lower bits */
            redirect(p, at, p->n, ones ? (int32_t)p->n : J_SUCCESS,
                     ones ? J_FAILURE : (int32_t)p->n);
    }
}

static void add_test(struct maker *m, const struct expr_test *t)
{
    uint32_t first = m->to->n;

    if (t->op == EXPR_GT)
        add_greater(m, t);
    else
        add_step(m, t, t->value, t->mask);
    if (t->negated)
        negate(m->to, first, true);
}

static void add_tree(struct maker *m, const struct expr *x);

static void add_list(struct maker *m, const struct expr *x)
{
    struct steps *p = m->to;
    uint32_t first = p->n;

    for (uint32_t i = 0; i < x->n; i++) {
        first = p->n;
        add_tree(m, x->child[i]);
        if (i + 1 < x->n)
            redirect(p, first, p->n, x->kind == EXPR_AND ? (int32_t)p->n : J_SUCCESS,
                     x->kind == EXPR_AND ? J_FAILURE : (int32_t)p->n);
    }
    if (!x->n)
        add_step(m, &anything, 0, 0);
    if (!x->n && x->kind == EXPR_OR)
        negate(p, first, false);
}

static void add_tree(struct maker *m, const struct expr *x)
{
    struct steps *p = m->to;
    uint32_t first = p->n, at[3];

    switch (x->kind) {
    case EXPR_TEST:
        add_test(m, &x->test);
        break;
    case EXPR_NOT:
        add_tree(m, x->child[0]);
        negate(p, first, false);
        break;
    case EXPR_IF:
        for (uint32_t i = 0; i < 3; i++) {
            at[i] = p->n;
            add_tree(m, x->child[i]);
        }
        redirect(p, at[0], at[1], (int32_t)at[1], (int32_t)at[2]);
        break;
    case EXPR_TRUE:
        add_step(m, &anything, 0, 0);
        break;
    case EXPR_AND:
    case EXPR_OR:
        add_list(m, x);
        break;
    }
}

/* In one part, the rules before leave through J_FAILURE and now go on here. */
int program_add(struct program *p, const struct expr *x, int output)
{
    struct steps *part = p->grouped || !p->n ? part_add(p) : p->part;
    struct maker m = {.to = part};
    uint32_t first;

    if (!part)
        return -1;
    first = part->n;
    redirect(part, p->grouped ? first : p->newest, first, J_DROP, (int32_t)first);
    p->newest = first;
    part->all = 1;
    add_tree(&m, x);
    redirect(part, first, part->n, output < 0 ? J_DROP : -output, J_FAILURE);
    p->failed = p->failed || m.failed;
    return p->failed ? -1 : 0;
}

/* --- one program of many ---------------------------------------------------------- */

static void set_failure(struct steps *p, int32_t to)
{
    if (p->all == J_FAILURE)
        p->all = to;
    redirect(p, 0, p->n, J_SUCCESS, to);
}

/* What `a` does not decide is for `b`, which loses its steps. */
static bool join(struct steps *a, struct steps *b)
{
    uint32_t first = a->n;

    if (a->all <= 0 && a->all != J_FAILURE)
        return true; /* it decides everything */
    if (!steps_room(a, a->n + b->n))
        return false;
    set_failure(a, b->all > 0 ? (int32_t)first : b->all);
    for (uint32_t i = 0; i < b->n; i++) {
        struct step s = b->s[i];

        for (int k = 0; k < 2; k++)
            s.j[k] += s.j[k] > 0 ? (int32_t)first : 0;
        a->s[a->n++] = s;
    }
    if (b->n)
        a->all = 1;
    b->n = 0;
    return true;
}

/* Neighbours join, then those, and so on: what the optimizer finds depends on it. */
static void join_all(struct program *p, bool optimize)
{
    for (uint32_t far = 1; far < p->n && !p->failed; far *= 2)
        for (uint32_t i = 0; i + far < p->n && !p->failed; i += 2 * far) {
            if (!join(&p->part[i], &p->part[i + far]))
                p->failed = true;
            else if (optimize)
                program_optimize_steps(&p->part[i]);
        }
}

/* Runs of steps that ask one word for one of several values are printed as one test of
 * sorted values, which is how Click searches them. */
enum { SEARCH_MIN = 7 };

static int by_loaded_value(const void *a, const void *b)
{
    uint32_t va = __builtin_bswap32(*(const uint32_t *)a);
    uint32_t vb = __builtin_bswap32(*(const uint32_t *)b);

    return va < vb ? -1 : va > vb;
}

/* Step i and those behind it on its "no" branches that nothing else leads to, that ask for
 * the same bits and go to the same place. Returns how many; places[] gets them. */
static uint32_t find_run(const struct steps *p, const uint32_t *ways, uint32_t i,
                         uint32_t *places)
{
    uint32_t n = 1;
    int32_t no = p->s[i].j[0];

    places[0] = i;
    while (no > 0 && ways[no] == 1 && p->s[no].j[1] == p->s[i].j[1] &&
           same_word(&p->s[no], &p->s[i]) && p->s[no].mask == p->s[i].mask) {
        places[n++] = (uint32_t)no;
        no = p->s[no].j[0];
    }
    return n;
}

/* One run behind what is in `out` already; place[] gets the new numbers of its steps. */
static void group_run(const struct steps *p, const uint32_t *places, uint32_t n,
                      struct steps *out, int32_t *place, uint32_t *values)
{
    struct step s = p->s[places[0]];
    int32_t no = p->s[places[n - 1]].j[0];

    for (uint32_t i = 0; i < n; i++) {
        values[i] = p->s[places[i]].value;
        place[places[i]] = i ? -1 : (int32_t)out->n;
    }
    if (n >= SEARCH_MIN)
        qsort(values, n, sizeof *values, by_loaded_value);
    for (uint32_t i = 0; i < n; i++) {
        s.value = values[i];
        s.j[0] = i + 1 < n ? J_SUCCESS : no; /* J_SUCCESS: the next step */
        out->s[out->n++] = s;
    }
}

static void renumber(struct steps *p, const int32_t *place)
{
    for (uint32_t i = 0; i < p->n; i++)
        for (int k = 0; k < 2; k++)
            if (p->s[i].j[k] == J_SUCCESS)
                p->s[i].j[k] = (int32_t)i + 1;
            else if (p->s[i].j[k] > 0)
                p->s[i].j[k] = place[p->s[i].j[k]];
}

/* Steps in the order of their runs. Without memory they stay as they are. */
static void group(struct steps *p)
{
    size_t n = p->n ? p->n : 1;
    uint32_t *ways = calloc(n, sizeof *ways), *places = calloc(n, sizeof *places);
    uint32_t *values = calloc(n, sizeof *values);
    int32_t *place = calloc(n, sizeof *place);
    struct steps out = {.all = p->all};

    if (ways && places && values && place && steps_room(&out, p->n)) {
        for (uint32_t i = 0; i < p->n; i++)
            for (int k = 0; k < 2; k++)
                if (p->s[i].j[k] > 0)
                    ways[p->s[i].j[k]]++;
        for (uint32_t i = 0; i < p->n; i++)
            if (place[i] >= 0)
                group_run(p, places, find_run(p, ways, i, places), &out, place, values);
        renumber(&out, place);
        free(p->s);
        *p = out;
        out.s = NULL;
    }
    free(out.s);
    free(ways);
    free(places);
    free(values);
    free(place);
}

void program_finish(struct program *p, bool optimize)
{
    if (!p->n && !part_add(p))
        return;
    join_all(p, optimize);
    if (!p->grouped)
        set_failure(&p->part[0], J_DROP);
    if (p->n == 1 && optimize)
        program_optimize_steps(&p->part[0]);
    set_failure(&p->part[0], J_DROP);
    if (!p->grouped)
        return;
    if (optimize)
        program_sort(&p->part[0]);
    group(&p->part[0]);
}

/* --- use -------------------------------------------------------------------------- */

int program_match(const struct program *p, const struct expr_view *v)
{
    const struct steps *part = &p->part[0];
    int32_t at = part->n ? 0 : part->all;

    while (part->n) {
        const struct step *s = &part->s[at];
        uint32_t have,
            w = expr_word(v, s->base, s->offset - base_start[s->base], &have);

        at = s->j[s->mask & ~have ? s->short_yes : (w & s->mask) == s->value];
        if (at <= 0)
            break;
    }
    return at > J_SUCCESS ? -at : -1;
}

bool program_uses(const struct program *p, int output)
{
    const struct steps *part = &p->part[0];

    for (uint32_t i = 0; i < part->n; i++)
        if (part->s[i].j[0] == -output || part->s[i].j[1] == -output)
            return true;
    return !part->n && part->all == -output;
}

static void target_text(struct sbuf *out, int32_t j)
{
    if (j <= J_SUCCESS)
        sbuf_puts(out, "[X]");
    else if (j <= 0)
        sbuf_printf(out, "[%d]", -j);
    else
        sbuf_printf(out, "step %d", j);
}

void program_text(const struct program *p, struct sbuf *out)
{
    const struct steps *part = &p->part[0];
    uint32_t safe = 0;

    for (uint32_t i = 0; i < part->n; i++) {
        const struct step *s = &part->s[i];

        sbuf_printf(out, "%2u %3u/%08x%%%08x  yes->", i, s->offset, s->value, s->mask);
        target_text(out, s->j[1]);
        sbuf_puts(out, "  no->");
        target_text(out, s->j[0]);
        sbuf_puts(out, s->short_yes ? "  short->yes\n" : "\n");
        safe = safe > step_reach(s) ? safe : step_reach(s);
    }
    if (!part->n)
        sbuf_printf(out, "all->[%d]\n", -part->all);
    sbuf_printf(out, "safe length %u\nalignment offset 0\n", safe);
}
