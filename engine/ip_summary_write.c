// SPDX-License-Identifier: BSD-3-Clause
/* ip_summary_write.c -- packets as lines and records of IP summary dumps */

#include "engine/ip_summary.h"

#include "engine/md5.h"
#include "engine/nameinfo.h"
#include "engine/unparse.h"

enum { NS_PER_S = 1000000000, MISSING_ETHERNET = 260, MISSING_IP = 0 };

/* What is known about the packet that is written. Headers are NULL when it has none, or none
 * that can be trusted. */
struct desc {
    const struct pkt *p;
    const struct ipsum_options *o;
    const struct ip4_hdr *ip;
    const struct tcp_hdr *tcp;
    const struct udp_hdr *udp;
    const struct icmp_hdr *icmp;
    uint32_t net_len;    /* bytes of data from the IP header on, without padding */
    uint32_t transp_len; /* ... from behind the IP header on */
    uint32_t tailpad;    /* bytes behind the end of the IP packet */
    uint32_t extra;      /* bytes that were not captured */
    struct sbuf *bad;
    uint64_t v;        /* value of the current field */
    const uint8_t *at; /* ... when that is bytes */
    uint32_t n;
};

__attribute__((format(printf, 2, 3))) static void bad(struct desc *d, const char *fmt,
                                                      ...)
{
    va_list ap;

    if (!d->bad || d->bad->len)
        return;
    sbuf_puts(d->bad, "!bad ");
    va_start(ap, fmt);
    sbuf_vprintf(d->bad, fmt, ap);
    va_end(ap);
    sbuf_putc(d->bad, '\n');
}

/* The IP header is whole enough to be believed. */
static bool check_ip(struct desc *d)
{
    const struct ip4_hdr *h = d->ip;
    uint32_t len;

    if (d->net_len < offsetof(struct ip4_hdr, id))
        return bad(d, "truncated IP header"), false;
    len = be16(h->len);
    if (h->vhl >> 4 != 4)
        return bad(d, "IP version %u", h->vhl >> 4), false;
    if (ip4_hlen(h) < sizeof *h)
        return bad(d, "IP header length %u", h->vhl & 15), false;
    if (len < ip4_hlen(h))
        return bad(d, "IP length %u", len), false;
    if (d->net_len > len) {
        d->tailpad = d->net_len - len;
        d->extra += d->tailpad;
        d->net_len = len;
    } else if (d->o->careful_trunc && d->net_len + d->extra < len) {
        bad(d, "truncated IP missing %u", len - d->net_len - d->extra);
    }
    return true;
}

static void prepare(struct desc *d)
{
    const struct ip4_hdr *h;
    uint32_t full;

    d->extra = d->p->anno_u32[ANNO_EXTRA_LENGTH / 4];
    d->net_len = pkt_avail(d->p, d->p->network);
    d->ip = h = pkt_ip4(d->p);
    if (!h || !check_ip(d)) {
        d->ip = NULL;
        return;
    }
    full = d->net_len + d->tailpad + d->extra;
    d->extra = h->len != 0xffff || full <= 0xffff ? 0 : full - 0xffff;
    if (d->net_len <= ip4_hlen(h) || d->net_len < sizeof *h || ip4_is_later_fragment(h))
        return;
    d->transp_len = d->net_len - ip4_hlen(h);
    d->at = (const uint8_t *)h + ip4_hlen(h);
    if (h->proto == IP_PROTO_TCP)
        d->tcp = (const void *)d->at;
    else if (h->proto == IP_PROTO_UDP)
        d->udp = (const void *)d->at;
    else if (h->proto == IP_PROTO_ICMP)
        d->icmp = (const void *)d->at;
    if (d->tcp && d->transp_len > 12 && d->tcp->off >> 4 < 5) {
        bad(d, "TCP header length %u", d->tcp->off >> 4);
        d->tcp = NULL;
    }
}

