// SPDX-License-Identifier: BSD-3-Clause
/*
 * UnstripTCPHeader -- put back what lies between the marked TCP header and the packet
 *
 * Usage:    UnstripTCPHeader
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  ... -> StripIPHeader -> StripTCPHeader -> Print -> UnstripTCPHeader -> ...
 * See also: StripTCPHeader, UnstripIPHeader, Unstrip
 *
 * Afterwards the packet begins with the marked TCP header, if it began behind it.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

static void unstrip_tcp_header_batch(struct element *e, struct batch *b, uint32_t from)
{
    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        /* The bytes are in the headroom still, or else the pointer would be NULL. */
        if (p->transport && p->transport < p->data)
            (void)pkt_unpull(p, (uint32_t)(p->data - p->transport));
    }
}
ELEMENT_BATCH(unstrip_tcp_header)

ELEMENT(UnstripTCPHeader) = {
    .name = "UnstripTCPHeader",
    .ports = "1/1",
    .push = unstrip_tcp_header_push,
    .pull = unstrip_tcp_header_pull,
};
