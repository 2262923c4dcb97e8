// SPDX-License-Identifier: BSD-3-Clause
/* expr.c -- trees of tests on the words of a packet: see expr.h */

#include "engine/classify/expr.h"

#include <string.h>

static struct expr *expr_new(struct arena *a, enum expr_kind kind)
{
    struct expr *x = arena_alloc(a, sizeof *x);

    if (x)
        x->kind = kind;
    return x;
}

struct expr *expr_true(struct arena *a)
{
    return expr_new(a, EXPR_TRUE);
}

struct expr *expr_false(struct arena *a)
{
    return expr_not(a, expr_true(a));
}

struct expr *expr_test(struct arena *a, struct expr_test t)
{
    struct expr *x = expr_new(a, EXPR_TEST);

    if (x)
        x->test = t;
    return x;
}

struct expr *expr_list(struct arena *a, enum expr_kind kind)
{
    return expr_new(a, kind);
}

/* Arrays double; the room follows from n, so it needs no field. */
void expr_add(struct arena *a, struct expr **list, struct expr *child)
{
    struct expr *l = *list, **grown;

    if (!l)
        return;
    if (!child) {
        *list = NULL;
        return;
    }
    if ((l->n & (l->n - 1)) == 0) {
        grown = arena_alloc(a, (l->n ? 2 * (size_t)l->n : 1) * sizeof *grown);
        if (!grown) {
            *list = NULL;
            return;
        }
        if (l->n)
            memcpy(grown, l->child, l->n * sizeof *grown);
        l->child = grown;
    }
    l->child[l->n++] = child;
}

struct expr *expr_not(struct arena *a, struct expr *x)
{
    struct expr *n = expr_list(a, EXPR_NOT);

    expr_add(a, &n, x);
    return n;
}

struct expr *expr_if(struct arena *a, struct expr *cond, struct expr *yes,
                     struct expr *no)
{
    struct expr *x = expr_list(a, EXPR_IF);

    expr_add(a, &x, cond);
    expr_add(a, &x, yes);
    expr_add(a, &x, no);
    return x;
}

void expr_view_pkt(struct expr_view *v, const struct pkt *p)
{
    uint32_t net = pkt_network_len(p);
    uint32_t header;

    v->base[BASE_DATA] = p->data;
    v->len[BASE_DATA] = p->len;
    v->base[BASE_MAC] = p->mac;
    v->len[BASE_MAC] = p->mac ? pkt_left(p, p->mac) : 0;
    v->base[BASE_NET] = p->network;
    v->len[BASE_NET] = net > INT32_MAX ? 0 : net;
    v->base[BASE_TRANSP] = p->transport;
    v->len[BASE_TRANSP] = 0;
    if (p->transport && p->network && p->transport >= p->network) {
        header = (uint32_t)(p->transport - p->network);
        if (v->len[BASE_NET] > header)
            v->len[BASE_TRANSP] = v->len[BASE_NET] - header;
    }
    if (v->len[BASE_MAC] > INT32_MAX)
        v->len[BASE_MAC] = 0;
}

uint32_t expr_word(const struct expr_view *v, unsigned base, uint32_t offset,
                   uint32_t *have)
{
    uint32_t w = 0, m = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t at = offset + i;

        w <<= 8;
        m <<= 8;
        if (base == BASE_MAC && at < 2)
            continue;
        at -= base == BASE_MAC ? 2 : 0;
        if (at < v->len[base]) {
            w |= v->base[base][at];
            m |= 0xFF;
        }
    }
    *have = m;
    return w;
}

bool expr_test_eval(const struct expr_test *t, const struct expr_view *v)
{
    uint32_t have, w = expr_word(v, t->base, t->offset, &have) & t->mask;

    if (t->mask & ~have)
        return false;
    return (t->op == EXPR_EQ ? w == t->value : w > t->value) != t->negated;
}

uint32_t expr_test_reach(const struct expr_test *t)
{
    return t->mask ? t->offset + 4 - (uint32_t)__builtin_ctz(t->mask) / 8 : 0;
}

/* Depth is bounded by the parsers. */
bool expr_eval(const struct expr *x, const struct expr_view *v)
{
    switch (x->kind) {
    case EXPR_TRUE:
        return true;
    case EXPR_TEST:
        return expr_test_eval(&x->test, v);
    case EXPR_NOT:
        return !expr_eval(x->child[0], v);
    case EXPR_IF:
        return expr_eval(x->child[expr_eval(x->child[0], v) ? 1 : 2], v);
    case EXPR_AND:
    case EXPR_OR:
        break;
    }
    for (uint32_t i = 0; i < x->n; i++)
        if (expr_eval(x->child[i], v) == (x->kind == EXPR_OR))
            return x->kind == EXPR_OR;
    return x->kind == EXPR_AND;
}
