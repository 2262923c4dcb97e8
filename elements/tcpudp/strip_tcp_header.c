// SPDX-License-Identifier: BSD-3-Clause
/*
 * StripTCPHeader -- remove a TCP header from the front of packets
 *
 * Usage:    StripTCPHeader
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  ... -> StripIPHeader -> StripTCPHeader -> Print -> UnstripTCPHeader -> ...
 * See also: UnstripTCPHeader, StripIPHeader, Strip
 *
 * As many bytes go as the marked TCP header says that it has, wherever the packet begins.
 * Packets without a whole marked TCP header stay as they are.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

static void strip_tcp_header_batch(struct element *e, struct batch *b, uint32_t from)
{
    for (uint32_t i = from; i < b->n; i++)
        if (pkt_avail(b->p[i], b->p[i]->transport) >= sizeof(struct tcp_hdr))
            pkt_pull(b->p[i], tcp_hlen(pkt_tcp(b->p[i])));
}
ELEMENT_BATCH(strip_tcp_header)

ELEMENT(StripTCPHeader) = {
    .name = "StripTCPHeader",
    .ports = "1/1",
    .push = strip_tcp_header_push,
    .pull = strip_tcp_header_pull,
};
