// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIPDSCP -- set the DSCP field of IPv4 headers
 *
 * Usage:    SetIPDSCP(DSCP)
 * Ports:    1 in, 1 out; push or pull
 * Args:     DSCP  0 to 63
 * Handlers: dscp  (rw) as DSCP
 * Example:  ... -> CheckIPHeader -> SetIPDSCP(46) -> ...
 * See also: SetIPECN, CheckIPHeader
 *
 * Wants the IP header to be marked. The checksum is updated, not computed anew.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct set_ip_dscp {
    uint32_t dscp;
};

static const struct arg_spec set_ip_dscp_args[] = {
    ARG_U32(set_ip_dscp, dscp, "DSCP", ARG_M, NULL, "0 to 63"),
    ARG_END,
};

static int set_ip_dscp_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct set_ip_dscp *s = element_state(e);

    return s->dscp > 63 ? diag_err(d, "diffserv code point out of range") : 0;
}

static inline verdict_t set_ip_dscp_one(struct element *e, struct pkt *p)
{
    const struct set_ip_dscp *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4_writable(p);
    uint16_t was;

    if (__builtin_expect(!h, 0))
        return VERDICT_DROP;
    was = load16(h);
    h->tos = (uint8_t)((h->tos & IP_ECN_MASK) | s->dscp << 2);
    h->sum = csum_replace16(h->sum, was, load16(h));
    return 0;
}
ELEMENT_LOOP(set_ip_dscp)

static const struct handler_spec set_ip_dscp_handlers[] = {
    HANDLER_ARGUMENT("0 DSCP", "dscp", "the field's new value"),
    HANDLER_END,
};

ELEMENT(SetIPDSCP) = {
    .name = "SetIPDSCP",
    .state_size = sizeof(struct set_ip_dscp),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = set_ip_dscp_args,
    .live = true,
    .handlers = set_ip_dscp_handlers,
    .configure = set_ip_dscp_configure,
    .push = set_ip_dscp_push,
    .pull = set_ip_dscp_pull,
};
