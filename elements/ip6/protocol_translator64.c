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
 * replies are translated with their checksums; other ICMPv6, packets with extension
 * headers and those that are shorter than they say are dropped, other protocols go on as
 * they are. The packet must begin with its IPv6 header. Sets the network and transport
 * headers and the destination annotation; the result may not be fragmented.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum { C_DROPS };
static const struct counter_spec protocol_translator64_counters[] = {
    [C_DROPS] = {"drops", "packets that cannot be translated"},
    {NULL, NULL},
};

enum { ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

/* The IPv4 address inside; false when there is none. */
static bool embedded(const struct ip6_addr *a, uint32_t *addr)
{
    static const uint8_t prefixes[][12] = {
        {[10] = 0xff, [11] = 0xff},
        {[8] = 0xff, [9] = 0xff},
        {0, 0x64, 0xff, 0x9b},
    };

    memcpy(addr, a->b + 12, 4);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (!memcmp(a->b, prefixes[i], sizeof prefixes[i]))
            return true;
    return false;
}

static bool translate_transport(const struct ip6_hdr *was, const struct ip4_hdr *h,
                                uint8_t *at, uint32_t n)
{
    uint64_t old_sum = csum_pseudo6(&was->src, &was->dst, was->next, n);
    uint64_t new_sum = csum_pseudo4(h->src, h->dst, h->proto, n);
    uint32_t place = was->next == IP_PROTO_TCP ? 16 : 6;

    if (was->next == IP_PROTO_ICMP6) {
        if (n < 8 || (at[0] != ECHO6_REQUEST && at[0] != ECHO6_REPLY))
            return false;
        at[0] = at[0] == ECHO6_REQUEST ? ICMP_ECHO : ICMP_ECHOREPLY;
        store16(at + 2, 0); /* no pseudo header any more */
        store16(at + 2, csum(at, n));
        return true;
    }
    if (was->next != IP_PROTO_TCP && was->next != IP_PROTO_UDP)
        return true;
    if (n < place + 2)
        return false;
    store16(at + place,
            csum_apply(load16(at + place),
                       (uint64_t)(uint16_t)~csum_fold(old_sum) + csum_fold(new_sum)));
    return true;
}

/* Hop-by-hop, routing, fragment, destination options: there is more before the payload. */
static bool is_extension(uint8_t next)
{
    return next == 0 || next == 43 || next == 44 || next == 60;
}

static inline verdict_t protocol_translator64_one(struct element *e, struct pkt *p)
{
    struct ip6_hdr was;
    struct ip4_hdr *h;
    uint32_t n, src, dst;

    if (p->len < sizeof was || p->data[0] >> 4 != 6)
        return drop(e, C_DROPS);
    memcpy(&was, p->data, sizeof was);
    n = be16(was.len);
    if (n > p->len - sizeof was || n > 0xffff - sizeof *h || is_extension(was.next) ||
        !embedded(&was.src, &src) || !embedded(&was.dst, &dst) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    pkt_take(p, p->len - (uint32_t)sizeof was - n);
    pkt_pull(p, sizeof was - sizeof *h);
    pkt_set_ip4(p, p->data, sizeof *h);
    h = pkt_ip4(p);
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .tos = (uint8_t)(be32(was.flow) >> 20),
                          .len = be16((uint16_t)(n + sizeof *h)),
                          .off = BE16(IP_DF),
                          .ttl = was.hlim,
                          .proto = was.next == IP_PROTO_ICMP6 ? IP_PROTO_ICMP
                                                              : was.next,
                          .src = src,
                          .dst = dst};
    h->sum = csum_ip4(h);
    if (!translate_transport(&was, h, p->transport, n))
        return drop(e, C_DROPS);
    pkt_set_dst_ip(p, dst);
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
