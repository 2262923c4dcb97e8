// SPDX-License-Identifier: BSD-3-Clause
/* icmp_encap.c -- putting ICMP headers in front: see icmp_encap.h */

#include "engine/icmp_encap.h"

#include "engine/checksum.h"

enum { TSTAMP_HEADER = 20 };

/* Bytes of header that a type has: timestamps have three of them behind the number. */
static uint32_t header_len(uint8_t type)
{
    return type == ICMP_TSTAMP || type == ICMP_TSTAMPREPLY ? TSTAMP_HEADER
                                                           : sizeof(struct icmp_hdr);
}

static bool is_numbered(uint8_t type)
{
    return type == ICMP_ECHO || type == ICMP_ECHOREPLY || type == ICMP_TSTAMP ||
           type == ICMP_TSTAMPREPLY || type == ICMP_IREQ || type == ICMP_IREQREPLY;
}

verdict_t icmp_encap_packet(struct icmp_encap *s, struct pkt *p)
{
    uint32_t icmp_len = header_len(s->type);
    struct ip4_hdr *h = (void *)pkt_push(p, sizeof *h + icmp_len);
    struct icmp_hdr *icmp = (struct icmp_hdr *)(void *)(h + 1);

    if (!h)
        return VERDICT_DROP;
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)p->len),
                          .id = be16(s->next),
                          .ttl = 255,
                          .proto = IP_PROTO_ICMP,
                          .src = s->src,
                          .dst = s->dst};
    h->sum = csum_ip4_20(h);
    memset(icmp, 0, icmp_len);
    icmp->type = s->type;
    icmp->code = s->code;
    if (is_numbered(s->type)) {
        icmp->id = be16(s->id);
        icmp->seq = be16(s->next);
    }
    icmp->sum = csum(icmp, p->len - sizeof *h);
    pkt_set_dst_ip(p, s->dst);
    pkt_set_ip4(p, p->data, sizeof *h);
    s->next = s->next == 0xffff ? 1 : (uint16_t)(s->next + 1);
    return 0;
}

int icmp_encap_write_address(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    uint32_t addr;

    if (!parse_ip(e, value, &addr))
        return diag_err(d, "syntax error");
    memcpy((uint8_t *)element_state(e) + h->offset, &addr, sizeof addr);
    return 0;
}

#define ADDRESS(name_, member_, help_)                                                 \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ | HANDLER_WRITE,           \
        .kind = ARG_KIND_IP, .offset = offsetof(struct icmp_encap, member_),           \
        .write = icmp_encap_write_address                                              \
    }
const struct handler_spec icmp_encap_handlers[] = {
    ADDRESS("src", src, "source address"),
    ADDRESS("dst", dst, "destination address"),
    HANDLER_END,
};
