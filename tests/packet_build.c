// SPDX-License-Identifier: BSD-3-Clause
/*
 * packet_build.c -- eth(), arp(), ip(), udp(), tcp(), icmp(), ip6() of .test files
 *
 * Checksums are computed here, with code of its own: a test that used the engine's would
 * agree with the engine's mistakes.
 */

#include "tests/packet_build.h"

#include "engine/element.h"
#include "engine/parse_chars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t sum_bytes(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    return sum;
}

static unsigned fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* "A > B": both ends, without blanks. */
static int two_ends(char *piece, char **from, char **to)
{
    char *arrow = piece ? strchr(piece, '>') : NULL, *end;

    if (!arrow)
        return -1;
    *to = arrow + 1 + strspn(arrow + 1, " \t");
    *arrow = 0;
    for (end = arrow; end > piece && char_is_space(end[-1]);)
        *--end = 0;
    *from = piece;
    return 0;
}

static bool number(const char *s, uint64_t max, uint64_t *out)
{
    return parse_u64(s, 0, out) && *out <= max;
}

/* Everything that the options of ip() and of the protocols above it can say. */
struct ip_form {
    uint32_t src, dst;
    uint64_t sport, dport;
    uint64_t protocol, ttl, id, tos, frag, total, pad, cut, hl, version;
    uint64_t flags, seq, ack, win, urg, type, code, icmp_id, icmp_seq, l4len;
    bool has_total, has_pad, has_cut, has_hl, df, mf, bad_sum, bad_l4sum, no_l4sum,
        has_l4len;
    struct build options, payload;
};

struct field {
    const char *name;
    size_t offset, seen; /* seen 0: no flag */
    uint64_t max;
};
#define FIELD(n, m, max_)                                                              \
    {                                                                                  \
        n, offsetof(struct ip_form, m), 0, max_                                        \
    }
#define FIELD_SEEN(n, m, s, max_)                                                      \
    {                                                                                  \
        n, offsetof(struct ip_form, m), offsetof(struct ip_form, s), max_              \
    }

static const struct field fields[] = {
    FIELD("proto", protocol, 255),
    FIELD("ttl", ttl, 255),
    FIELD("id", id, 65535),
    FIELD("tos", tos, 255),
    FIELD("frag", frag, 65528),
    FIELD_SEEN("totlen", total, has_total, 65535),
    FIELD_SEEN("len", pad, has_pad, 65535),
    FIELD_SEEN("cut", cut, has_cut, 65535),
    FIELD_SEEN("hl", hl, has_hl, 15),
    FIELD("version", version, 15),
    FIELD("seq", seq, UINT32_MAX),
    FIELD("ack", ack, UINT32_MAX),
    FIELD("win", win, 65535),
    FIELD("urg", urg, 65535),
    FIELD("type", type, 255),
    FIELD("code", code, 255),
    FIELD("icmpid", icmp_id, 65535),
    FIELD("icmpseq", icmp_seq, 65535),
    FIELD_SEEN("ulen", l4len, has_l4len, 65535),
};

static const struct field bools[] = {
    FIELD("df", df, 0),          FIELD("mf", mf, 0),
    FIELD("badsum", bad_sum, 0), FIELD("badl4sum", bad_l4sum, 0),
    FIELD("nosum", no_l4sum, 0),
};

static int set_flags(struct ip_form *f, const char *s)
{
    static const char letters[] = "FSRPAUEC";

    f->flags = 0;
    for (; *s; s++) {
        const char *at = strchr(letters, *s);

        if (!at)
            return -1;
        f->flags |= 1u << (at - letters);
    }
    return 0;
}

static int set_field(struct ip_form *f, const struct option *o)
{
    uint8_t *base = (uint8_t *)f;

    for (size_t i = 0; i < sizeof bools / sizeof *bools; i++)
        if (strcmp(bools[i].name, o->word) == 0) {
            *(bool *)(base + bools[i].offset) = true;
            return *o->rest ? -1 : 0;
        }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].name, o->word) != 0)
            continue;
        if (fields[i].seen)
            *(bool *)(base + fields[i].seen) = true;
        return number(o->rest, fields[i].max, (uint64_t *)(base + fields[i].offset))
                   ? 0
                   : -1;
    }
    return -1;
}

