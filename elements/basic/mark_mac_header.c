// SPDX-License-Identifier: BSD-3-Clause
/*
 * MarkMACHeader -- say where packets' link-level header is
 *
 * Usage:    MarkMACHeader(OFFSET 0, LENGTH 0)
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  first byte of the header, default 0
 *           LENGTH  bytes of the header; if given, the network header begins behind it
 * Counters: none
 * Handlers: none
 * Example:  FromDump(in.pcap) -> MarkMACHeader(0, 14) -> ...
 * See also: MarkIPHeader
 *
 * In a packet that is too short, the header begins (and ends) where the data ends.
 */

#include "engine/element.h"

struct mark_mac_header {
    uint32_t offset, length;
};

static const struct arg_spec mark_mac_header_args[] = {
    ARG_U32(mark_mac_header, offset, "OFFSET", ARG_POS, "0",
            "first byte of the header"),
    ARG_U32(mark_mac_header, length, "LENGTH", ARG_POS, "0", "bytes of the header"),
    ARG_END,
};

static void mark_mac_header_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct mark_mac_header *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];
        uint32_t at = s->offset < p->len ? s->offset : p->len, left = p->len - at;

        p->mac = p->data + at;
        if (s->length)
            p->network = p->mac + (s->length < left ? s->length : left);
    }
}

ELEMENT_BATCH(mark_mac_header)

ELEMENT(MarkMACHeader) = {
    .name = "MarkMACHeader",
    .state_size = sizeof(struct mark_mac_header),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = mark_mac_header_args,
    .push = mark_mac_header_push,
    .pull = mark_mac_header_pull,
};