/* A field is not there; tell why if that makes the packet a bad one. */
static bool missing(struct desc *d, unsigned proto, uint32_t wanted)
{
    const char *name = proto == IP_PROTO_TCP    ? "TCP"
                       : proto == IP_PROTO_UDP  ? "UDP"
                       : proto == IP_PROTO_ICMP ? "ICMP"
                                                : "TCP/UDP";

    if (proto == MISSING_ETHERNET) {
        bad(d, "Ethernet header");
    } else if (!d->ip) {
        bad(d, "no IP header");
    } else if (proto == MISSING_IP) {
        bad(d, "truncated IP header capture");
    } else if (d->net_len > 9 && d->ip->proto != proto &&
               !(proto == NAME_PROTO_TCP_OR_UDP &&
                 (d->ip->proto == IP_PROTO_TCP || d->ip->proto == IP_PROTO_UDP))) {
        return false; /* another protocol is no fault */
    } else if (d->net_len >= 8 && ip4_is_later_fragment(d->ip)) {
        bad(d, "fragmented %s header", name);
    } else if (d->transp_len + d->p->anno_u32[ANNO_EXTRA_LENGTH / 4] >= wanted) {
        bad(d, "truncated %s header capture", name);
    } else {
        bad(d, "truncated %s header", name);
    }
    return false;
}

/* --- values ----------------------------------------------------------------------------- */

static bool get_anno(struct desc *d, uint8_t id)
{
    const struct pkt *p = d->p;
    uint64_t first = p->anno_u64[ANNO_FIRST_TIMESTAMP / 8];

    switch (id) {
    case IPSUM_TIMESTAMP:
    case IPSUM_NTIMESTAMP:
        d->v = (uint64_t)p->timestamp;
        return true;
    case IPSUM_TS_SEC:
        d->v = (uint32_t)(p->timestamp / NS_PER_S);
        return true;
    case IPSUM_TS_USEC:
        d->v = (uint32_t)(p->timestamp % NS_PER_S / 1000);
        return true;
    case IPSUM_TS_USEC1:
        d->v = (uint64_t)(p->timestamp / 1000);
        return true;
    case IPSUM_FIRST_TIMESTAMP:
    case IPSUM_FIRST_NTIMESTAMP:
        d->v = first;
        return true;
    case IPSUM_COUNT:
        d->v = 1u + p->anno_u32[ANNO_EXTRA_PACKETS / 4];
        return true;
    case IPSUM_LINK:
    case IPSUM_DIRECTION:
        d->v = pkt_paint(p);
        return true;
    case IPSUM_AGGREGATE:
        d->v = p->anno_u32[ANNO_AGGREGATE / 4];
        return true;
    case IPSUM_WIRE_LEN:
        d->v = p->len;
        return true;
    default:
        return false;
    }
}

static bool get_link(struct desc *d, uint8_t id)
{
    const struct pkt *p = d->p;
    const uint8_t *mac = p->mac, *end = p->network ? p->network : p->data + p->len;

    if (!mac && (!p->network || p->data < p->network))
        mac = p->data;
    if (!mac || mac + 14 != end || mac < p->buf->head)
        return missing(d, MISSING_ETHERNET, 0);
    d->at = id == IPSUM_ETH_SRC ? mac + 6 : mac;
    d->n = 6;
    d->v = (uint64_t)(mac[12] << 8 | mac[13]);
    return true;
}

static bool get_ip_opt(struct desc *d)
{
    uint32_t header = d->ip ? ip4_hlen(d->ip) : 20;

    if (!d->ip || (header > 20 && d->net_len < header))
        return missing(d, MISSING_IP, header);
    d->at = d->ip ? (const uint8_t *)d->ip + 20 : NULL;
    d->n = header - 20;
    return true;
}

/* Lengths, which also packets without an IP header have. */
static bool get_length(struct desc *d, uint8_t id)
{
    uint32_t captured = d->ip ? d->net_len : d->p->len - d->tailpad;
    uint32_t len = d->ip ? be16(d->ip->len) : captured;

    if (id == IPSUM_IP_CAPTURE_LEN)
        d->v = len < captured ? len : captured;
    else
        d->v = len + (d->o->extra_length ? d->extra : 0);
    return true;
}

