// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_check.h -- is this an IPv4 header that a router may believe?
 *
 * The checks of RFC 1812, 5.2.2, shared by CheckIPHeader, CheckIPHeader2 and IPInputCombo:
 * length, version, header length, total length, checksum, source address.
 */

#ifndef ENGINE_IP_CHECK_H
#define ENGINE_IP_CHECK_H

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/words.h"

#include <smmintrin.h>

enum ip_check_reason {
    IP_CHECK_TINY,
    IP_CHECK_VERSION,
    IP_CHECK_HLEN,
    IP_CHECK_LEN,
    IP_CHECK_SUM,
    IP_CHECK_SRC,
    IP_CHECK_REASONS,
    IP_CHECK_OK = -1,
};

/* "tiny packet", ... */
extern const char *const ip_check_texts[IP_CHECK_REASONS];

struct ip_check {
    uint32_t offset; /* of the header in the data */
    bool checksum;   /* look at it */
    /* Where packets may not come from, except on their way to a good destination. */
    struct ip_list bad_src, good_dst;
};

/* State of CheckIPHeader and CheckIPHeader2, which differ in a default. */
struct ip_check_element {
    struct ip_check check;
    bool verbose, details;
    uint64_t reasons[IP_CHECK_REASONS];
};

enum { IP_CHECK_DROPS }; /* their counter */
extern const struct counter_spec ip_check_counters[];
/* The handler drop_details, with DETAILS. */
const struct handler_spec *ip_check_more(struct element *e, const char *name, size_t i);
int ip_check_configure(struct element *e, struct conf *c, struct diag *d);
void ip_check_take_state(struct element *e, struct element *old);

/* Whether something will be said about a bad packet. */
bool ip_check_says(const struct element *e);
/* Count and, the first time, tell about a bad packet; its verdict. */
verdict_t ip_check_bad(struct element *e, int reason);

#define IP_CHECK_ARGS(checksum_default)                                                \
    {.name = "INTERFACES",                                                             \
     .kind = ARG_KIND_CUSTOM,                                                          \
     .offset = offsetof(struct ip_check_element, check),                               \
     .help = "the router's own ADDR/MASKs",                                            \
     .parse = ip_check_parse_interfaces},                                              \
        {.name = "BADSRC",                                                             \
         .kind = ARG_KIND_CUSTOM,                                                      \
         .offset = offsetof(struct ip_check_element, check.bad_src),                   \
         .help = "addresses that no packet may come from",                             \
         .parse = ip_list_parse},                                                      \
        {.name = "GOODDST",                                                            \
         .kind = ARG_KIND_CUSTOM,                                                      \
         .offset = offsetof(struct ip_check_element, check.good_dst),                  \
         .help = "destinations that make up for a bad source",                         \
         .parse = ip_list_parse},                                                      \
        ARG_U32(ip_check_element, check.offset, "OFFSET", 0, "0",                      \
                "bytes before the IP header"),                                         \
        ARG_BOOL(ip_check_element, verbose, "VERBOSE", 0, "false",                     \
                 "complain about every bad packet"),                                   \
        ARG_BOOL(ip_check_element, details, "DETAILS", 0, "false",                     \
                 "count drops by reason"),                                             \
        ARG_BOOL(ip_check_element, check.checksum, "CHECKSUM", 0, checksum_default,    \
                 "look at the header checksum"),                                       \
        ARG_END

/* For arg_spec.parse of INTERFACES, with the whole struct ip_check as member: "ADDR/MASK"
 * words; each adds the network's broadcast address to the bad sources and the address to
 * the good destinations. 0.0.0.0 and 255.255.255.255 become bad sources too. */
int ip_check_parse_interfaces(struct element *e, const char *text, void *member,
                              struct diag *d);

/* The old form of BADSRC, by position: the list, 0.0.0.0 and 255.255.255.255. */
int ip_check_parse_old_badsrc(struct element *e, const char *text, struct ip_check *c,
                              struct diag *d);

/* Any packet, one reason after the other; like ip_check_packet(). */
int ip_check_thorough(const struct ip_check *c, struct pkt *p);

/* Bad sources in a register, where they fit into one. */
struct ip_check_four {
    __m128i addr, any; /* any: all bits set, or none where there are no addresses */
};

static inline bool ip_check_four_get(const struct ip_check *c,
                                     struct ip_check_four *four)
{
    if (c->bad_src.n > 4)
        return false;
    four->any = _mm_set1_epi32(c->bad_src.n ? -1 : 0);
    four->addr = c->bad_src.n ? _mm_load_si128((const __m128i *)(void *)c->bad_src.addr)
                              : four->any;
    return true;
}

static inline bool ip_check_bad_source(const struct ip_check *c,
                                       const struct ip_check_four *four, uint32_t src)
{
    if (!four)
        return ip_list_has(&c->bad_src, src);
    return !_mm_testz_si128(_mm_cmpeq_epi32(_mm_set1_epi32((int)src), four->addr),
                            four->any);
}

/* Whether the packet is good and like nearly all of them: a header of 20 bytes. `four` may be
 * NULL. */
static inline __attribute__((always_inline)) bool
ip_check_plain(const struct ip_check *c, const struct ip_check_four *four,
               struct pkt *p)
{
    struct ip4_hdr *h = (struct ip4_hdr *)(void *)(p->data + c->offset);
    int64_t left = (int64_t)p->len - c->offset;
    uint32_t first, len;

    if (__builtin_expect(left < (int64_t)sizeof *h, 0))
        return false;
    first = load32(h);
    len = be32(first) & 0xffff;
    if (__builtin_expect((uint8_t)first != 0x45, 0) ||
        __builtin_expect(len > left, 0) || __builtin_expect(len < sizeof *h, 0) ||
        __builtin_expect(!csum_ip4_20_good(h), 0))
        return false;
    if (__builtin_expect(ip_check_bad_source(c, four, h->src), 0))
        return false;
    pkt_set_ip4(p, (uint8_t *)h, sizeof *h);
    p->len = c->offset + len;
    pkt_set_dst_ip(p, h->dst);
    return true;
}

/* Check the packet. IP_CHECK_OK: its header pointers and destination annotation are set and
 * what is behind the end of the IP packet is cut off. */
static inline __attribute__((always_inline)) int
ip_check_packet(const struct ip_check *c, struct pkt *p)
{
    return __builtin_expect(ip_check_plain(c, NULL, p), 1) ? IP_CHECK_OK
                                                           : ip_check_thorough(c, p);
}

#endif
