// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherEncap -- put an Ethernet header in front
 *
 * Usage:    EtherEncap(ETHERTYPE, SRC, DST)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ETHERTYPE  the type field, 0x0800 for IP
 *           SRC        source address
 *           DST        destination address
 * Handlers: src        (rw) source address
 *           dst        (rw) destination address
 *           ethertype  (rw) the type field
 * Example:  ... -> EtherEncap(0x0800, 00:00:00:00:00:01, 00:00:00:00:00:02) -> ...
 * See also: ARPQuerier, EnsureEther, EtherRewrite, Strip
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct ether_encap {
    struct eth_hdr h; /* as it is copied into packets */
    uint16_t type;
    struct ether_addr src, dst;
};

static const struct arg_spec ether_encap_args[] = {
    ARG_U16(ether_encap, type, "ETHERTYPE", ARG_M, NULL, "type field"),
    ARG_ETHER(ether_encap, src, "SRC", ARG_M, NULL, "source address"),
    ARG_ETHER(ether_encap, dst, "DST", ARG_M, NULL, "destination address"),
    ARG_END,
};

static int ether_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ether_encap *s = element_state(e);

    s->h = (struct eth_hdr){s->dst, s->src, be16(s->type)};
    return 0;
}

static inline verdict_t ether_encap_one(struct element *e, struct pkt *p)
{
    const struct ether_encap *s = element_state(e);
    struct eth_hdr *h = pkt_push_eth(p);

    if (__builtin_expect(!h, 0))
        return VERDICT_DROP;
    *h = s->h;
    return 0;
}

static inline uint32_t ether_encap_ready(struct element *e, const struct batch *b,
                                         uint32_t i)
{
    const struct ether_encap *s = element_state(e);
    const struct eth_hdr h = s->h;
    const uint32_t n = b->n; /* what is written might be these */

    while (i < n && pkt_push_eth_ready(b->p[i], &h))
        i++;
    return i;
}

static uint32_t ether_encap_run(struct element *e, struct batch *b, uint32_t from)
{
    from = ether_encap_ready(e, b, from);
    if (from == b->n)
        return from;
    batch_make_writable(b, from);
    return ether_encap_ready(e, b, from);
}
ELEMENT_LOOP_RUN(ether_encap)

static const struct handler_spec ether_encap_handlers[] = {
    HANDLER_VALUE(ether_encap, src, ARG_KIND_ETHER, HANDLER_READ, "src",
                  "source address"),
    HANDLER_ARGUMENT_WRITER("1 SRC", "src", "source address"),
    HANDLER_VALUE(ether_encap, dst, ARG_KIND_ETHER, HANDLER_READ, "dst",
                  "destination address"),
    HANDLER_ARGUMENT_WRITER("2 DST", "dst", "destination address"),
    HANDLER_VALUE(ether_encap, type, ARG_KIND_U16, HANDLER_READ, "ethertype",
                  "type field"),
    HANDLER_ARGUMENT_WRITER("0 ETHERTYPE", "ethertype", "type field"),
    HANDLER_VALUE(ether_encap, type, ARG_KIND_U16, HANDLER_READ, "etht",
                  "old name of ethertype"),
    HANDLER_ARGUMENT_WRITER("0 ETHERTYPE", "etht", "old name of ethertype"),
    HANDLER_END,
};

ELEMENT(EtherEncap) = {
    .name = "EtherEncap",
    .state_size = sizeof(struct ether_encap),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = ether_encap_args,
    .live = true,
    .handlers = ether_encap_handlers,
    .configure = ether_encap_configure,
    .push = ether_encap_push,
    .pull = ether_encap_pull,
};
