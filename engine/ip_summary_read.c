// SPDX-License-Identifier: BSD-3-Clause
/* ip_summary_read.c -- packets from lines and records of IP summary dumps */

#include "engine/ip_summary.h"

#include "engine/checksum.h"
#include "engine/lang/lang.h"
#include "engine/nameinfo.h"
#include "engine/parse_chars.h"

#include <stdlib.h>

enum {
    NS_PER_S = 1000000000,
    PAYLOAD_MAX = 65535,
    HEADER_MAX = 60,
    ICMP_STAMPS_LEN = 20
};

/* A packet under construction: its parts, put together at the end. */
struct builder {
    const struct ipsum_defaults *d;
    struct element *e;
    struct pkt *p; /* carries the annotations and the bytes */
    bool not_ip, have_type, have_code, have_tcp_hl, no_memory;
    uint32_t want_len; /* bytes of the whole packet; 0: not said */
    uint32_t v;        /* value of the current field */
    uint64_t v64;
    const uint8_t *at;
    uint32_t n;
    uint8_t opt[40];
    struct sbuf text;
};

/* --- values ----------------------------------------------------------------------------- */

static bool text_number(struct builder *b, const struct ipsum_field *f, const char *s)
{
    if (!parse_u64(s, 0, &b->v64))
        return false;
    b->v = (uint32_t)b->v64;
    return f->size >= 8 || b->v64 >> 8 * f->size == 0;
}

static bool text_flags(struct builder *b, const char *s)
{
    static const char letters[] = "FSRPAUECN";

    b->v = 0;
    if (!strcmp(s, "."))
        return true;
    if (char_is_digit(*s)) {
        if (!parse_u64(s, 0, &b->v64) || b->v64 >= 0x1000)
            return false;
        b->v = (uint32_t)b->v64;
        return true;
    }
    for (; *s; s++) {
        /* X, Y and W are the letters of older dumps. */
        char c = *s == 'X' ? 'E' : *s == 'Y' || *s == 'W' ? 'C' : *s;
        const char *at = strchr(letters, c);

        if (!at)
            return false;
        b->v |= 1u << (at - letters);
    }
    return true;
}

static bool text_fragment(struct builder *b, const char *s)
{
    static const char one[] = ".!Ff";
    static const uint32_t meaning[] = {0, IP_DF, IP_MF, 100};
    const char *at = *s && !s[1] ? strchr(one, *s) : NULL;
    char number[16];
    size_t n = strspn(s, "0123456789");

    if (at) {
        b->v = meaning[at - one];
        return true;
    }
    if (!n || n >= sizeof number)
        return false;
    memcpy(number, s, n);
    number[n] = '\0';
    if (!parse_u64(number, 10, &b->v64) || b->v64 > 65535)
        return false;
    b->v = (uint32_t)b->v64 >> (b->d->minor > 0 ? 3 : 0);
    for (s += n; *s == '!' || *s == '+'; s++)
        b->v |= *s == '!' ? IP_DF : IP_MF;
    return !*s;
}

static bool text_ecn(struct builder *b, const char *s)
{
    static const char *const names[][4] = {
        {"no", "-", "0", ""},
        {"ect1", "ECT(1)", "1", ""},
        {"ect2", "ECT(0)", "2", ""},
        {"ce", "CE", "3", ""},
    };

    for (b->v = 0; b->v < 4; b->v++)
        for (unsigned i = 0; i < 3; i++)
            if (!strcmp(s, names[b->v][i]))
                return true;
    return false;
}

static bool text_icmp(struct builder *b, const char *s, bool code)
{
    uint8_t type = b->have_type && b->p->transport ? pkt_icmp(b->p)->type : 0;

    if (code && !b->have_type)
        return parse_u64(s, 0, &b->v64) && b->v64 < 256 &&
               (b->v = (uint32_t)b->v64, true);
    return name_query_int(
               b->e, code ? (unsigned)NAME_ICMP_CODE + type : (unsigned)NAME_ICMP_TYPE,
               s, &b->v) &&
           b->v < 256;
}

static bool text_bytes(struct builder *b, const char *s, int n)
{
    if (n < 0)
        return false;
    b->at = b->opt;
    b->n = (uint32_t)n;
    return *s != '\0';
}

