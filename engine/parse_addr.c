// SPDX-License-Identifier: BSD-3-Clause
/* parse_addr.c -- Ethernet, IPv4 and IPv6 addresses, ports and protocols: see parse.h */

#include "engine/parse.h"

#include "engine/nameinfo.h"
#include "engine/parse_chars.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_LEN = 128 }; /* longer names were never given a meaning */

/* Whether `n` characters of `s` are those of `lower`, be they upper or lower case. */
static bool same_word(const char *lower, const char *s, size_t n)
{
    for (; n; n--, lower++, s++)
        if (*lower != (*s >= 'A' && *s <= 'Z' ? *s + 32 : *s))
            return false;
    return true;
}

/* A name may say what it is wanted as: "router:eth", "router:ip". Copies the name itself
 * to `buf`; false if `s` asks for something that is not in `suffixes` ("ip ip4"). */
static bool strip_suffix(const char *s, const char *suffixes, char *buf)
{
    const char *colon = strrchr(s, ':');
    size_t len = colon ? (size_t)(colon - s) : strlen(s);

    if (!len || len >= NAME_MAX_LEN)
        return false;
    memcpy(buf, s, len);
    buf[len] = 0;
    if (!colon)
        return true;
    colon++;
    for (const char *w = suffixes; *w;) {
        size_t n = strcspn(w, " ");

        if (strlen(colon) == n && same_word(w, colon, n))
            return true;
        w += n + (w[n] == ' ');
    }
    return false;
}

static bool named(const struct element *context, unsigned kind, const char *s,
                  const char *suffixes, void *value, size_t size)
{
    char name[NAME_MAX_LEN];

    return context && strip_suffix(s, suffixes, name) &&
           (name_query(context, kind, name, value, size) ||
            name_query_host(context, kind, name, value, size));
}

/* Dotted octets up to `end`: how many there are (1-4), 0 if it is something else. Those
 * left out are 0. */
static int octets(const char *s, const char *end, uint8_t out[4])
{
    int n = 0;

    memset(out, 0, 4);
    while (n < 4) {
        unsigned v = 0;
        const char *first = s;

        for (; s < end && char_is_digit(*s) && v <= 255; s++)
            v = 10 * v + (unsigned)(*s - '0');
        if (s == first || v > 255)
            return 0;
        out[n++] = (uint8_t)v;
        if (s == end)
            return n;
        if (*s++ != '.')
            return 0;
    }
    return 0;
}

static bool prefix_named(const struct element *context, const char *s,
                         struct ip_prefix *out)
{
    return named(context, NAME_IP_PREFIX, s, "net ipnet ip4net", out, sizeof *out);
}

/* "name:gw": what has been given that very name, else the first address of the network
 * that the name stands for, or for an interface the gateway of its default route. */
static bool gateway_named(const struct element *context, const char *s, uint32_t *addr)
{
    char name[NAME_MAX_LEN];
    struct ip_prefix p;

    if (!strip_suffix(s, "gw", name))
        return false;
    if (name_query(context, NAME_IP, s, addr, sizeof *addr))
        return true;
    if (!name_query(context, NAME_IP_PREFIX, name, &p, sizeof p)) {
        if (name_query_host(context, NAME_IP_GATEWAY, name, addr, sizeof *addr))
            return true;
        if (!name_query_host(context, NAME_IP_PREFIX, name, &p, sizeof p))
            return false;
    }
    *addr = (p.addr & p.mask) | __builtin_bswap32(1);
    return true;
}

/* "name:bcast", the broadcast address of a network, and "name:gw". */
static bool ip_of_prefix(const struct element *context, const char *s, uint32_t *addr)
{
    char name[NAME_MAX_LEN];
    struct ip_prefix p;

    if (!context || !strchr(s, ':'))
        return false;
    if (!strip_suffix(s, "bcast", name))
        return gateway_named(context, s, addr);
    if (!prefix_named(context, name, &p))
        return false;
    *addr = p.addr | ~p.mask;
    return true;
}

bool parse_ip(const struct element *context, const char *s, uint32_t *addr)
{
    uint8_t o[4];

    if (octets(s, s + strlen(s), o) == 4) {
        memcpy(addr, o, 4);
        return true;
    }
    return named(context, NAME_IP, s, "ip ip4", addr, sizeof *addr) ||
           ip_of_prefix(context, s, addr);
}

static uint32_t mask_of(unsigned bits)
{
    uint32_t m = bits ? UINT32_MAX << (32 - bits) : 0;

    return __builtin_bswap32(m);
}

/* Bits of a prefix in decimal digits, at most `max`; or false. */
static bool prefix_length(const char *s, unsigned max, unsigned *len)
{
    uint64_t v;

    if (parse_integer(s, 10, true, 32, &v) != PARSE_OK || v > max)
        return false;
    *len = (unsigned)v;
    return true;
}

/* "10.0.0.0/8", "10/8", "10.0.0.0/255.0.0.0", "name/8". A mask must not be longer than the
 * part of the address that was written. */
