// SPDX-License-Identifier: BSD-3-Clause
/* ip64.c -- IPv4 packets as IPv6 packets, and the other way round: see ip64.h */

#include "engine/ip64.h"

#include "engine/checksum.h"

enum { ERROR_HEAD = 8, NONE = 255 };

/* --- headers -------------------------------------------------------------------------- */

struct ip6_addr ip64_mapped(uint32_t addr)
{
    struct ip6_addr a = {{[10] = 0xff, [11] = 0xff}};

    memcpy(a.b + 12, &addr, 4);
    return a;
}

bool ip64_embedded(const struct ip6_addr *a, uint32_t *addr)
{
    static const uint8_t prefixes[][12] = {
        {[10] = 0xff, [11] = 0xff},
        {[8] = 0xff, [9] = 0xff},
        {0, 0x64, 0xff, 0x9b},
    };

    memcpy(addr, a->b + 12, 4);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (!memcmp(a->b, prefixes[i], sizeof prefixes[i]))
            return true;
    return false;
}

void ip64_header6(const struct ip4_hdr *was, uint32_t n, struct ip6_hdr *h)
{
    *h = (struct ip6_hdr){
        .flow = be32(6u << 28 | (uint32_t)was->tos << 20),
        .len = be16((uint16_t)n),
        .next = was->proto == IP_PROTO_ICMP ? IP_PROTO_ICMP6 : was->proto,
        .hlim = was->ttl,
        .src = ip64_mapped(was->src),
        .dst = ip64_mapped(was->dst),
    };
}

bool ip64_header4(const struct ip6_hdr *was, uint32_t n, struct ip4_hdr *h)
{
    uint32_t src, dst;

    if (n > 0xffff - sizeof *h || !ip64_embedded(&was->src, &src) ||
        !ip64_embedded(&was->dst, &dst))
        return false;
    *h = (struct ip4_hdr){
        .vhl = 0x45,
        .tos = (uint8_t)(be32(was->flow) >> 20),
        .len = be16((uint16_t)(n + sizeof *h)),
        .off = BE16(IP_DF),
        .ttl = was->hlim,
        .proto = was->next == IP_PROTO_ICMP6 ? IP_PROTO_ICMP : was->next,
        .src = src,
        .dst = dst,
    };
    h->sum = csum_ip4(h);
    return true;
}

/* --- what is behind them -------------------------------------------------------------- */

/* The other type of an echo, 0xff for anything else. */
static uint8_t echo_type(uint8_t type)
{
    switch (type) {
    case ICMP_ECHO:
        return ICMP6_ECHO;
    case ICMP_ECHOREPLY:
        return ICMP6_ECHOREPLY;
    case ICMP6_ECHO:
        return ICMP_ECHO;
    case ICMP6_ECHOREPLY:
        return ICMP_ECHOREPLY;
    default:
        return NONE;
    }
}

/* From one pseudo header's sum to another, as csum_apply() wants it. */
static uint64_t pseudo_delta(uint64_t was, uint64_t is)
{
    return (uint64_t)(uint16_t)~csum_fold(was) + csum_fold(is);
}

bool ip64_transport6(const struct ip4_hdr *was, const struct ip6_hdr *h, uint8_t *at,
                     uint32_t n)
{
    uint64_t old_sum = csum_pseudo4(was->src, was->dst, was->proto, n);
    uint64_t new_sum = csum_pseudo6(&h->src, &h->dst, h->next, n);
    uint32_t place = was->proto == IP_PROTO_TCP   ? 16
                     : was->proto == IP_PROTO_UDP ? 6
                                                  : 2;

    if (was->proto != IP_PROTO_TCP && was->proto != IP_PROTO_UDP &&
        was->proto != IP_PROTO_ICMP)
        return true;
    if (n < place + 2)
        return false;
    if (was->proto == IP_PROTO_ICMP) {
        if (n < 8 || (at[0] != ICMP_ECHO && at[0] != ICMP_ECHOREPLY))
            return false;
        at[0] = echo_type(at[0]);
    } else if (was->proto == IP_PROTO_TCP || load16(at + place)) {
        store16(at + place,
                csum_apply(load16(at + place), pseudo_delta(old_sum, new_sum)));
        return true;
    }
    /* ICMP has a pseudo header now; UDP over IPv6 must have a checksum. */
    store16(at + place, 0);
    store16(at + place, csum_finish(csum_add(new_sum, at, n)));
    return true;
}

