// SPDX-License-Identifier: BSD-3-Clause
/*
 * UDPIP6Encap -- put UDP and IPv6 headers in front
 *
 * Usage:    UDPIP6Encap(SRC, SPORT, DST, DPORT)
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC    source address
 *           SPORT  source port
 *           DST    destination address, or DST_ANNO for that of the annotation
 *           DPORT  destination port
 * Counters: drops  packets that are too long, or for which memory ran out
 * Handlers: src    (rw) source address
 *           sport  (rw) source port
 *           dst    (rw) destination address
 *           dport  (rw) destination port
 * Example:  InfiniteSource -> UDPIP6Encap(2001:db8::1, 1234, 2001:db8::2, 53) -> ...
 * See also: UDPIPEncap, IP6Encap
 *
 * Marks the header and sets the destination annotation to DST. The hop limit is 255; the
 * checksum is always there, as IPv6 asks for.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct udp_ip6_encap {
    struct ip6_addr src, dst;
    uint16_t sport, dport; /* host byte order */
    bool use_anno;
    struct text dst_text;
};

#define ENCAP_PORT(member_, name_, help_)                                              \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_UDP, .flags = ARG_M, .help = help_,       \
        .offset = offsetof(struct udp_ip6_encap, member_)                              \
    }
static const struct arg_spec udp_ip6_encap_args[] = {
    ARG_IP6(udp_ip6_encap, src, "SRC", ARG_M, NULL, "source address"),
    ENCAP_PORT(sport, "SPORT", "source port"),
    ARG_RAW(udp_ip6_encap, dst_text, "DST", ARG_M, NULL, "destination, or DST_ANNO"),
    ENCAP_PORT(dport, "DPORT", "destination port"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec udp_ip6_encap_counters[] = {
    [C_DROPS] = {"drops", "packets that could not be encapsulated"},
    {NULL, NULL},
};

static bool udp_ip6_encap_dst(struct element *e, const char *text)
{
    struct udp_ip6_encap *s = element_state(e);
    bool anno = strcmp(text, "DST_ANNO") == 0;

    if (anno)
        memset(&s->dst, 0, sizeof s->dst);
    else if (!parse_ip6(e, text, &s->dst))
        return false;
    s->use_anno = anno;
    return true;
}

static int udp_ip6_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct udp_ip6_encap *s = element_state(e);

    return udp_ip6_encap_dst(e, s->dst_text.s) ? 0 : diag_err(d, "bad DST");
}

static inline verdict_t udp_ip6_encap_one(struct element *e, struct pkt *p)
{
    const struct udp_ip6_encap *s = element_state(e);
    uint32_t len = p->len + sizeof(struct udp_hdr);
    struct ip6_hdr *h;
    struct udp_hdr *u;

    if (len > 0xffff || !pkt_push(p, sizeof *h + sizeof *u))
        return drop(e, C_DROPS);
    pkt_set_ip4(p, p->data, sizeof *h);
    h = pkt_ip6(p);
    h->flow = BE32(6u << 28);
    h->len = be16((uint16_t)len);
    h->next = IP_PROTO_UDP;
    h->hlim = 0xff;
    h->src = s->src;
    if (s->use_anno)
        memcpy(h->dst.b, p->anno + ANNO_DST_IP6, sizeof h->dst);
    else
        h->dst = s->dst;
    memcpy(p->anno + ANNO_DST_IP6, h->dst.b, sizeof h->dst);
    u = pkt_udp(p);
    *u = (struct udp_hdr){be16(s->sport), be16(s->dport), be16((uint16_t)len), 0};
    u->sum = csum_finish(
        csum_add(csum_pseudo6(&h->src, &h->dst, IP_PROTO_UDP, len), u, len));
    u->sum = u->sum ? u->sum : 0xffff;
    return 0;
}
ELEMENT_LOOP(udp_ip6_encap)

static const struct handler_spec udp_ip6_encap_handlers[] = {
    HANDLER_ARGUMENT_VALUE(udp_ip6_encap, src, ARG_KIND_IP6, "0 SRC", "src",
                           "source address"),
    HANDLER_ARGUMENT_VALUE(udp_ip6_encap, sport, ARG_KIND_PORT_UDP, "1 SPORT", "sport",
                           "source port"),
    HANDLER_ARGUMENT_VALUE(udp_ip6_encap, dst, ARG_KIND_IP6, "2 DST", "dst",
                           "destination address"),
    HANDLER_ARGUMENT_VALUE(udp_ip6_encap, dport, ARG_KIND_PORT_UDP, "3 DPORT", "dport",
                           "destination port"),
    HANDLER_END,
};

ELEMENT(UDPIP6Encap) = {
    .name = "UDPIP6Encap",
    .state_size = sizeof(struct udp_ip6_encap),
    .ports = "1/1",
    .args = udp_ip6_encap_args,
    .live = true,
    .counters = udp_ip6_encap_counters,
    .handlers = udp_ip6_encap_handlers,
    .configure = udp_ip6_encap_configure,
    .push = udp_ip6_encap_push,
    .pull = udp_ip6_encap_pull,
};