static bool get_ip(struct desc *d, uint8_t id)
{
    static const uint8_t need[] = {
        [IPSUM_IP_SRC] = 16, [IPSUM_IP_DST] = 20,    [IPSUM_IP_TOS] = 2,
        [IPSUM_IP_DSCP] = 2, [IPSUM_IP_ECN] = 2,     [IPSUM_IP_TTL] = 9,
        [IPSUM_IP_FRAG] = 8, [IPSUM_IP_FRAGOFF] = 8, [IPSUM_IP_ID] = 6,
        [IPSUM_IP_SUM] = 12, [IPSUM_IP_PROTO] = 10,  [IPSUM_IP_HL] = 1,
    };
    const struct ip4_hdr *h = d->ip;

    if (!h || d->net_len < need[id])
        return missing(d, MISSING_IP, need[id]);
    switch (id) {
    case IPSUM_IP_SRC:
        d->v = h->src;
        break;
    case IPSUM_IP_DST:
        d->v = h->dst;
        break;
    case IPSUM_IP_TOS:
        d->v = h->tos;
        break;
    case IPSUM_IP_DSCP:
        d->v = h->tos >> 2;
        break;
    case IPSUM_IP_ECN:
        d->v = h->tos & 3;
        break;
    case IPSUM_IP_TTL:
        d->v = h->ttl;
        break;
    case IPSUM_IP_FRAG:
        d->v = ip4_is_later_fragment(h) ? 'f'
               : ip4_is_fragment(h)     ? 'F'
               : h->off & BE16(IP_DF)   ? '!'
                                        : '.';
        break;
    case IPSUM_IP_FRAGOFF:
        d->v = be16(h->off);
        break;
    case IPSUM_IP_ID:
        d->v = be16(h->id);
        break;
    case IPSUM_IP_SUM:
        d->v = be16(h->sum);
        break;
    case IPSUM_IP_PROTO:
        d->v = h->proto;
        break;
    default:
        d->v = ip4_hlen(h);
    }
    return true;
}

static bool get_port(struct desc *d, uint8_t id)
{
    uint32_t need = id == IPSUM_DPORT ? 4 : 2;
    const struct ip4_hdr *h = d->ip;

    if (!h || d->transp_len < need ||
        (h->proto != IP_PROTO_TCP && h->proto != IP_PROTO_UDP &&
         h->proto != IP_PROTO_DCCP && h->proto != IP_PROTO_UDPLITE))
        return missing(d, NAME_PROTO_TCP_OR_UDP, need);
    d->v = be16(load16((const uint8_t *)h + ip4_hlen(h) + need - 2));
    return true;
}

/* Options; those that are nothing but a timestamp may be cut off where it does not matter. */
static bool get_tcp_opt(struct desc *d, uint8_t id)
{
    const struct tcp_hdr *t = d->tcp;
    uint32_t header;

    d->n = 0;
    if (!t || d->transp_len < 13)
        return missing(d, IP_PROTO_TCP, d->transp_len + 1);
    header = tcp_hlen(t);
    d->at = (const uint8_t *)t + 20;
    if (header <= 20 || (id != IPSUM_TCP_OPT && header == 32 && d->transp_len >= 24 &&
                         load32(d->at) == BE32(0x0101080au)))
        return true;
    if (d->transp_len < header)
        return missing(d, IP_PROTO_TCP, d->transp_len + 1);
    d->n = header - 20;
    return true;
}

static bool get_tcp(struct desc *d, uint8_t id)
{
    static const uint8_t need[] = {
        [IPSUM_TCP_SEQ] = 8,    [IPSUM_TCP_ACK] = 12,    [IPSUM_TCP_OFF] = 13,
        [IPSUM_TCP_FLAGS] = 14, [IPSUM_TCP_WINDOW] = 16, [IPSUM_TCP_URP] = 20,
    };
    const struct tcp_hdr *t = d->tcp;

    if (id >= IPSUM_TCP_OPT)
        return get_tcp_opt(d, id);
    if (!t || d->transp_len < need[id])
        return missing(d, IP_PROTO_TCP, need[id]);
    switch (id) {
    case IPSUM_TCP_SEQ:
        d->v = be32(t->seq);
        break;
    case IPSUM_TCP_ACK:
        d->v = be32(t->ack);
        break;
    case IPSUM_TCP_OFF:
        d->v = tcp_hlen(t);
        break;
    case IPSUM_TCP_FLAGS:
        d->v = (uint64_t)(t->flags | (t->off & 1) << 8);
        break;
    case IPSUM_TCP_WINDOW:
        d->v = be16(t->win);
        break;
    default:
        d->v = be16(t->urp);
    }
    return true;
}

