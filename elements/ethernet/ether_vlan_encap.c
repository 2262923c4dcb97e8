// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherVLANEncap -- put an Ethernet header with an 802.1Q tag in front
 *
 * Usage:    EtherVLANEncap(ETHERTYPE, SRC, DST [, VLAN_TCI, VLAN_PCP, keywords])
 * Ports:    1 in, 1 out; push or pull
 * Args:     ETHERTYPE    type field behind the tag
 *           SRC          source address
 *           DST          destination address
 *           VLAN_TCI, VLAN_PCP, VLAN_ID, NATIVE_VLAN  as VLANEncap's
 * Handlers: config       (rw) the addresses, the type, and the VLAN by keyword
 *           vlan_tci     (rw) the tag
 *           vlan_id      (rw) the argument VLAN_ID, as it was given
 *           vlan_pcp     (rw) VLAN_PCP, in the same way
 *           native_vlan  (rw) NATIVE_VLAN, in the same way
 *           ethertype    (rw) as ETHERTYPE
 *           src          (rw) as SRC
 *           dst          (rw) as DST
 * Example:  ... -> EtherVLANEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2, VLAN_ID 7) -> ...
 * See also: EtherEncap, VLANEncap
 */

#include "engine/vlan.h"

struct ether_vlan_encap {
    struct vlan vlan;
    uint16_t type;
    struct ether_addr src, dst;
};

static const struct arg_spec ether_vlan_encap_args[] = {
    ARG_U16(ether_vlan_encap, type, "ETHERTYPE", ARG_M, NULL, "type field"),
    ARG_ETHER(ether_vlan_encap, src, "SRC", ARG_M, NULL, "source address"),
    ARG_ETHER(ether_vlan_encap, dst, "DST", ARG_M, NULL, "destination address"),
    VLAN_ARGS(ether_vlan_encap, vlan),
    VLAN_NATIVE(ether_vlan_encap, vlan),
    ARG_END,
};

static int ether_vlan_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ether_vlan_encap *s = element_state(e);

    return vlan_configure(&s->vlan, d);
}

static inline verdict_t ether_vlan_encap_one(struct element *e, struct pkt *p)
{
    const struct ether_vlan_encap *s = element_state(e);
    uint16_t tci = vlan_tci(&s->vlan, p);
    bool native = vlan_is_native(&s->vlan, tci);
    uint32_t len = native ? sizeof(struct eth_hdr) : sizeof(struct eth_vlan_hdr);

    if (!pkt_push(p, len))
        return VERDICT_DROP;
    pkt_set_mac(p, p->data, len);
    if (native)
        *pkt_eth(p) = (struct eth_hdr){s->dst, s->src, be16(s->type)};
    else
        *(struct eth_vlan_hdr *)(void *)p->data = (struct eth_vlan_hdr){
            s->dst, s->src, BE16(ETHERTYPE_8021Q), tci, be16(s->type)};
    return 0;
}
ELEMENT_LOOP(ether_vlan_encap)

static int ether_vlan_encap_config(struct element *e, const struct handler_spec *h,
                                   const char *param, struct sbuf *out, struct diag *d)
{
    const struct ether_vlan_encap *s = element_state(e);
    char src[64], dst[64];

    sbuf_printf(out, "%s, %s, %u, ", unparse_ether(&s->src, src),
                unparse_ether(&s->dst, dst), s->type);
    return vlan_read(e, h, param, out, d);
}

static const struct handler_spec ether_vlan_encap_handlers[] = {
    {.name = "config",
     .help = "the addresses, the type, and the VLAN by keyword",
     .flags = HANDLER_READ,
     .user = offsetof(struct ether_vlan_encap, vlan),
     .read = ether_vlan_encap_config},
    VLAN_HANDLERS(ether_vlan_encap, vlan, "3 VLAN_TCI"),
    HANDLER_ARGUMENT("NATIVE_VLAN", "native_vlan", "VLAN without a tag"),
    HANDLER_VALUE(ether_vlan_encap, type, ARG_KIND_U16, HANDLER_READ | HANDLER_WRITE,
                  "ethertype", "type field"),
    HANDLER_VALUE(ether_vlan_encap, src, ARG_KIND_ETHER, HANDLER_READ | HANDLER_WRITE,
                  "src", "source address"),
    HANDLER_VALUE(ether_vlan_encap, dst, ARG_KIND_ETHER, HANDLER_READ | HANDLER_WRITE,
                  "dst", "destination address"),
    HANDLER_END,
};

ELEMENT(EtherVLANEncap) = {
    .name = "EtherVLANEncap",
    .state_size = sizeof(struct ether_vlan_encap),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = ether_vlan_encap_args,
    .live = true,
    .handlers = ether_vlan_encap_handlers,
    .configure = ether_vlan_encap_configure,
    .push = ether_vlan_encap_push,
    .pull = ether_vlan_encap_pull,
};
ELEMENT_ALIAS(EtherVlanEncap, EtherVLANEncap);