bool ip64_transport4(const struct ip6_hdr *was, const struct ip4_hdr *h, uint8_t *at,
                     uint32_t n)
{
    uint64_t old_sum = csum_pseudo6(&was->src, &was->dst, was->next, n);
    uint64_t new_sum = csum_pseudo4(h->src, h->dst, h->proto, n);
    uint32_t place = was->next == IP_PROTO_TCP ? 16 : 6;

    if (was->next == IP_PROTO_ICMP6) {
        if (n < 8 || (at[0] != ICMP6_ECHO && at[0] != ICMP6_ECHOREPLY))
            return false;
        at[0] = echo_type(at[0]);
        store16(at + 2, 0); /* no pseudo header any more */
        store16(at + 2, csum(at, n));
        return true;
    }
    if (was->next != IP_PROTO_TCP && was->next != IP_PROTO_UDP)
        return true;
    if (n < place + 2)
        return false;
    store16(at + place, csum_apply(load16(at + place), pseudo_delta(old_sum, new_sum)));
    return true;
}

/* --- errors --------------------------------------------------------------------------- */

/* The start of a quoted packet's transport, of which `n` bytes are there: `delta` is for its
 * checksum. `proto` is the one that it has now. */
static bool quoted_transport(uint8_t *at, uint32_t n, uint8_t proto, uint64_t delta)
{
    uint32_t place = proto == IP_PROTO_TCP ? 16 : proto == IP_PROTO_UDP ? 6 : 2;
    uint16_t first;

    if (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMP6) {
        if (n < 8 || echo_type(at[0]) == NONE)
            return false; /* nobody tells errors about errors */
        first = load16(at);
        at[0] = echo_type(at[0]);
        delta += csum_delta16(first, load16(at));
    } else if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP) {
        return true;
    }
    if (n >= place + 2 && (proto != IP_PROTO_UDP || load16(at + place)))
        store16(at + place, csum_apply(load16(at + place), delta));
    return true;
}

/* As many of the `n` bytes as there is room for behind `used`; returns how many. */
static uint32_t quote(uint8_t *out, uint32_t used, const uint8_t *from, uint32_t n)
{
    if (n > IP64_ERROR_MAX - used)
        n = IP64_ERROR_MAX - used;
    memcpy(out + used, from, n);
    return n;
}

/* Type and code of the counterpart; false when there is none. */
static bool error_type6(const uint8_t *msg, uint8_t *type, uint8_t *code)
{
    static const uint8_t unreach[16] = {
        [0] = 0, [1] = 0,  [3] = 4,  [5] = 0,  [6] = 0,  [7] = 0,     [8] = 0,
        [9] = 1, [10] = 1, [11] = 0, [12] = 0, [13] = 1, [14] = NONE, [15] = 1,
    };

    *type = *code = 0;
    switch (msg[0]) {
    case ICMP_UNREACH:
        *type = ICMP6_UNREACH;
        if (msg[1] > 15 || unreach[msg[1]] == NONE)
            return false;
        *code = unreach[msg[1]];
        if (msg[1] == ICMP_UNREACH_NEEDFRAG) {
            *type = ICMP6_TOOBIG;
            *code = 0;
        } else if (msg[1] == ICMP_UNREACH_PROTOCOL) {
            *type = ICMP6_PARAMPROB;
            *code = 1;
        }
        return true;
    case ICMP_TIMXCEED:
        *type = ICMP6_TIMXCEED;
        *code = msg[1];
        return msg[1] <= 1;
    case ICMP_PARAMPROB:
        *type = ICMP6_PARAMPROB;
        return msg[1] == 0 || msg[1] == 2;
    default:
        return false;
    }
}

static bool error_type4(const uint8_t *msg, uint8_t *type, uint8_t *code)
{
    static const uint8_t unreach[5] = {1, 10, 1, 1, 3};

    *type = *code = 0;
    switch (msg[0]) {
    case ICMP6_UNREACH:
        *type = ICMP_UNREACH;
        *code = msg[1] < sizeof unreach ? unreach[msg[1]] : 0;
        return msg[1] < sizeof unreach;
    case ICMP6_TOOBIG:
        *type = ICMP_UNREACH;
        *code = ICMP_UNREACH_NEEDFRAG;
        return true;
    case ICMP6_TIMXCEED:
        *type = ICMP_TIMXCEED;
        *code = msg[1];
        return msg[1] <= 1;
    case ICMP6_PARAMPROB:
        *type = msg[1] == 1 ? ICMP_UNREACH : ICMP_PARAMPROB;
        *code = msg[1] == 1 ? ICMP_UNREACH_PROTOCOL : 0;
        return msg[1] <= 1;
    default:
        return false;
    }
}

bool ip64_is_error4(const uint8_t *msg, uint32_t n)
{
    uint8_t type, code;

    return n >= ERROR_HEAD && error_type6(msg, &type, &code);
}

bool ip64_is_error6(const uint8_t *msg, uint32_t n)
{
    uint8_t type, code;

    return n >= ERROR_HEAD && error_type4(msg, &type, &code);
}

/* The largest packet that may pass, for IPv6: routers that do not say it are taken to have
 * the next smaller one of RFC 1191's. */
