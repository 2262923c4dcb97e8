// SPDX-License-Identifier: BSD-3-Clause
/*
 * MarkIP6Header -- say where the IPv6 header begins
 *
 * Usage:    MarkIP6Header([OFFSET 0])
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  bytes before the IPv6 header
 * Counters: none
 * Handlers: none
 * Example:  FromDevice(0) -> MarkIP6Header(14) -> IP6Print -> ...
 * See also: CheckIP6Header, MarkIPHeader
 *
 * Nothing is checked. The transport header is said to stand 40 bytes behind.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct mark_ip6_header {
    uint32_t offset;
};

static const struct arg_spec mark_ip6_header_args[] = {
    ARG_U32(mark_ip6_header, offset, "OFFSET", ARG_POS, "0", "bytes before the header"),
    ARG_END,
};

static void mark_ip6_header_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct mark_ip6_header *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (p->len > s->offset)
            pkt_set_ip4(p, p->data + s->offset, sizeof(struct ip6_hdr));
    }
}
ELEMENT_BATCH(mark_ip6_header)

ELEMENT(MarkIP6Header) = {
    .name = "MarkIP6Header",
    .state_size = sizeof(struct mark_ip6_header),
    .ports = "1/1",
    .args = mark_ip6_header_args,
    .push = mark_ip6_header_push,
    .pull = mark_ip6_header_pull,
};
