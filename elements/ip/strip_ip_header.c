// SPDX-License-Identifier: BSD-3-Clause
/*
 * StripIPHeader -- take the IP header off the front
 *
 * Usage:    StripIPHeader
 * Ports:    1 in, 1 out; push or pull
 * Example:  ... -> CheckIPHeader -> StripIPHeader -> CheckUDPHeader -> ...
 * See also: UnstripIPHeader, CheckIPHeader, Strip
 *
 * Wants the IP header to be marked: the data then begins with the transport header. The
 * header pointers stay. Packets without the mark stay as they are.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

static void strip_ip_header_batch(struct element *e, struct batch *b, uint32_t from)
{
    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (p->network && p->transport && p->transport > p->data)
            pkt_pull(p, (uint32_t)(p->transport - p->data));
    }
}
ELEMENT_BATCH(strip_ip_header)

ELEMENT(StripIPHeader) = {
    .name = "StripIPHeader",
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .push = strip_ip_header_push,
    .pull = strip_ip_header_pull,
};