static int set_option(struct ip_form *f, char *piece, struct diag *d)
{
    struct option o;
    char call[600];

    build_option(&o, piece);
    if (strcmp(o.word, "payload") == 0)
        return build_one(&f->payload, o.rest, d);
    if (strcmp(o.word, "opts") == 0) {
        if ((size_t)snprintf(call, sizeof call, "hex(%s)", o.rest) >= sizeof call)
            return diag_err(d, "opts too long");
        return build_one(&f->options, call, d);
    }
    if (strcmp(o.word, "flags") == 0 ? set_flags(f, o.rest) < 0 : set_field(f, &o) < 0)
        return diag_err(d, "bad packet option '%s %s'", o.word, o.rest);
    return 0;
}

/* An end of a conversation: "1.2.3.4" or "1.2.3.4:80". */
static int set_end(char *s, bool with_port, uint32_t *addr, uint64_t *port)
{
    char *colon = strchr(s, ':');

    if (with_port != (colon != NULL))
        return -1;
    if (colon) {
        *colon = 0;
        if (!number(colon + 1, 65535, port))
            return -1;
    }
    return parse_ip(NULL, s, addr) ? 0 : -1;
}

static int read_form(struct ip_form *f, char *inside, bool ports, struct diag *d)
{
    char *piece = build_next(&inside), *from, *to;

    if (two_ends(piece, &from, &to) < 0 ||
        set_end(from, ports, &f->src, &f->sport) < 0 ||
        set_end(to, ports, &f->dst, &f->dport) < 0)
        return diag_err(d, "a packet begins with SRC > DST%s",
                        ports ? ", both with a port" : "");
    while ((piece = build_next(&inside)))
        if (set_option(f, piece, d) < 0)
            return -1;
    return 0;
}

/* Pseudo header and payload of TCP and UDP. */
static unsigned transport_sum(const struct ip_form *f, const struct build *b, size_t at)
{
    uint8_t pseudo[12];
    size_t len = b->len - at;

    memcpy(pseudo, &f->src, 4);
    memcpy(pseudo + 4, &f->dst, 4);
    pseudo[8] = 0;
    pseudo[9] = (uint8_t)f->protocol;
    pseudo[10] = (uint8_t)(len >> 8);
    pseudo[11] = (uint8_t)len;
    return fold(sum_bytes(b->bytes + at, len, sum_bytes(pseudo, sizeof pseudo, 0)));
}

static void put_sum(const struct ip_form *f, struct build *b, size_t at, unsigned sum)
{
    if (f->no_l4sum)
        sum = 0;
    build_put_u16(b, at, f->bad_l4sum ? sum ^ 0x5555 : sum);
}

static void add_bytes(struct build *to, const struct build *from)
{
    for (size_t i = 0; i < from->len; i++)
        build_byte(to, from->bytes[i], !from->mask[i]);
}

static void add_ip_header(const struct ip_form *f, struct build *b)
{
    size_t hl = f->has_hl ? f->hl : 5 + (f->options.len + 3) / 4;

    build_byte(b, (unsigned)(f->version << 4 | hl), false);
    build_byte(b, (unsigned)f->tos, false);
    build_u16(b, 0);
    build_u16(b, (unsigned)f->id);
    build_u16(b, (unsigned)(f->df ? 0x4000 : 0) | (f->mf ? 0x2000 : 0) |
                     (unsigned)(f->frag / 8));
    build_byte(b, (unsigned)f->ttl, false);
    build_byte(b, (unsigned)f->protocol, false);
    build_u16(b, 0);
    build_add(b, &f->src, 4);
    build_add(b, &f->dst, 4);
    add_bytes(b, &f->options);
    while (b->len % 4)
        build_byte(b, 0, false);
}

/* Fill in what depends on the whole: lengths, checksums, padding, cutting. */
static void finish_ip(const struct ip_form *f, struct build *b, size_t at)
{
    size_t hl = 20 + (f->options.len + 3) / 4 * 4;
    unsigned sum;

    while (f->has_pad && b->len - at < f->pad)
        build_byte(b, 0, false);
    build_put_u16(b, at + 2,
                  f->has_total ? (unsigned)f->total : (unsigned)(b->len - at));
    sum = fold(sum_bytes(b->bytes + at, hl, 0));
    build_put_u16(b, at + 10, f->bad_sum ? sum ^ 0x5555 : sum);
    if (f->has_cut && b->len - at > f->cut)
        b->len = at + f->cut;
    b->ether_type = 0x0800;
}

