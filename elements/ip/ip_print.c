// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPPrint -- print what IPv4 packets say, a line each, much like tcpdump
 *
 * Usage:    IPPrint([LABEL, keywords CONTENTS, TIMESTAMP, ...])
 * Ports:    1 in, 1 out; push or pull
 * Args:     LABEL      stands in front of each line
 *           CONTENTS   print the data: NONE, HEX or ASCII; default NONE
 *           PAYLOAD    the same, but only what is behind the TCP or UDP header
 *           MAXLENGTH  bytes of it, default 1500; -1: all
 *           NBYTES     old name of MAXLENGTH
 *           ID, TTL, TOS, LENGTH, PAINT, AGGREGATE, ETHER
 *                      print these too, default false
 *           TIMESTAMP  print the timestamp, default true
 *           SWAP       print ICMP echo's numbers in the host order of little-endian
 *                      machines, default true
 *           ACTIVE     false: print nothing
 *           OUTFILE    a file that the lines go to instead; in the driver only
 *           CHANNEL    default "default", the console: print for ChatterSockets of this
 *                      channel; for nobody if there is none
 * Handlers: active  (rw) as ACTIVE
 * Example:  ... -> CheckIPHeader -> IPPrint(in, TTL true) -> ...
 * See also: Print, CheckIPHeader
 *
 * Wants the IP header to be marked; other packets pass in silence.
 */

#include "engine/chatter.h"
#include "engine/contents.h"
#include "engine/element.h"
#include "engine/nameinfo.h"
#include "engine/net_headers.h"
#include "engine/out_file.h"
#include "engine/unparse.h"

#include <stdio.h>

struct ip_print {
    struct text label, contents, payload, channel;
    struct out_file file;
    struct chatter_channel *listeners; /* in the router's arena; NULL: the console */
    int32_t max_bytes, nbytes;
    bool id, timestamp, paint, tos, ttl, swap, length, aggregate, ether, active;
    bool only_payload, have_nbytes;
    uint8_t show;
};

static const struct arg_spec ip_print_args[] = {
    ARG_STRING(ip_print, label, "LABEL", ARG_POS, NULL, "stands in front of lines"),
    ARG_WORD(ip_print, contents, "CONTENTS", 0, "no", "data: NONE, HEX or ASCII"),
    ARG_WORD(ip_print, payload, "PAYLOAD", 0, "no", "payload: no, HEX or ASCII"),
    ARG_I32(ip_print, max_bytes, "MAXLENGTH", 0, "1500", "bytes of data to print"),
    {.name = "NBYTES",
     .kind = ARG_KIND_I32,
     .flags = ARG_OLD,
     .offset = offsetof(struct ip_print, nbytes),
     .seen = 1 + offsetof(struct ip_print, have_nbytes),
     .help = "old MAXLENGTH"},
    ARG_BOOL(ip_print, id, "ID", 0, "false", "print the IP identification"),
    ARG_BOOL(ip_print, timestamp, "TIMESTAMP", 0, "true", "print the timestamp"),
    ARG_BOOL(ip_print, paint, "PAINT", 0, "false", "print the paint annotation"),
    ARG_BOOL(ip_print, tos, "TOS", 0, "false", "print the type of service"),
    ARG_BOOL(ip_print, ttl, "TTL", 0, "false", "print the time to live"),
    ARG_BOOL(ip_print, swap, "SWAP", 0, "true", "swap ICMP echo's numbers"),
    ARG_BOOL(ip_print, length, "LENGTH", 0, "false", "print the IP length"),
    ARG_BOOL(ip_print, aggregate, "AGGREGATE", 0, "false", "print the aggregate"),
    ARG_BOOL(ip_print, ether, "ETHER", 0, "false", "print Ethernet addresses"),
    ARG_BOOL(ip_print, active, "ACTIVE", 0, "true", "false: print nothing"),
    OUT_FILE_ARG(ip_print, file),
    ARG_WORD(ip_print, channel, "CHANNEL", 0, NULL, "for whom"),
    ARG_END,
};

/* PAYLOAD knows fewer words. */
static int ip_print_payload(struct text *t)
{
    static const struct {
        const char *word;
        enum contents how;
    } words[] = {{"NO", CONTENTS_NONE}, {"FALSE", CONTENTS_NONE},
                 {"YES", CONTENTS_HEX}, {"TRUE", CONTENTS_HEX},
                 {"HEX", CONTENTS_HEX}, {"ASCII", CONTENTS_ASCII}};

    contents_upper(t);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(t->s, words[i].word))
            return (int)words[i].how;
    return -1;
}

