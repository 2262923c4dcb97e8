// SPDX-License-Identifier: BSD-3-Clause
/* ip_field.c -- a field of an IP packet, by name or by place */

#include "engine/ip_field.h"

#include "engine/nameinfo.h"
#include "engine/net_headers.h"
#include "engine/parse_chars.h"

struct known_field {
    const char *name;
    uint8_t base;
    uint16_t proto;
    uint16_t offset, length;
};

enum { TCPUDP = NAME_PROTO_TCP_OR_UDP };

static const struct known_field known_fields[] = {
    {"vers", FIELD_IP, 0, 0, 4},
    {"hl", FIELD_IP, 0, 4, 4},
    {"tos", FIELD_IP, 0, 8, 8},
    {"dscp", FIELD_IP, 0, 8, 6},
    {"ecn", FIELD_IP, 0, 14, 2},
    {"len", FIELD_IP, 0, 16, 16},
    {"id", FIELD_IP, 0, 32, 16},
    {"off", FIELD_IP, 0, 48, 16},
    {"rf", FIELD_IP, 0, 48, 1},
    {"df", FIELD_IP, 0, 49, 1},
    {"mf", FIELD_IP, 0, 50, 1},
    {"fragoff", FIELD_IP, 0, 51, 13},
    {"ttl", FIELD_IP, 0, 64, 8},
    {"proto", FIELD_IP, 0, 72, 8},
    {"sum", FIELD_IP, 0, 80, 16},
    {"csum", FIELD_IP, 0, 80, 16},
    {"src", FIELD_IP, 0, 96, 32},
    {"dst", FIELD_IP, 0, 128, 32},
    {"sport", FIELD_TRANSPORT, TCPUDP, 0, 16},
    {"dport", FIELD_TRANSPORT, TCPUDP, 16, 16},
    {"len", FIELD_TRANSPORT, IP_PROTO_UDP, 32, 16},
    {"sum", FIELD_TRANSPORT, IP_PROTO_UDP, 48, 16},
    {"csum", FIELD_TRANSPORT, IP_PROTO_UDP, 48, 16},
    {"seq", FIELD_TRANSPORT, IP_PROTO_TCP, 32, 32},
    {"seqno", FIELD_TRANSPORT, IP_PROTO_TCP, 32, 32},
    {"ackno", FIELD_TRANSPORT, IP_PROTO_TCP, 64, 32},
    {"hl", FIELD_TRANSPORT, IP_PROTO_TCP, 96, 4},
    {"flags", FIELD_TRANSPORT, IP_PROTO_TCP, 104, 8},
    {"urg", FIELD_TRANSPORT, IP_PROTO_TCP, 106, 1},
    {"ack", FIELD_TRANSPORT, IP_PROTO_TCP, 107, 1},
    {"psh", FIELD_TRANSPORT, IP_PROTO_TCP, 108, 1},
    {"push", FIELD_TRANSPORT, IP_PROTO_TCP, 108, 1},
    {"rst", FIELD_TRANSPORT, IP_PROTO_TCP, 109, 1},
    {"syn", FIELD_TRANSPORT, IP_PROTO_TCP, 110, 1},
    {"fin", FIELD_TRANSPORT, IP_PROTO_TCP, 111, 1},
    {"win", FIELD_TRANSPORT, IP_PROTO_TCP, 112, 16},
    {"window", FIELD_TRANSPORT, IP_PROTO_TCP, 112, 16},
    {"sum", FIELD_TRANSPORT, IP_PROTO_TCP, 128, 16},
    {"csum", FIELD_TRANSPORT, IP_PROTO_TCP, 128, 16},
    {"urp", FIELD_TRANSPORT, IP_PROTO_TCP, 144, 16},
    {"type", FIELD_TRANSPORT, IP_PROTO_ICMP, 0, 8},
    {"code", FIELD_TRANSPORT, IP_PROTO_ICMP, 8, 8},
    {"sum", FIELD_TRANSPORT, IP_PROTO_ICMP, 16, 16},
    {"csum", FIELD_TRANSPORT, IP_PROTO_ICMP, 16, 16},
};
enum { N_KNOWN = sizeof known_fields / sizeof known_fields[0] };