static void add_udp(struct ip_form *f, struct build *b)
{
    size_t at = b->len, pad;
    unsigned sum;

    build_u16(b, (unsigned)f->sport);
    build_u16(b, (unsigned)f->dport);
    build_u16(b, 0);
    build_u16(b, 0);
    add_bytes(b, &f->payload);
    for (pad = 20 + (f->options.len + 3) / 4 * 4;
         f->has_pad && b->len - at + pad < f->pad;)
        build_byte(b, 0, false); /* padding is payload, and in the checksum */
    build_put_u16(b, at + 4,
                  f->has_l4len ? (unsigned)f->l4len : (unsigned)(b->len - at));
    sum = transport_sum(f, b, at);
    put_sum(f, b, at + 6, sum ? sum : 0xffff);
}

static void add_tcp(struct ip_form *f, struct build *b)
{
    size_t at = b->len, pad;

    build_u16(b, (unsigned)f->sport);
    build_u16(b, (unsigned)f->dport);
    build_u32(b, (uint32_t)f->seq);
    build_u32(b, (uint32_t)f->ack);
    build_byte(b, 5 << 4, false);
    build_byte(b, (unsigned)f->flags, false);
    build_u16(b, (unsigned)f->win);
    build_u16(b, 0);
    build_u16(b, (unsigned)f->urg);
    add_bytes(b, &f->payload);
    for (pad = 20 + (f->options.len + 3) / 4 * 4;
         f->has_pad && b->len - at + pad < f->pad;)
        build_byte(b, 0, false);
    put_sum(f, b, at + 16, transport_sum(f, b, at));
}

static void add_icmp(struct ip_form *f, struct build *b)
{
    size_t at = b->len, pad;

    build_byte(b, (unsigned)f->type, false);
    build_byte(b, (unsigned)f->code, false);
    build_u16(b, 0);
    build_u16(b, (unsigned)f->icmp_id);
    build_u16(b, (unsigned)f->icmp_seq);
    add_bytes(b, &f->payload);
    for (pad = 20 + (f->options.len + 3) / 4 * 4;
         f->has_pad && b->len - at + pad < f->pad;)
        build_byte(b, 0, false);
    put_sum(f, b, at + 2, fold(sum_bytes(b->bytes + at, b->len - at, 0)));
}

static void add_raw(struct ip_form *f, struct build *b)
{
    add_bytes(b, &f->payload);
}

static int build_ip(struct build *b, char *inside, unsigned protocol, bool ports,
                    void (*add)(struct ip_form *f, struct build *b), struct diag *d)
{
    struct ip_form f = {.protocol = protocol,
                        .ttl = 64,
                        .version = 4,
                        .win = 65535,
                        .flags = 2,
                        .type = 8};
    size_t at = b->len;
    int rc = read_form(&f, inside, ports, d);

    if (rc == 0) {
        add_ip_header(&f, b);
        add(&f, b);
        finish_ip(&f, b, at);
    }
    build_fini(&f.options);
    build_fini(&f.payload);
    return rc;
}

/* arp(request 1.2.3.4 0:1:2:3:4:5 > 5.6.7.8 [0:..]) */
static int build_arp(struct build *b, char *inside, struct diag *d)
{
    struct option op, src, dst;
    struct ether_addr sha, tha = {{0}};
    uint32_t spa, tpa;
    char *from, *to;
    bool reply;

    build_option(&op, inside + strspn(inside, " \t"));
    reply = strcmp(op.word, "reply") == 0;
    if ((!reply && strcmp(op.word, "request") != 0) ||
        two_ends(op.rest, &from, &to) < 0)
        goto bad;
    build_option(&src, from);
    build_option(&dst, to);
    if (!parse_ip(NULL, src.word, &spa) || !parse_ether(NULL, src.rest, &sha) ||
        !parse_ip(NULL, dst.word, &tpa) ||
        (*dst.rest && !parse_ether(NULL, dst.rest, &tha)))
        goto bad;
    build_add(b, "\0\1\10\0\6\4", 6);
    build_u16(b, reply ? 2 : 1);
    build_add(b, &sha, 6);
    build_add(b, &spa, 4);
    build_add(b, &tha, 6);
    build_add(b, &tpa, 4);
    b->ether_type = 0x0806;
    return 0;
bad:
    return diag_err(d, "arp(request|reply IP MAC > IP [MAC]) expected");
}

static int ether_type(const char *s, uint64_t *type)
{
    static const struct {
        const char *name;
        unsigned type;
    } known[] = {{"ip", 0x0800}, {"arp", 0x0806}, {"ip6", 0x86dd}, {"vlan", 0x8100}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(s, known[i].name) == 0) {
            *type = known[i].type;
            return 0;
        }
    return number(s, 65535, type) ? 0 : -1;
}

