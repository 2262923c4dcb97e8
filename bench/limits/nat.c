// SPDX-License-Identifier: BSD-3-Clause
/*
 * nat.c -- limits of rewriters: see limits.h
 *
 * One hash table maps a flow to its new addresses and ports; a batch is hashed and its
 * places prefetched before any of it is rewritten.
 */

#include "bench/limits/headers.h"
#include "engine/checksum.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_PORT = 1024, N_PORTS = 65536 - FIRST_PORT };

struct mapping {
    struct tuple from, to;
    uint32_t used; /* when, so that it can expire; 0: free place */
    uint16_t ip_delta, l4_delta;
};

struct nat {
    struct mapping *m;
    uint32_t mask, n;
};

static inline uint32_t tuple_hash(const struct tuple *t)
{
    uint64_t a, h;
    uint32_t b;

    memcpy(&a, t, 8);
    memcpy(&b, &t->sport, 4);
    h = (a ^ (uint64_t)b << 32 ^ b) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(h >> 32);
}

static struct nat nat_new(struct limit *l)
{
    struct nat t = {.mask = 63};

    while (t.mask < 2 * l->size)
        t.mask = 2 * t.mask + 1;
    l->table = t.m = aligned_alloc(64, (t.mask + 1) * sizeof *t.m);
    if (t.m)
        memset(t.m, 0, (t.mask + 1) * sizeof *t.m);
    return t;
}

/* To the address 5.0.0.1 and a port of its own. */
static struct tuple nat_target(struct nat *t, struct tuple from)
{
    from.src = be32(0x05000001);
    from.sport = be16((uint16_t)(FIRST_PORT + t->n % N_PORTS));
    return from;
}

/* To one of four servers in turn. */
static struct tuple balancer_target(struct nat *t, struct tuple from)
{
    from.dst = be32(0x06000001 + t->n % 4);
    return from;
}

static inline struct mapping *
nat_find(struct nat *t, const struct tuple *key, uint32_t hash,
         struct tuple (*target)(struct nat *, struct tuple))
{
    uint32_t at = hash & t->mask;
    struct mapping *m;
    uint64_t ip, l4;

    while (t->m[at].used && memcmp(&t->m[at].from, key, sizeof *key))
        at = (at + 1) & t->mask;
    m = &t->m[at];
    if (__builtin_expect(m->used, 1))
        return m;
    m->from = *key;
    m->to = target(t, *key);
    ip = csum_delta32(m->from.src, m->to.src) + csum_delta32(m->from.dst, m->to.dst);
    l4 = ip + csum_delta16(m->from.sport, m->to.sport);
    m->ip_delta = csum_fold(ip);
    m->l4_delta = csum_fold(l4);
    t->n++;
    return m;
}

static inline void rewrite(struct limit *l, struct limit_pkt *p,
                           const struct mapping *m)
{
    struct ip4_hdr *ip;
    struct udp_hdr *udp;

    limit_own(l, p);
    ip = (struct ip4_hdr *)p->data;
    udp = (struct udp_hdr *)(p->data + 20);
    memcpy(&ip->src, &m->to, sizeof m->to); /* ports follow the addresses */
    ip->sum = csum_apply(ip->sum, m->ip_delta);
    if (udp->sum)
        udp->sum = csum_apply(udp->sum, m->l4_delta);
}

static inline void limit_rewriter(struct limit *l, uint64_t n,
                                  struct tuple (*target)(struct nat *, struct tuple))
{
    struct nat t = nat_new(l);
    struct limit_pkt b[LIMIT_BATCH];

    for (uint32_t now = 1; t.m && n; n -= LIMIT_BATCH, now++) {
        uint32_t hash[LIMIT_BATCH];
        unsigned good;

        limit_source(l, b);
        good = limit_strip(b);
        for (unsigned i = 0; i < good; i++) {
            hash[i] = tuple_hash((const struct tuple *)(b[i].data + 12));
            __builtin_prefetch(&t.m[hash[i] & t.mask]);
        }
        for (unsigned i = 0; i < good; i++) {
            struct mapping *m = nat_find(&t, (const struct tuple *)(b[i].data + 12),
                                         hash[i], target);

            m->used = now;
            rewrite(l, &b[i], m);
        }
        limit_discard(l, b, good);
    }
}

void limit_nat(struct limit *l, uint64_t n)
{
    limit_rewriter(l, n, nat_target);
}

void limit_balancer(struct limit *l, uint64_t n)
{
    limit_rewriter(l, n, balancer_target);
}
