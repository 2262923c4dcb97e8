// SPDX-License-Identifier: BSD-3-Clause
/* nd6.c -- messages of neighbour discovery: see nd6.h */

#include "engine/nd6.h"

#include "engine/checksum.h"

enum { WITH_OPTION = ND6_SIZE + 8 };

uint32_t nd6_message(const struct pkt *p, uint8_t type)
{
    const struct ip6_hdr *h = (const void *)(p->data + sizeof(struct eth_hdr));
    const uint8_t *nd = p->data + ND6_AT;
    uint32_t len;

    if (p->len < ND6_AT + ND6_SIZE || load16(p->data + 12) != BE16(ETHERTYPE_IP6))
        return 0;
    len = be16(h->len);
    if (p->data[14] >> 4 != 6 || h->next != IP_PROTO_ICMP6 || h->hlim != 255 ||
        len < ND6_SIZE || len > p->len - ND6_AT || nd[0] != type || nd[1] ||
        csum_finish(
            csum_add(csum_pseudo6(&h->src, &h->dst, IP_PROTO_ICMP6, len), nd, len)))
        return 0;
    return len;
}

struct pkt *nd6_make(struct element *e, const struct nd6_frame *f)
{
    struct pkt *q = pkt_new(element_pool(e), PKT_HEADROOM, NULL, ND6_AT + WITH_OPTION,
                            0);
    struct ip6_hdr *h;
    uint8_t *nd;

    if (!q)
        return NULL;
    memset(q->data, 0, q->len);
    *(struct eth_hdr *)(void *)q->data = (struct eth_hdr){f->to, f->from,
                                                          BE16(ETHERTYPE_IP6)};
    pkt_set_mac(q, q->data, sizeof(struct eth_hdr));
    q->transport = nd = q->network + sizeof *h;
    h = pkt_ip6(q);
    *h = (struct ip6_hdr){.flow = BE32(6u << 28),
                          .len = BE16(WITH_OPTION),
                          .next = IP_PROTO_ICMP6,
                          .hlim = 255,
                          .src = f->src,
                          .dst = f->dst};
    nd[0] = f->type;
    nd[4] = f->flags;
    memcpy(nd + 8, f->target.b, sizeof f->target.b);
    nd[ND6_SIZE] = f->option;
    nd[ND6_SIZE + 1] = 1; /* unit of 8 bytes */
    memcpy(nd + ND6_SIZE + 2, f->from.b, sizeof f->from.b);
    store16(nd + 2, csum_finish(csum_add(
                        csum_pseudo6(&h->src, &h->dst, IP_PROTO_ICMP6, WITH_OPTION), nd,
                        WITH_OPTION)));
    return q;
}
