// SPDX-License-Identifier: BSD-3-Clause
/* subject.c -- what a packet is about: see subject.h */

#include "engine/subject.h"

bool subject_find(const struct pkt *p, bool icmp_errors, struct subject *out)
{
    const struct icmp_hdr *icmp;
    uint32_t header;

    if (!pkt_has_ip4(p))
        return false;
    *out = (struct subject){pkt_ip4(p), pkt_avail(p, p->network), 0};
    if (out->h->proto == IP_PROTO_ICMP && !ip4_is_later_fragment(out->h) &&
        icmp_errors) {
        header = ip4_hlen(out->h) + (uint32_t)sizeof *icmp;
        icmp = (const void *)((const uint8_t *)out->h + ip4_hlen(out->h));
        if (out->n < header + sizeof *out->h ||
            (icmp->type != ICMP_UNREACH && icmp->type != ICMP_TIMXCEED &&
             icmp->type != ICMP_PARAMPROB && icmp->type != ICMP_SOURCEQUENCH &&
             icmp->type != ICMP_REDIRECT))
            return false;
        *out = (struct subject){(const void *)((const uint8_t *)out->h + header),
                                out->n - header, 2};
        if (ip4_hlen(out->h) < 20 || ip4_hlen(out->h) > out->n)
            return false;
    }
    return (out->h->proto == IP_PROTO_TCP || out->h->proto == IP_PROTO_UDP) &&
           (out->h->src || out->h->dst);
}
