// SPDX-License-Identifier: BSD-3-Clause
/* router.c -- limits of IP routers and of their tables: see limits.h */

#include "bench/limits/headers.h"
#include "engine/checksum.h"

#include <string.h>

/* What the router puts before a packet for its next hop. */
static const uint8_t next_hop[14] = {0, 0,    0xc0, 0x4f, 0x71, 0xef, 0,
                                     0, 0xc0, 0xae, 0x67, 0xef, 8,    0};

static void routes_load(struct limit *l)
{
    for (uint32_t i = 0; i < l->size; i++) {
        struct bench_route r = bench_route(i);
        uint32_t mask = r.bits ? UINT32_MAX << (32 - r.bits) : 0;

        ip_routes_add(&l->routes,
                      &(struct ip_route){.addr = be32(r.addr),
                                         .mask = be32(mask),
                                         .port = (int32_t)r.port},
                      false, NULL);
    }
    ip_routes_distill(&l->routes);
}

/* From the route on: check and count down the TTL, put the next hop's header in front. */
static inline int forward(struct limit *l, struct limit_pkt *p)
{
    struct ip4_hdr *ip = (struct ip4_hdr *)p->data;
    struct ip_hop hop = ip_routes_find(&l->routes, ip->dst);

    if (hop.port != 0 || ip->ttl <= 1 || p->len > 1500)
        return 0;
    p->data -= 14;
    p->len += 14;
    limit_own(l, p);
    ip = (struct ip4_hdr *)(p->data + 14);
    ip->ttl--;
    ip->sum = csum_replace16(ip->sum, be16(0x100), 0);
    memcpy(p->data, next_hop, sizeof next_hop);
    return 1;
}

void limit_router(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (routes_load(l); n; n -= LIMIT_BATCH) {
        unsigned good, kept = 0;

        limit_source(l, b);
        for (unsigned i = 0; i < LIMIT_BATCH; i++)
            if (load16(b[i].data + 12) == be16(0x0800))
                b[kept++] = b[i];
        good = kept == LIMIT_BATCH ? limit_strip(b) : 0;
        kept = 0;
        for (unsigned i = 0; i < good; i++)
            if (forward(l, &b[i]))
                b[kept++] = b[i];
        limit_put(l, b, kept);
        limit_discard(l, b, limit_get(l, b));
    }
}

void limit_one_router(struct limit *l, uint64_t n)
{
    struct limit_pkt p;

    for (routes_load(l); n; n--) {
        const struct ip4_hdr *ip;

        limit_source_one(l, &p, n);
        ip = (const struct ip4_hdr *)(p.data + 14);
        if (load16(p.data + 12) == be16(0x0800) && good_header(ip, p.len - 14)) {
            p.data += 14;
            p.len = be16(ip->len);
            if (forward(l, &p))
                limit_put(l, &p, 1);
        }
        limit_discard(l, &p, limit_get_one(l, &p));
    }
}

/* The same generator as the engine's. */
static inline uint32_t random32(struct limit *l)
{
    uint64_t z = l->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

void limit_random_address(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];
    uint32_t dst[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        for (unsigned i = 0; i < LIMIT_BATCH; i++)
            dst[i] = random32(l);
        __asm__ volatile("" : : "r"(dst) : "memory");
        limit_discard(l, b, LIMIT_BATCH);
    }
}

void limit_lookup(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH], out[4][LIMIT_BATCH];
    unsigned n_out[4];

    for (routes_load(l); n; n -= LIMIT_BATCH) {
        uint32_t dst[LIMIT_BATCH];

        limit_source(l, b);
        memset(n_out, 0, sizeof n_out);
        for (unsigned i = 0; i < LIMIT_BATCH; i++)
            dst[i] = random32(l);
        for (unsigned i = 0; i < LIMIT_BATCH; i++) {
            struct ip_hop hop = ip_routes_find(&l->routes, dst[i]);
            unsigned o = (unsigned)hop.port & 3;

            out[o][n_out[o]++] = b[i];
        }
        for (unsigned o = 0; o < 4; o++)
            limit_discard(l, out[o], n_out[o]);
    }
}
