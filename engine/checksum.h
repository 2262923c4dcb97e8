// SPDX-License-Identifier: BSD-3-Clause
/*
 * checksum.h -- the Internet checksum (RFC 1071) and its incremental update (RFC 1624)
 *
 * Sums are of 16-bit words in the machine's own byte order: the ones' complement sum does
 * not care as long as all of it is done in the same order, so a result is stored into a
 * header as it is. Partial sums are 64 bits wide and folded once, at the end.
 */

#ifndef ENGINE_CHECKSUM_H
#define ENGINE_CHECKSUM_H

#include "engine/net_headers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Add `n` bytes at any address to a partial sum. Pieces of a whole must be added at even
 * distances; an odd last byte counts as if a zero followed. */
uint64_t csum_add(uint64_t sum, const void *bytes, size_t n);

/* The ones' complement sum of 16 bits that a partial sum stands for, not inverted. */
static inline uint16_t csum_fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffffu);
    sum = (sum >> 32) + (sum & 0xffffffffu);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)((sum >> 16) + (sum & 0xffff));
}

/* What goes into a header's checksum field when the field was 0 under the sum; 0 when the
 * sum was taken over a header with a correct checksum in it. */
static inline uint16_t csum_finish(uint64_t sum)
{
    return (uint16_t)~csum_fold(sum);
}

static inline uint16_t csum(const void *bytes, size_t n)
{
    return csum_finish(csum_add(0, bytes, n));
}

/* Two partial sums, with the carry. */
static inline uint64_t csum_carry(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) + sum;
}

/* The same for the 20 bytes of an IPv4 header without options, in a few instructions. */
static inline uint16_t csum_ip4_20(const void *h)
{
    const uint8_t *b = h;
    uint64_t sum = (uint64_t)load32(b) + load32(b + 4) + load32(b + 8);

    sum += (uint64_t)load32(b + 12) + load32(b + 16);
    sum = (sum >> 32) + (sum & 0xffffffffu);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t) ~((sum >> 16) + (sum & 0xffff));
}

static inline uint16_t csum_ip4(const struct ip4_hdr *h)
{
    return h->vhl == 0x45 ? csum_ip4_20(h) : csum(h, ip4_hlen(h));
}

/* Whether the checksum in a header of 20 bytes that are not all 0 is correct. Words of 64
 * bits have the same remainder as their quarters added up, carries included, and a multiple
 * of 65535 is told by one multiplication with its inverse modulo 2^64 (Lemire, Kaser and
 * Kurz, 2019). */
static inline bool csum_ip4_20_good(const void *h)
{
    const uint8_t *b = h;
    uint64_t sum;

    sum = csum_carry(load64(b), load64(b + 8));
    sum = csum_carry(sum, load32(b + 16));
    return sum * 0xfffefffefffeffffu <= UINT64_MAX / 65535;
}

/* The sums of the pseudo headers, to which the transport header and data are added. `len` is
 * theirs, in bytes. */
static inline uint64_t csum_pseudo4(uint32_t src, uint32_t dst, uint8_t proto,
                                    uint32_t len)
{
    return (uint64_t)src + dst + be32(proto) + be32(len);
}

static inline uint64_t csum_pseudo6(const struct ip6_addr *src,
                                    const struct ip6_addr *dst, uint8_t proto,
                                    uint32_t len)
{
    uint64_t sum = csum_add(be32(proto), src->b, 16);

    return csum_add(sum + be32(len), dst->b, 16);
}

/* The checksum that `sum` becomes when a 16-bit word that it covers changes: RFC 1624,
 * equation 3. Never turns a correct checksum into a wrong one. */
static inline uint16_t csum_replace16(uint16_t sum, uint16_t was, uint16_t is)
{
    uint32_t s = (uint32_t)(uint16_t)~sum + (uint16_t)~was + is;

    s = (s >> 16) + (s & 0xffff);
    return (uint16_t) ~((s >> 16) + (s & 0xffff));
}

/* Take one off the TTL, which is not 0, by RFC 1624: the checksum, of which it is the high
 * byte of a word, goes up by 0x0100. Both are in one word of 32 bits. */
static inline void ip4_count_down(struct ip4_hdr *h)
{
    uint8_t *at = (uint8_t *)h + offsetof(struct ip4_hdr, ttl);
    uint32_t word = load32(at), up = (uint32_t)BE16(0x0100) << 16;

    up += word >= 0xffff0000u - up ? 0x10000 : 0; /* the carry of the sum */
    store32(at, word + up - 1);
}

/* The same for a change of several words: csum_delta32(was, is) values may be added up. */
static inline uint64_t csum_delta32(uint32_t was, uint32_t is)
{
    return (uint64_t)(uint32_t)~was + is;
}

static inline uint64_t csum_delta16(uint16_t was, uint16_t is)
{
    return (uint64_t)(uint16_t)~was + is;
}

static inline uint16_t csum_apply(uint16_t sum, uint64_t delta)
{
    return csum_finish((uint16_t)~sum + delta);
}

/* The same for a change that has been folded. */
static inline uint16_t csum_apply16(uint16_t sum, uint16_t delta)
{
    uint16_t s;
    bool borrow = __builtin_sub_overflow(sum, delta, &s); /* ~(~a + b) is a - b */

    return (uint16_t)(s - borrow);
}

static inline uint16_t csum_replace32(uint16_t sum, uint32_t was, uint32_t is)
{
    return csum_apply(sum, csum_delta32(was, is));
}

#endif
