// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIP6Hlim -- set the hop limit of IPv6 packets
 *
 * Usage:    SetIP6Hlim(HLIM)
 * Ports:    1 in, 1 out; push or pull
 * Args:     HLIM  0 to 255
 * Counters: drops  packets without an IPv6 header
 * Handlers: hopLimit  (rw) the argument HLIM
 * Example:  ... -> MarkIP6Header(14) -> SetIP6Hlim(64) -> ...
 * See also: DecIP6HLIM, SetIP6FlowLabel, MarkIP6Header
 *
 * The network header must be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct set_ip6_hlim {
    uint8_t hlim;
};

static const struct arg_spec set_ip6_hlim_args[] = {
    ARG_U8(set_ip6_hlim, hlim, "HLIM", ARG_M, NULL, "0 to 255"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec set_ip6_hlim_counters[] = {
    [C_DROPS] = {"drops", "packets without an IPv6 header"},
    {NULL, NULL},
};

static inline verdict_t set_ip6_hlim_one(struct element *e, struct pkt *p)
{
    const struct set_ip6_hlim *s = element_state(e);

    if (pkt_avail(p, p->network) < sizeof(struct ip6_hdr) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    pkt_ip6(p)->hlim = s->hlim;
    return 0;
}
ELEMENT_LOOP(set_ip6_hlim)

static const struct handler_spec set_ip6_hlim_handlers[] = {
    HANDLER_ARGUMENT("0 HLIM", "hopLimit", "the hop limit"),
    HANDLER_END,
};

ELEMENT(SetIP6Hlim) = {
    .name = "SetIP6Hlim",
    .state_size = sizeof(struct set_ip6_hlim),
    .ports = "1/1",
    .args = set_ip6_hlim_args,
    .counters = set_ip6_hlim_counters,
    .live = true,
    .handlers = set_ip6_hlim_handlers,
    .push = set_ip6_hlim_push,
    .pull = set_ip6_hlim_pull,
};