static bool prefix_with_slash(const struct element *context, const char *s,
                              struct ip_prefix *out)
{
    const char *slash = strrchr(s, '/');
    char name[NAME_MAX_LEN];
    uint8_t o[4];
    unsigned bits;
    int n;

    if (!slash || slash == s || !slash[1] || slash - s >= NAME_MAX_LEN)
        return false;
    n = octets(s, slash, o);
    memcpy(name, s, (size_t)(slash - s));
    name[slash - s] = 0;
    if (n)
        memcpy(&out->addr, o, 4);
    else if (parse_ip(context, name, &out->addr))
        n = 4;
    else
        return false;
    if (prefix_length(slash + 1, 32, &bits))
        out->mask = mask_of(bits);
    else if (!parse_ip(context, slash + 1, &out->mask))
        return false;
    return (out->mask & ~mask_of((unsigned)n * 8)) == 0;
}

bool parse_ip_prefix(const struct element *context, const char *s, bool allow_bare,
                     struct ip_prefix *out)
{
    struct ip_prefix p = {.mask = UINT32_MAX};

    if (!prefix_with_slash(context, s, &p)) {
        p.mask = UINT32_MAX;
        if (!(allow_bare && parse_ip(context, s, &p.addr)) &&
            !prefix_named(context, s, &p))
            return false;
    }
    *out = p;
    return true;
}

/* One hexadecimal group at *s, at most four digits. */
static bool hex_group(const char **s, uint16_t *out)
{
    const char *p = *s;
    unsigned v = 0;

    for (; char_digit(*p) < 16 && p - *s < 5; p++)
        v = v << 4 | (unsigned)char_digit(*p);
    if (p == *s || p - *s > 4)
        return false;
    *s = p;
    *out = (uint16_t)v;
    return true;
}

/* Groups of an IPv6 address; `*gap` is where "::" stood, -1 if nowhere. Returns how many
 * there are, -1 if it is something else. */
static int ip6_groups(const struct element *context, const char *s, uint16_t part[8],
                      int *gap)
{
    const char *first = s, *group;
    int n = 0;

    *gap = -1;
    if (s[0] == ':' && s[1] != ':')
        return -1;
    while (*s) {
        uint32_t ip4;

        if (s[0] == ':' && s[1] == ':' && *gap < 0) {
            *gap = n;
            s += 2;
            continue;
        }
        if (n && n != *gap && *s == ':' && s[1])
            s++;
        group = s;
        if (n < 8 && hex_group(&s, &part[n]) && (!*s || *s == ':')) {
            n++;
            continue;
        }
        /* an IPv4 address may stand for the last two groups */
        if (group == first || n > 6 || (*gap < 0 && n != 6) ||
            !parse_ip(context, group, &ip4))
            return -1;
        ip4 = __builtin_bswap32(ip4);
        part[n++] = (uint16_t)(ip4 >> 16);
        part[n++] = (uint16_t)ip4;
        return n;
    }
    return n;
}

static bool ip6_numeric(const struct element *context, const char *s,
                        struct ip6_addr *out)
{
    uint16_t part[8], all[8] = {0};
    int gap, n = ip6_groups(context, s, part, &gap);

    if (n < 0 || (gap < 0 ? n != 8 : n == 8))
        return false;
    for (int i = 0; i < n; i++)
        all[gap < 0 || i < gap ? i : i + 8 - n] = part[i];
    for (int i = 0; i < 8; i++) {
        out->b[2 * i] = (uint8_t)(all[i] >> 8);
        out->b[2 * i + 1] = (uint8_t)all[i];
    }
    return true;
}

bool parse_ip6(const struct element *context, const char *s, struct ip6_addr *out)
{
    struct ip6_addr a;

    if (!ip6_numeric(context, s, &a) &&
        !named(context, NAME_IP6, s, "ip6", &a, sizeof a))
        return false;
    *out = a;
    return true;
}

/* Bits of a mask that is a prefix; -1 if it is none. */
static int ip6_mask_bits(const struct ip6_addr *mask)
{
    int bits = 0;

    while (bits < 128 && mask->b[bits / 8] >> (7 - bits % 8) & 1)
        bits++;
    for (int i = bits; i < 128; i++)
        if (mask->b[i / 8] >> (7 - i % 8) & 1)
            return -1;
    return bits;
}

bool parse_ip6_prefix(const struct element *context, const char *s,
                      struct ip6_addr *out, unsigned *prefix_len)
{
    const char *slash = strrchr(s, '/');
    struct name_ip6_prefix p;
    struct ip6_addr mask, addr;
    char name[NAME_MAX_LEN];
    unsigned bits;

