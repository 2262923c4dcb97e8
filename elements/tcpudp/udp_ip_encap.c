// SPDX-License-Identifier: BSD-3-Clause
/*
 * UDPIPEncap -- put UDP and IPv4 headers in front
 *
 * Usage:    UDPIPEncap(SRC, SPORT, DST, DPORT [, CHECKSUM true])
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC       source address
 *           SPORT     source port
 *           DST       destination address, or DST_ANNO for that of the annotation
 *           DPORT     destination port
 *           CHECKSUM  compute the UDP checksum, default true
 * Handlers: src    (rw) source address
 *           sport  (rw) source port
 *           dst    (rw) destination address
 *           dport  (rw) destination port
 * Example:  InfiniteSource -> UDPIPEncap(10.0.0.1, 1234, 10.0.0.2, 53) -> ...
 * See also: IPEncap, StripIPHeader, ICMPPingEncap
 *
 * Marks the header and sets the destination annotation to DST. The identification counts
 * up from 0, the time to live is 250.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct udp_ip_encap {
    uint32_t src, dst;
    uint16_t sport, dport; /* host byte order */
    uint16_t next_id;
    bool use_anno, checksum;
    struct text dst_text;
};

#define ENCAP_PORT(member_, name_, help_)                                              \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_UDP, .flags = ARG_M, .help = help_,       \
        .offset = offsetof(struct udp_ip_encap, member_)                               \
    }
static const struct arg_spec udp_ip_encap_args[] = {
    ARG_IP(udp_ip_encap, src, "SRC", ARG_M, NULL, "source address"),
    ENCAP_PORT(sport, "SPORT", "source port"),
    ARG_RAW(udp_ip_encap, dst_text, "DST", ARG_M, NULL, "destination, or DST_ANNO"),
    ENCAP_PORT(dport, "DPORT", "destination port"),
    ARG_BOOL(udp_ip_encap, checksum, "CHECKSUM", ARG_POS, "true",
             "compute the UDP checksum"),
    ARG_END,
};

static bool udp_ip_encap_dst(struct element *e, const char *text)
{
    struct udp_ip_encap *s = element_state(e);
    bool anno = strcmp(text, "DST_ANNO") == 0;

    if (anno)
        s->dst = 0;
    else if (!parse_ip(e, text, &s->dst))
        return false;
    s->use_anno = anno;
    return true;
}

static int udp_ip_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct udp_ip_encap *s = element_state(e);

    return udp_ip_encap_dst(e, s->dst_text.s) ? 0 : diag_err(d, "bad DST");
}

static inline verdict_t udp_ip_encap_one(struct element *e, struct pkt *p)
{
    struct udp_ip_encap *s = element_state(e);
    struct ip4_hdr *h = (void *)pkt_push(p, sizeof *h + sizeof(struct udp_hdr));
    struct udp_hdr *u = (struct udp_hdr *)(void *)(h + 1);
    uint32_t len = p->len - sizeof *h;

    if (__builtin_expect(!h, 0))
        return VERDICT_DROP;
    *h = (struct ip4_hdr){
        .vhl = 0x45,
        .len = be16((uint16_t)p->len),
        .id = be16(s->next_id++),
        .ttl = 250,
        .proto = IP_PROTO_UDP,
        .src = s->src,
        .dst = s->use_anno ? pkt_dst_ip(p) : s->dst,
    };
    h->sum = csum_ip4_20(h);
    pkt_set_dst_ip(p, h->dst);
    pkt_set_ip4(p, p->data, sizeof *h);
    *u = (struct udp_hdr){be16(s->sport), be16(s->dport), be16((uint16_t)len), 0};
    if (s->checksum) {
        u->sum = csum_finish(
            csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_UDP, len), u, len));
        u->sum = u->sum ? u->sum : 0xffff;
    }
    return 0;
}
ELEMENT_LOOP(udp_ip_encap)

static const struct handler_spec udp_ip_encap_handlers[] = {
    HANDLER_ARGUMENT_VALUE(udp_ip_encap, src, ARG_KIND_IP, "0 SRC", "src",
                           "source address"),
    HANDLER_ARGUMENT_VALUE(udp_ip_encap, sport, ARG_KIND_PORT_UDP, "1 SPORT", "sport",
                           "source port"),
    HANDLER_ARGUMENT_VALUE(udp_ip_encap, dst, ARG_KIND_IP, "2 DST", "dst",
                           "destination address"),
    HANDLER_ARGUMENT_VALUE(udp_ip_encap, dport, ARG_KIND_PORT_UDP, "3 DPORT", "dport",
                           "destination port"),
    HANDLER_END,
};

ELEMENT(UDPIPEncap) = {
    .name = "UDPIPEncap",
    .state_size = sizeof(struct udp_ip_encap),
    .ports = "1/1",
    .args = udp_ip_encap_args,
    .live = true,
    .handlers = udp_ip_encap_handlers,
    .configure = udp_ip_encap_configure,
    .push = udp_ip_encap_push,
    .pull = udp_ip_encap_pull,
};
