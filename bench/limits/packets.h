// SPDX-License-Identifier: BSD-3-Clause
/*
 * packets.h -- the packets, rules and routes that both sides of a benchmark use
 *
 * The packet is Ethernet, UDP 1.0.0.1:1234 > 2.0.0.2:1234, 64 bytes with the FCS, which
 * is not there. Flows differ in source address, source port and, for more than 50,000 of
 * them, destination; their UDP checksums are set.
 */

#ifndef BENCH_LIMITS_PACKETS_H
#define BENCH_LIMITS_PACKETS_H

#include <stddef.h>
#include <stdint.h>

enum {
    PACKET_LEN = 60,
    PACKET_SLOT = 64,    /* bytes that a packet takes in an array */
    PACKET_LONG = 508,   /* a packet that others search */
    LIMIT_HEADROOM = 66, /* puts the IP header on a multiple of 16 */
};

/* The packet as InfiniteSource's DATA, and as bytes. */
extern const char packet_data[];
void packet_make(uint8_t *at);

/* That of flow `i`. */
void packet_make_flow(uint8_t *at, uint32_t i);

/* The packet with a payload of small letters and blanks, PACKET_LONG bytes. */
void packet_make_long(uint8_t *at);

/* Pattern `i` to be searched for in it, which is not there: 6 to 25 small letters. Returns
 * how many. */
enum { PATTERN_ROOM = 32 };
unsigned bench_pattern(uint32_t i, char out[PATTERN_ROOM]);

/* An IPv6 packet to 2002::2, and route `i` of `n` for such: number 0 is the default route,
 * and no other one covers that. */
struct bench_route6 {
    uint8_t addr[16];
    uint32_t bits, port;
};
void packet_make6(uint8_t *at);
struct bench_route6 bench_route6(uint32_t i);

/* The keys of an ESP tunnel, its SPI and the other end. */
extern const uint8_t esp_key[20];
enum { ESP_SPI = 256, ESP_GATEWAY = 0xc0000202 };

/* Addresses and ports in network byte order. */
struct tuple {
    uint32_t src, dst;
    uint16_t sport, dport;
} __attribute__((packed)); /* also read where it lies in a packet */

/* Rule `i` of `n`: the last one is the packet's. */
struct tuple bench_rule(uint32_t i, uint32_t n);

/* Route `i` of `n`, in host byte order: number 0 is the default route, and no other
 * one covers the packet's destination. */
struct bench_route {
    uint32_t addr, bits, port;
};
struct bench_route bench_route(uint32_t i);

/* Which flow is next. */
struct flow_order {
    uint64_t x;
    uint32_t n;
};

static inline uint32_t flow_next(struct flow_order *o)
{
    o->x = o->x * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((o->x >> 32) * o->n >> 32);
}

#endif