enum field_error { ERROR_SYNTAX, ERROR_PLACE, ERROR_MASK };

static int field_error(struct diag *d, enum field_error what)
{
    static const char *const text[] = {
        [ERROR_SYNTAX] =
            "expected 'HEADER [NAME] [{OFFSET:LENGTH}] [/PREFIX] [& MASK]'",
        [ERROR_PLACE] = "bad offset or length in TCP/IP field",
        [ERROR_MASK] = "bad prefix or mask in TCP/IP field",
    };

    return diag_err(d, "%s", text[what]);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || char_is_digit(c);
}

static const char *skip_blanks(const char *s)
{
    while (char_is_space(*s))
        s++;
    return s;
}

static const char *read_name(const char *s, char *name, size_t room)
{
    size_t n = 0;

    for (; is_name_char(*s); s++)
        if (n + 1 < room)
            name[n++] = *s;
    name[n] = '\0';
    return s;
}

/* Whether the word is a base; sets base and protocol. */
static bool read_base(struct ip_field *f, const char *word)
{
    static const struct {
        const char *name;
        uint8_t base;
        uint16_t proto;
    } bases[] = {
        {"ip", FIELD_IP, 0},
        {"tcp", FIELD_TRANSPORT, IP_PROTO_TCP},
        {"udp", FIELD_TRANSPORT, IP_PROTO_UDP},
        {"tcpudp", FIELD_TRANSPORT, TCPUDP},
        {"icmp", FIELD_TRANSPORT, IP_PROTO_ICMP},
        {"transp", FIELD_TRANSPORT, 0},
        {"transport", FIELD_TRANSPORT, 0},
        {"data", FIELD_PAYLOAD, 0},
        {"payload", FIELD_PAYLOAD, 0},
    };

    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++)
        if (!strcmp(bases[i].name, word)) {
            f->base = bases[i].base;
            f->proto = bases[i].proto;
            return true;
        }
    return false;
}

static bool protos_agree(uint16_t field, uint16_t wanted)
{
    return !wanted || field == wanted ||
           (wanted == TCPUDP && (field == IP_PROTO_TCP || field == IP_PROTO_UDP)) ||
           (field == TCPUDP && (wanted == IP_PROTO_TCP || wanted == IP_PROTO_UDP));
}

/* "ip sport" is a field of TCP and UDP. */
static bool bases_agree(const struct ip_field *f, const struct known_field *k)
{
    return f->base == FIELD_NONE || (f->base == FIELD_IP && k->proto == TCPUDP) ||
           (f->base == k->base && protos_agree(k->proto, f->proto));
}

static bool find_name(struct ip_field *f, const char *word)
{
    const struct known_field *found = NULL;

    for (size_t i = 0; i < N_KNOWN; i++) {
        const struct known_field *k = &known_fields[i];

        if (strcmp(k->name, word) != 0 || !bases_agree(f, k))
            continue;
        /* IP's own field is meant when nothing else is said. */
        if (found && found->base != FIELD_IP)
            return false; /* ambiguous */
        if (!found)
            found = k;
    }
    if (!found)
        return false;
    if (f->base == FIELD_NONE || !f->proto || found->proto != TCPUDP)
        f->proto = found->proto;
    f->base = found->base;
    f->offset = found->offset;
    f->length = found->length;
    return true;
}

static const char *read_number(const char *s, uint32_t *value)
{
    uint64_t v = 0;

    s = skip_blanks(s);
    if (!char_is_digit(*s))
        return NULL;
    for (; char_is_digit(*s); s++)
        if (v <= UINT16_MAX)
            v = v * 10 + (uint64_t)(*s - '0');
    *value = (uint32_t)v;
    return v > UINT16_MAX ? NULL : skip_blanks(s);
}

/* "[OFFSET:LENGTH]" in bytes, "{FIRST-LAST}" in bits. In a field that has a name this is a
 * part of it. */
