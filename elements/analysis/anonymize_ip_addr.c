// SPDX-License-Identifier: BSD-3-Clause
/*
 * AnonymizeIPAddr -- replace IP addresses, keeping which ones share a prefix
 *
 * Usage:    AnonymizeIPAddr([CLASS 0, PRESERVE_8, SEED true])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     CLASS       so many leading one bits are kept: 4 keeps apart classes A to D; 0
 *                       to 32, default 0; 99 means 32
 *           PRESERVE_8  first bytes of the networks /8 that stay what they are
 *           SEED        false: the same replacements in every run
 * Counters: drops  packets that are not IPv4
 * Handlers: none
 * Example:  FromDump(t.pcap, FORCE_IP true) -> AnonymizeIPAddr(CLASS 4) -> ToDump(u.pcap);
 * See also: EraseIPPayload, SetIPAddress
 *
 * Two addresses that share their first n bits are replaced by two that share their first n
 * bits (Xu, Fan, Ammar, Moon, "On the Design and Performance of Prefix-Preserving IP Traffic
 * Trace Anonymization", IMW 2001; here the flips come from a keyed hash of the prefix, so that
 * no table is needed). 0.0.0.0 and 255.255.255.255 stay. The header checksum is updated;
 * those of TCP and UDP are not. Addresses in the packets that ICMP errors carry are replaced,
 * too, and the ICMP checksum is updated. Other packets leave by output 1 if that is connected.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/llrpc.h"
#include "engine/words.h"

enum { CACHE = 256, ALL_CLASSES = 32 };

struct anon_pair {
    uint32_t from, to; /* host byte order; from 0: nothing */
};

struct anonymize_ip_addr {
    uint64_t key;
    struct text preserve_8;
    uint32_t keep[8]; /* a bit for each first byte that stays */
    int32_t keep_class;
    bool seed;
    struct anon_pair cache[CACHE];
};