static int tcp_mask(uint8_t id)
{
    return id == IPSUM_TCP_OPT ? IPSUM_OPT_ALL
           : id == IPSUM_TCP_NTOPT
               ? IPSUM_OPT_ALL & ~IPSUM_OPT_TIMESTAMP & ~IPSUM_OPT_PADDING
               : IPSUM_OPT_SACK;
}

static bool text_value(struct builder *b, const struct ipsum_field *f, const char *s)
{
    struct ether_addr mac;

    switch (f->id) {
    case IPSUM_TIMESTAMP:
    case IPSUM_NTIMESTAMP:
    case IPSUM_FIRST_TIMESTAMP:
    case IPSUM_FIRST_NTIMESTAMP:
        return parse_time(s, (int64_t *)&b->v64);
    case IPSUM_LINK:
    case IPSUM_DIRECTION:
        if (*s && !s[1] && strchr("><LRX", *s)) {
            b->v = *s != '>' && *s != 'L';
            return true;
        }
        return text_number(b, f, s);
    case IPSUM_ETH_SRC:
    case IPSUM_ETH_DST:
        if (!parse_ether(b->e, s, &mac))
            return false;
        memcpy(b->opt, mac.b, 6);
        b->at = b->opt;
        return true;
    case IPSUM_ETH_TYPE:
        return parse_u64(s, 16, &b->v64) && b->v64 < 65536 &&
               (b->v = (uint32_t)b->v64, true);
    case IPSUM_IP_SRC:
    case IPSUM_IP_DST:
        return parse_ip(b->e, s, &b->v);
    case IPSUM_IP_FRAG:
    case IPSUM_IP_FRAGOFF:
        return text_fragment(b, s);
    case IPSUM_IP_PROTO:
        b->v = *s == 'T' ? IP_PROTO_TCP : *s == 'U' ? IP_PROTO_UDP : IP_PROTO_ICMP;
        return (*s && !s[1] && strchr("TUI", *s)) || text_number(b, f, s);
    case IPSUM_IP_ECN:
        return text_ecn(b, s);
    case IPSUM_IP_OPT:
        return text_bytes(b, s, ipsum_parse_ip_opt(s, b->opt));
    case IPSUM_TCP_OPT:
    case IPSUM_TCP_NTOPT:
    case IPSUM_TCP_SACK:
        return text_bytes(b, s, ipsum_parse_tcp_opt(s, tcp_mask(f->id), b->opt));
    case IPSUM_TCP_FLAGS:
        return text_flags(b, s);
    case IPSUM_ICMP_TYPE:
    case IPSUM_ICMP_TYPE_NAME:
        return text_icmp(b, s, false);
    case IPSUM_ICMP_CODE:
    case IPSUM_ICMP_CODE_NAME:
        return text_icmp(b, s, true);
    case IPSUM_PAYLOAD:
        sbuf_reset(&b->text);
        lang_unquote_into(&b->text, s, strlen(s));
        b->at = (const uint8_t *)sbuf_text(&b->text);
        b->n = (uint32_t)(b->text.len < PAYLOAD_MAX ? b->text.len : PAYLOAD_MAX);
        return true;
    default:
        return text_number(b, f, s);
    }
}

static uint64_t get_number(const uint8_t *s, int bytes)
{
    uint64_t v = 0;

    for (int i = 0; i < bytes; i++)
        v = v << 8 | s[i];
    return v;
}

/* The value of a field of a record, which has the bytes for it. */
static void binary_value(struct builder *b, const struct ipsum_field *f,
                         const uint8_t *s)
{
    uint64_t v = get_number(s, f->size > 0 && f->size <= 8 ? f->size : 0);

    b->v64 = v;
    b->v = (uint32_t)v;
    b->at = s;
    b->n = (uint32_t)(f->size > 0 ? f->size : 0);
    switch (f->id) {
    case IPSUM_TIMESTAMP:
    case IPSUM_FIRST_TIMESTAMP:
        b->v64 = (v >> 32) * NS_PER_S + (uint32_t)v % 1000000u * 1000;
        break;
    case IPSUM_NTIMESTAMP:
    case IPSUM_FIRST_NTIMESTAMP:
        b->v64 = (v >> 32) * NS_PER_S + (uint32_t)v % NS_PER_S;
        break;
    case IPSUM_IP_SRC:
    case IPSUM_IP_DST:
        b->v = be32((uint32_t)v);
        break;
    case IPSUM_IP_FRAG:
        b->v = v == 'F' ? IP_MF : v == 'f' ? 100 : v == '!' ? IP_DF : 0;
        break;
    case IPSUM_IP_OPT:
    case IPSUM_TCP_OPT:
    case IPSUM_TCP_NTOPT:
    case IPSUM_TCP_SACK:
        b->n = s[0] < 40 ? s[0] : 40;
        memcpy(b->opt, s + 1, b->n);
        b->at = b->opt;
        break;
    default:
        break;
    }
}