static uint32_t mtu6(uint32_t mtu, uint32_t len)
{
    static const uint16_t plateau[] = {32000, 17914, 8166, 4352, 2002,
                                       1492,  1006,  508,  296};

    for (size_t i = 0; !mtu && i < sizeof plateau / sizeof *plateau; i++)
        if (plateau[i] < len)
            mtu = plateau[i];
    mtu += (uint32_t)sizeof(struct ip6_hdr) - (uint32_t)sizeof(struct ip4_hdr);
    return mtu < 1280 ? 1280 : mtu;
}

/* The second word: MTU, or which byte is wrong. */
static bool error_word6(const uint8_t *msg, const struct ip4_hdr *quoted, uint8_t *out)
{
    static const uint8_t pointer[20] = {0,    1, 4,  4,    NONE, NONE, NONE,
                                        NONE, 7, 6,  NONE, NONE, 8,    8,
                                        8,    8, 24, 24,   24,   24};
    uint32_t word = 0;

    if (out[0] == ICMP6_TOOBIG) {
        word = mtu6(be16(load16(msg + 6)), be16(quoted->len));
    } else if (msg[0] == ICMP_PARAMPROB) {
        if (msg[4] >= sizeof pointer || pointer[msg[4]] == NONE)
            return false;
        word = pointer[msg[4]];
    } else if (out[0] == ICMP6_PARAMPROB) {
        word = offsetof(struct ip6_hdr, next);
    }
    store32(out + 4, be32(word));
    return true;
}

static bool error_word4(const uint8_t *msg, uint8_t *out)
{
    uint32_t word = be32(load32(msg + 4)), n = sizeof(struct ip6_hdr);
    static const uint8_t pointer[8] = {0, 1, NONE, NONE, 2, 2, 9, 8};

    memset(out + 4, 0, 4);
    if (msg[0] == ICMP6_TOOBIG) {
        word = word > 20 ? word - 20 : 0;
        store16(out + 6, be16((uint16_t)(word > 0xffff ? 0xffff : word)));
    } else if (out[0] == ICMP_PARAMPROB) {
        if (word >= n || (word < 8 && pointer[word] == NONE))
            return false;
        out[4] = word < 8 ? pointer[word] : word < 24 ? 12 : 16;
    }
    return true;
}

uint32_t ip64_error6(const uint8_t *msg, uint32_t n, uint8_t *out)
{
    enum { BODY = ERROR_HEAD + (int)sizeof(struct ip6_hdr) };
    struct ip4_hdr was;
    struct ip6_hdr h;
    uint32_t len;

    if (n < ERROR_HEAD + sizeof was || !error_type6(msg, &out[0], &out[1]))
        return 0;
    memcpy(&was, msg + ERROR_HEAD, sizeof was);
    if (was.vhl != 0x45 || ip4_is_fragment(&was) || be16(was.len) < sizeof was ||
        !error_word6(msg, &was, out))
        return 0;
    store16(out + 2, 0);
    len = be16(was.len) - (uint32_t)sizeof was;
    ip64_header6(&was, len, &h);
    memcpy(out + ERROR_HEAD, &h, sizeof h);
    n = quote(out, BODY, msg + ERROR_HEAD + sizeof was,
              n - ERROR_HEAD - (uint32_t)sizeof was);
    if (!quoted_transport(
            out + BODY, n, h.next,
            pseudo_delta(was.proto == IP_PROTO_ICMP
                             ? 0
                             : csum_pseudo4(was.src, was.dst, was.proto, len),
                         csum_pseudo6(&h.src, &h.dst, h.next, len))))
        return 0;
    return BODY + n;
}

uint32_t ip64_error4(const uint8_t *msg, uint32_t n, uint8_t *out)
{
    enum { BODY = ERROR_HEAD + (int)sizeof(struct ip4_hdr) };
    struct ip6_hdr was;
    struct ip4_hdr h;
    uint32_t len;

    if (n < ERROR_HEAD + sizeof was || !error_type4(msg, &out[0], &out[1]) ||
        !error_word4(msg, out))
        return 0;
    memcpy(&was, msg + ERROR_HEAD, sizeof was);
    len = be16(was.len);
    if (be32(was.flow) >> 28 != 6 || !ip64_header4(&was, len, &h))
        return 0;
    store16(out + 2, 0);
    memcpy(out + ERROR_HEAD, &h, sizeof h);
    n = quote(out, BODY, msg + ERROR_HEAD + sizeof was,
              n - ERROR_HEAD - (uint32_t)sizeof was);
    if (!quoted_transport(out + BODY, n, h.proto,
                          pseudo_delta(csum_pseudo6(&was.src, &was.dst, was.next, len),
                                       h.proto == IP_PROTO_ICMP
                                           ? 0
                                           : csum_pseudo4(h.src, h.dst, h.proto, len))))
        return 0;
    return BODY + n;
}
