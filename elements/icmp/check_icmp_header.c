// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckICMPHeader -- pass packets whose ICMP header can be believed
 *
 * Usage:    CheckICMPHeader([keywords VERBOSE, DETAILS, CHECKSUM])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     VERBOSE   complain about every bad packet, not only the first
 *           DETAILS   count drops by reason: handler drop_details
 *           CHECKSUM  look at the checksum, default true
 * Counters: drops  packets that failed the checks
 * Example:  ... -> CheckIPHeader -> IPClassifier(icmp) -> CheckICMPHeader -> ...
 * See also: CheckIPHeader, CheckTCPHeader
 *
 * Wants the IP header to be marked and checked. Packets that are not ICMP, too short for
 * what their headers say, or with a wrong checksum leave by output 1, or are dropped.
 */

#include "engine/l4_check.h"

static const struct arg_spec check_icmp_header_args[] = {L4_CHECK_ARGS};

/* Whether `len` bytes suit a message of this type. */
static bool check_icmp_header_length(uint8_t type, uint32_t len)
{
    switch (type) {
    case ICMP_UNREACH:
    case ICMP_TIMXCEED:
    case ICMP_PARAMPROB:
    case ICMP_SOURCEQUENCH:
    case ICMP_REDIRECT:
        return len >=
               sizeof(struct icmp_hdr) + 28; /* a header and 8 bytes are quoted */
    case ICMP_TSTAMP:
    case ICMP_TSTAMPREPLY:
        return len == sizeof(struct icmp_hdr) + 12;
    case ICMP_IREQ:
    case ICMP_IREQREPLY:
        return len == sizeof(struct icmp_hdr);
    default:
        return len >= sizeof(struct icmp_hdr);
    }
}

static inline int check_icmp_header_reason(const struct l4_check_element *s,
                                           const struct pkt *p)
{
    const struct icmp_hdr *icmp = pkt_icmp(p);
    uint32_t len = pkt_avail(p, p->transport);

    if (!pkt_has_ip4(p) || pkt_ip4(p)->proto != IP_PROTO_ICMP)
        return L4_NOT;
    if (len < sizeof *icmp || !check_icmp_header_length(icmp->type, len))
        return L4_LENGTH;
    return s->checksum && csum(icmp, len) ? L4_SUM : L4_OK;
}

static inline verdict_t check_icmp_header_one(struct element *e, struct pkt *p)
{
    int reason = check_icmp_header_reason(element_state(e), p);

    return __builtin_expect(reason == L4_OK, 1) ? 0 : l4_check_bad(e, "ICMP", reason);
}
ELEMENT_LOOP(check_icmp_header)

ELEMENT(CheckICMPHeader) = {
    .name = "CheckICMPHeader",
    .state_size = sizeof(struct l4_check_element),
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_icmp_header_args,
    .counters = l4_check_counters,
    .more_handlers = l4_check_more,
    .take_state = l4_check_take_state,
    .push = check_icmp_header_push,
    .pull = check_icmp_header_pull,
};
