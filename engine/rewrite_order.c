// SPDX-License-Identifier: BSD-3-Clause
/*
 * rewrite_order.c -- the order in which Click's rewriters list their mappings
 *
 * There it is that of a hash table. It begins with one bucket and grows to twice as many and
 * one more when there are more than two entries for each; what is new comes first in its
 * bucket, and growing turns each bucket around. So the table is filled anew here, with the
 * mappings that are left, in the order in which they came.
 */

#include "engine/rewrite.h"

#include <stdlib.h>

enum { NONE = UINT32_MAX };

struct order {
    uint32_t *ref;  /* [n] flow number << 1 | direction */
    uint64_t *hash; /* [n] */
    uint32_t *next; /* [n] in the bucket */
    uint32_t *head; /* [n_buckets] */
    uint32_t n, n_buckets;
};

/* The ids by which Click finds a ping: the port of the far side is one more. */
static struct flow_id click_id(const struct rewriter *rw, const struct flow *f,
                               unsigned direction)
{
    struct flow_id id = f->id[direction];

    if (rw->kind == REWRITE_PING && direction)
        id.sport = (uint16_t)(id.dport + 1);
    else if (rw->kind == REWRITE_PING)
        id.dport = (uint16_t)(id.sport + 1);
    return id;
}

/* Rotated as 32 bits into 64 of which none is lost; by 0 it does nothing. */
static uint64_t rotate(uint32_t v, unsigned by)
{
    return (uint64_t)v << by | v >> ((32 - by) & 31);
}

static uint64_t click_hash(const struct flow_id *id)
{
    uint32_t sport = be16(id->sport), dport = be16(id->dport);
    int32_t ports = (int32_t)(dport << 16 | sport); /* its sign fills the upper half */

    return rotate(id->src, sport % 16) ^ rotate(id->dst, 31 - dport % 16) ^
           (uint64_t)(int64_t)ports;
}

static void put(struct order *o, uint32_t i)
{
    uint32_t *head = &o->head[o->hash[i] % o->n_buckets];

    o->next[i] = *head;
    *head = i;
}

static int grow(struct order *o)
{
    uint32_t was = o->n_buckets, n = 2 * was + 1, *old = o->head;
    uint32_t *head = malloc(n * sizeof *head);

    if (!head)
        return -1;
    memset(head, 0xff, n * sizeof *head);
    o->head = head;
    o->n_buckets = n;
    for (uint32_t b = 0; b < was; b++)
        for (uint32_t i = old[b], next; i != NONE; i = next) {
            next = o->next[i];
            put(o, i);
        }
    free(old);
    return 0;
}

static int compare_age(const void *x, const void *y)
{
    const struct flow *const *a = x, *const *b = y;

    return (*a)->born < (*b)->born ? -1 : 1;
}

static int fill(struct order *o, const struct rewriter *rw, struct flow **flows,
                uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (unsigned direction = 0; direction < 2; direction++) {
            struct flow_id id = click_id(rw, flows[i], direction);

            o->ref[o->n] = i << 1 | direction;
            o->hash[o->n] = click_hash(&id);
            put(o, o->n++);
        }
        if (o->n > 2 * o->n_buckets && grow(o) < 0)
            return -1;
    }
    return 0;
}

static void list(const struct order *o, struct flow **flows,
                 void (*say)(void *ctx, const struct flow *f, unsigned direction),
                 void *ctx)
{
    for (uint32_t b = 0; b < o->n_buckets; b++)
        for (uint32_t i = o->head[b]; i != NONE; i = o->next[i])
            say(ctx, flows[o->ref[i] >> 1], o->ref[i] & 1);
}

int rewrite_list(const struct rewriter *rw, enum rewrite_table which,
                 void (*say)(void *ctx, const struct flow *f, unsigned direction),
                 void *ctx)
{
    size_t room = rw->flows.count + 1u;
    struct flow **flows = malloc(room * sizeof(*flows));
    struct order o = {.ref = malloc(2 * room * sizeof *o.ref),
                      .hash = malloc(2 * room * sizeof *o.hash),
                      .next = malloc(2 * room * sizeof *o.next),
                      .head = malloc(sizeof *o.head),
                      .n_buckets = 1};
    uint32_t at = 0, n = 0;
    struct flow *f;
    int rc = -1;

    if (flows && o.ref && o.hash && o.next && o.head) {
        while ((f = flow_next(&rw->flows, &at)))
            if (which == REWRITE_ALL ||
                (which == REWRITE_ONLY_TCP) == (f->proto == IP_PROTO_TCP))
                flows[n++] = f;
        qsort(flows, n, sizeof *flows, compare_age);
        o.head[0] = NONE;
        rc = fill(&o, rw, flows, n);
    }
    if (rc == 0)
        list(&o, flows, say, ctx);
    free(flows);
    free(o.ref);
    free(o.hash);
    free(o.next);
    free(o.head);
    return rc;
}
