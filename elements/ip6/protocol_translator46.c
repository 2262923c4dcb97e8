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
 * TCP and UDP, ICMP echo requests and replies are translated with their checksums; other
 * ICMP, fragments, packets with options of IPv4 and those that are shorter than they say are
 * dropped, other protocols go on as they are. The packet must begin with its IPv4
 * header. Sets the network and transport headers and the destination annotation.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum { C_DROPS };
static const struct counter_spec protocol_translator46_counters[] = {
    [C_DROPS] = {"drops", "packets that cannot be translated"},
    {NULL, NULL},
};

enum { ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

static struct ip6_addr mapped(uint32_t addr)
{
    struct ip6_addr a = {{[10] = 0xff, [11] = 0xff}};

    memcpy(a.b + 12, &addr, 4);
    return a;
}

/* The transport header, for its new pseudo header. False when it cannot be done. */
static bool translate_transport(const struct ip4_hdr *was, const struct ip6_hdr *h,
                                uint8_t *at, uint32_t n)
{
    uint64_t old_sum = csum_pseudo4(was->src, was->dst, was->proto, n);
    uint64_t new_sum = csum_pseudo6(&h->src, &h->dst, h->next, n);
    uint32_t place = was->proto == IP_PROTO_TCP   ? 16
                     : was->proto == IP_PROTO_UDP ? 6
                                                  : 2;

    if (was->proto != IP_PROTO_TCP && was->proto != IP_PROTO_UDP &&
        was->proto != IP_PROTO_ICMP)
        return true;
    if (n < place + 2)
        return false;
    if (was->proto == IP_PROTO_ICMP) {
        if (n < 8 || (at[0] != ICMP_ECHO && at[0] != ICMP_ECHOREPLY))
            return false;
        at[0] = at[0] == ICMP_ECHO ? ECHO6_REQUEST : ECHO6_REPLY;
    } else if (was->proto == IP_PROTO_TCP || load16(at + place)) {
        store16(at + place,
                csum_apply(load16(at + place), (uint64_t)(uint16_t)~csum_fold(old_sum) +
                                                   csum_fold(new_sum)));
        return true;
    }
    /* ICMP has a pseudo header now; UDP over IPv6 must have a checksum. */
    store16(at + place, 0);
    store16(at + place, csum_finish(csum_add(new_sum, at, n)));
    return true;
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
    if (!pkt_push(p, sizeof *h - sizeof was))
        return drop(e, C_DROPS);
    pkt_set_ip4(p, p->data, sizeof *h);
    h = pkt_ip6(p);
    *h = (struct ip6_hdr){.flow = be32(6u << 28 | (uint32_t)was.tos << 20),
                          .len = be16((uint16_t)n),
                          .next = was.proto == IP_PROTO_ICMP ? IP_PROTO_ICMP6
                                                             : was.proto,
                          .hlim = was.ttl,
                          .src = mapped(was.src),
                          .dst = mapped(was.dst)};
    if (!translate_transport(&was, h, p->transport, n))
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
