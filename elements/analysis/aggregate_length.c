// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateLength -- set the aggregate annotation to the packet's length
 *
 * Usage:    AggregateLength([IP false])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     IP  true: count from the IP header on; packets without one leave by output 1
 * Counters: none
 * Handlers: none
 * Example:  FromDump(t.pcap) -> AggregateLength -> ac :: AggregateCounter -> Discard;
 * See also: AggregateIP, AggregateCounter
 *
 * The extra-length annotation, for bytes that were cut off when the packet was captured, is
 * added.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct aggregate_length {
    bool ip;
};

static const struct arg_spec aggregate_length_args[] = {
    ARG_BOOL(aggregate_length, ip, "IP", 0, "false", "count from the IP header"),
    ARG_END,
};

static inline verdict_t aggregate_length_one(struct element *e, struct pkt *p)
{
    const struct aggregate_length *s = element_state(e);
    uint32_t len = p->len;

    if (s->ip && !p->network)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    if (s->ip)
        len = pkt_network_len(p);
    p->anno_u32[ANNO_AGGREGATE / 4] = len + p->anno_u32[ANNO_EXTRA_LENGTH / 4];
    return 0;
}
ELEMENT_LOOP(aggregate_length)

ELEMENT(AggregateLength) = {
    .name = "AggregateLength",
    .state_size = sizeof(struct aggregate_length),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = aggregate_length_args,
    .push = aggregate_length_push,
    .pull = aggregate_length_pull,
};
