// SPDX-License-Identifier: BSD-3-Clause
/*
 * HopByHopEncap -- put an IPv6 hop-by-hop options header in front of packets
 *
 * Usage:    HopByHopEncap(PROTO)
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO  number of the header that follows
 * Counters: drops  packets for which memory ran out
 * Example:  ... -> HopByHopEncap(17) -> IP6Encap(0, 2001:db8::1, 2001:db8::2) -> ...
 * See also: RouterAlertEncap, DestinationOptionsEncap, IP6Encap
 *
 * Its only option is padding, so the header has eight bytes. IP6Encap(0, ...) has to follow.
 */

#include "engine/element.h"

struct hop_by_hop_encap {
    uint8_t proto;
};

static const struct arg_spec hop_by_hop_encap_args[] = {
    ARG_U8(hop_by_hop_encap, proto, "PROTO", ARG_M, NULL, "header that follows"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec hop_by_hop_encap_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static inline verdict_t hop_by_hop_encap_one(struct element *e, struct pkt *p)
{
    const struct hop_by_hop_encap *s = element_state(e);
    const uint8_t header[8] = {s->proto, 0, 1, 4}; /* PadN of six bytes */

    if (!pkt_push(p, sizeof header))
        return drop(e, C_DROPS);
    memcpy(p->data, header, sizeof header);
    return 0;
}
ELEMENT_LOOP(hop_by_hop_encap)

ELEMENT(HopByHopEncap) = {
    .name = "HopByHopEncap",
    .state_size = sizeof(struct hop_by_hop_encap),
    .ports = "1/1",
    .args = hop_by_hop_encap_args,
    .counters = hop_by_hop_encap_counters,
    .push = hop_by_hop_encap_push,
    .pull = hop_by_hop_encap_pull,
};
