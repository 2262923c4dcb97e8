// SPDX-License-Identifier: BSD-3-Clause
/*
 * StripEtherVLANHeader -- take the Ethernet header off the front, tagged or not
 *
 * Usage:    StripEtherVLANHeader([NATIVE_VLAN 0])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     NATIVE_VLAN  VLAN of packets without a tag, default 0; -1: they are an error
 * Example:  FromDevice(0) -> StripEtherVLANHeader -> CheckIPHeader -> ...
 * See also: Strip, VLANDecap
 *
 * The tag goes into the VLAN_TCI annotation. Packets too short for their header, or without
 * a tag where that is an error, leave by output 1, or are dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct strip_ether_vlan_header {
    int32_t native;
};

static const struct arg_spec strip_ether_vlan_header_args[] = {
    ARG_I32(strip_ether_vlan_header, native, "NATIVE_VLAN", ARG_POS, "0",
            "VLAN of packets without a tag, < 0: none"),
    ARG_END,
};

static int strip_ether_vlan_header_configure(struct element *e, struct conf *c,
                                             struct diag *d)
{
    const struct strip_ether_vlan_header *s = element_state(e);

    return s->native <= 0xfff ? 0 : diag_err(d, "bad NATIVE_VLAN");
}

static inline verdict_t strip_ether_vlan_header_one(struct element *e, struct pkt *p)
{
    const struct strip_ether_vlan_header *s = element_state(e);
    const struct eth_vlan_hdr *h = (const void *)p->data;
    bool tag = p->len >= sizeof(struct eth_hdr) && h->tpid == BE16(ETHERTYPE_8021Q);
    uint32_t len = tag ? sizeof *h : sizeof(struct eth_hdr);

    if (p->len < len || (!tag && s->native < 0))
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    p->anno_u16[ANNO_VLAN_TCI / 2] = tag ? h->tci : be16((uint16_t)s->native);
    pkt_pull(p, len);
    return 0;
}
ELEMENT_LOOP(strip_ether_vlan_header)

ELEMENT(StripEtherVLANHeader) = {
    .name = "StripEtherVLANHeader",
    .state_size = sizeof(struct strip_ether_vlan_header),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = strip_ether_vlan_header_args,
    .configure = strip_ether_vlan_header_configure,
    .push = strip_ether_vlan_header_push,
    .pull = strip_ether_vlan_header_pull,
};
ELEMENT_ALIAS(StripEtherVlanHeader, StripEtherVLANHeader);
