// SPDX-License-Identifier: BSD-3-Clause
/*
 * EnsureEther -- see to it that IP packets have an Ethernet header
 *
 * Usage:    EnsureEther([ETHERTYPE 0x0800, SRC, DST])
 * Ports:    1 in, 1 out; push or pull
 * Args:     ETHERTYPE, SRC, DST  of the header for packets that have none
 * Example:  ... -> EnsureEther -> ToDump(out.pcap);
 * See also: EtherEncap
 *
 * A packet whose marked IP header follows an Ethernet header stays as it is; one whose
 * Ethernet header was stripped gets it back; others get a new one in place of whatever
 * stands in front of the IP header. Packets without a marked IP header pass.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct ensure_ether {
    uint32_t type;
    struct ether_addr src, dst;
};

static const struct arg_spec ensure_ether_args[] = {
    ARG_U32(ensure_ether, type, "ETHERTYPE", ARG_POS, "0x0800", "type field"),
    ARG_ETHER(ensure_ether, src, "SRC", ARG_POS, "1:1:1:1:1:1", "source address"),
    ARG_ETHER(ensure_ether, dst, "DST", ARG_POS, "2:2:2:2:2:2", "destination address"),
    ARG_END,
};

static int ensure_ether_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct ensure_ether *s = element_state(e);

    return s->type <= 0xffff ? 0
                             : diag_err(d, "argument 1 (Ethernet encapsulation type) "
                                           "must be <= 0xFFFF");
}

static bool ensure_ether_is_ip(const uint8_t *header)
{
    uint16_t type = load16(header + 12);

    return type == BE16(ETHERTYPE_IP) || type == BE16(ETHERTYPE_IP6);
}

static inline verdict_t ensure_ether_one(struct element *e, struct pkt *p)
{
    const struct ensure_ether *s = element_state(e);
    struct eth_hdr *h;

    if (!p->network || p->network < p->data || p->network > p->data + p->len)
        return 0;
    if (p->network == p->data + sizeof *h && ensure_ether_is_ip(p->data))
        return 0;
    if (p->network == p->data && pkt_written_before(p) >= sizeof *h &&
        ensure_ether_is_ip(p->data - sizeof *h)) {
        (void)pkt_unpull(p, sizeof *h);
        return 0;
    }
    pkt_pull(p, (uint32_t)(p->network - p->data));
    h = (struct eth_hdr *)(void *)pkt_push(p, sizeof *h);
    if (!h)
        return VERDICT_DROP;
    *h = (struct eth_hdr){s->dst, s->src, be16((uint16_t)s->type)};
    return 0;
}
ELEMENT_LOOP(ensure_ether)

ELEMENT(EnsureEther) = {
    .name = "EnsureEther",
    .state_size = sizeof(struct ensure_ether),
    .ports = "1/1",
    .args = ensure_ether_args,
    .configure = ensure_ether_configure,
    .push = ensure_ether_push,
    .pull = ensure_ether_pull,
};
