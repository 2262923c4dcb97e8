// SPDX-License-Identifier: BSD-3-Clause
/*
 * UnstripIPHeader -- put a stripped IP header back in front
 *
 * Usage:    UnstripIPHeader
 * Ports:    1 in, 1 out; push or pull
 * Example:  ... -> StripIPHeader -> Print -> UnstripIPHeader -> ...
 * See also: StripIPHeader, Unstrip
 *
 * Lengthens the packet at the front to where its marked IP header begins.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

static void unstrip_ip_header_batch(struct element *e, struct batch *b, uint32_t from)
{
    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        /* The bytes are in the headroom still, or else the pointer would be NULL. */
        if (p->network && p->network < p->data)
            (void)pkt_unpull(p, (uint32_t)(p->data - p->network));
    }
}
ELEMENT_BATCH(unstrip_ip_header)

ELEMENT(UnstripIPHeader) = {
    .name = "UnstripIPHeader",
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .push = unstrip_ip_header_push,
    .pull = unstrip_ip_header_pull,
};