static const char *read_place(struct ip_field *f, const char *s, struct diag *d)
{
    char close = *s == '[' ? ']' : '}';
    uint32_t unit = *s == '[' ? 8 : 1, first, length = 1;
    char how;

    s = read_number(s + 1, &first);
    if (s && (*s == ':' || *s == ',' || *s == '-' || *s == '+')) {
        how = *s;
        s = read_number(s + 1, &length);
        if (s && how == '-')
            length = length < first ? 0 : length - first + 1;
    }
    if (!s || *s != close) {
        field_error(d, ERROR_SYNTAX);
        return NULL;
    }
    if (!length || (f->length && (first + length) * unit > f->length)) {
        field_error(d, ERROR_PLACE);
        return NULL;
    }
    f->offset += first * unit;
    f->length = length * unit;
    return s + 1;
}

/* Narrow the field to the ones of `mask`, which are its low bits. */
static int apply_mask(struct ip_field *f, uint64_t mask, struct diag *d)
{
    unsigned low, high;

    if (f->length > 32 || !mask || mask >> f->length)
        return field_error(d, ERROR_MASK);
    low = (unsigned)__builtin_ctzll(mask);
    high = 63 - (unsigned)__builtin_clzll(mask);
    if (mask >> low != ((uint64_t)1 << (high - low + 1)) - 1)
        return field_error(d, ERROR_MASK);
    f->offset += f->length - 1 - high;
    f->length = high - low + 1;
    return 0;
}

/* "/BITS", "/IPADDR", "& MASK". */
static const char *read_mask(struct ip_field *f, const char *s, struct diag *d)
{
    char kind = *s, text[32];
    uint64_t number;
    uint32_t addr;
    size_t n;

    s = skip_blanks(s + 1);
    n = strcspn(s, " \t\r\n,)&");
    if (n >= sizeof text)
        n = sizeof text - 1;
    memcpy(text, s, n);
    text[n] = '\0';
    s += n;
    if (kind == '&') {
        if (!parse_u64(text, 0, &number)) {
            field_error(d, ERROR_MASK);
            return NULL;
        }
        return apply_mask(f, number, d) < 0 ? NULL : s;
    }
    if (parse_u64(text, 0, &number)) {
        if (!number || number > f->length) {
            field_error(d, ERROR_MASK);
            return NULL;
        }
        f->length = (uint32_t)number;
        return s;
    }
    if (!parse_ip(NULL, text, &addr) || f->length != 32) {
        field_error(d, ERROR_MASK);
        return NULL;
    }
    return apply_mask(f, be32(addr), d) < 0 ? NULL : s;
}

/* "ip", "tcp", "ip proto 47", any protocol's name. NULL when there is none. */
static const char *read_header(struct ip_field *f, const struct element *e,
                               const char *s)
{
    char word[32];
    const char *after = read_name(s, word, sizeof word), *number;
    uint32_t proto;

    if (!strcmp(word, "ip")) {
        f->base = FIELD_IP;
        s = skip_blanks(after);
        number = read_name(s, word, sizeof word);
        if (strcmp(word, "proto") || !(s = read_number(number, &proto)) || proto > 255)
            return after;
        after = s;
    } else if (read_base(f, word)) {
        return after;
    } else if (!name_query_int(e, NAME_IP_PROTO, word, &proto) ||
               char_is_digit(*word)) {
        return NULL;
    }
    f->base = FIELD_TRANSPORT;
    f->proto = (uint16_t)proto;
    return after;
}

const char *ip_field_parse(struct ip_field *f, const struct element *e,
                           const char *text, struct diag *d)
{
    char word[32];
    const char *s = skip_blanks(text), *after;

    *f = (struct ip_field){.base = FIELD_NONE};
    after = read_header(f, e, s);
    if (after)
        s = skip_blanks(after);
    after = read_name(s, word, sizeof word);
    if (*word && find_name(f, word))
        s = after;
    after = skip_blanks(s);
    if ((*after != '[' && *after != '{' && !f->length) || f->base == FIELD_NONE) {
        field_error(d, ERROR_SYNTAX);
        return NULL;
    }
    if (*after == '[' || *after == '{')
        s = read_place(f, after, d);
    for (const char *kind = "/&"; s && *kind; kind++)
        if (*skip_blanks(s) == *kind)
            s = read_mask(f, skip_blanks(s), d);
    return s;
}

