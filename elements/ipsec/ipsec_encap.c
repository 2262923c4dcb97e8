// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPsecEncap -- put the IPv4 header of a tunnel in front
 *
 * Usage:    IPsecEncap(PROTO)
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO  protocol, a number or name: esp for ESP packets
 * Counters: drops  packets for which memory ran out
 * Handlers: src  (r) source address: always 0.0.0.0
 *           dst  (r) destination of the last packet
 * Example:  ... -> IPsecAuthHMACSHA1(0) -> IPsecEncap(esp) -> FixIPSrc(192.0.2.1) -> ...
 * See also: IPEncap, FixIPSrc, RadixIPsecLookup
 *
 * The destination is that of the annotation, where RadixIPsecLookup puts the gateway of a
 * tunnel. The source is 0.0.0.0 and marked for FixIPSrc. The time to live is 250, the
 * identification counts up from 0.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct ipsec_encap {
    struct ip4_hdr h; /* as it is copied into packets, with its own checksum */
    struct text proto;
    uint32_t dst;
    uint16_t next_id;
};

static const struct arg_spec ipsec_encap_args[] = {
    ARG_WORD(ipsec_encap, proto, "PROTO", ARG_M, NULL, "protocol"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec ipsec_encap_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static int ipsec_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ipsec_encap *s = element_state(e);
    int32_t proto;

    if (!parse_ip_protocol(e, s->proto.s, &proto))
        return diag_err(d, "PROTO: parse error");
    if (proto < 0 || proto > 255)
        return diag_err(d, "bad IP protocol");
    s->h = (struct ip4_hdr){.vhl = 0x45, .ttl = 250, .proto = (uint8_t)proto};
    s->h.sum = csum_ip4_20(&s->h);
    return 0;
}

static inline verdict_t ipsec_encap_one(struct element *e, struct pkt *p)
{
    struct ipsec_encap *s = element_state(e);
    struct ip4_hdr *h = (struct ip4_hdr *)(void *)pkt_push(p, sizeof *h);

    if (!h)
        return drop(e, C_DROPS);
    *h = s->h;
    h->len = be16((uint16_t)p->len);
    h->id = be16(s->next_id++);
    h->dst = s->dst = pkt_dst_ip(p);
    h->sum = csum_apply(h->sum, (uint64_t)h->len + h->id + csum_delta32(0, h->dst));
    p->anno[ANNO_FIX_IP_SRC] = 1;
    pkt_set_ip4(p, p->data, sizeof *h);
    return 0;
}
ELEMENT_LOOP(ipsec_encap)

static int ipsec_encap_read(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d)
{
    const struct ipsec_encap *s = element_state(e);
    char text[64];

    sbuf_puts(out, unparse_ip(h->user ? s->dst : s->h.src, text));
    return 0;
}

static const struct handler_spec ipsec_encap_handlers[] = {
    {.name = "src",
     .help = "source address",
     .flags = HANDLER_READ,
     .user = 0,
     .read = ipsec_encap_read},
    {.name = "dst",
     .help = "destination of the last packet",
     .flags = HANDLER_READ,
     .user = 1,
     .read = ipsec_encap_read},
    HANDLER_END,
};

ELEMENT(IPsecEncap) = {
    .name = "IPsecEncap",
    .state_size = sizeof(struct ipsec_encap),
    .ports = "1/1",
    .args = ipsec_encap_args,
    .counters = ipsec_encap_counters,
    .handlers = ipsec_encap_handlers,
    .configure = ipsec_encap_configure,
    .push = ipsec_encap_push,
    .pull = ipsec_encap_pull,
};
