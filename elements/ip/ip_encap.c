// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPEncap -- put an IPv4 header in front
 *
 * Usage:    IPEncap(PROTO, SRC, DST [, keywords TOS, TTL, DSCP, ECT, CE, DF])
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO  protocol, a number or name
 *           SRC    source address
 *           DST    destination address, or DST_ANNO for that of the annotation
 *           TOS    type of service byte
 *           TTL    time to live, default 250
 *           DSCP   the upper six bits of TOS
 *           ECT    ECN capable: false, true or 2
 *           CE     congestion experienced
 *           DF     do not fragment
 * Handlers: src  (rw) source address
 *           dst  (rw) destination address
 * Example:  ... -> IPEncap(ipip, 10.0.0.1, 10.0.1.1) -> ...
 * See also: UDPIPEncap, ICMPIPEncap, StripIPHeader, EtherEncap
 *
 * Marks the header and sets the destination annotation to DST. The identification counts
 * up from 0.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct ip_encap {
    struct ip4_hdr h; /* as it is copied into packets, with its own checksum */
    bool use_anno, ce, df;
    struct text proto, dst_text, ect;
    uint32_t src;
    int32_t tos, dscp;
    uint8_t ttl;
    uint16_t next_id;
};

static const struct arg_spec ip_encap_args[] = {
    ARG_WORD(ip_encap, proto, "PROTO", ARG_M, NULL, "protocol"),
    ARG_IP(ip_encap, src, "SRC", ARG_M, NULL, "source address"),
    ARG_WORD(ip_encap, dst_text, "DST", ARG_M, NULL, "destination, or DST_ANNO"),
    ARG_I32(ip_encap, tos, "TOS", 0, "-1", "type of service"),
    ARG_U8(ip_encap, ttl, "TTL", 0, "250", "time to live"),
    ARG_I32(ip_encap, dscp, "DSCP", 0, "-1", "upper six bits of TOS"),
    ARG_WORD(ip_encap, ect, "ECT", 0, NULL, "ECN capable: false, true or 2"),
    ARG_BOOL(ip_encap, ce, "CE", 0, "false", "congestion experienced"),
    ARG_BOOL(ip_encap, df, "DF", 0, "false", "do not fragment"),
    ARG_END,
};

/* The type of service byte, or -1 with a message. */
static int ip_encap_tos(const struct ip_encap *s, struct diag *d)
{
    bool yes = false;
    int ect = 0;

    if (s->ect.s && strcmp(s->ect.s, "2") == 0)
        ect = 2;
    else if (s->ect.s && !parse_bool(s->ect.s, &yes))
        return diag_err(d, "bad ECT value '%s'", s->ect.s);
    else
        ect = yes;
    if (s->tos >= 0 && s->dscp >= 0)
        return diag_err(d, "cannot set both TOS and DSCP");
    if (s->tos >= 0 && (ect || s->ce))
        return diag_err(d, "cannot set both TOS and ECN bits");
    if (s->tos >= 256 || s->tos < -1)
        return diag_err(d, "TOS too large; max 255");
    if (s->dscp >= 63 || s->dscp < -1)
        return diag_err(d, "DSCP too large; max 63");
    if (ect && s->ce)
        return diag_err(d, "can set at most one ECN option");
    return (s->tos >= 0    ? s->tos
            : s->dscp >= 0 ? s->dscp << 2
                           : 0) |
           ect | (s->ce ? IP_ECN_CE : 0);
}

static void ip_encap_sum(struct ip_encap *s)
{
    s->h.sum = 0;
    s->h.sum = csum_ip4_20(&s->h);
}

static int ip_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ip_encap *s = element_state(e);
    uint32_t dst = 0;
    int32_t proto;
    int tos;

    if (!parse_ip_protocol(e, s->proto.s, &proto))
        return diag_err(d, "PROTO: parse error");
    if (proto < 0 || proto > 255)
        return diag_err(d, "bad IP protocol");
    s->use_anno = strcmp(s->dst_text.s, "DST_ANNO") == 0;
    if (!s->use_anno && !parse_ip(e, s->dst_text.s, &dst))
        return diag_err(d, "DST argument should be IP address or 'DST_ANNO'");
    tos = ip_encap_tos(s, d);
    if (tos < 0)
        return -1;
    s->h = (struct ip4_hdr){
        .vhl = 0x45,
        .tos = (uint8_t)tos,
        .off = s->df ? BE16(IP_DF) : 0,
        .ttl = s->ttl,
        .proto = (uint8_t)proto,
        .src = s->src,
        .dst = dst,
    };
    ip_encap_sum(s);
    return 0;
}

static inline verdict_t ip_encap_one(struct element *e, struct pkt *p)
{
    struct ip_encap *s = element_state(e);
    struct ip4_hdr *h = (struct ip4_hdr *)(void *)pkt_push(p, sizeof *h);
    uint64_t delta;

    if (__builtin_expect(!h, 0))
        return VERDICT_DROP;
    *h = s->h;
    h->len = be16((uint16_t)p->len);
    h->id = be16(s->next_id++);
    /* What differs from the header that was summed up. */
    delta = (uint64_t)h->len + h->id;
    if (s->use_anno) {
        h->dst = pkt_dst_ip(p);
        delta += csum_delta32(0, h->dst);
    } else {
        pkt_set_dst_ip(p, h->dst);
    }
    h->sum = csum_apply(h->sum, delta);
    pkt_set_ip4(p, p->data, sizeof *h);
    return 0;
}
ELEMENT_LOOP(ip_encap)

enum { H_SRC, H_DST };

static int ip_encap_read(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    const struct ip_encap *s = element_state(e);
    char text[64];

    if (h->user == H_DST && s->use_anno)
        sbuf_puts(out, "DST_ANNO");
    else
        sbuf_puts(out, unparse_ip(h->user == H_SRC ? s->h.src : s->h.dst, text));
    return 0;
}

#define IP_ENCAP_READER(user_, name_, help_)                                           \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_READ, .user = (user_),      \
        .read = ip_encap_read                                                          \
    }

static const struct handler_spec ip_encap_handlers[] = {
    IP_ENCAP_READER(H_SRC, "src", "source address"),
    HANDLER_ARGUMENT_WRITER("1 SRC", "src", "source address"),
    IP_ENCAP_READER(H_DST, "dst", "destination address"),
    HANDLER_ARGUMENT_WRITER("2 DST", "dst", "destination address"),
    HANDLER_END,
};

ELEMENT(IPEncap) = {
    .name = "IPEncap",
    .state_size = sizeof(struct ip_encap),
    .ports = "1/1",
    .args = ip_encap_args,
    .live = true,
    .handlers = ip_encap_handlers,
    .configure = ip_encap_configure,
    .push = ip_encap_push,
    .pull = ip_encap_pull,
};