/* The options of eth() behind its addresses; what is none of them is the payload. */
static int eth_options(char *inside, uint64_t *type, int64_t *vlan,
                       struct build *payload, struct diag *d)
{
    char *piece;

    while ((piece = build_next(&inside))) {
        struct option o;
        uint64_t v;
        char first = *piece;

        build_option(&o, piece);
        if (strcmp(o.word, "type") == 0) {
            if (ether_type(o.rest, type) < 0)
                return diag_err(d, "bad Ethernet type '%s'", o.rest);
        } else if (strcmp(o.word, "vlan") == 0) {
            if (!number(o.rest, 65535, &v))
                return diag_err(d, "bad VLAN '%s'", o.rest);
            *vlan = (int64_t)v;
        } else {
            if (strcmp(o.word, "payload") == 0)
                piece = o.rest;
            if (!first || build_one(payload, piece, d) < 0)
                return -1;
        }
    }
    return 0;
}

/* eth(SRC > DST, type T, vlan TCI, PACKET) */
static int build_eth(struct build *b, char *inside, struct diag *d)
{
    char *piece = build_next(&inside), *from, *to;
    struct ether_addr src, dst;
    struct build payload = {0};
    uint64_t type = 0;
    int64_t vlan = -1;

    if (two_ends(piece, &from, &to) < 0 || !parse_ether(NULL, from, &src) ||
        !parse_ether(NULL, to, &dst))
        return diag_err(d, "eth() begins with SRC > DST");
    if (eth_options(inside, &type, &vlan, &payload, d) < 0) {
        build_fini(&payload);
        return -1;
    }
    build_add(b, &dst, 6);
    build_add(b, &src, 6);
    if (vlan >= 0) {
        build_u16(b, 0x8100);
        build_u16(b, (unsigned)vlan);
    }
    build_u16(b, type ? (unsigned)type : payload.ether_type);
    add_bytes(b, &payload);
    build_fini(&payload);
    return 0;
}

/* ip6(SRC > DST, next N, hlim N, tclass N, flow N, payload P) */
static int build_ip6(struct build *b, char *inside, struct diag *d)
{
    char *piece = build_next(&inside), *from, *to;
    uint64_t next = 59, hlim = 64, tclass = 0, flow = 0;
    struct ip6_addr src, dst;
    struct build payload = {0};
    int rc = 0;

    if (two_ends(piece, &from, &to) < 0 || !parse_ip6(NULL, from, &src) ||
        !parse_ip6(NULL, to, &dst))
        return diag_err(d, "ip6() begins with SRC > DST");
    while (rc == 0 && (piece = build_next(&inside))) {
        struct option o;

        build_option(&o, piece);
        if (strcmp(o.word, "payload") == 0)
            rc = build_one(&payload, o.rest, d);
        else if (!(strcmp(o.word, "next") == 0   ? number(o.rest, 255, &next)
                   : strcmp(o.word, "hlim") == 0 ? number(o.rest, 255, &hlim)
                   : strcmp(o.word, "tclass") == 0
                       ? number(o.rest, 255, &tclass)
                       : strcmp(o.word, "flow") == 0 && number(o.rest, 0xfffff, &flow)))
            rc = diag_err(d, "bad packet option '%s %s'", o.word, o.rest);
    }
    if (rc == 0) {
        build_u32(b, (uint32_t)(6u << 28 | tclass << 20 | flow));
        build_u16(b, (unsigned)payload.len);
        build_byte(b, (unsigned)next, false);
        build_byte(b, (unsigned)hlim, false);
        build_add(b, &src, 16);
        build_add(b, &dst, 16);
        add_bytes(b, &payload);
        b->ether_type = 0x86dd;
    }
    build_fini(&payload);
    return rc;
}

int build_call(struct build *b, const char *name, char *inside, struct diag *d)
{
    if (strcmp(name, "eth") == 0)
        return build_eth(b, inside, d);
    if (strcmp(name, "arp") == 0)
        return build_arp(b, inside, d);
    if (strcmp(name, "ip") == 0)
        return build_ip(b, inside, 0, false, add_raw, d);
    if (strcmp(name, "udp") == 0)
        return build_ip(b, inside, 17, true, add_udp, d);
    if (strcmp(name, "tcp") == 0)
        return build_ip(b, inside, 6, true, add_tcp, d);
    if (strcmp(name, "icmp") == 0)
        return build_ip(b, inside, 1, false, add_icmp, d);
    if (strcmp(name, "ip6") == 0)
        return build_ip6(b, inside, d);
    return 1;
}
