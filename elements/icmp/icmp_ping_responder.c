// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMPPingResponder -- turn ICMP echo requests into their replies
 *
 * Usage:    ICMPPingResponder
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Example:  ... -> CheckIPHeader -> IPClassifier(icmp type echo) -> ICMPPingResponder -> ...
 * See also: ICMPError, ICMPPingSource, IPMirror
 *
 * Swaps the addresses, sets the time to live to 255, clears the fragment field, the paint
 * and the timestamp's past, and sets the destination annotation to where the request came
 * from. It answers for every address: filter first. Packets that are no echo request with
 * a marked IP header leave by output 1, or are dropped.
 */

#include "engine/checksum.h"
#include "engine/element.h"

static inline verdict_t icmp_ping_responder_one(struct element *e, struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);
    struct icmp_hdr *icmp = pkt_icmp(p);
    uint32_t src;
    uint16_t was;

    if (!pkt_has_ip4(p) || h->proto != IP_PROTO_ICMP ||
        pkt_avail(p, p->transport) < sizeof *icmp || icmp->type != ICMP_ECHO)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    h = pkt_ip4(p);
    icmp = pkt_icmp(p);

    src = h->src; /* the sum does not mind the swap */
    h->src = h->dst;
    h->dst = src;
    h->sum = csum_replace16(h->sum, h->off, 0);
    h->off = 0;
    was = load16(&h->ttl);
    h->ttl = 255;
    h->sum = csum_replace16(h->sum, was, load16(&h->ttl));

    was = load16(icmp);
    icmp->type = ICMP_ECHOREPLY;
    icmp->code = 0;
    icmp->sum = csum_replace16(icmp->sum, was, load16(icmp));

    pkt_set_dst_ip(p, h->dst);
    pkt_set_paint(p, 0);
    p->timestamp = element_wall_now(e);
    return 0;
}
ELEMENT_LOOP(icmp_ping_responder)

ELEMENT(ICMPPingResponder) = {
    .name = "ICMPPingResponder",
    .ports = "1/1-2",
    .processing = "a/ah",
    .push = icmp_ping_responder_push,
    .pull = icmp_ping_responder_pull,
};
