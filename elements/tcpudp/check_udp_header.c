// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckUDPHeader -- pass packets whose UDP header can be believed
 *
 * Usage:    CheckUDPHeader([keywords VERBOSE, DETAILS, CHECKSUM])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     VERBOSE   complain about every bad packet, not only the first
 *           DETAILS   count drops by reason: handler drop_details
 *           CHECKSUM  look at the checksum, default true
 * Counters: drops  packets that failed the checks
 * Example:  ... -> CheckIPHeader -> IPClassifier(udp) -> CheckUDPHeader -> ...
 * See also: CheckIPHeader, CheckTCPHeader, SetUDPChecksum
 *
 * Wants the IP header to be marked and checked. Packets that are not UDP, too short for
 * what their headers say, or with a wrong checksum leave by output 1, or are dropped.
 */

#include "engine/l4_check.h"

static const struct arg_spec check_udp_header_args[] = {L4_CHECK_ARGS};

static inline int check_udp_header_reason(const struct l4_check_element *s,
                                          const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct udp_hdr *u = pkt_udp(p);
    uint32_t left, len;

    if (!pkt_has_ip4(p) || h->proto != IP_PROTO_UDP)
        return L4_NOT;
    left = pkt_avail(p, p->transport);
    if (left < sizeof *u)
        return L4_LENGTH;
    len = be16(u->len);
    if (len < sizeof *u || len > left)
        return L4_LENGTH;
    if (s->checksum && u->sum &&
        csum_finish(csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_UDP, len), u, len)))
        return L4_SUM;
    return L4_OK;
}

static inline verdict_t check_udp_header_one(struct element *e, struct pkt *p)
{
    int reason = check_udp_header_reason(element_state(e), p);

    return __builtin_expect(reason == L4_OK, 1) ? 0 : l4_check_bad(e, "UDP", reason);
}
ELEMENT_LOOP(check_udp_header)

ELEMENT(CheckUDPHeader) = {
    .name = "CheckUDPHeader",
    .state_size = sizeof(struct l4_check_element),
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_udp_header_args,
    .counters = l4_check_counters,
    .more_handlers = l4_check_more,
    .take_state = l4_check_take_state,
    .push = check_udp_header_push,
    .pull = check_udp_header_pull,
};