/* --- into the packet -------------------------------------------------------------------- */

static uint32_t net_len(const struct builder *b)
{
    return pkt_avail(b->p, b->p->network);
}

static uint32_t transp_len(const struct builder *b)
{
    return pkt_avail(b->p, b->p->transport);
}

/* Lengthen the packet by `n` zeros; false: it cannot be so long, or memory ran out. */
static bool lengthen(struct builder *b, uint32_t n)
{
    uint8_t *at = pkt_put(b->p, n);

    if (at)
        memset(at, 0, n);
    else if (n <= PKT_MAX_LEN && b->p->len <= PKT_MAX_LEN)
        b->no_memory = true;
    return at != NULL;
}

/* Have an IP header, if the packet can have one of protocol `proto` (0: any). */
static bool make_ip(struct builder *b, uint8_t proto)
{
    struct pkt *p = b->p;
    struct ip4_hdr *h;

    if (b->not_ip)
        return false;
    if (!p->network) {
        uint32_t link = p->mac ? 14 : 0;

        if (!lengthen(b, sizeof *h))
            return false;
        p->network = p->data + link;
        p->transport = p->network + sizeof *h;
        h = pkt_ip4(p);
        h->vhl = 0x45;
        h->proto = b->d->proto;
        h->ttl = 100;
        if (b->d->have_flow) {
            h->src = b->d->flow.src;
            h->dst = b->d->flow.dst;
        }
    }
    h = pkt_ip4(p);
    return !proto || !h->proto || h->proto == proto;
}

static bool has_ports(uint8_t proto)
{
    return proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_DCCP ||
           proto == IP_PROTO_UDPLITE;
}

/* Have the start of a transport header, as long as its protocol wants it, but no longer than
 * the packet is said to be. */
static bool make_transport(struct builder *b)
{
    const struct ip4_hdr *h = pkt_ip4(b->p);
    uint32_t at = (uint32_t)(b->p->transport - b->p->data), have = transp_len(b);
    uint32_t want = h->proto == IP_PROTO_TCP                           ? 20
                    : h->proto == IP_PROTO_DCCP                        ? 12
                    : has_ports(h->proto) || h->proto == IP_PROTO_ICMP ? 8
                                                                       : 0;

    if (ip4_is_later_fragment(h))
        return false;
    if (b->want_len && want && b->want_len < at + want)
        want = b->want_len > at ? b->want_len - at : 0;
    if (have >= 8 || have >= want)
        return true;
    if (!lengthen(b, want - have))
        return false;
    h = pkt_ip4(b->p);
    if (h->proto == IP_PROTO_TCP && want >= 13)
        pkt_tcp(b->p)->off = 5 << 4;
    if (b->d->have_flow && has_ports(h->proto) && want >= 4) {
        pkt_udp(b->p)->sport = b->d->flow.sport;
        pkt_udp(b->p)->dport = b->d->flow.dport;
    }
    return true;
}

/* Insert `n` bytes (a multiple of 4) of `fill` at `at` of the packet's data. */
static bool insert(struct builder *b, uint32_t at, uint32_t n)
{
    if (!lengthen(b, n))
        return false;
    memmove(b->p->data + at + n, b->p->data + at, b->p->len - n - at);
    memset(b->p->data + at, 0, n);
    return true;
}

