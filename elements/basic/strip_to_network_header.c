// SPDX-License-Identifier: BSD-3-Clause
/*
 * StripToNetworkHeader -- remove what lies before the network header
 *
 * Usage:    StripToNetworkHeader
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  ... -> MarkIPHeader(14) -> StripToNetworkHeader -> ...
 * See also: Strip, MarkIPHeader
 *
 * If bytes up to the network header have been stripped already, they come back. A packet
 * without a network header is left alone.
 */

#include "engine/element.h"

static void strip_to_network_header_batch(struct element *e, struct batch *b,
                                          uint32_t from)
{
    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (!p->network)
            continue;
        if (p->network >= p->data)
            pkt_pull(p, (uint32_t)(p->network - p->data));
        else
            pkt_unpull(p, (uint32_t)(p->data - p->network));
    }
}

ELEMENT_BATCH(strip_to_network_header)

ELEMENT(StripToNetworkHeader) = {
    .name = "StripToNetworkHeader",
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .push = strip_to_network_header_push,
    .pull = strip_to_network_header_pull,
};
