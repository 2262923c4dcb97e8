// SPDX-License-Identifier: BSD-3-Clause
/* conj.c -- rules in normal form: see conj.h */

#include "engine/classify/conj.h"

#include <stdlib.h>
#include <string.h>

enum {
    LITERALS_MAX = 64, /* in one term, before they are merged */
    FRAMES_MAX = 512,
    DEPTH_MAX = 64, /* alternatives inside alternatives */
};

struct literal {
    const struct expr_test *test;
    const struct expr *x; /* a whole tree, if test is NULL */
    bool want;
};

/* "Children i to end of node, negated or not, and then what `rest` says." Frames are
 * never changed once pushed, so the branches of an alternative can share them. */
struct frame {
    const struct expr *node;
    uint32_t i, end;
    int rest;
    bool negated;
};

struct expansion {
    struct conj_set *set;
    uint32_t rule;
    uint32_t terms_left, steps_left;
    unsigned depth;
    bool gave_up;
    unsigned n_literals;
    int n_frames;
    struct literal literals[LITERALS_MAX];
    struct frame frames[FRAMES_MAX];
};

void conj_set_init(struct conj_set *s, struct arena *a)
{
    *s = (struct conj_set){.arena = a};
}

void conj_set_fini(struct conj_set *s)
{
    free(s->terms);
    free(s->words);
    free(s->ranges);
    free(s->checks);
    *s = (struct conj_set){0};
}

/* Room for one more object in a heap array; false when memory ran out. */
static bool grow(void **array, uint32_t n, uint32_t *room, size_t size)
{
    uint32_t more = *room ? 2 * *room : 64;
    void *p;

    if (n < *room)
        return true;
    p = more > *room ? realloc(*array, more * size) : NULL;
    if (!p)
        return false;
    *array = p;
    *room = more;
    return true;
}