/* --- as text -------------------------------------------------------------------------- */

static uint32_t field_proto(const struct ip_field *f)
{
    return f->base == FIELD_IP || f->proto ? f->proto : NAME_PROTO_TRANSP;
}

const char *ip_field_header(const struct ip_field *f)
{
    const char *name = f->base == FIELD_PAYLOAD
                           ? "payload"
                           : name_of(NAME_IP_PROTO, field_proto(f));

    return f->base == FIELD_IP || !name ? "" : name;
}

static const char *field_name(const struct ip_field *f, uint32_t offset,
                              uint32_t length)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        const struct known_field *k = &known_fields[i];
        bool port = k->proto == TCPUDP &&
                    (f->proto == IP_PROTO_TCP || f->proto == IP_PROTO_UDP);

        if (k->base == f->base && (k->proto == f->proto || port) &&
            k->offset == offset && k->length == length)
            return k->name;
    }
    return NULL;
}

/* Where the field is in its header, or in a field with a name. */
static void print_place(struct sbuf *out, uint32_t at, uint32_t length)
{
    bool bytes = at % 8 == 0 && length % 8 == 0;

    if (bytes && length == 8)
        sbuf_printf(out, "[%u]", at / 8);
    else if (bytes)
        sbuf_printf(out, "[%u:%u]", at / 8, length / 8);
    else if (length == 1)
        sbuf_printf(out, "{%u}", at);
    else
        sbuf_printf(out, "{%u:%u}", at, length);
}

void ip_field_print(const struct ip_field *f, struct sbuf *out)
{
    const char *name = ip_field_header(f);
    uint32_t at = f->offset, last = at + f->length - 1;

    if (f->base == FIELD_IP)
        sbuf_puts(out, "ip");
    else if (*name)
        sbuf_puts(out, name);
    else
        sbuf_printf(out, "ip proto %u", f->proto);
    name = field_name(f, at, f->length);
    if (name) {
        sbuf_printf(out, " %s", name);
        return;
    }
    for (uint32_t room = 8; !name && room <= 32; room *= 2) {
        if (f->offset / room != last / room)
            continue;
        name = field_name(f, f->offset & ~(room - 1), room);
        if (name)
            at &= room - 1;
    }
    if (name)
        sbuf_printf(out, " %s", name);
    if (name && !at)
        sbuf_printf(out, "/%u", f->length);
    else
        print_place(out, at, f->length);
}

const uint8_t *ip_field_base(const struct ip_field *f, const struct pkt *p, uint32_t *n)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t avail = pkt_avail(p, p->network), header, off;

    if (avail < sizeof *h || (header = ip4_hlen(h)) < 20)
        return NULL;
    *n = avail;
    if (f->base == FIELD_IP)
        return p->network;
    if (ip4_is_later_fragment(h) || avail <= header)
        return NULL;
    *n = avail - header;
    if (f->base == FIELD_TRANSPORT)
        return protos_agree(h->proto, f->proto) ? p->network + header : NULL;
    if (h->proto == IP_PROTO_TCP && *n >= sizeof(struct tcp_hdr))
        off = tcp_hlen((const struct tcp_hdr *)(const void *)(p->network + header));
    else if (h->proto == IP_PROTO_UDP)
        off = sizeof(struct udp_hdr);
    else
        return NULL;
    if (*n < off)
        return NULL;
    *n -= off;
    return p->network + header + off;
}

bool ip_field_get(const struct ip_field *f, const struct pkt *p, uint32_t *value)
{
    uint32_t n, first = f->offset / 8, last = (f->offset + f->length - 1) / 8;
    const uint8_t *base = ip_field_base(f, p, &n);
    uint64_t v = 0;

    if (!base || (last | 3) >= n)
        return false;
    for (uint32_t i = first; i <= last; i++)
        v = v << 8 | base[i];
    v >>= (last + 1) * 8 - (f->offset + f->length);
    *value = (uint32_t)(v & (((uint64_t)1 << f->length) - 1));
    return true;
}
