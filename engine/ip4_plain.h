// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip4_plain.h -- batches of plain IPv4 packets, at whose headers nobody has to look again
 *
 * What deals with IPv4 asks of each packet whether it has a header, all of it, with options
 * or without. A packet is plain when it begins with its marked IPv4 header, which has 20
 * bytes and no options, and nearly all packets on the path of an IP router are: CheckIPHeader
 * knows, and says so with out_push_ip4(). It calls .push_ip4 of classes that have one:
 * those that gain by it, and those that hand it on, with ELEMENT_IP4. To all others it is
 * out_push(), and there the knowledge ends.
 *
 * Trust: what is said must be true of every packet of the batch, since nobody checks it, but
 *        under AddressSanitizer.
 */

#ifndef ENGINE_IP4_PLAIN_H
#define ENGINE_IP4_PLAIN_H

#include "engine/element.h"
#include "engine/net_headers.h"

#include <assert.h>

static inline bool pkt_is_plain(const struct pkt *p)
{
    return p->network == p->data && p->len >= sizeof(struct ip4_hdr) &&
           *p->data == 0x45;
}

#if defined(__SANITIZE_ADDRESS__)
static inline void batch_check_plain(const struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        assert(pkt_is_plain(b->p[i]));
}
#else
#define batch_check_plain(b) ((void)0)
#endif

/* out_push() for a batch of plain packets. */
static inline void out_push_ip4(struct element *e, unsigned port, struct batch *b)
{
    const struct port *o = &e->out[port];

    batch_check_plain(b);
    if (b->n)
        o->push_ip4(o->peer, o->peer_port, b);
}

/* prefix_push_ip4 from prefix_batch, for an element that leaves plain packets plain. */
#define ELEMENT_IP4(prefix)                                                            \
    static void prefix##_push_ip4(struct element *e, unsigned port, struct batch *b)   \
    {                                                                                  \
        (void)port;                                                                    \
        prefix##_batch(e, b, 0);                                                       \
        out_push_ip4(e, 0, b);                                                         \
    }

#endif
