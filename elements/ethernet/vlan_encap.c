// SPDX-License-Identifier: BSD-3-Clause
/*
 * VLANEncap -- put an 802.1Q tag into Ethernet packets
 *
 * Usage:    VLANEncap([VLAN_TCI, VLAN_PCP, keywords VLAN_ID, NATIVE_VLAN, ETHERTYPE])
 * Ports:    1 in, 1 out; push or pull
 * Args:     VLAN_TCI     the tag's 16 bits, or ANNO for those of the annotation
 *           VLAN_PCP     priority, 0 to 7
 *           VLAN_ID      VLAN, where VLAN_TCI is not given
 *           NATIVE_VLAN  VLAN whose packets get no tag, default 0; -1: none
 *           ETHERTYPE    type of the tag, default 0x8100
 * Handlers: config       (rw) the arguments, by keyword
 *           vlan_tci     (rw) the tag
 *           vlan_id      (rw) the argument VLAN_ID, as it was given
 *           vlan_pcp     (rw) VLAN_PCP, in the same way
 *           native_vlan  (rw) NATIVE_VLAN
 *           ethertype    (rw) ETHERTYPE
 * Example:  ... -> EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2) -> VLANEncap(VLAN_ID 7) -> ...
 * See also: VLANDecap, EtherVLANEncap, SetVLANAnno
 *
 * Packets too short for an Ethernet header are dropped.
 */

#include "engine/vlan.h"

struct vlan_encap {
    struct vlan vlan;
    uint16_t type;
};

static const struct arg_spec vlan_encap_args[] = {
    VLAN_ARGS(vlan_encap, vlan),
    VLAN_NATIVE(vlan_encap, vlan),
    ARG_U16(vlan_encap, type, "ETHERTYPE", 0, "0x8100", "type of the tag"),
    ARG_END,
};

static int vlan_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct vlan_encap *s = element_state(e);

    return vlan_configure(&s->vlan, d);
}

static inline verdict_t vlan_encap_one(struct element *e, struct pkt *p)
{
    const struct vlan_encap *s = element_state(e);
    uint16_t tci = vlan_tci(&s->vlan, p);
    struct eth_vlan_hdr *h;

    if (p->len < sizeof(struct eth_hdr))
        return VERDICT_DROP;
    if (vlan_is_native(&s->vlan, tci)) {
        pkt_set_mac(p, p->data, sizeof(struct eth_hdr));
        return 0;
    }
    if (!pkt_push(p, 4))
        return VERDICT_DROP;
    memmove(p->data, p->data + 4, 12);
    h = (struct eth_vlan_hdr *)(void *)p->data;
    h->tpid = be16(s->type);
    h->tci = tci;
    pkt_set_mac(p, p->data, sizeof *h);
    return 0;
}
ELEMENT_LOOP(vlan_encap)

static const struct handler_spec vlan_encap_handlers[] = {
    VLAN_READER(vlan_encap, vlan, "config", "the arguments, by keyword"),
    VLAN_HANDLERS(vlan_encap, vlan, "0 VLAN_TCI"),
    HANDLER_ARGUMENT("NATIVE_VLAN", "native_vlan", "VLAN without a tag"),
    HANDLER_ARGUMENT("ETHERTYPE", "ethertype", "type of the tag"),
    HANDLER_END,
};

ELEMENT(VLANEncap) = {
    .name = "VLANEncap",
    .state_size = sizeof(struct vlan_encap),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = vlan_encap_args,
    .live = true,
    .handlers = vlan_encap_handlers,
    .configure = vlan_encap_configure,
    .push = vlan_encap_push,
    .pull = vlan_encap_pull,
};