/* Lengthen the IP header to `header` bytes. */
static bool grow_ip(struct builder *b, uint32_t header)
{
    uint32_t was = ip4_hlen(pkt_ip4(b->p));
    uint32_t net = (uint32_t)(b->p->network - b->p->data);

    if (header > HEADER_MAX)
        header = HEADER_MAX;
    if (header <= was)
        return true;
    if (!insert(b, net + was, header - was))
        return false;
    pkt_ip4(b->p)->vhl = (uint8_t)(0x40 | header / 4);
    b->p->transport = b->p->network + header;
    return true;
}

static bool grow_tcp(struct builder *b, uint32_t header)
{
    uint32_t was = transp_len(b) >= 20 ? tcp_hlen(pkt_tcp(b->p)) : 0;
    uint32_t at = (uint32_t)(b->p->transport - b->p->data);

    if (header > HEADER_MAX)
        header = HEADER_MAX;
    if (was < 20 || transp_len(b) < was)
        return false;
    if (header <= was)
        return true;
    if (!insert(b, at + was, header - was))
        return false;
    pkt_tcp(b->p)->off = (uint8_t)(header / 4 << 4 | (pkt_tcp(b->p)->off & 15));
    return true;
}

static void inject_anno(struct builder *b, uint8_t id)
{
    struct pkt *p = b->p;
    int64_t us = (int64_t)b->v64;

    switch (id) {
    case IPSUM_TIMESTAMP:
    case IPSUM_NTIMESTAMP:
        p->timestamp = (int64_t)b->v64;
        break;
    case IPSUM_TS_SEC:
        p->timestamp = p->timestamp % NS_PER_S + (int64_t)b->v * NS_PER_S;
        break;
    case IPSUM_TS_USEC:
        p->timestamp = p->timestamp / NS_PER_S * NS_PER_S +
                       (int64_t)(b->v % 1000000) * 1000;
        break;
    case IPSUM_TS_USEC1:
        p->timestamp = us > 0 && us < INT64_MAX / 1000 ? us * 1000 : 0;
        break;
    case IPSUM_FIRST_TIMESTAMP:
    case IPSUM_FIRST_NTIMESTAMP:
        p->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = b->v64;
        break;
    case IPSUM_COUNT:
        p->anno_u32[ANNO_EXTRA_PACKETS / 4] = b->v ? b->v - 1 : 0;
        break;
    case IPSUM_LINK:
    case IPSUM_DIRECTION:
        pkt_set_paint(p, (uint8_t)b->v);
        break;
    case IPSUM_AGGREGATE:
        p->anno_u32[ANNO_AGGREGATE / 4] = b->v;
        break;
    default:
        b->want_len = b->v;
    }
}

static void inject_link(struct builder *b, uint8_t id)
{
    struct eth_hdr *h;

    if (!b->p->mac) {
        if (!lengthen(b, sizeof *h))
            return;
        b->p->mac = b->p->data;
        pkt_eth(b->p)->type = BE16(ETHERTYPE_IP);
    }
    h = pkt_eth(b->p);
    if (id == IPSUM_ETH_TYPE) {
        h->type = be16((uint16_t)b->v);
        b->not_ip = b->v != ETHERTYPE_IP && b->v != ETHERTYPE_IP6;
    } else {
        memcpy(id == IPSUM_ETH_SRC ? h->src.b : h->dst.b, b->at, 6);
    }
}

static void inject_ip(struct builder *b, uint8_t id)
{
    struct ip4_hdr *h;

    if (!make_ip(b, 0))
        return;
    h = pkt_ip4(b->p);
    switch (id) {
    case IPSUM_IP_SRC:
        h->src = b->v;
        break;
    case IPSUM_IP_DST:
        h->dst = b->v;
        break;
    case IPSUM_IP_TOS:
        h->tos = (uint8_t)b->v;
        break;
    case IPSUM_IP_DSCP:
        h->tos = (uint8_t)((h->tos & 3) | b->v << 2);
        break;
    case IPSUM_IP_ECN:
        h->tos = (uint8_t)((h->tos & 0xfc) | (b->v & 3));
        break;
    case IPSUM_IP_TTL:
        h->ttl = (uint8_t)b->v;
        break;
    case IPSUM_IP_FRAG:
    case IPSUM_IP_FRAGOFF:
        h->off = be16((uint16_t)b->v);
        break;
    case IPSUM_IP_ID:
        h->id = be16((uint16_t)b->v);
        break;
    case IPSUM_IP_SUM:
        h->sum = be16((uint16_t)b->v);
        break;
    case IPSUM_IP_PROTO:
        h->proto = (uint8_t)b->v;
        break;
    case IPSUM_IP_HL:
        grow_ip(b, (b->v + 3) & ~3u);
        break;
    case IPSUM_IP_LEN:
        b->want_len = (uint32_t)(b->p->network - b->p->data) + b->v;
        break;
    case IPSUM_IP_OPT:
        if (b->n && grow_ip(b, (20 + b->n + 3) & ~3u))
            memcpy(b->p->network + 20, b->at, b->n);
        break;
    default:
        break;
    }
}