static int ip_print_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ip_print *s = element_state(e);
    int contents = contents_parse(&s->contents, d),
        payload = ip_print_payload(&s->payload);

    if (contents < 0)
        return -1;
    if (payload < 0) /* quoting the other argument is Click's mistake */
        return diag_err(d,
                        "bad payload value '%s'; should be 'false', 'hex', or 'ascii'",
                        s->contents.s);
    if (payload && contents)
        return diag_err(d, "specify at most one of PAYLOAD and CONTENTS");
    if (s->have_nbytes)
        s->max_bytes = s->nbytes;
    s->only_payload = payload > 0;
    s->show = (uint8_t)(payload ? payload : contents);
    if (chatter_find(e, s->channel.s, &s->listeners) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

static int ip_print_initialize(struct element *e, struct diag *d)
{
    struct ip_print *s = element_state(e);

    return out_file_open(&s->file, e, d);
}

static void ip_print_cleanup(struct element *e)
{
    struct ip_print *s = element_state(e);

    out_file_close(&s->file, e);
}

/* "SRC > DST", with ports (host order) unless negative. */
static void ip_print_pair(struct sbuf *out, const struct ip4_hdr *h, int sport,
                          int dport)
{
    char src[64], dst[64];

    sbuf_puts(out, unparse_ip(h->src, src));
    if (sport >= 0)
        sbuf_printf(out, ".%d", sport);
    sbuf_printf(out, " > %s", unparse_ip(h->dst, dst));
    if (dport >= 0)
        sbuf_printf(out, ".%d", dport);
}

static void ip_print_tcp(struct sbuf *out, const struct pkt *p, int left)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct tcp_hdr *t = pkt_tcp(p);
    int ip_len = be16(h->len), seq_len;
    uint32_t seq;

    if (left < 4 || ip4_is_later_fragment(h)) {
        ip_print_pair(out, h, -1, -1);
        sbuf_puts(out, ip4_is_later_fragment(h) ? ": tcp" : ": truncated-tcp");
        return;
    }
    ip_print_pair(out, h, be16(t->sport), be16(t->dport));
    sbuf_puts(out, ": ");
    if (left < 14) {
        sbuf_puts(out, "truncated-tcp");
        return;
    }
    seq_len = ip_len - (int)ip4_hlen(h) - (int)tcp_hlen(t);
    seq_len += !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
    if (t->flags & TCP_SYN)
        sbuf_putc(out, 'S');
    if (t->flags & TCP_FIN)
        sbuf_putc(out, 'F');
    if (t->flags & TCP_RST)
        sbuf_putc(out, 'R');
    if (t->flags & TCP_PSH)
        sbuf_putc(out, 'P');
    if (!(t->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_PSH)))
        sbuf_putc(out, '.');
    seq = be32(t->seq);
    sbuf_printf(out, " %u:%u(%d,%u,%d)", seq, seq + (uint32_t)seq_len, seq_len, p->len,
                ip_len);
    if (t->flags & TCP_ACK)
        sbuf_printf(out, " ack %u", be32(t->ack));
    if (left < 16)
        sbuf_puts(out, "truncated-tcp");
    else
        sbuf_printf(out, " win %u", be16(t->win));
}

static void ip_print_udp(struct sbuf *out, const struct pkt *p, int left)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct udp_hdr *u = pkt_udp(p);

    if (left < 4 || ip4_is_later_fragment(h)) {
        ip_print_pair(out, h, -1, -1);
        sbuf_puts(out, ip4_is_later_fragment(h) ? ": udp" : ": truncated-udp");
        return;
    }
    ip_print_pair(out, h, be16(u->sport), be16(u->dport));
    if (left < 8)
        sbuf_puts(out, ": truncated-udp");
    else
        sbuf_printf(out, ": udp %u", be16(u->len));
}

static void ip_print_protocol(struct sbuf *out, uint8_t proto, const char *prefix)
{
    const char *name = name_of(NAME_IP_PROTO, proto);

    if (name)
        sbuf_puts(out, name);
    else
        sbuf_printf(out, "%s%u", prefix, proto);
}

