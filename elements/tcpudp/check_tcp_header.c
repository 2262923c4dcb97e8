// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckTCPHeader -- pass packets whose TCP header can be believed
 *
 * Usage:    CheckTCPHeader([keywords VERBOSE, DETAILS, CHECKSUM])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     VERBOSE   complain about every bad packet, not only the first
 *           DETAILS   count drops by reason: handler drop_details
 *           CHECKSUM  look at the checksum, default true
 * Counters: drops  packets that failed the checks
 * Example:  ... -> CheckIPHeader -> IPClassifier(tcp) -> CheckTCPHeader -> ...
 * See also: CheckIPHeader, CheckUDPHeader, SetTCPChecksum
 *
 * Wants the IP header to be marked and checked. Packets that are not TCP, too short for
 * what their headers say, or with a wrong checksum leave by output 1, or are dropped.
 */

#include "engine/l4_check.h"

static const struct arg_spec check_tcp_header_args[] = {L4_CHECK_ARGS};

static inline int check_tcp_header_reason(const struct l4_check_element *s,
                                          const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct tcp_hdr *t = pkt_tcp(p);
    uint32_t left, len;

    if (!pkt_has_ip4(p) || h->proto != IP_PROTO_TCP)
        return L4_NOT;
    left = pkt_avail(p, p->transport);
    len = be16(h->len) - ip4_hlen(h); /* below 0: larger than all that is left */
    if (left < sizeof *t || len > left || tcp_hlen(t) < sizeof *t || len < tcp_hlen(t))
        return L4_LENGTH;
    if (s->checksum &&
        csum_finish(csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_TCP, len), t, len)))
        return L4_SUM;
    return L4_OK;
}

static inline verdict_t check_tcp_header_one(struct element *e, struct pkt *p)
{
    int reason = check_tcp_header_reason(element_state(e), p);

    return __builtin_expect(reason == L4_OK, 1) ? 0 : l4_check_bad(e, "TCP", reason);
}
ELEMENT_LOOP(check_tcp_header)

ELEMENT(CheckTCPHeader) = {
    .name = "CheckTCPHeader",
    .state_size = sizeof(struct l4_check_element),
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_tcp_header_args,
    .counters = l4_check_counters,
    .more_handlers = l4_check_more,
    .take_state = l4_check_take_state,
    .push = check_tcp_header_push,
    .pull = check_tcp_header_pull,
};
