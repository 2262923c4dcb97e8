// SPDX-License-Identifier: BSD-3-Clause
/*
 * filter.c -- the limit of a packet filter: see limits.h
 *
 * All rules name five fields, so that a hash table finds the one that matches, whatever
 * their number is.
 */

#include "bench/limits/headers.h"

#include <stdlib.h>
#include <string.h>

struct rule {
    struct tuple t;
    uint32_t used;
};

static inline uint32_t tuple_hash(const uint8_t *t)
{
    uint64_t a, h;
    uint32_t b;

    memcpy(&a, t, 8);
    memcpy(&b, t + 8, 4);
    h = (a ^ (uint64_t)b << 32 ^ b) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(h >> 32);
}

static uint32_t rules_load(struct limit *l)
{
    uint32_t mask = 63;
    struct rule *r;

    while (mask < 2 * l->size)
        mask = 2 * mask + 1;
    l->table = r = calloc(mask + 1, sizeof *r);
    for (uint32_t i = 0; r && i < l->size; i++) {
        struct rule rule = {.t = bench_rule(i, l->size), .used = 1};
        uint32_t at = tuple_hash((const uint8_t *)&rule.t) & mask;

        while (r[at].used)
            at = (at + 1) & mask;
        r[at] = rule;
    }
    return r ? mask : 0;
}

/* Whether a rule allows this UDP packet; addresses and ports lie behind one another. */
static inline int allowed(const struct rule *r, uint32_t mask, const uint8_t *ip,
                          uint32_t len)
{
    const uint8_t *t = ip + 12;
    uint32_t at;

    if (len < 24 || ip[9] != 17 || (load16(ip + 6) & be16(0x1fff)))
        return 0;
    for (at = tuple_hash(t) & mask; r[at].used; at = (at + 1) & mask)
        if (!memcmp(&r[at].t, t, sizeof r[at].t))
            return 1;
    return 0;
}

void limit_filter(struct limit *l, uint64_t n)
{
    uint32_t mask = rules_load(l);
    const struct rule *r = l->table;
    struct limit_pkt b[LIMIT_BATCH];

    for (; mask && n; n -= LIMIT_BATCH) {
        unsigned good, kept = 0;

        limit_source(l, b);
        good = limit_strip(b);
        for (unsigned i = 0; i < good; i++)
            if (allowed(r, mask, b[i].data, b[i].len))
                b[kept++] = b[i];
        limit_discard(l, b, kept);
    }
}
