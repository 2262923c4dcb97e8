// SPDX-License-Identifier: BSD-3-Clause
/*
 * ProtocolTranslator46 -- turn IPv4 packets into IPv6 packets
 *
 * Usage:    ProtocolTranslator46
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets that cannot be translated
 * Handlers: none
 * Example:  ... -> CheckIPHeader -> ProtocolTranslator46 -> ...
 * See also: ProtocolTranslator64
 *
 * Stateless translation (RFC 7915): the addresses become the mapped ones, ::ffff:1.2.3.4.
 * TCP and UDP, ICMP echo requests and replies are translated with their checksums, ICMP errors
 * with the packets that they quote; other ICMP, fragments, packets with options of IPv4 and
 * those that are shorter than they say are dropped, other protocols go on as they are. The
 * packet must begin with its IPv4 header. Sets the network and transport headers and the destination annotation.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/ip64.h"

enum { C_DROPS };
static const struct counter_spec protocol_translator46_counters[] = {
    [C_DROPS] = {"drops", "packets that cannot be translated"},
    {NULL, NULL},
};

/* An ICMP error, whose quoted packet changes its size as well: everything behind the IPv4
 * header is made anew. */
static __attribute__((noinline)) verdict_t
protocol_translator46_error(struct element *e, struct pkt *p, struct ip4_hdr was)
{
    uint8_t body[IP64_ERROR_MAX];
    uint32_t n = ip64_error6(p->data + sizeof was, p->len - (uint32_t)sizeof was, body);
    struct ip6_hdr h;

    if (!n)
        return drop(e, C_DROPS);
    ip64_header6(&was, n, &h);
    store16(body + 2, csum_finish(csum_add(
                          csum_pseudo6(&h.src, &h.dst, IP_PROTO_ICMP6, n), body, n)));
    pkt_take(p, p->len - (uint32_t)sizeof was);
    if (!pkt_push(p, sizeof h - sizeof was) || !pkt_put(p, n))
        return drop(e, C_DROPS);
    memcpy(p->data, &h, sizeof h);
    memcpy(p->data + sizeof h, body, n);
    pkt_set_ip4(p, p->data, sizeof h);
    memcpy(p->anno + ANNO_DST_IP6, h.dst.b, 16);
    return 0;
}

static inline verdict_t protocol_translator46_one(struct element *e, struct pkt *p)
{
    struct ip4_hdr was;
    struct ip6_hdr *h;
    uint32_t n;

    if (p->len < sizeof was || p->data[0] != 0x45)
        return drop(e, C_DROPS);
    memcpy(&was, p->data, sizeof was);
    n = be16(was.len);
    if (n < sizeof was || n > p->len || ip4_is_fragment(&was))
        return drop(e, C_DROPS);
    pkt_take(p, p->len - n);
    n -= (uint32_t)sizeof was;
    if (was.proto == IP_PROTO_ICMP && ip64_is_error4(p->data + sizeof was, n))
        return protocol_translator46_error(e, p, was);
    if (!pkt_push(p, sizeof *h - sizeof was))
        return drop(e, C_DROPS);
    pkt_set_ip4(p, p->data, sizeof *h);
    h = pkt_ip6(p);
    ip64_header6(&was, n, h);
    if (!ip64_transport6(&was, h, p->transport, n))
        return drop(e, C_DROPS);
    memcpy(p->anno + ANNO_DST_IP6, h->dst.b, 16);
    return 0;
}
ELEMENT_LOOP(protocol_translator46)

ELEMENT(ProtocolTranslator46) = {
    .name = "ProtocolTranslator46",
    .ports = "1/1",
    .counters = protocol_translator46_counters,
    .push = protocol_translator46_push,
    .pull = protocol_translator46_pull,
};
