// SPDX-License-Identifier: BSD-3-Clause
/*
 * DestinationOptionsEncap -- put an IPv6 destination options header in front of packets
 *
 * Usage:    DestinationOptionsEncap(PROTO)
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO  number of the header that follows
 * Counters: drops  packets for which memory ran out
 * Example:  ... -> DestinationOptionsEncap(17) -> IP6Encap(60, 2001:db8::1, 2001:db8::2) -> ...
 * See also: HopByHopEncap, RoutingZeroEncap, IP6Encap
 *
 * Its only option is padding, so the header has eight bytes. IP6Encap(60, ...) has to follow.
 */

#include "engine/element.h"

struct destination_options_encap {
    uint8_t proto;
};

static const struct arg_spec destination_options_encap_args[] = {
    ARG_U8(destination_options_encap, proto, "PROTO", ARG_M, NULL,
           "header that follows"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec destination_options_encap_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static inline verdict_t destination_options_encap_one(struct element *e, struct pkt *p)
{
    const struct destination_options_encap *s = element_state(e);
    const uint8_t header[8] = {s->proto, 0, 1, 4}; /* PadN of six bytes */

    if (!pkt_push(p, sizeof header))
        return drop(e, C_DROPS);
    memcpy(p->data, header, sizeof header);
    return 0;
}
ELEMENT_LOOP(destination_options_encap)

ELEMENT(DestinationOptionsEncap) = {
    .name = "DestinationOptionsEncap",
    .state_size = sizeof(struct destination_options_encap),
    .ports = "1/1",
    .args = destination_options_encap_args,
    .counters = destination_options_encap_counters,
    .push = destination_options_encap_push,
    .pull = destination_options_encap_pull,
};
