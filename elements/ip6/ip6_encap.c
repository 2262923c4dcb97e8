// SPDX-License-Identifier: BSD-3-Clause
/*
 * IP6Encap -- put an IPv6 header in front of packets
 *
 * Usage:    IP6Encap(PROTO, SRC, DST [, HLIM 250, CLASS 0])
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO  number or name of the protocol that follows
 *           SRC    source address
 *           DST    destination address; DST_ANNO: that in the destination annotation
 *           HLIM   hop limit
 *           CLASS  traffic class
 * Counters: drops  packets that are too long, or for which memory ran out
 * Handlers: src, dst  (rw) the arguments
 * Example:  ... -> IP6Encap(4, 2001:db8::1, 2001:db8::2, HLIM 20) -> ...
 * See also: IPEncap, UDPIP6Encap
 *
 * Sets the network and transport headers and the destination annotation.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct ip6_encap {
    uint8_t proto, hlim, class;
    struct ip6_addr src, dst;
    struct text proto_arg, dst_arg;
    bool use_anno;
};

static const struct arg_spec ip6_encap_args[] = {
    ARG_WORD(ip6_encap, proto_arg, "PROTO", ARG_M, NULL, "protocol that follows"),
    ARG_IP6(ip6_encap, src, "SRC", ARG_M, NULL, "source address"),
    ARG_WORD(ip6_encap, dst_arg, "DST", ARG_M, NULL, "destination address"),
    ARG_U8(ip6_encap, hlim, "HLIM", 0, "250", "hop limit"),
    ARG_U8(ip6_encap, class, "CLASS", 0, "0", "traffic class"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec ip6_encap_counters[] = {
    [C_DROPS] = {"drops", "packets that could not be encapsulated"},
    {NULL, NULL},
};

static bool ip6_encap_dst(struct element *e, const char *text)
{
    struct ip6_encap *s = element_state(e);
    bool anno = !strcmp(text, "DST_ANNO");

    if (!anno && !parse_ip6(e, text, &s->dst))
        return false;
    s->use_anno = anno;
    return true;
}

static int ip6_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ip6_encap *s = element_state(e);
    int32_t proto;

    if (!parse_ip_protocol(e, s->proto_arg.s, &proto))
        return diag_err(d, "PROTO: parse error");
    if (proto < 0 || proto > 255)
        return diag_err(d, "bad IP protocol");
    s->proto = (uint8_t)proto;
    return ip6_encap_dst(e, s->dst_arg.s)
               ? 0
               : diag_err(d, "DST argument should be IP address or 'DST_ANNO'");
}

static inline verdict_t ip6_encap_one(struct element *e, struct pkt *p)
{
    const struct ip6_encap *s = element_state(e);
    uint32_t len = p->len;
    struct ip6_hdr *h;

    if (len > 0xffff || !pkt_push(p, sizeof *h))
        return drop(e, C_DROPS);
    pkt_set_ip4(p, p->data, sizeof *h);
    h = pkt_ip6(p);
    h->flow = be32(6u << 28 | (uint32_t)s->class << 20);
    h->len = be16((uint16_t)len);
    h->next = s->proto;
    h->hlim = s->hlim;
    h->src = s->src;
    if (s->use_anno)
        memcpy(h->dst.b, p->anno + ANNO_DST_IP6, 16);
    else
        h->dst = s->dst;
    memcpy(p->anno + ANNO_DST_IP6, h->dst.b, 16);
    return 0;
}
ELEMENT_LOOP(ip6_encap)

static int ip6_encap_read_dst(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d)
{
    const struct ip6_encap *s = element_state(e);
    char buf[64];

    sbuf_puts(out, s->use_anno ? "DST_ANNO" : unparse_ip6(&s->dst, buf));
    return 0;
}

static const struct handler_spec ip6_encap_handlers[] = {
    HANDLER_VALUE(ip6_encap, src, ARG_KIND_IP6, HANDLER_READ, "src", "source address"),
    HANDLER_ARGUMENT_WRITER("1 SRC", "src", "source address"),
    HANDLER_READER(ip6_encap_read_dst, "dst", "destination address"),
    HANDLER_ARGUMENT_WRITER("2 DST", "dst", "destination address"),
    HANDLER_END,
};

ELEMENT(IP6Encap) = {
    .name = "IP6Encap",
    .state_size = sizeof(struct ip6_encap),
    .ports = "1/1",
    .args = ip6_encap_args,
    .live = true,
    .counters = ip6_encap_counters,
    .handlers = ip6_encap_handlers,
    .configure = ip6_encap_configure,
    .push = ip6_encap_push,
    .pull = ip6_encap_pull,
};
