// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherMirror -- swap the Ethernet source and destination
 *
 * Usage:    EtherMirror
 * Ports:    1 in, 1 out; push or pull
 * Example:  FromDevice(0) -> EtherMirror -> ToDevice(0);
 * See also: EtherEncap, EtherRewrite, IPMirror
 *
 * The Ethernet header is at the front of the data. Packets too short for one are dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

static inline verdict_t ether_mirror_one(struct element *e, struct pkt *p)
{
    uint64_t dst, src;
    uint8_t *h;

    if (__builtin_expect(p->len < sizeof(struct eth_hdr) || pkt_writable(p) < 0, 0))
        return VERDICT_DROP;
    h = p->data;
    /* Two overlapping 8-byte loads and three stores move all twelve bytes. */
    memcpy(&dst, h, 8);
    memcpy(&src, h + 6, 8);
    uint32_t src_head = (uint32_t)src;
    uint16_t src_tail = (uint16_t)(src >> 32);
    memcpy(h, &src_head, 4);
    memcpy(h + 4, &src_tail, 2);
    memcpy(h + 6, &dst, 4);
    store16(h + 10, (uint16_t)(dst >> 32));
    return 0;
}
ELEMENT_LOOP_WRITES(ether_mirror)

ELEMENT(EtherMirror) = {
    .name = "EtherMirror",
    .plain = true,
    .ports = "1/1",
    .push = ether_mirror_push,
    .pull = ether_mirror_pull,
};
