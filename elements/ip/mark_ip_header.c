// SPDX-License-Identifier: BSD-3-Clause
/*
 * MarkIPHeader -- say that an IP header stands in the packet, without looking at it
 *
 * Usage:    MarkIPHeader(OFFSET 0)
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  bytes before the IP header, default 0
 * Example:  FromDevice(0) -> MarkIPHeader(14) -> IPPrint -> ...
 * See also: CheckIPHeader, StripIPHeader
 *
 * Sets the header pointers only. A packet that ends before OFFSET stays as it is.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct mark_ip_header {
    uint32_t offset;
};

static const struct arg_spec mark_ip_header_args[] = {
    ARG_U32(mark_ip_header, offset, "OFFSET", ARG_POS, "0",
            "bytes before the IP header"),
    ARG_END,
};

static void mark_ip_header_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct mark_ip_header *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];
        uint8_t *at = p->data + s->offset;

        if (p->len > s->offset)
            pkt_set_ip4(p, at, (*at & 15u) << 2);
    }
}
ELEMENT_BATCH(mark_ip_header)

ELEMENT(MarkIPHeader) = {
    .name = "MarkIPHeader",
    .state_size = sizeof(struct mark_ip_header),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = mark_ip_header_args,
    .push = mark_ip_header_push,
    .pull = mark_ip_header_pull,
};
