// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherRewrite -- replace the Ethernet addresses
 *
 * Usage:    EtherRewrite(SRC, DST)
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC  new source address
 *           DST  new destination address
 * Handlers: src  (rw) as SRC
 *           dst  (rw) as DST
 * Example:  FromDevice(0) -> EtherRewrite(1:1:1:1:1:1, 2:2:2:2:2:2) -> ToDevice(1);
 * See also: EtherEncap, EtherMirror, StoreEtherAddress
 *
 * Packets too short for an Ethernet header are dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct ether_rewrite {
    struct ether_addr src, dst;
};

static const struct arg_spec ether_rewrite_args[] = {
    ARG_ETHER(ether_rewrite, src, "SRC", ARG_M, NULL, "new source address"),
    ARG_ETHER(ether_rewrite, dst, "DST", ARG_M, NULL, "new destination address"),
    ARG_END,
};

static inline verdict_t ether_rewrite_one(struct element *e, struct pkt *p)
{
    const struct ether_rewrite *s = element_state(e);
    struct eth_hdr *h;

    if (pkt_avail(p, p->mac ? p->mac : p->data) < sizeof *h || pkt_writable(p) < 0)
        return VERDICT_DROP;
    h = p->mac ? pkt_eth(p) : (struct eth_hdr *)(void *)p->data;
    h->dst = s->dst;
    h->src = s->src;
    return 0;
}
ELEMENT_LOOP(ether_rewrite)

static const struct handler_spec ether_rewrite_handlers[] = {
    HANDLER_ARGUMENT_VALUE(ether_rewrite, src, ARG_KIND_ETHER, "0 SRC", "src",
                           "new source address"),
    HANDLER_ARGUMENT_VALUE(ether_rewrite, dst, ARG_KIND_ETHER, "1 DST", "dst",
                           "new destination address"),
    HANDLER_END,
};

ELEMENT(EtherRewrite) = {
    .name = "EtherRewrite",
    .state_size = sizeof(struct ether_rewrite),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = ether_rewrite_args,
    .live = true,
    .handlers = ether_rewrite_handlers,
    .push = ether_rewrite_push,
    .pull = ether_rewrite_pull,
};