    if (slash && slash != s && slash[1] && slash - s < NAME_MAX_LEN) {
        memcpy(name, s, (size_t)(slash - s));
        name[slash - s] = 0;
        if (parse_ip6(context, name, &addr)) {
            if (!prefix_length(slash + 1, 128, &bits)) {
                int n = parse_ip6(context, slash + 1, &mask) ? ip6_mask_bits(&mask)
                                                             : -1;

                if (n < 0)
                    return false;
                bits = (unsigned)n;
            }
            *out = addr;
            *prefix_len = bits;
            return true;
        }
    }
    if (!named(context, NAME_IP6_PREFIX, s, "ip6net", &p, sizeof p))
        return false;
    memcpy(out->b, p.addr, sizeof out->b);
    *prefix_len = p.bits;
    return true;
}

static bool ether_numeric(const char *s, struct ether_addr *out)
{
    char separator = 0; /* the first of them; the others must be like it */

    for (int i = 0; i < 6; i++) {
        int hi = char_digit(s[0]), lo;

        if (hi >= 16)
            return false;
        s++;
        lo = char_digit(*s);
        out->b[i] = (uint8_t)(lo < 16 ? hi << 4 | lo : hi);
        s += lo < 16;
        if (i == 0)
            separator = *s;
        if (i < 5 && (*s != separator || (*s != ':' && *s != '-')))
            return false;
        s += i < 5;
    }
    return !*s;
}

bool parse_ether(const struct element *context, const char *s, struct ether_addr *out)
{
    struct ether_addr a;

    if (!ether_numeric(s, &a) &&
        !named(context, NAME_ETHER, s, "eth ether ethernet", &a, sizeof a))
        return false;
    *out = a;
    return true;
}

bool parse_ether_offset(const char *s, uint32_t *offset)
{
    uint64_t n = 0;

    if (strlen(s) == 3 && same_word("src", s, 3))
        n = 6;
    else if (!(strlen(s) == 3 && same_word("dst", s, 3)) &&
             (!parse_u64(s, 0, &n) || n > UINT32_MAX - 6))
        return false;
    *offset = (uint32_t)n;
    return true;
}

bool parse_port(const struct element *context, const char *s, int protocol,
                uint16_t *port)
{
    uint32_t v;

    if (!name_query_int(context, NAME_PORT + (unsigned)protocol, s, &v) || v > 65535)
        return false;
    *port = (uint16_t)v;
    return true;
}

bool parse_ip_protocol(const struct element *context, const char *s, int32_t *protocol)
{
    uint32_t value;
    int64_t number;

    if (name_query(context, NAME_IP_PROTO, s, &value, sizeof value))
        number = value;
    else if (!parse_i64(s, 0, &number))
        return false;
    if (number < INT32_MIN || number > INT32_MAX)
        return false;
    *protocol = (int32_t)number;
    return true;
}

const char *unparse_ip(uint32_t addr, char *buf)
{
    uint8_t o[4];

    memcpy(o, &addr, 4);
    snprintf(buf, 64, "%u.%u.%u.%u", o[0], o[1], o[2], o[3]);
    return buf;
}

const char *unparse_ip_prefix(struct ip_prefix p, char *buf)
{
    uint32_t m = __builtin_bswap32(p.mask);
    int bits = m ? __builtin_popcount(m) : 0;
    size_t n;

    unparse_ip(p.addr, buf);
    n = strlen(buf);
    buf[n++] = '/';
    if (mask_of((unsigned)bits) == p.mask)
        snprintf(buf + n, 64 - n, "%d", bits);
    else
        unparse_ip(p.mask, buf + n);
    return buf;
}

/* The longest run of zero groups, of two or more; the first of equals. */
static int zero_run(const uint16_t g[8], int *len)
{
    int best = -1;

    *len = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;

        while (i + n < 8 && !g[i + n])
            n++;
        if (n > *len) {
            best = i;
            *len = n;
        }
    }
    return best;
}

const char *unparse_ip6(const struct ip6_addr *a, char *buf)
{
    static const uint8_t ip4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint16_t g[8];
    int len, gap;
    size_t n = 0;

    if (memcmp(a->b, ip4_mapped, sizeof ip4_mapped) == 0) {
        snprintf(buf, 64, "::ffff:%u.%u.%u.%u", a->b[12], a->b[13], a->b[14], a->b[15]);
        return buf;
    }
    for (int i = 0; i < 8; i++)
        g[i] = (uint16_t)(a->b[2 * i] << 8 | a->b[2 * i + 1]);
    gap = zero_run(g, &len);
    for (int i = 0; i < 8; i++) {
        if (i == gap) {
            n += (size_t)snprintf(buf + n, 64 - n, "::");
            i += len - 1;
            continue;
        }
        n += (size_t)snprintf(buf + n, 64 - n, "%s%x",
                              i && buf[n - 1] != ':' ? ":" : "", g[i]);
    }
    return buf;
}

const char *unparse_ether(const struct ether_addr *a, char *buf)
{
    snprintf(buf, 64, "%02X-%02X-%02X-%02X-%02X-%02X", a->b[0], a->b[1], a->b[2],
             a->b[3], a->b[4], a->b[5]);
    return buf;
}
