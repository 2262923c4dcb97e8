// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIP6FlowLabel -- set the flow label of IPv6 packets
 *
 * Usage:    SetIP6FlowLabel(FLOW)
 * Ports:    1 in, 1 out; push or pull
 * Args:     FLOW  0 to 1048575
 * Counters: drops  packets without an IPv6 header
 * Handlers: flowlabel  (rw) the argument FLOW
 * Example:  ... -> MarkIP6Header(14) -> SetIP6FlowLabel(0x12345) -> ...
 * See also: SetIP6DSCP, SetIP6Hlim, MarkIP6Header
 *
 * The network header must be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { LABEL_MAX = 0xfffff };

struct set_ip6_flow_label {
    uint32_t label;
};

static const struct arg_spec set_ip6_flow_label_args[] = {
    ARG_U32(set_ip6_flow_label, label, "FLOW", ARG_M, NULL, "0 to 1048575"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec set_ip6_flow_label_counters[] = {
    [C_DROPS] = {"drops", "packets without an IPv6 header"},
    {NULL, NULL},
};

static int set_ip6_flow_label_configure(struct element *e, struct conf *c,
                                        struct diag *d)
{
    const struct set_ip6_flow_label *s = element_state(e);

    return s->label > LABEL_MAX ? diag_err(d, "flow label out of range") : 0;
}

static inline verdict_t set_ip6_flow_label_one(struct element *e, struct pkt *p)
{
    const struct set_ip6_flow_label *s = element_state(e);

    if (pkt_avail(p, p->network) < sizeof(struct ip6_hdr) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    p->network[1] = (uint8_t)((p->network[1] & 0xf0) | s->label >> 16);
    p->network[2] = (uint8_t)(s->label >> 8);
    p->network[3] = (uint8_t)s->label;
    return 0;
}
ELEMENT_LOOP(set_ip6_flow_label)

static const struct handler_spec set_ip6_flow_label_handlers[] = {
    HANDLER_ARGUMENT("0 FLOW", "flowlabel", "the flow label"),
    HANDLER_END,
};

ELEMENT(SetIP6FlowLabel) = {
    .name = "SetIP6FlowLabel",
    .state_size = sizeof(struct set_ip6_flow_label),
    .ports = "1/1",
    .args = set_ip6_flow_label_args,
    .counters = set_ip6_flow_label_counters,
    .live = true,
    .handlers = set_ip6_flow_label_handlers,
    .configure = set_ip6_flow_label_configure,
    .push = set_ip6_flow_label_push,
    .pull = set_ip6_flow_label_pull,
};