static bool get_icmp(struct desc *d, uint8_t id)
{
    const struct icmp_hdr *c = d->icmp;
    bool type = id == IPSUM_ICMP_TYPE || id == IPSUM_ICMP_TYPE_NAME;
    bool code = id == IPSUM_ICMP_CODE || id == IPSUM_ICMP_CODE_NAME;
    uint32_t need = type ? 1 : code ? 2 : id == IPSUM_ICMP_FLOWID ? 6 : 8;

    if (!c || !d->transp_len)
        return missing(d, IP_PROTO_ICMP, 1);
    if ((id == IPSUM_ICMP_FLOWID || id == IPSUM_ICMP_SEQ) &&
        !ipsum_icmp_has_id(c->type))
        return false;
    if (id == IPSUM_ICMP_NEXTMTU && (d->transp_len < 2 || c->type != ICMP_UNREACH ||
                                     c->code != ICMP_UNREACH_NEEDFRAG))
        return false;
    if (d->transp_len < need)
        return missing(d, IP_PROTO_ICMP, need);
    d->v = type   ? c->type
           : code ? c->code
           : id == IPSUM_ICMP_FLOWID
               ? be16(c->id)
               : be16(c->seq); /* where next-hop MTU stands, too */
    return true;
}

/* Bytes of headers before the payload; a TCP header that is cut off counts as 20. */
static uint32_t headers_len(const struct desc *d)
{
    uint32_t n = ip4_hlen(d->ip);
    const struct tcp_hdr *t = (const void *)((const uint8_t *)d->ip + n);

    if (ip4_is_later_fragment(d->ip))
        return n;
    if (d->ip->proto == IP_PROTO_TCP)
        return n + (d->transp_len >= 13 && tcp_hlen(t) >= sizeof *t ? tcp_hlen(t)
                                                                    : sizeof *t);
    return n +
           (d->ip->proto == IP_PROTO_UDP || d->ip->proto == IP_PROTO_UDPLITE ? 8 : 0);
}

/* Where the payload is and how long it claims to be. */
static bool get_payload(struct desc *d, uint8_t id)
{
    const struct pkt *p = d->p;
    uint32_t total = p->len - d->tailpad, off = 0, len = total;

    if (d->ip) {
        off = (uint32_t)(p->network - p->data) + headers_len(d);
        len = be16(d->ip->len) - headers_len(d);
    }
    d->v = (uint32_t)(len + (!d->ip || d->o->extra_length ? d->extra : 0));
    d->at = p->data + (off < total ? off : total);
    d->n = off < total ? (len < total - off ? len : total - off) : 0;
    return id == IPSUM_PAYLOAD_LEN || !len || off < p->len;
}

static bool extract(struct desc *d, uint8_t id)
{
    d->v = 0;
    d->at = NULL;
    d->n = 0;
    if (id <= IPSUM_WIRE_LEN)
        return get_anno(d, id);
    if (id <= IPSUM_ETH_TYPE)
        return get_link(d, id);
    if (id == IPSUM_IP_OPT)
        return get_ip_opt(d);
    if (id == IPSUM_IP_LEN || id == IPSUM_IP_CAPTURE_LEN)
        return get_length(d, id);
    if (id < IPSUM_IP_OPT)
        return get_ip(d, id);
    if (id <= IPSUM_DPORT)
        return get_port(d, id);
    if (id <= IPSUM_TCP_SACK)
        return get_tcp(d, id);
    if (id == IPSUM_UDP_LEN) {
        if (!d->udp || d->transp_len < 6)
            return missing(d, IP_PROTO_UDP, 6);
        d->v = be16(d->udp->len);
        return true;
    }
    return id <= IPSUM_ICMP_NEXTMTU ? get_icmp(d, id) : get_payload(d, id);
}

/* --- as text ---------------------------------------------------------------------------- */

static void print_flags(struct sbuf *out, uint64_t flags)
{
    static const char letters[] = "FSRPAUECN";

    if (flags == (TCP_ACK | TCP_PSH))
        sbuf_puts(out, "PA");
    else if (!flags)
        sbuf_putc(out, '.');
    else
        for (unsigned i = 0; i < 9; i++)
            if (flags >> i & 1)
                sbuf_putc(out, letters[i]);
}

