// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip64.h -- IPv4 packets as IPv6 packets, and the other way round (RFC 7915)
 *
 * What ProtocolTranslator46 and ProtocolTranslator64 have in common: headers, the checksums
 * of what is behind them, and ICMP errors with the packets that they quote.
 *
 * Trust: lengths are checked by the caller for the packet itself, and here for what an error
 *        quotes.
 */

#ifndef ENGINE_IP64_H
#define ENGINE_IP64_H

#include "engine/net_headers.h"

enum {
    ICMP6_UNREACH = 1,
    ICMP6_TOOBIG = 2,
    ICMP6_TIMXCEED = 3,
    ICMP6_PARAMPROB = 4,
    ICMP6_ECHO = 128,
    ICMP6_ECHOREPLY = 129,
};

/* An error is cut so that its packet has at most so many bytes: what every link carries. */
enum { IP64_ERROR_MAX = 1280 - (int)sizeof(struct ip6_hdr) };

/* ::ffff:a.b.c.d */
struct ip6_addr ip64_mapped(uint32_t addr);

/* The IPv4 address behind ::ffff:, ::ffff:0: or 64:ff9b::; false when there is none. */
bool ip64_embedded(const struct ip6_addr *a, uint32_t *addr);

/* The header for one of the other kind and `n` bytes behind it. False when an address has no
 * IPv4 address inside, or `n` is too large. */
void ip64_header6(const struct ip4_hdr *was, uint32_t n, struct ip6_hdr *h);
bool ip64_header4(const struct ip6_hdr *was, uint32_t n, struct ip4_hdr *h);

/* Make the `n` bytes at `at` right for their new header: checksums, types of ICMP echo.
 * False when it cannot be done. */
bool ip64_transport6(const struct ip4_hdr *was, const struct ip6_hdr *h, uint8_t *at,
                     uint32_t n);
bool ip64_transport4(const struct ip6_hdr *was, const struct ip4_hdr *h, uint8_t *at,
                     uint32_t n);

/* Whether an ICMP message is an error that has a counterpart. */
bool ip64_is_error4(const uint8_t *msg, uint32_t n);
bool ip64_is_error6(const uint8_t *msg, uint32_t n);

/* The counterpart of the error of `n` bytes at `msg`, with a checksum of 0, in `out`, which has
 * IP64_ERROR_MAX bytes. Returns its length, 0 when there is none. */
uint32_t ip64_error6(const uint8_t *msg, uint32_t n, uint8_t *out);
uint32_t ip64_error4(const uint8_t *msg, uint32_t n, uint8_t *out);

#endif
