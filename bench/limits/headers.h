// SPDX-License-Identifier: BSD-3-Clause
/* headers.h -- what several limits do with headers */

#ifndef BENCH_LIMITS_HEADERS_H
#define BENCH_LIMITS_HEADERS_H

#include "bench/limits/limits.h"
#include "engine/net_headers.h"

/* All that CheckIPHeader asks of a header without options. */
static inline int good_header(const struct ip4_hdr *ip, uint32_t len)
{
    const uint8_t *b = (const uint8_t *)ip;
    uint32_t total = be16(ip->len);
    uint64_t sum;

    if (len < 20 || ip->vhl != 0x45 || total > len || total < 20)
        return 0;
    sum = (uint64_t)load32(b) + load32(b + 4) + load32(b + 8) + ip->src + ip->dst;
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16) == 0xffff && ip->src != 0xffffffff;
}

/* Strip Ethernet and keep packets with a good IP header; how many are left. */
static inline unsigned limit_strip(struct limit_pkt *b)
{
    unsigned good = 0;

    for (unsigned i = 0; i < LIMIT_BATCH; i++) {
        struct limit_pkt p = b[i];
        const struct ip4_hdr *ip = (const struct ip4_hdr *)(p.data + 14);

        if (good_header(ip, p.len - 14)) {
            p.data += 14;
            p.len = be16(ip->len);
            b[good++] = p;
        }
    }
    return good;
}

#endif