/* In double quotes, whatever is not plain as \<hex>. */
static void print_quoted(struct sbuf *out, const uint8_t *at, uint32_t n)
{
    sbuf_putc(out, '"');
    for (uint32_t i = 0; i < n; i++) {
        uint8_t c = at[i];

        if (c == '\\' || c == '"' || c == '$')
            sbuf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            sbuf_puts(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (c < 32 || c > 126)
            sbuf_printf(out, "\\<%02X>", c);
        else
            sbuf_putc(out, (char)c);
    }
    sbuf_putc(out, '"');
}

static void print_md5(struct sbuf *out, const struct desc *d, bool hex)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@";
    uint8_t digest[16];
    uint32_t bits = 0, n = 0;

    md5(d->at, d->n, digest);
    for (unsigned i = 0; i < 16; i++) {
        if (hex) {
            sbuf_printf(out, "%02x", digest[i]);
            continue;
        }
        bits |= (uint32_t)digest[i] << n;
        for (n += 8; n >= 6; n -= 6, bits >>= 6)
            sbuf_putc(out, letters[bits & 63]);
    }
    if (!hex)
        sbuf_putc(out, letters[bits & 63]);
}

static void print_icmp_name(struct sbuf *out, const struct desc *d, uint8_t id)
{
    const char *name = name_of(id == IPSUM_ICMP_TYPE_NAME
                                   ? (unsigned)NAME_ICMP_TYPE
                                   : (unsigned)NAME_ICMP_CODE + d->icmp->type,
                               (uint32_t)d->v);

    if (name)
        sbuf_puts(out, name);
    else
        sbuf_printf(out, "%u", (unsigned)d->v);
}

static int tcp_mask(uint8_t id)
{
    return id == IPSUM_TCP_OPT ? IPSUM_OPT_ALL & ~IPSUM_OPT_PADDING
           : id == IPSUM_TCP_NTOPT
               ? IPSUM_OPT_ALL & ~IPSUM_OPT_PADDING & ~IPSUM_OPT_TIMESTAMP
               : IPSUM_OPT_SACK;
}

static void print_ip(struct sbuf *out, const struct desc *d, uint8_t id)
{
    static const char *const ecn[] = {"no", "ect1", "ect2", "ce"};
    char buf[64];

    if (id == IPSUM_IP_ECN)
        sbuf_puts(out, ecn[d->v]);
    else if (id == IPSUM_IP_FRAG)
        sbuf_putc(out, (char)d->v);
    else if (id == IPSUM_IP_FRAGOFF)
        sbuf_printf(out, "%u%s%s", (unsigned)(d->v & IP_OFFMASK) << 3,
                    d->v & IP_MF ? "+" : "", d->v & IP_DF ? "!" : "");
    else if (id == IPSUM_IP_PROTO &&
             (d->v == IP_PROTO_TCP || d->v == IP_PROTO_UDP || d->v == IP_PROTO_ICMP))
        sbuf_putc(out, d->v == IP_PROTO_TCP ? 'T' : d->v == IP_PROTO_UDP ? 'U' : 'I');
    else if (id == IPSUM_IP_PROTO)
        sbuf_printf(out, "%u", (unsigned)d->v);
    else
        sbuf_puts(out, unparse_ip((uint32_t)d->v, buf));
}

