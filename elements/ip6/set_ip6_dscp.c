// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIP6DSCP -- set the differentiated-services code point of IPv6 packets
 *
 * Usage:    SetIP6DSCP(DSCP)
 * Ports:    1 in, 1 out; push or pull
 * Args:     DSCP  0 to 63
 * Counters: drops  packets without an IPv6 header
 * Handlers: dscp  (rw) the argument DSCP
 * Example:  ... -> MarkIP6Header(14) -> SetIP6DSCP(46) -> ...
 * See also: SetIPDSCP, MarkIP6Header
 *
 * The network header must be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { DSCP_MAX = 63 };

struct set_ip6_dscp {
    uint32_t dscp;
};

static const struct arg_spec set_ip6_dscp_args[] = {
    ARG_U32(set_ip6_dscp, dscp, "DSCP", ARG_M, NULL, "0 to 63"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec set_ip6_dscp_counters[] = {
    [C_DROPS] = {"drops", "packets without an IPv6 header"},
    {NULL, NULL},
};

static int set_ip6_dscp_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct set_ip6_dscp *s = element_state(e);

    return s->dscp > DSCP_MAX ? diag_err(d, "diffserv code point out of range") : 0;
}

static inline verdict_t set_ip6_dscp_one(struct element *e, struct pkt *p)
{
    const struct set_ip6_dscp *s = element_state(e);

    if (pkt_avail(p, p->network) < sizeof(struct ip6_hdr) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    /* Six bits over the border of two bytes: 0110 dddd  ddee ffff */
    p->network[0] = (uint8_t)((p->network[0] & 0xf0) | s->dscp >> 2);
    p->network[1] = (uint8_t)((p->network[1] & 0x3f) | s->dscp << 6);
    return 0;
}
ELEMENT_LOOP(set_ip6_dscp)

static const struct handler_spec set_ip6_dscp_handlers[] = {
    HANDLER_ARGUMENT("0 DSCP", "dscp", "the code point"),
    HANDLER_END,
};

ELEMENT(SetIP6DSCP) = {
    .name = "SetIP6DSCP",
    .state_size = sizeof(struct set_ip6_dscp),
    .ports = "1/1",
    .args = set_ip6_dscp_args,
    .counters = set_ip6_dscp_counters,
    .live = true,
    .handlers = set_ip6_dscp_handlers,
    .configure = set_ip6_dscp_configure,
    .push = set_ip6_dscp_push,
    .pull = set_ip6_dscp_pull,
};
