// SPDX-License-Identifier: BSD-3-Clause
/*
 * DecIP6HLIM -- count down the hop limit of IPv6 packets
 *
 * Usage:    DecIP6HLIM
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     none
 * Counters: drops  packets whose time was up
 * Handlers: none
 * Example:  ... -> d :: DecIP6HLIM -> ...; d[1] -> ICMP6Error(2001:db8::1, 3, 0) -> ...
 * See also: ICMP6Error, DecIPTTL
 *
 * Packets with a hop limit of 0 or 1 leave by output 1 if that is connected. The network
 * header must be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { C_DROPS };
static const struct counter_spec dec_ip6_hlim_counters[] = {
    [C_DROPS] = {"drops", "packets whose time was up"},
    {NULL, NULL},
};

static inline verdict_t dec_ip6_hlim_one(struct element *e, struct pkt *p)
{
    if (__builtin_expect(pkt_avail(p, p->network) < sizeof(struct ip6_hdr), 0))
        return drop(e, C_DROPS);
    if (__builtin_expect(pkt_ip6(p)->hlim <= 1, 0))
        return spill(e, 1, C_DROPS);
    if (__builtin_expect(pkt_writable(p) < 0, 0))
        return drop(e, C_DROPS);
    pkt_ip6(p)->hlim--;
    return 0;
}

/* Packets from `i` on, up to one that is shared, not IP or at its end. */
static inline uint32_t dec_ip6_hlim_writable(const struct batch *b, uint32_t i)
{
    const uint32_t n = b->n; /* what is written might be this */

    for (; i < n; i++) {
        const struct pkt *p = b->p[i];

        if (pkt_shared(p) || !pkt_has(p, p->network, sizeof(struct ip6_hdr)) ||
            pkt_ip6(p)->hlim <= 1)
            break;
        pkt_ip6(p)->hlim--;
    }
    return i;
}

static inline uint32_t dec_ip6_hlim_run(struct element *e, struct batch *b,
                                        uint32_t from)
{
    from = dec_ip6_hlim_writable(b, from);
    if (from == b->n)
        return from;
    batch_make_writable(b, from);
    return dec_ip6_hlim_writable(b, from);
}
ELEMENT_LOOP_RUN(dec_ip6_hlim)

ELEMENT(DecIP6HLIM) = {
    .name = "DecIP6HLIM",
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .counters = dec_ip6_hlim_counters,
    .push = dec_ip6_hlim_push,
    .pull = dec_ip6_hlim_pull,
};
