// SPDX-License-Identifier: BSD-3-Clause
/* router6.c -- limit of an IPv6 router: see limits.h */

#include "bench/limits/headers.h"
#include "engine/ip6_routes.h"

#include <string.h>

static const uint8_t next_hop[14] = {0, 0,    0xc0, 0x4f, 0x71, 0xef, 0,
                                     0, 0xc0, 0xae, 0x67, 0xef, 0x86, 0xdd};

static void routes_load(struct ip6_routes *t, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct bench_route6 r = bench_route6(i);
        struct ip6_route route = {.len = r.bits, .port = r.port};

        memcpy(route.addr.b, r.addr, sizeof r.addr);
        ip6_routes_add(t, &route);
    }
}

/* All that CheckIP6Header asks; bytes behind the packet are taken off. */
static inline int good_header6(struct limit_pkt *p)
{
    const struct ip6_hdr *h = (const struct ip6_hdr *)p->data;
    uint64_t src[2];
    uint32_t len;

    if (p->len < sizeof *h || p->data[0] >> 4 != 6)
        return 0;
    len = (uint32_t)sizeof *h + be16(h->len);
    memcpy(src, h->src.b, sizeof src);
    if (len > p->len || (src[0] & src[1]) == UINT64_MAX)
        return 0;
    p->len = len;
    return 1;
}

static inline int forward6(struct limit *l, struct ip6_routes *t, struct limit_pkt *p)
{
    const struct ip6_hdr *h = (const struct ip6_hdr *)p->data;
    const struct ip6_route *r = ip6_routes_lookup(t, &h->dst);

    if (!r || r->port != 0 || h->hlim <= 1)
        return 0;
    p->data -= 14;
    p->len += 14;
    limit_own(l, p);
    ((struct ip6_hdr *)(p->data + 14))->hlim--;
    memcpy(p->data, next_hop, sizeof next_hop);
    return 1;
}

void limit_router6(struct limit *l, uint64_t n)
{
    static uint8_t packet[PACKET_SLOT];
    struct ip6_routes t = {.n = 0};
    struct limit_pkt b[LIMIT_BATCH];

    packet_make6(packet);
    for (routes_load(&t, l->size); n; n -= LIMIT_BATCH) {
        unsigned kept = 0;

        limit_source_of(l, b, packet, PACKET_LEN);
        for (unsigned i = 0; i < LIMIT_BATCH; i++) {
            struct limit_pkt p = b[i];

            if (load16(p.data + 12) != be16(0x86dd))
                continue;
            p.data += 14;
            p.len -= 14;
            if (good_header6(&p) && forward6(l, &t, &p))
                b[kept++] = p;
        }
        limit_put(l, b, kept);
        limit_discard(l, b, limit_get(l, b));
    }
    ip6_routes_fini(&t);
}
