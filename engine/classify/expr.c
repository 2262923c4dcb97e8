// SPDX-License-Identifier: BSD-3-Clause
/* expr.c -- trees of tests on the words of a packet: see expr.h */

#include "engine/classify/expr.h"

#include "engine/net_headers.h"

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
    v->len[BASE_IP6] = 0;
    if (p->transport && p->network && p->transport >= p->network) {
        header = (uint32_t)(p->transport - p->network);
        if (v->len[BASE_NET] > header)
            v->len[BASE_TRANSP] = v->len[BASE_NET] - header;
    }
    if (v->len[BASE_MAC] > INT32_MAX)
        v->len[BASE_MAC] = 0;
}

/* Where the headers of an IPv6 packet end, and what follows. */
struct ip6_end {
    uint32_t offset;
    uint8_t proto;
    uint16_t frag; /* as IPv4's: offset, IP_MF */
};

/* Bytes of the extension header at `h`, of which `left` > 1 are there; 0 for one that ends
 * the walk. */
static uint32_t ip6_extension_len(uint8_t proto, const uint8_t *h)
{
    switch (proto) {
    case IP_PROTO_HOPOPTS:
    case IP_PROTO_ROUTING:
    case IP_PROTO_DSTOPTS:
        return 8u * h[1] + 8;
    case IP_PROTO_AH:
        return 4u * h[1] + 8;
    case IP_PROTO_FRAGMENT:
        return 8;
    default:
        return 0;
    }
}

/* Walk over the extension headers of `n` bytes at `net`. A header that is cut off is what
 * the packet has as its protocol. */
static struct ip6_end ip6_walk(const uint8_t *net, uint32_t n)
{
    enum { EXTENSIONS_MAX = 16 }; /* longer chains are nobody's but an attacker's */
    struct ip6_end end = {.offset = sizeof(struct ip6_hdr), .proto = net[6]};

    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        const uint8_t *h = net + end.offset;
        uint32_t left = n - end.offset, len;
        uint16_t frag;

        len = left < 8 ? 0 : ip6_extension_len(end.proto, h);
        if (!len || len > left)
            return end;
        if (end.proto == IP_PROTO_FRAGMENT) {
            frag = be16(load16(h + 2));
            end.frag = (uint16_t)(frag >> 3 | (frag & 1 ? IP_MF : 0));
        }
        end.proto = h[0];
        end.offset += len;
        if (end.frag & IP_OFFMASK)
            return end;
    }
    return end;
}

void expr_view_pkt6(struct expr_view *v, const struct pkt *p)
{
    struct ip6_end end;
    uint32_t n;

    expr_view_pkt(v, p);
    n = v->len[BASE_NET];
    v->base[BASE_IP6] = v->ip6;
    v->len[BASE_TRANSP] = 0;
    if (n < sizeof(struct ip6_hdr) || p->network[0] >> 4 != 6) {
        v->len[BASE_NET] = 0;
        return;
    }
    end = ip6_walk(p->network, n);
    memset(v->ip6, 0, sizeof v->ip6);
    store16(v->ip6 + 6, be16(end.frag));
    v->ip6[8] = p->network[7];
    v->ip6[9] = end.proto;
    v->len[BASE_IP6] = sizeof v->ip6;
    if (end.frag & IP_OFFMASK)
        return;
    v->base[BASE_TRANSP] = p->network + end.offset;
    v->len[BASE_TRANSP] = n - end.offset;
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