/* What could not be reached: the header that the message quotes says it. */
static void ip_print_unreachable(struct sbuf *out, const struct icmp_hdr *icmp,
                                 int left)
{
    const struct ip4_hdr *h = (const void *)(icmp + 1);
    const char *code = name_of(NAME_ICMP_CODE + ICMP_UNREACH, icmp->code);
    char number[24], dst[64];
    int quoted = left - (int)sizeof *icmp;

    snprintf(number, sizeof number, "code %u", icmp->code);
    code = code ? code : number;
    if (quoted < (int)sizeof *h) {
        sbuf_printf(out, "icmp unreachable %s truncated-icmp", code);
        return;
    }
    sbuf_printf(out, "icmp %s unreachable %s", unparse_ip(h->dst, dst), code);
    if (icmp->code == ICMP_UNREACH_PROTOCOL) {
        sbuf_putc(out, ' ');
        ip_print_protocol(out, h->proto, "");
    } else if (icmp->code == ICMP_UNREACH_PORT) {
        const struct udp_hdr *u = (const void *)((const uint8_t *)h + ip4_hlen(h));
        sbuf_putc(out, ' ');
        ip_print_protocol(out, h->proto, "protocol ");
        if (quoted - (int)ip4_hlen(h) < 4)
            sbuf_puts(out, "truncated-icmp");
        else
            sbuf_printf(out, "/%u", be16(u->dport));
    } else if (icmp->code == ICMP_UNREACH_NEEDFRAG && icmp->mtu) {
        sbuf_printf(out, " (mtu %u)", be16(icmp->mtu));
    }
}

static void ip_print_other_icmp(struct sbuf *out, const struct icmp_hdr *icmp)
{
    const char *type = name_of(NAME_ICMP_TYPE, icmp->type);
    const char *code = name_of(NAME_ICMP_CODE + icmp->type, icmp->code);

    if (type)
        sbuf_printf(out, "icmp %s", type);
    else
        sbuf_printf(out, "icmp type %u", icmp->type);
    if (code)
        sbuf_printf(out, " %s", code);
    else if (icmp->code)
        sbuf_printf(out, " code %u", icmp->code);
}

static void ip_print_icmp(const struct ip_print *s, struct sbuf *out,
                          const struct pkt *p, int left)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct icmp_hdr *icmp = pkt_icmp(p);

    ip_print_pair(out, h, -1, -1);
    sbuf_puts(out, ": ");
    if (ip4_is_later_fragment(h)) {
        sbuf_puts(out, "icmp");
    } else if (left < 2) {
        sbuf_puts(out, "truncated-icmp");
    } else if (icmp->type == ICMP_ECHO || icmp->type == ICMP_ECHOREPLY) {
        sbuf_puts(out, icmp->type == ICMP_ECHO ? "icmp echo " : "icmp echo-reply ");
        if (left < 8)
            sbuf_puts(out, "truncated-icmp");
        else if (s->swap)
            sbuf_printf(out, "(%u, %u)", be16(icmp->id), be16(icmp->seq));
        else
            sbuf_printf(out, "(%u, %u)", icmp->id, icmp->seq);
    } else if (icmp->type == ICMP_UNREACH) {
        ip_print_unreachable(out, icmp, left);
    } else {
        ip_print_other_icmp(out, icmp);
    }
}

/* Data in groups: 24 bytes a line in hexadecimal, 48 as characters. */
static void ip_print_data(struct sbuf *out, const uint8_t *at, uint32_t n, bool hex)
{
    uint32_t line = hex ? 24 : 48, group = hex ? 4 : 8;

    for (uint32_t i = 0; i < n; i++) {
        if (i % line == 0)
            sbuf_puts(out, "\n  ");
        else if (i % group == 0)
            sbuf_putc(out, ' ');
        if (hex)
            sbuf_printf(out, "%02x", at[i]);
        else
            sbuf_putc(out, at[i] < 32 || at[i] > 126 ? '.' : (char)at[i]);
    }
}

