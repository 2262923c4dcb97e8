// SPDX-License-Identifier: BSD-3-Clause
/*
 * ProtocolTranslator64 -- turn IPv6 packets into IPv4 packets
 *
 * Usage:    ProtocolTranslator64
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets that cannot be translated
 * Handlers: none
 * Example:  ... -> CheckIP6Header -> ProtocolTranslator64 -> ...
 * See also: ProtocolTranslator46
 *
 * Stateless translation (RFC 7915): both addresses must hold an IPv4 address in their last
 * four bytes, behind ::ffff:, ::ffff:0: or 64:ff9b::. TCP and UDP, ICMPv6 echo requests and
 * replies are translated with their checksums, ICMPv6 errors with the packets that they
 * quote; other ICMPv6, packets with extension
 * headers and those that are shorter than they say are dropped, other protocols go on as
 * they are. The packet must begin with its IPv6 header. Sets the network and transport
 * headers and the destination annotation; the result may not be fragmented.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/ip64.h"

enum { C_DROPS };
static const struct counter_spec protocol_translator64_counters[] = {
    [C_DROPS] = {"drops", "packets that cannot be translated"},
    {NULL, NULL},
};

/* Hop-by-hop, routing, fragment, destination options: there is more before the payload. */
static bool is_extension(uint8_t next)
{
    return next == 0 || next == 43 || next == 44 || next == 60;
}

/* An ICMPv6 error, whose quoted packet changes its size as well: everything is made anew. */
static __attribute__((noinline)) verdict_t
protocol_translator64_error(struct element *e, struct pkt *p, const struct ip6_hdr *was,
                            uint32_t n)
{
    uint8_t body[IP64_ERROR_MAX];
    uint32_t len = ip64_error4(p->data + sizeof *was, n, body);
    struct ip4_hdr h;

    if (!len || !ip64_header4(was, len, &h) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    store16(body + 2, csum(body, len));
    /* the result is shorter: quoted and quoting header lose 20 bytes each */
    pkt_take(p, p->len - (uint32_t)sizeof h - len);
    memcpy(p->data, &h, sizeof h);
    memcpy(p->data + sizeof h, body, len);
    pkt_set_ip4(p, p->data, sizeof h);
    pkt_set_dst_ip(p, h.dst);
    return 0;
}

static inline verdict_t protocol_translator64_one(struct element *e, struct pkt *p)
{
    struct ip6_hdr was;
    struct ip4_hdr h;
    uint32_t n;

    if (p->len < sizeof was || p->data[0] >> 4 != 6)
        return drop(e, C_DROPS);
    memcpy(&was, p->data, sizeof was);
    n = be16(was.len);
    if (n > p->len - sizeof was || is_extension(was.next))
        return drop(e, C_DROPS);
    if (was.next == IP_PROTO_ICMP6 && ip64_is_error6(p->data + sizeof was, n))
        return protocol_translator64_error(e, p, &was, n);
    if (!ip64_header4(&was, n, &h) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    pkt_take(p, p->len - (uint32_t)sizeof was - n);
    pkt_pull(p, sizeof was - sizeof h);
    pkt_set_ip4(p, p->data, sizeof h);
    *pkt_ip4(p) = h;
    if (!ip64_transport4(&was, &h, p->transport, n))
        return drop(e, C_DROPS);
    pkt_set_dst_ip(p, h.dst);
    return 0;
}
ELEMENT_LOOP(protocol_translator64)

ELEMENT(ProtocolTranslator64) = {
    .name = "ProtocolTranslator64",
    .ports = "1/1",
    .counters = protocol_translator64_counters,
    .push = protocol_translator64_push,
    .pull = protocol_translator64_pull,
};