static void inject_port(struct builder *b, uint8_t id)
{
    if (!make_ip(b, 0) || !make_transport(b) || transp_len(b) < 4 ||
        (pkt_ip4(b->p)->proto && !has_ports(pkt_ip4(b->p)->proto)))
        return;
    if (id == IPSUM_SPORT)
        pkt_udp(b->p)->sport = be16((uint16_t)b->v);
    else
        pkt_udp(b->p)->dport = be16((uint16_t)b->v);
}

static void inject_tcp(struct builder *b, uint8_t id)
{
    struct tcp_hdr *t;

    if (!make_ip(b, IP_PROTO_TCP) || !make_transport(b) || transp_len(b) < sizeof *t)
        return;
    t = pkt_tcp(b->p);
    switch (id) {
    case IPSUM_TCP_SEQ:
        t->seq = be32(b->v);
        break;
    case IPSUM_TCP_ACK:
        t->ack = be32(b->v);
        break;
    case IPSUM_TCP_OFF:
        grow_tcp(b, (b->v + 3) & ~3u);
        break;
    case IPSUM_TCP_FLAGS:
        t->flags = (uint8_t)b->v;
        t->off = (uint8_t)((t->off & 0xf0) | (b->v >> 8 & 15));
        break;
    case IPSUM_TCP_WINDOW:
        t->win = be16((uint16_t)b->v);
        break;
    case IPSUM_TCP_URP:
        t->urp = be16((uint16_t)b->v);
        break;
    default:
        b->have_tcp_hl = true;
        if (b->n && grow_tcp(b, (20 + b->n + 3) & ~3u))
            memcpy(b->p->transport + 20, b->at, b->n);
    }
}

static void inject_icmp(struct builder *b, uint8_t id)
{
    struct icmp_hdr *c;

    if (!make_ip(b, IP_PROTO_ICMP) || !make_transport(b) || transp_len(b) < sizeof *c)
        return;
    c = pkt_icmp(b->p);
    if (id == IPSUM_ICMP_TYPE || id == IPSUM_ICMP_TYPE_NAME) {
        c->type = (uint8_t)b->v;
        b->have_type = true;
        if ((c->type == ICMP_TSTAMP || c->type == ICMP_TSTAMPREPLY) &&
            transp_len(b) < ICMP_STAMPS_LEN)
            lengthen(b, ICMP_STAMPS_LEN - transp_len(b));
    } else if (id == IPSUM_ICMP_CODE || id == IPSUM_ICMP_CODE_NAME) {
        c->code = (uint8_t)b->v;
        b->have_code = true;
    } else if (id == IPSUM_ICMP_FLOWID || id == IPSUM_ICMP_SEQ) {
        if (!b->have_type || ipsum_icmp_has_id(c->type))
            *(id == IPSUM_ICMP_SEQ ? &c->seq : &c->id) = be16((uint16_t)b->v);
    } else if ((!b->have_type || c->type == ICMP_UNREACH) &&
               (!b->have_code || c->code == ICMP_UNREACH_NEEDFRAG)) {
        c->mtu = be16((uint16_t)b->v);
    }
}

/* Bytes before the payload, as far as headers are there. */
static uint32_t payload_offset(const struct builder *b)
{
    const struct pkt *p = b->p;
    const struct ip4_hdr *h;
    uint32_t n;

    if (b->not_ip || !p->network)
        return p->mac ? 14 : 0;
    h = pkt_ip4(p);
    n = (uint32_t)(p->transport - p->data);
    if (ip4_is_later_fragment(h))
        return n;
    if (h->proto == IP_PROTO_TCP && transp_len(b) >= 13)
        return n + tcp_hlen(pkt_tcp(p));
    return n + (h->proto == IP_PROTO_UDP || h->proto == IP_PROTO_UDPLITE ? 8 : 0);
}