static void print_field(struct sbuf *out, const struct desc *d, uint8_t id)
{
    struct ether_addr mac;
    char buf[64];

    switch (id) {
    case IPSUM_TIMESTAMP:
    case IPSUM_NTIMESTAMP:
    case IPSUM_FIRST_TIMESTAMP:
    case IPSUM_FIRST_NTIMESTAMP:
        sbuf_puts(out, unparse_timestamp((int64_t)d->v, buf));
        break;
    case IPSUM_DIRECTION:
        if (d->v <= 1)
            sbuf_putc(out, d->v ? '<' : '>');
        else
            sbuf_printf(out, "%u", (unsigned)d->v);
        break;
    case IPSUM_ETH_SRC:
    case IPSUM_ETH_DST:
        memcpy(mac.b, d->at, 6);
        sbuf_puts(out, unparse_ether(&mac, buf));
        break;
    case IPSUM_ETH_TYPE:
        sbuf_printf(out, "%04X", (unsigned)d->v);
        break;
    case IPSUM_IP_SRC:
    case IPSUM_IP_DST:
    case IPSUM_IP_ECN:
    case IPSUM_IP_FRAG:
    case IPSUM_IP_FRAGOFF:
    case IPSUM_IP_PROTO:
        print_ip(out, d, id);
        break;
    case IPSUM_IP_OPT:
        ipsum_print_ip_opt(out, d->at, d->n, IPSUM_OPT_ALL & ~IPSUM_OPT_PADDING);
        break;
    case IPSUM_TCP_FLAGS:
        print_flags(out, d->v);
        break;
    case IPSUM_TCP_OPT:
    case IPSUM_TCP_NTOPT:
    case IPSUM_TCP_SACK:
        ipsum_print_tcp_opt(out, d->at, d->n, tcp_mask(id));
        break;
    case IPSUM_ICMP_TYPE_NAME:
    case IPSUM_ICMP_CODE_NAME:
        print_icmp_name(out, d, id);
        break;
    case IPSUM_PAYLOAD:
        print_quoted(out, d->at, d->n);
        break;
    case IPSUM_PAYLOAD_MD5:
    case IPSUM_PAYLOAD_MD5_HEX:
        print_md5(out, d, id == IPSUM_PAYLOAD_MD5_HEX);
        break;
    default:
        sbuf_printf(out, "%llu", (unsigned long long)d->v);
    }
}

/* --- as a record ------------------------------------------------------------------------ */

static void put_number(struct sbuf *out, uint64_t v, int bytes)
{
    while (bytes-- > 0)
        sbuf_putc(out, (char)(v >> 8 * bytes));
}

static void put_field(struct sbuf *out, const struct desc *d, bool ok,
                      const struct ipsum_field *f)
{
    static const uint8_t nothing[16];
    uint64_t s = d->v / NS_PER_S, ns = d->v % NS_PER_S;
    uint8_t digest[16];

    switch (f->id) {
    case IPSUM_TIMESTAMP:
    case IPSUM_FIRST_TIMESTAMP:
        put_number(out, s << 32 | ns / 1000, 8);
        break;
    case IPSUM_NTIMESTAMP:
    case IPSUM_FIRST_NTIMESTAMP:
        put_number(out, s << 32 | ns, 8);
        break;
    case IPSUM_ETH_SRC:
    case IPSUM_ETH_DST:
        sbuf_add(out, ok ? d->at : nothing, 6);
        break;
    case IPSUM_IP_SRC:
    case IPSUM_IP_DST:
        put_number(out, be32((uint32_t)d->v), 4);
        break;
    case IPSUM_IP_OPT:
        put_number(out, ok ? d->n : 0, 1);
        if (ok && d->n)
            sbuf_add(out, d->at, d->n);
        break;
    case IPSUM_TCP_OPT:
        ipsum_binary_tcp_opt(out, d->at, ok ? d->n : 0, IPSUM_OPT_ALL);
        break;
    case IPSUM_TCP_NTOPT:
    case IPSUM_TCP_SACK:
        ipsum_binary_tcp_opt(out, d->at, ok ? d->n : 0, tcp_mask(f->id));
        break;
    case IPSUM_PAYLOAD_MD5:
    case IPSUM_PAYLOAD_MD5_HEX:
        md5(d->at, d->n, digest);
        sbuf_add(out, digest, sizeof digest);
        break;
    default:
        put_number(out, d->v, f->size > 0 ? f->size : 0);
    }
}

void ipsum_write(const struct ipsum_fields *f, const struct ipsum_options *o,
                 const struct pkt *p, struct sbuf *out, struct sbuf *bad_out)
{
    struct desc d = {.p = p, .o = o, .bad = bad_out};
    size_t start = out->len;
    uint32_t len;

    prepare(&d);
    if (o->binary)
        put_number(out, 0, 4);
    for (uint32_t i = 0; i < f->n; i++) {
        bool ok = extract(&d, f->field[i]->id);

        if (o->binary) {
            put_field(out, &d, ok, f->field[i]);
            continue;
        }
        if (i)
            sbuf_putc(out, ' ');
        if (ok)
            print_field(out, &d, f->field[i]->id);
        else
            sbuf_putc(out, '-');
    }
    if (!o->binary) {
        sbuf_putc(out, '\n');
    } else if (!out->failed) {
        len = be32((uint32_t)(out->len - start));
        memcpy(out->data + start, &len, 4);
    }
}
