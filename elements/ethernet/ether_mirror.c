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

typedef uint8_t bytes16 __attribute__((vector_size(16), may_alias, aligned(1)));

/* Any packet; one that is hardly more than its addresses has no 16 bytes. */
static verdict_t ether_mirror_any(struct pkt *p)
{
    uint8_t dst[6];

    if (p->len < sizeof(struct eth_hdr) || pkt_writable(p) < 0)
        return VERDICT_DROP;
    memcpy(dst, p->data, 6);
    memcpy(p->data, p->data + 6, 6);
    memcpy(p->data + 6, dst, 6);
    return 0;
}

static inline verdict_t ether_mirror_one(struct element *e, struct pkt *p)
{
    bytes16 *h = (bytes16 *)p->data;

    if (__builtin_expect(p->len < sizeof *h || pkt_shared(p), 0))
        return ether_mirror_any(p);
    *h = __builtin_shufflevector(*h, *h, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13,
                                 14, 15);
    return 0;
}
ELEMENT_LOOP_WRITES(ether_mirror)

ELEMENT(EtherMirror) = {
    .name = "EtherMirror",
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .push = ether_mirror_push,
    .pull = ether_mirror_pull,
};