/* The payload has `len` bytes: if the packet is said to be longer than that and its
 * headers, there must have been options. */
static void account_payload(struct builder *b, uint32_t len)
{
    uint32_t off = payload_offset(b), more, step;

    if (b->not_ip || !b->p->network || !b->want_len) {
        b->want_len = off + len;
        return;
    }
    if (b->want_len <= off + len)
        return;
    more = (b->want_len - off - len) & ~3u;
    if (pkt_ip4(b->p)->proto == IP_PROTO_TCP && !b->have_tcp_hl &&
        transp_len(b) >= 20 && tcp_hlen(pkt_tcp(b->p)) == 20) {
        step = more < 40 ? more : 40;
        more -= grow_tcp(b, 20 + step) ? step : 0;
    }
    if (more && ip4_hlen(pkt_ip4(b->p)) == 20)
        grow_ip(b, 20 + (more < 40 ? more : 40));
}

static void inject_payload(struct builder *b, uint8_t id)
{
    uint32_t off, n = b->n;

    if (make_ip(b, 0))
        make_transport(b);
    if (id == IPSUM_PAYLOAD_LEN) {
        account_payload(b, b->v);
        return;
    }
    if (!n)
        return;
    account_payload(b, n);
    off = payload_offset(b);
    if (b->p->len < off + n && !lengthen(b, off + n - b->p->len))
        return;
    memcpy(b->p->data + off, b->at, n);
}

static void inject(struct builder *b, uint8_t id)
{
    if (id <= IPSUM_WIRE_LEN)
        inject_anno(b, id);
    else if (id <= IPSUM_ETH_TYPE)
        inject_link(b, id);
    else if (id <= IPSUM_IP_OPT)
        inject_ip(b, id);
    else if (id <= IPSUM_DPORT)
        inject_port(b, id);
    else if (id <= IPSUM_TCP_SACK)
        inject_tcp(b, id);
    else if (id == IPSUM_UDP_LEN && make_ip(b, 0) && make_transport(b) &&
             transp_len(b) >= 8 &&
             (pkt_ip4(b->p)->proto == IP_PROTO_UDP ||
              pkt_ip4(b->p)->proto == IP_PROTO_UDPLITE))
        pkt_udp(b->p)->len = be16((uint16_t)b->v);
    else if (id >= IPSUM_ICMP_TYPE && id <= IPSUM_ICMP_NEXTMTU)
        inject_icmp(b, id);
    else if (id == IPSUM_PAYLOAD || id == IPSUM_PAYLOAD_LEN)
        inject_payload(b, id);
}

/* --- lines and records ------------------------------------------------------------------ */

/* Where the words of a line are; quoted ones may hold blanks. They are NUL-terminated. */
static void split_line(char *line, char *word[IPSUM_FIELDS_MAX], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        bool quoted = false;

        word[i] = line;
        for (; *line && (quoted || !char_is_space(*line)); line++)
            if (*line == '\\' && quoted && line[1])
                line++;
            else if (*line == '"')
                quoted = !quoted;
        while (char_is_space(*line))
            *line++ = '\0';
    }
}

/* Where the fields of a record are; NULL for those that it is too short for. */
static void split_record(const struct ipsum_fields *f, const uint8_t *s,
                         const uint8_t *end, const uint8_t *value[IPSUM_FIELDS_MAX])
{
    for (uint32_t i = 0; i < f->n; i++) {
        int size = f->field[i] ? f->field[i]->size : 0;
        ptrdiff_t left = end - s;

        if (size == IPSUM_VARIABLE)
            size = left ? 1 + s[0] : 1;
        value[i] = NULL;
        if (size < 0 || size > left) {
            s = end;
            continue;
        }
        value[i] = s;
        s += size;
    }
}

