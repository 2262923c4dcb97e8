// SPDX-License-Identifier: BSD-3-Clause
/* packets.c -- the packets, rules and routes that both sides use: see packets.h */

#include "bench/limits/packets.h"

#include "engine/checksum.h"
#include "engine/net_headers.h"

#include <stdbool.h>
#include <string.h>

/* The formatter never comes to rest here. */
/* clang-format off */
#define BYTES \
    X(00, 00, 00, 00, 00, 02) \
    X(00, 00, 00, 00, 00, 01) \
    X(08, 00, 45, 00, 00, 2e) \
    X(00, 00, 40, 00, 40, 11) \
    X(37, bd, 01, 00, 00, 01) \
    X(02, 00, 00, 02, 04, d2) \
    X(04, d2, 00, 1a, 00, 00) \
    X(00, 00, 00, 00, 00, 00) \
    X(00, 00, 00, 00, 00, 00) \
    X(00, 00, 00, 00, 00, 00)
/* clang-format on */

#define X(a, b, c, d, e, f) #a #b #c #d #e #f
const char packet_data[] = "\\<" BYTES ">";
#undef X

void packet_make(uint8_t *at)
{
#define X(a, b, c, d, e, f) 0x##a, 0x##b, 0x##c, 0x##d, 0x##e, 0x##f,
    static const uint8_t bytes[PACKET_SLOT] = {BYTES};
#undef X

    memcpy(at, bytes, sizeof bytes);
}

void packet_make_flow(uint8_t *at, uint32_t i)
{
    struct ip4_hdr *ip = (struct ip4_hdr *)(void *)(at + 14);
    struct udp_hdr *udp = (struct udp_hdr *)(void *)(at + 34);

    packet_make(at);
    ip->src = be32(10u << 24 | i);
    ip->dst = be32(0x02000002 + i / 50000);
    udp->sport = be16((uint16_t)(1024 + i % 50000));
    ip->sum = 0;
    ip->sum = csum(ip, sizeof *ip);
    udp->sum = 0;
    udp->sum = csum_finish(
        csum_add(csum_pseudo4(ip->src, ip->dst, ip->proto, 26), udp, 26));
}

static uint32_t mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x45d9f3b;
    x = (x ^ x >> 16) * 0x45d9f3b;
    return x ^ x >> 16;
}

void packet_make_long(uint8_t *at)
{
    static const char letters[] = "etaoin shrdlcumwfgypbvk eeaatt  ";
    struct ip4_hdr *ip = (struct ip4_hdr *)(void *)(at + 14);
    struct udp_hdr *udp = (struct udp_hdr *)(void *)(at + 34);

    packet_make(at);
    for (uint32_t i = 42; i < PACKET_LONG; i++)
        at[i] = (uint8_t)letters[mix(i) >> 7 & 31];
    ip->len = be16(PACKET_LONG - 14);
    ip->sum = 0;
    ip->sum = csum(ip, sizeof *ip);
    udp->len = be16(PACKET_LONG - 34);
}

unsigned bench_pattern(uint32_t i, char out[PATTERN_ROOM])
{
    unsigned n = 6 + mix(i + 1) % 20;

    for (unsigned k = 0; k < n; k++)
        out[k] = (char)('a' + (mix(i * PATTERN_ROOM + k + 1) >> 7) % 26);
    out[n] = 0;
    return n;
}

void packet_make6(uint8_t *at)
{
    static const uint8_t head[14 + 8] = {0, 0,    0,    0,    0, 2, 0, 0, 0, 0,  0,
                                         1, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 6, 59, 64};

    memset(at, 0, PACKET_SLOT);
    memcpy(at, head, sizeof head);
    at[22] = at[38] = 0x20;
    at[23] = 1;
    at[39] = at[53] = 2;
}

struct bench_route6 bench_route6(uint32_t i)
{
    struct bench_route6 r = {{0}, i ? 48 : 0, i % 4};

    if (i) {
        static const uint8_t net[4] = {0x20, 0x01, 0x0d, 0xb8};

        memcpy(r.addr, net, sizeof net);
        r.addr[4] = (uint8_t)(i >> 8);
        r.addr[5] = (uint8_t)i;
    }
    return r;
}

const uint8_t esp_key[20] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                             10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

struct tuple bench_rule(uint32_t i, uint32_t n)
{
    uint32_t r = mix(i + 1);

    if (i == n - 1)
        return (struct tuple){be32(0x01000001), be32(0x02000002), be16(1234),
                              be16(1234)};
    return (struct tuple){be32(10u << 24 | r >> 8), be32(172u << 24 | mix(r) >> 8),
                          be16((uint16_t)r), be16((uint16_t)(r >> 16))};
}

struct bench_route bench_route(uint32_t i)
{
    /* A quarter has 20 to 23 bits, the others 24, all different, all in 4.0.0.0 and up:
     * not where the packet goes to. The factor has no divisor in common with the number
     * of networks, so that each comes up once. */
    bool wide = i % 4 == 0;
    uint32_t bits = wide ? 20 + i / 4 % 4 : 24;
    uint32_t nth = (uint32_t)((wide ? i / 16 : i) * 6700417ull % (216u << (bits - 8)));

    if (!i)
        return (struct bench_route){0, 0, 0};
    return (struct bench_route){(4u << 24) + (nth << (32 - bits)), bits, i % 4};
}
