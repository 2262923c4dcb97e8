// SPDX-License-Identifier: BSD-3-Clause
/*
 * VLANDecap -- take the 802.1Q tag out of Ethernet packets
 *
 * Usage:    VLANDecap([ANNO true, keyword ETHERTYPE])
 * Ports:    1 in, 1 out; push or pull
 * Args:     ANNO       keep the tag in the VLAN_TCI annotation, default true
 *           ETHERTYPE  type of the tag, default 0x8100
 * Example:  FromDevice(0) -> VLANDecap -> ...
 * See also: VLANEncap, StripEtherVLANHeader
 *
 * Packets without a tag pass; their annotation becomes 0.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct vlan_decap {
    bool anno;
    uint16_t type;
};

static const struct arg_spec vlan_decap_args[] = {
    ARG_BOOL(vlan_decap, anno, "ANNO", ARG_POS, "true", "keep the tag"),
    ARG_U16(vlan_decap, type, "ETHERTYPE", 0, "0x8100", "type of the tag"),
    ARG_END,
};

static inline verdict_t vlan_decap_one(struct element *e, struct pkt *p)
{
    const struct vlan_decap *s = element_state(e);
    const struct eth_vlan_hdr *h = (const void *)p->data;
    uint16_t tci = 0;

    if (p->len >= sizeof *h && h->tpid == be16(s->type)) {
        tci = h->tci;
        if (pkt_writable(p) < 0)
            return VERDICT_DROP;
        memmove(p->data + 4, p->data, 12);
        pkt_pull(p, 4);
    }
    if (p->len >= sizeof(struct eth_hdr))
        pkt_set_mac(p, p->data, sizeof(struct eth_hdr));
    if (s->anno)
        p->anno_u16[ANNO_VLAN_TCI / 2] = tci;
    return 0;
}
ELEMENT_LOOP(vlan_decap)

ELEMENT(VLANDecap) = {
    .name = "VLANDecap",
    .state_size = sizeof(struct vlan_decap),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = vlan_decap_args,
    .push = vlan_decap_push,
    .pull = vlan_decap_pull,
};