#define ADD(s, what, object)                                                           \
    do {                                                                               \
        void *array_ = (s)->what;                                                      \
        if (grow(&array_, (s)->n_##what, &(s)->room_##what, sizeof *(s)->what)) {      \
            (s)->what = array_;                                                        \
            (s)->what[(s)->n_##what++] = (object);                                     \
        } else {                                                                       \
            (s)->failed = true;                                                        \
        }                                                                              \
    } while (0)

/* --- one term --------------------------------------------------------------------- */

/* The fragment field and the protocol, in two neighbouring words, are asked for by nearly
 * every rule: as the word that holds both they need one place in the index, not two. */
static void canonical_place(uint16_t *offset, uint8_t base, uint32_t *mask,
                            uint32_t *v1, uint32_t *v2)
{
    if (base != BASE_NET && base != BASE_IP6)
        return;
    if (*offset == 4 && !(*mask & 0xFFFF0000)) {
        *offset = 6;
        *mask <<= 16;
        *v1 <<= 16;
        *v2 <<= 16;
    } else if (*offset == 8 && !(*mask & 0x0000FFFF)) {
        *offset = 6;
        *mask >>= 16;
        *v1 >>= 16;
        *v2 >>= 16;
    }
}

static struct conj_word *find_word(struct conj_set *s, const struct conj *c,
                                   unsigned base, unsigned offset)
{
    for (uint32_t i = c->word; i < s->n_words; i++)
        if (s->words[i].base == base && s->words[i].offset == offset)
            return &s->words[i];
    return NULL;
}

/* False when it contradicts what the term says already. */
static bool add_word(struct conj_set *s, const struct conj *c, struct conj_word w)
{
    struct conj_word *known = find_word(s, c, w.base, w.offset);

    if (!known) {
        ADD(s, words, w);
        return true;
    }
    if ((known->value ^ w.value) & known->mask & w.mask)
        return false;
    known->mask |= w.mask;
    known->value |= w.value;
    return true;
}

static bool one_run(uint32_t mask)
{
    uint32_t low = mask & -mask;

    return mask && ((mask + low) & mask) == 0;
}

static bool add_range(struct conj_set *s, const struct conj *c, struct conj_range r)
{
    for (uint32_t i = c->range; i < s->n_ranges; i++) {
        struct conj_range *known = &s->ranges[i];

        if (known->base != r.base || known->offset != r.offset || known->mask != r.mask)
            continue;
        known->lo = known->lo > r.lo ? known->lo : r.lo;
        known->hi = known->hi < r.hi ? known->hi : r.hi;
        return known->lo <= known->hi;
    }
    ADD(s, ranges, r);
    return r.lo <= r.hi;
}

static bool is_range(const struct literal *l)
{
    return l->test && l->want && l->test->op == EXPR_GT && one_run(l->test->mask);
}

static bool add_range_literal(struct conj_set *s, const struct conj *c,
                              const struct expr_test *t)
{
    struct conj_range r = {.base = t->base, .offset = t->offset, .mask = t->mask};

    if (t->negated) {
        r.hi = t->value;
    } else {
        if (t->value == t->mask)
            return false;
        r.lo = t->value + (t->mask & -t->mask);
        r.hi = t->mask;
    }
    canonical_place(&r.offset, r.base, &r.mask, &r.lo, &r.hi);
    return add_range(s, c, r);
}

/* A test for one value; also "is not" of a single bit. */
static bool is_word(const struct literal *l)
{
    return l->test && l->want && l->test->op == EXPR_EQ &&
           (!l->test->negated || (l->test->mask & (l->test->mask - 1)) == 0);
}

static bool add_word_literal(struct conj_set *s, const struct conj *c,
                             const struct expr_test *t)
{
    struct conj_word w = {.base = t->base, .offset = t->offset, .mask = t->mask};
    uint32_t unused = 0;

    w.value = t->negated ? ~t->value & t->mask : t->value;
    canonical_place(&w.offset, w.base, &w.mask, &w.value, &unused);
    return add_word(s, c, w);
}

static uint32_t whole_bytes(uint32_t mask)
{
    uint32_t bytes = 0;

    for (uint32_t b = 0xFF; b; b <<= 8)
        bytes |= mask & b ? b : 0;
    return bytes;
}

/* Whether the word of a range implies it. It has to ask for every byte that the range
 * asks for, too, since a packet may end in the middle. */
static bool implied(const struct conj_range *r, const struct conj_word *w)
{
    uint32_t open = r->mask & ~w->mask, value = w->value & r->mask;

    return !(r->mask & ~whole_bytes(w->mask)) && value >= r->lo &&
           (value | open) <= r->hi;
}

/* What is common to all values of a range belongs to the word, and if that says all, the
 * range goes. False when the word says otherwise. */
static bool settle_range(struct conj_set *s, struct conj *c, uint32_t *i)
{
    struct conj_range r = s->ranges[*i];
    uint32_t differ = r.lo ^ r.hi;
    uint32_t open = differ ? UINT32_MAX >> __builtin_clz(differ) : 0;
    struct conj_word w = {.base = r.base, .offset = r.offset, .mask = r.mask & ~open};
    const struct conj_word *known;

    w.value = r.lo & w.mask;
    if (w.mask && !add_word(s, c, w))
        return false;
    known = find_word(s, c, r.base, r.offset);
    if (!known)
        return true;
    if ((known->value & r.mask) > r.hi ||
        ((known->value | ~known->mask) & r.mask) < r.lo)
        return false;
    if (implied(&r, known)) {
        s->ranges[*i] = s->ranges[--s->n_ranges];
        --*i;
    }
    return true;
}

enum { FALSE, TRUE, OPEN };

/* What the words of a term say about one more test. */
static int known_result(struct conj_set *s, const struct conj *c,
                        const struct literal *l)
{
    struct expr_test t = *l->test;
    const struct conj_word *w;
    uint32_t unused = 0;
    bool result;

    canonical_place(&t.offset, t.base, &t.mask, &t.value, &unused);
    if (!t.mask)
        return (t.op == EXPR_EQ) != t.negated ? TRUE : FALSE;
    w = find_word(s, c, t.base, t.offset);
    if (!w || (w->mask & t.mask) != t.mask)
        return OPEN;
    if (t.op == EXPR_EQ)
        result = (w->value & t.mask) == t.value;
    else
        result = (w->value & t.mask) > t.value;
    return result != t.negated ? TRUE : FALSE;
}

static const struct expr *copy_tree(struct arena *a, const struct expr *x)
{
    struct expr *copy = arena_alloc(a, sizeof *copy);

    if (!copy)
        return NULL;
    *copy = *x;
    if (x->kind == EXPR_TEST || x->kind == EXPR_TRUE)
        return copy;
    copy->child = arena_alloc(a, (x->n + 1) * sizeof *copy->child);
    if (!copy->child)
        return NULL;
    for (uint32_t i = 0; i < x->n; i++) {
        union {
            const struct expr *in;
            struct expr *out;
        } child = {.in = copy_tree(a, x->child[i])};

        if (!child.in)
            return NULL;
        copy->child[i] = child.out;
    }
    return copy;
}

static bool add_check(struct conj_set *s, const struct conj *c, const struct literal *l)
{
    struct conj_check check = {.want = l->want};
    uint32_t unused = 0;
    int known;

    if (!l->test) {
        check.x = copy_tree(s->arena, l->x);
        if (!check.x)
            s->failed = true;
        ADD(s, checks, check);
        return true;
    }
    known = known_result(s, c, l);
    if (known != OPEN)
        return (known == TRUE) == l->want;
    check.test = *l->test;
    canonical_place(&check.test.offset, check.test.base, &check.test.mask,
                    &check.test.value, &unused);
    ADD(s, checks, check);
    return true;
}

static bool add_literals(struct conj_set *s, struct conj *c, const struct literal *l,
                         unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (l[i].test && !l[i].test->mask) {
            bool result = (l[i].test->op == EXPR_EQ) != l[i].test->negated;

            if (result != l[i].want)
                return false;
        } else if (is_range(&l[i])) {
            if (!add_range_literal(s, c, l[i].test))
                return false;
        } else if (is_word(&l[i]) && !add_word_literal(s, c, l[i].test)) {
            return false;
        }
    }
    for (uint32_t i = c->range; i < s->n_ranges; i++)
        if (!settle_range(s, c, &i))
            return false;
    for (unsigned i = 0; i < n; i++)
        if (!(l[i].test && !l[i].test->mask) && !is_range(&l[i]) && !is_word(&l[i]) &&
            !add_check(s, c, &l[i]))
            return false;
    return true;
}

/* Make a term of literals, or nothing if they contradict each other. */
static void emit(struct conj_set *s, uint32_t rule, const struct literal *l, unsigned n)
{
    struct conj c = {
        .rule = rule, .word = s->n_words, .range = s->n_ranges, .check = s->n_checks};

    if (add_literals(s, &c, l, n)) {
        c.n_words = (uint16_t)(s->n_words - c.word);
        c.n_ranges = (uint16_t)(s->n_ranges - c.range);
        c.n_checks = (uint16_t)(s->n_checks - c.check);
        ADD(s, terms, c);
    } else {
        s->n_words = c.word;
        s->n_ranges = c.range;
        s->n_checks = c.check;
    }
}

/* --- expansion -------------------------------------------------------------------- */

static int push_frame(struct expansion *e, const struct expr *node, uint32_t i,
                      uint32_t end, bool negated, int rest)
{
    if (e->n_frames == FRAMES_MAX) {
        e->gave_up = true;
        return rest;
    }
    e->frames[e->n_frames] = (struct frame){
        .node = node, .i = i, .end = end, .negated = negated, .rest = rest};
    return e->n_frames++;
}

static void walk(struct expansion *e, const struct expr *x, bool negated, int rest);

/* One alternative: whatever it adds is taken back. */
static void branch(struct expansion *e, const struct expr *x, bool negated, int rest,
                   int n_frames)
{
    unsigned n_literals = e->n_literals;

    if (e->depth == DEPTH_MAX)
        e->gave_up = true;
    if (e->gave_up)
        return;
    e->depth++;
    walk(e, x, negated, rest);
    e->depth--;
    e->n_literals = n_literals;
    e->n_frames = n_frames;
}

static void walk_if(struct expansion *e, const struct expr *x, bool negated, int rest)
{
    int n_frames = e->n_frames;

    branch(e, x->child[0], false, push_frame(e, x, 1, 2, negated, rest), n_frames);
    branch(e, x->child[0], true, push_frame(e, x, 2, 3, negated, rest), n_frames);
}

static void finish_term(struct expansion *e)
{
    if (e->terms_left-- == 0)
        e->gave_up = true;
    else
        emit(e->set, e->rule, e->literals, e->n_literals);
}

/* All ways to make `x` (not `x` if negated) and the rest true. */
static void walk(struct expansion *e, const struct expr *x, bool negated, int rest)
{
    while (!e->gave_up) {
        if (e->steps_left-- == 0) {
            e->gave_up = true;
        } else if (!x) {
            const struct frame *f;

            if (rest < 0) {
                finish_term(e);
                return;
            }
            f = &e->frames[rest];
            if (f->i == f->end) {
                rest = f->rest;
                continue;
            }
            x = f->node->child[f->i];
            negated = f->negated;
            rest = push_frame(e, f->node, f->i + 1, f->end, f->negated, f->rest);
        } else if (x->kind == EXPR_NOT) {
            negated = !negated;
            x = x->child[0];
        } else if (x->kind == EXPR_TRUE || x->kind == EXPR_TEST) {
            if (x->kind == EXPR_TRUE && negated)
                return;
            if (e->n_literals == LITERALS_MAX)
                e->gave_up = true;
            else if (x->kind == EXPR_TEST)
                e->literals[e->n_literals++] = (struct literal){.test = &x->test,
                                                                .want = !negated};
            x = NULL;
        } else if (x->kind == EXPR_IF) {
            walk_if(e, x, negated, rest);
            return;
        } else if ((x->kind == EXPR_AND) != negated) {
            rest = push_frame(e, x, 0, x->n, negated, rest);
            x = NULL;
        } else {
            for (uint32_t i = 0; i < x->n; i++)
                branch(e, x->child[i], negated, rest, e->n_frames);
            return;
        }
    }
}

static uint32_t count_nodes(const struct expr *x)
{
    uint32_t n = 1;

    if (x->kind != EXPR_TEST && x->kind != EXPR_TRUE)
        for (uint32_t i = 0; i < x->n; i++)
            n += count_nodes(x->child[i]);
    return n;
}

/* The term for a tree that is too complicated. */
static void add_whole(struct conj_set *s, const struct expr *x, uint32_t rule)
{
    struct literal l[LITERALS_MAX];
    unsigned n = 0;

    l[n++] = (struct literal){.x = x, .want = true};
    if (x->kind == EXPR_AND)
        for (uint32_t i = 0; i < x->n && n < LITERALS_MAX; i++)
            if (x->child[i]->kind == EXPR_TEST)
                l[n++] = (struct literal){.test = &x->child[i]->test, .want = true};
    emit(s, rule, l, n);
}

int conj_set_add(struct conj_set *s, const struct expr *x, uint32_t rule)
{
    struct conj_set before = *s;
    uint32_t nodes = count_nodes(x);
    struct expansion *e = malloc(sizeof *e); /* too large for a VM's stack */

    if (!e)
        return -1;
    e->set = s;
    e->rule = rule;
    e->terms_left = 64 + 4 * nodes;
    e->steps_left = 64 * (64 + 4 * nodes);
    e->depth = 0;
    e->gave_up = false;
    e->n_literals = 0;
    e->n_frames = 0;
    walk(e, x, false, -1);
    if (e->gave_up) {
        s->n_terms = before.n_terms;
        s->n_words = before.n_words;
        s->n_ranges = before.n_ranges;
        s->n_checks = before.n_checks;
        add_whole(s, x, rule);
    }
    free(e);
    return s->failed ? -1 : 0;
}