static const struct arg_spec anonymize_ip_addr_args[] = {
    ARG_I32(anonymize_ip_addr, keep_class, "CLASS", 0, "0", "leading ones kept"),
    ARG_RAW(anonymize_ip_addr, preserve_8, "PRESERVE_8", 0, NULL, "first bytes kept"),
    ARG_BOOL(anonymize_ip_addr, seed, "SEED", 0, "true", "false: same in every run"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec anonymize_ip_addr_counters[] = {
    [C_DROPS] = {"drops", "packets that are not IPv4"},
    {NULL, NULL},
};

static int anonymize_ip_addr_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct anonymize_ip_addr *s = element_state(e);
    const char *text = s->preserve_8.len ? s->preserve_8.s : "";
    char word[WORD_ROOM];
    uint64_t byte;

    if (s->keep_class == 99)
        s->keep_class = ALL_CLASSES;
    if (s->keep_class < 0 || s->keep_class > ALL_CLASSES)
        return diag_err(d, "CLASS must be between 0 and 32");
    while (word_next(&text, word)) {
        if (!parse_u64(word, 0, &byte) || byte > 255)
            return diag_err(d, "PRESERVE_8 expects integer between 0 and 255");
        s->keep[byte / 32] |= 1u << byte % 32;
    }
    s->key = 0x5851f42d4c957f2du;
    if (s->seed)
        s->key ^= (uint64_t)element_random(e) << 32 | element_random(e);
    return 0;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Whether the path to a network that is kept runs through the first `n` bits of `a`. */
static bool must_keep(const struct anonymize_ip_addr *s, uint32_t a, unsigned n)
{
    uint32_t first = (n ? a >> 24 & (0xff00u >> n) : 0) & 0xff;

    for (uint32_t byte = first; n < 8 && byte < first + (256u >> n); byte++)
        if (s->keep[byte / 32] >> byte % 32 & 1)
            return true;
    return false;
}

static uint32_t anonymize_slow(const struct anonymize_ip_addr *s, uint32_t a)
{
    unsigned ones = ~a ? (unsigned)__builtin_clz(~a) : 32;
    uint32_t to = 0;

    for (unsigned n = 0; n < 32; n++) {
        uint32_t prefix = n ? a >> (32 - n) : 0;
        uint32_t flip = (uint32_t)(mix(mix(s->key + n) ^ prefix) >> 63);

        /* The bit behind a prefix of ones says which class it is. */
        if ((n <= ones && n < (unsigned)s->keep_class) || must_keep(s, a, n))
            flip = 0;
        to = to << 1 | ((a >> (31 - n) & 1) ^ flip);
    }
    return to;
}

static inline uint32_t anonymize(struct anonymize_ip_addr *s, uint32_t net)
{
    uint32_t a = be32(net);
    struct anon_pair *hit = &s->cache[(a * 2654435761u) >> 24];

    if (a == 0 || a == 0xffffffffu)
        return net;
    if (hit->from != a) {
        hit->from = a;
        hit->to = anonymize_slow(s, a);
    }
    return be32(hit->to);
}

/* The packet that an ICMP error speaks of names the same hosts. Its own header checksum stays
 * as it is. */
static void anonymize_icmp(struct anonymize_ip_addr *s, struct pkt *p)
{
    const struct ip4_hdr *outer = pkt_ip4(p);
    struct icmp_hdr *c = (void *)(p->network + ip4_hlen(outer));
    uint32_t n = pkt_left(p, (const uint8_t *)c), src, dst;
    struct ip4_hdr *h = (void *)(c + 1);

    if (ip4_is_later_fragment(outer) || n > p->len || n < sizeof *c + sizeof *h)
        return;
    if (c->type != ICMP_UNREACH && c->type != ICMP_TIMXCEED &&
        c->type != ICMP_PARAMPROB && c->type != ICMP_SOURCEQUENCH &&
        c->type != ICMP_REDIRECT)
        return;
    if (ip4_hlen(h) < sizeof *h || n < sizeof *c + ip4_hlen(h) + 8)
        return;
    src = anonymize(s, h->src);
    dst = anonymize(s, h->dst);
    c->sum = csum_apply(c->sum, csum_delta32(h->src, src) + csum_delta32(h->dst, dst));
    h->src = src;
    h->dst = dst;
}

static inline verdict_t anonymize_ip_addr_one(struct element *e, struct pkt *p)
{
    struct anonymize_ip_addr *s = element_state(e);
    struct ip4_hdr *h;
    uint32_t src, dst;

    if (!pkt_has_ip4(p) || p->network[0] >> 4 != 4)
        return spill(e, 1, C_DROPS);
    if (pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    h = pkt_ip4(p);
    src = anonymize(s, h->src);
    dst = anonymize(s, h->dst);
    h->sum = csum_apply(h->sum, csum_delta32(h->src, src) + csum_delta32(h->dst, dst));
    h->src = src;
    h->dst = dst;
    if (h->proto == IP_PROTO_ICMP)
        anonymize_icmp(s, p);
    return 0;
}
ELEMENT_LOOP(anonymize_ip_addr)

static const char *anonymize_ip_addr_llrpc(struct element *e, uint32_t call, void *data)
{
    uint32_t *address = data;

    if (call != LLRPC_MAP_IPADDRESS)
        return LLRPC_EINVAL;
    *address = anonymize(element_state(e), *address);
    return NULL;
}

static void anonymize_ip_addr_take_state(struct element *e, struct element *old)
{
    struct anonymize_ip_addr *s = element_state(e);
    const struct anonymize_ip_addr *from = element_state(old);

    s->key = from->key;
}

ELEMENT(AnonymizeIPAddr) = {
    .name = "AnonymizeIPAddr",
    .state_size = sizeof(struct anonymize_ip_addr),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = anonymize_ip_addr_args,
    .counters = anonymize_ip_addr_counters,
    .configure = anonymize_ip_addr_configure,
    .take_state = anonymize_ip_addr_take_state,
    .push = anonymize_ip_addr_push,
    .pull = anonymize_ip_addr_pull,
    .llrpc = anonymize_ip_addr_llrpc,
};
