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
    uint8_t dscp;
};

static const struct arg_spec set_ip6_dscp_args[] = {
    {.name = "DSCP",
     .kind = ARG_KIND_U8,
     .flags = ARG_M,
     .offset = offsetof(struct set_ip6_dscp, dscp),
     .help = "0 to 63",
     .max = DSCP_MAX},
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec set_ip6_dscp_counters[] = {
    [C_DROPS] = {"drops", "packets without an IPv6 header"},
    {NULL, NULL},
};

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

static int set_ip6_dscp_write(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    struct set_ip6_dscp *s = element_state(e);
    uint64_t v;

    if (!parse_u64(value, 0, &v) || v > DSCP_MAX)
        return diag_err(d, "diffserv code point out of range");
    s->dscp = (uint8_t)v;
    return 0;
}

static const struct handler_spec set_ip6_dscp_handlers[] = {
    {.name = "dscp",
     .help = "the code point",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .argument = "0 DSCP",
     .kind = ARG_KIND_U8,
     .offset = offsetof(struct set_ip6_dscp, dscp),
     .write = set_ip6_dscp_write},
    HANDLER_END,
};

ELEMENT(SetIP6DSCP) = {
    .name = "SetIP6DSCP",
    .state_size = sizeof(struct set_ip6_dscp),
    .ports = "1/1",
    .args = set_ip6_dscp_args,
    .counters = set_ip6_dscp_counters,
    .handlers = set_ip6_dscp_handlers,
    .push = set_ip6_dscp_push,
    .pull = set_ip6_dscp_pull,
};