/* The next field to put into the packet: by order, then by place. */
static int next_field(const struct ipsum_fields *f, uint64_t *done)
{
    int best = -1;

    for (uint32_t i = 0; i < f->n; i++)
        if (!(*done >> i & 1) && f->field[i] && f->field[i]->order &&
            (best < 0 || f->field[i]->order < f->field[best]->order))
            best = (int)i;
    if (best >= 0)
        *done |= 1ull << best;
    return best;
}

static void set_checksums(struct builder *b)
{
    struct ip4_hdr *h = pkt_ip4(b->p);
    uint32_t n = transp_len(b);
    uint8_t *sum = NULL;
    uint64_t start;

    h->sum = 0;
    h->sum = csum_ip4(h);
    if (ip4_is_fragment(h))
        return;
    start = csum_pseudo4(h->src, h->dst, h->proto, n);
    if (h->proto == IP_PROTO_TCP && n >= 20)
        sum = b->p->transport + offsetof(struct tcp_hdr, sum);
    else if (h->proto == IP_PROTO_UDP && n >= 8)
        sum = b->p->transport + offsetof(struct udp_hdr, sum);
    else if (h->proto == IP_PROTO_ICMP && n >= 8)
        sum = b->p->transport + offsetof(struct icmp_hdr, sum);
    if (!sum)
        return;
    store16(sum, 0);
    store16(sum, csum_finish(csum_add(h->proto == IP_PROTO_ICMP ? 0 : start,
                                      b->p->transport, n)));
}

/* Lengths, checksums, and what else follows from the fields. */
static void finish(struct builder *b)
{
    struct pkt *p = b->p;
    struct ip4_hdr *h;
    uint32_t len, link;

    if (b->d->have_flow)
        make_ip(b, 0);
    if (!b->not_ip && p->network) {
        make_transport(b);
        link = (uint32_t)(p->network - p->data);
        len = b->want_len >= link ? b->want_len - link : b->want_len;
        len = len > 0xffff ? 0xffff : len ? len : net_len(b);
        h = pkt_ip4(p);
        h->len = be16((uint16_t)len);
        if (h->proto == IP_PROTO_UDP && !ip4_is_later_fragment(h) &&
            transp_len(b) >= 6 && !pkt_udp(p)->len)
            pkt_udp(p)->len = be16((uint16_t)(len - ip4_hlen(h)));
        pkt_set_dst_ip(p, h->dst);
        if (b->d->checksum && (len <= net_len(b) || lengthen(b, len - net_len(b))))
            set_checksums(b);
    }
    if (b->want_len > p->len)
        p->anno_u32[ANNO_EXTRA_LENGTH / 4] = b->want_len - p->len;
}

struct pkt *ipsum_read(const struct ipsum_fields *f, const struct ipsum_defaults *d,
                       struct element *e, const char *data, size_t len, bool binary,
                       bool *no_memory)
{
    struct builder b = {.d = d, .e = e};
    const uint8_t *value[IPSUM_FIELDS_MAX];
    char *word[IPSUM_FIELDS_MAX], *line = NULL;
    struct sbuf copy = SBUF_INIT;
    uint64_t done = 0;
    unsigned n = 0;
    int i;

    b.p = pkt_new(element_pool(e), PKT_HEADROOM, NULL, 0, 128);
    sbuf_add(&copy, data, len);
    line = binary || copy.failed ? NULL : sbuf_take(&copy);
    if (binary)
        split_record(f, (const uint8_t *)data, (const uint8_t *)data + len, value);
    else if (line)
        split_line(line, word, f->n);
    while (b.p && (binary || line) && (i = next_field(f, &done)) >= 0) {
        const struct ipsum_field *field = f->field[i];

        if (binary) {
            if (!value[i])
                continue;
            binary_value(&b, field, value[i]);
        } else if (!*word[i] || !strcmp(word[i], "-") ||
                   !text_value(&b, field, word[i])) {
            continue;
        }
        inject(&b, field->id);
        n++;
    }
    if (b.p && n)
        finish(&b);
    *no_memory = !b.p || (!binary && !line) || b.text.failed || b.no_memory;
    if (!n || *no_memory) {
        pkt_free(b.p);
        b.p = NULL;
    }
    sbuf_fini(&copy);
    sbuf_fini(&b.text);
    free(line);
    return b.p;
}