static void ip_print_contents(const struct ip_print *s, struct sbuf *out,
                              const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const uint8_t *at = p->data, *end = p->data + p->len;
    uint32_t n;

    if (s->only_payload) {
        at = p->transport ? p->transport : end;
        if (!ip4_is_later_fragment(h) && h->proto == IP_PROTO_TCP)
            at = pkt_avail(p, at) > 12 ? at + (at[12] >> 4) * 4 : end;
        else if (!ip4_is_later_fragment(h) && h->proto == IP_PROTO_UDP)
            at += sizeof(struct udp_hdr);
    }
    n = pkt_avail(p, at);
    if (s->max_bytes >= 0 && n > (uint32_t)s->max_bytes)
        n = (uint32_t)s->max_bytes;
    ip_print_data(out, at, n, s->show == CONTENTS_HEX);
}

static void ip_print_annotations(const struct ip_print *s, struct sbuf *out,
                                 const struct pkt *p)
{
    char a[64], b[64];

    if (s->label.len)
        sbuf_printf(out, "%s: ", s->label.s);
    if (s->timestamp)
        sbuf_printf(out, "%s: ", unparse_timestamp(p->timestamp, a));
    if (s->aggregate)
        sbuf_printf(out, "#%u", p->anno_u32[ANNO_AGGREGATE / 4]);
    if (s->paint)
        sbuf_printf(out, "%s%u", s->aggregate ? "." : "paint ", pkt_paint(p));
    if (s->aggregate || s->paint)
        sbuf_puts(out, ": ");
    if (s->ether && pkt_avail(p, p->mac) >= 14 && p->mac + 14 <= p->network)
        sbuf_printf(out, "%s > %s: ", unparse_ether(&pkt_eth(p)->src, a),
                    unparse_ether(&pkt_eth(p)->dst, b));
}

static void ip_print_header(const struct ip_print *s, struct sbuf *out,
                            const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    int payload = be16(h->len) - (int)ip4_hlen(h), left;
    char src[64], dst[64];

    left = (int)pkt_avail(p, p->transport);
    left = left > payload ? payload : left;
    if (s->id)
        sbuf_printf(out, "id %u ", be16(h->id));
    if (s->ttl)
        sbuf_printf(out, "ttl %u ", h->ttl);
    if (s->tos)
        sbuf_printf(out, "tos %u ", h->tos);
    if (s->length)
        sbuf_printf(out, "length %u ", be16(h->len));
    if (h->proto == IP_PROTO_TCP)
        ip_print_tcp(out, p, left);
    else if (h->proto == IP_PROTO_UDP)
        ip_print_udp(out, p, left);
    else if (h->proto == IP_PROTO_ICMP)
        ip_print_icmp(s, out, p, left);
    else
        sbuf_printf(out, "%s > %s: ip-proto-%u", unparse_ip(h->src, src),
                    unparse_ip(h->dst, dst), h->proto);
    if (ip4_is_fragment(h))
        sbuf_printf(out, " (frag %u:%d@%u%s)", be16(h->id), payload,
                    (be16(h->off) & IP_OFFMASK) << 3, h->off & BE16(IP_MF) ? "+" : "");
}

static void ip_print_one(struct element *e, const struct pkt *p)
{
    struct ip_print *s = element_state(e);
    struct sbuf out = SBUF_INIT;

    ip_print_annotations(s, &out, p);
    if (pkt_avail(p, p->network) < sizeof(struct ip4_hdr)) {
        sbuf_puts(&out, "truncated-ip");
    } else {
        ip_print_header(s, &out, p);
        if (s->show != CONTENTS_NONE)
            ip_print_contents(s, &out, p);
    }
    sbuf_putc(&out, '\n');
    if (!out_file_write(&s->file, e, &out))
        chatter_say(e, s->listeners, &out);
    sbuf_fini(&out);
}

static void ip_print_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct ip_print *s = element_state(e);

    for (uint32_t i = from; s->active && i < b->n; i++)
        if (b->p[i]->network)
            ip_print_one(e, b->p[i]);
}
ELEMENT_BATCH(ip_print)

static const struct handler_spec ip_print_handlers[] = {
    HANDLER_VALUE(ip_print, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX, "active",
                  "whether it prints"),
    HANDLER_END,
};

ELEMENT(IPPrint) = {
    .name = "IPPrint",
    .talks = true,
    .state_size = sizeof(struct ip_print),
    .ports = "1/1",
    .args = ip_print_args,
    .handlers = ip_print_handlers,
    .configure = ip_print_configure,
    .initialize = ip_print_initialize,
    .cleanup = ip_print_cleanup,
    .push = ip_print_push,
    .pull = ip_print_pull,
};
