// SPDX-License-Identifier: BSD-3-Clause
/*
 * net_headers.h -- what Ethernet, ARP, IP, TCP, UDP and ICMP headers look like
 *
 * The structs are laid over packet bytes. They are packed, so that they may stand at any
 * address, and their multi-byte fields are in network byte order: read them with be16()
 * and be32(), which work in both directions.
 *
 * Trust: a packet may be shorter than any of these, and its header pointers may point
 *        behind its data. Ask pkt_avail() before reading.
 */

#ifndef ENGINE_NET_HEADERS_H
#define ENGINE_NET_HEADERS_H

#include "engine/parse.h"
#include "engine/pkt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BE16(x) ((uint16_t)((((x)&0xff) << 8) | (((x) >> 8) & 0xff)))
#define BE32(x) __builtin_bswap32(x)
#else
#define BE16(x) ((uint16_t)(x))
#define BE32(x) ((uint32_t)(x))
#endif

static inline uint16_t be16(uint16_t x)
{
    return BE16(x);
}

static inline uint32_t be32(uint32_t x)
{
    return BE32(x);
}

/* Unaligned loads and stores in the machine's own order. */
static inline uint16_t load16(const void *at)
{
    uint16_t x;

    memcpy(&x, at, sizeof x);
    return x;
}

static inline uint32_t load32(const void *at)
{
    uint32_t x;

    memcpy(&x, at, sizeof x);
    return x;
}

static inline uint64_t load64(const void *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
    return v;
}

static inline void store64(void *at, uint64_t v)
{
    memcpy(at, &v, sizeof v);
}

static inline void store16(void *at, uint16_t x)
{
    memcpy(at, &x, sizeof x);
}

static inline void store32(void *at, uint32_t x)
{
    memcpy(at, &x, sizeof x);
}

#define NET_PACKED __attribute__((packed))

/* --- Ethernet and ARP ----------------------------------------------------------------- */

enum {
    ETHERTYPE_IP = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_TRAIL = 0x1000,
    ETHERTYPE_8021Q = 0x8100,
    ETHERTYPE_IP6 = 0x86DD,
    ETHERTYPE_MACCONTROL = 0x8808,
};

struct eth_hdr {
    struct ether_addr dst, src;
    uint16_t type;
} NET_PACKED;
_Static_assert(sizeof(struct eth_hdr) == 14, "IEEE 802.3");

struct eth_vlan_hdr {
    struct ether_addr dst, src;
    uint16_t tpid; /* ETHERTYPE_8021Q */
    uint16_t tci;  /* priority 3, drop eligible 1, VLAN 12 bits */
    uint16_t type;
} NET_PACKED;
_Static_assert(sizeof(struct eth_vlan_hdr) == 18, "IEEE 802.1Q");

enum {
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    ARP_REVREQUEST = 3,
    ARP_REVREPLY = 4,
    ARP_INVREQUEST = 8,
    ARP_INVREPLY = 9,
    ARP_HRD_ETHER = 1,
};

struct arp_hdr { /* for IPv4 over Ethernet, RFC 826 */
    uint16_t hrd, pro;
    uint8_t hln, pln;
    uint16_t op;
    struct ether_addr sha;
    uint32_t spa;
    struct ether_addr tha;
    uint32_t tpa;
} NET_PACKED;
_Static_assert(sizeof(struct arp_hdr) == 28, "RFC 826");

/* Write a frame of 42 bytes to `at`: `src_ip` is at `src`, for `dst_ip` at `dst`. */
static inline void arp_make_reply(uint8_t *at, struct ether_addr dst, uint32_t dst_ip,
                                  struct ether_addr src, uint32_t src_ip)
{
    struct eth_hdr *h = (struct eth_hdr *)(void *)at;

    *h = (struct eth_hdr){.dst = dst, .src = src, .type = BE16(ETHERTYPE_ARP)};
    *(struct arp_hdr *)(void *)(h + 1) = (struct arp_hdr){
        .hrd = BE16(ARP_HRD_ETHER),
        .pro = BE16(ETHERTYPE_IP),
        .hln = 6,
        .pln = 4,
        .op = BE16(ARP_REPLY),
        .sha = src,
        .spa = src_ip,
        .tha = dst,
        .tpa = dst_ip,
    };
}

static inline bool ether_equal(const struct ether_addr *a, const struct ether_addr *b)
{
    return load32(a->b) == load32(b->b) && load16(a->b + 4) == load16(b->b + 4);
}

static inline bool ether_is_group(const struct ether_addr *a)
{
    return a->b[0] & 1;
}

static inline bool ether_is_broadcast(const struct ether_addr *a)
{
    return load32(a->b) == 0xffffffffu && load16(a->b + 4) == 0xffff;
}

static inline bool ether_is_zero(const struct ether_addr *a)
{
    return (load32(a->b) | load16(a->b + 4)) == 0;
}

/* --- IP ------------------------------------------------------------------------------- */

enum {
    IP_PROTO_HOPOPTS = 0,
    IP_PROTO_ICMP = 1,
    IP_PROTO_IGMP = 2,
    IP_PROTO_IPIP = 4,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_DCCP = 33,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_GRE = 47,
    IP_PROTO_ESP = 50,
    IP_PROTO_AH = 51,
    IP_PROTO_ICMP6 = 58,
    IP_PROTO_DSTOPTS = 60,
    IP_PROTO_SCTP = 132,
    IP_PROTO_UDPLITE = 136,
};

/* Bits of ip4_hdr.off, host byte order. */
enum { IP_RF = 0x8000, IP_DF = 0x4000, IP_MF = 0x2000, IP_OFFMASK = 0x1FFF };

enum { IP_ECN_MASK = 3, IP_ECN_CE = 3 }; /* low bits of ip4_hdr.tos */

/* Options of the IPv4 header. */
enum {
    IPOPT_EOL = 0,
    IPOPT_NOP = 1,
    IPOPT_RR = 7,
    IPOPT_TS = 68,
    IPOPT_SECURITY = 130,
    IPOPT_LSRR = 131,
    IPOPT_SATID = 136,
    IPOPT_SSRR = 137,
    IPOPT_RA = 148,
};

struct ip4_hdr {
    uint8_t vhl; /* version 4 bits, header length in words 4 bits */
    uint8_t tos; /* DSCP 6 bits, ECN 2 bits */
    uint16_t len, id, off;
    uint8_t ttl, proto;
    uint16_t sum;
    uint32_t src, dst;
} NET_PACKED;
_Static_assert(sizeof(struct ip4_hdr) == 20, "RFC 791");

struct ip6_hdr {
    uint32_t flow; /* version 4, traffic class 8, flow label 20 bits */
    uint16_t len;
    uint8_t next, hlim;
    struct ip6_addr src, dst;
} NET_PACKED;
_Static_assert(sizeof(struct ip6_hdr) == 40, "RFC 8200");

static inline uint32_t ip4_hlen(const struct ip4_hdr *h)
{
    return (h->vhl & 15u) << 2;
}

/* Not the first fragment: there is no transport header in it. */
static inline bool ip4_is_later_fragment(const struct ip4_hdr *h)
{
    return (h->off & BE16(IP_OFFMASK)) != 0;
}

static inline bool ip4_is_fragment(const struct ip4_hdr *h)
{
    return (h->off & BE16(IP_MF | IP_OFFMASK)) != 0;
}

/* --- TCP, UDP, ICMP ------------------------------------------------------------------- */

enum {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
    TCP_ECE = 64,
    TCP_CWR = 128,
};

enum {
    TCPOPT_EOL = 0,
    TCPOPT_NOP = 1,
    TCPOPT_MSS = 2,
    TCPOPT_WSCALE = 3,
    TCPOPT_SACK_OK = 4,
    TCPOPT_SACK = 5,
    TCPOPT_TIMESTAMP = 8,
};

struct tcp_hdr {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t off; /* header length in words 4 bits, reserved 4 bits */
    uint8_t flags;
    uint16_t win, sum, urp;
} NET_PACKED;
_Static_assert(sizeof(struct tcp_hdr) == 20, "RFC 9293");

static inline uint32_t tcp_hlen(const struct tcp_hdr *h)
{
    return (h->off >> 4) * 4u;
}

struct udp_hdr {
    uint16_t sport, dport, len, sum;
} NET_PACKED;
_Static_assert(sizeof(struct udp_hdr) == 8, "RFC 768");

enum {
    ICMP_ECHOREPLY = 0,
    ICMP_UNREACH = 3,
    ICMP_SOURCEQUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP_ROUTERADVERT = 9,
    ICMP_ROUTERSOLICIT = 10,
    ICMP_TIMXCEED = 11,
    ICMP_PARAMPROB = 12,
    ICMP_TSTAMP = 13,
    ICMP_TSTAMPREPLY = 14,
    ICMP_IREQ = 15,
    ICMP_IREQREPLY = 16,
    ICMP_MASKREQ = 17,
    ICMP_MASKREQREPLY = 18,
};

enum {
    ICMP_UNREACH_NET = 0,
    ICMP_UNREACH_HOST = 1,
    ICMP_UNREACH_PROTOCOL = 2,
    ICMP_UNREACH_PORT = 3,
    ICMP_UNREACH_NEEDFRAG = 4,
};

struct icmp_hdr {
    uint8_t type, code;
    uint16_t sum;
    union {
        struct {
            uint16_t id, seq; /* echo, timestamp, information */
        } NET_PACKED;
        struct {
            uint16_t unused, mtu; /* unreachable, needs fragmentation */
        } NET_PACKED;
        uint8_t pointer;  /* parameter problem */
        uint32_t gateway; /* redirect */
        uint32_t word;
    } NET_PACKED;
} NET_PACKED;
_Static_assert(sizeof(struct icmp_hdr) == 8, "RFC 792");

/* --- headers of a packet -------------------------------------------------------------- */

/* Bytes of data from `at` (a header pointer of `p`, or NULL) to the end; 0 when there is no
 * header or it lies behind the data. */
static inline uint32_t pkt_avail(const struct pkt *p, const uint8_t *at)
{
    const uint8_t *end = p->data + p->len;

    return at && at < end ? (uint32_t)(end - at) : 0;
}

/* Whether these are `n` or more, in one comparison: no buffer is as large as that, and none
 * stands at an address as low. `n` is not 0. */
static inline bool pkt_has(const struct pkt *p, const uint8_t *at, uint32_t n)
{
    enum { FAR = 1 << 24 };

    return (uintptr_t)p->data + p->len - (uintptr_t)at - n < FAR;
}

static inline struct eth_hdr *pkt_eth(const struct pkt *p)
{
    return (struct eth_hdr *)(void *)p->mac;
}

static inline struct ip4_hdr *pkt_ip4(const struct pkt *p)
{
    return (struct ip4_hdr *)(void *)p->network;
}

static inline struct ip6_hdr *pkt_ip6(const struct pkt *p)
{
    return (struct ip6_hdr *)(void *)p->network;
}

static inline struct tcp_hdr *pkt_tcp(const struct pkt *p)
{
    return (struct tcp_hdr *)(void *)p->transport;
}

static inline struct udp_hdr *pkt_udp(const struct pkt *p)
{
    return (struct udp_hdr *)(void *)p->transport;
}

static inline struct icmp_hdr *pkt_icmp(const struct pkt *p)
{
    return (struct icmp_hdr *)(void *)p->transport;
}

/* Whether the packet has at least an IPv4 header of 20 bytes and all that its length field
 * promises of header. */
static inline bool pkt_has_ip4(const struct pkt *p)
{
    uint32_t n = pkt_avail(p, p->network);

    return n >= sizeof(struct ip4_hdr) && ip4_hlen(pkt_ip4(p)) >= 20 &&
           ip4_hlen(pkt_ip4(p)) <= n;
}

/* The IPv4 header, for changing it; NULL when there is none or memory ran out. */
static inline struct ip4_hdr *pkt_ip4_writable(struct pkt *p)
{
    return pkt_has_ip4(p) && pkt_writable(p) == 0 ? pkt_ip4(p) : NULL;
}

/* Say that an IP header of `hlen` bytes stands at `network`, as Click does. */
static inline void pkt_set_ip4(struct pkt *p, uint8_t *network, uint32_t hlen)
{
    p->network = network;
    p->transport = network + hlen;
}

/* Say that a link-level header of `hlen` bytes stands at `mac`; the network header follows
 * it, the transport header stays what it was, as in Click. */
static inline void pkt_set_mac(struct pkt *p, uint8_t *mac, uint32_t hlen)
{
    p->mac = mac;
    p->network = mac + hlen;
}

/* Put an Ethernet header in front, known as such, where that only takes writing it; false
 * (packet unchanged) where it takes a copy or another buffer. */
static inline __attribute__((always_inline)) bool
pkt_push_eth_ready(struct pkt *p, const struct eth_hdr *h)
{
    enum { LEN = sizeof *h, REST = sizeof *h - 8 };
    int64_t headroom = p->data - p->buf->head - LEN;
    uint8_t *at = p->data - LEN;

    if (pkt_shared(p))
        return false;
    if (__builtin_expect(headroom < p->buf->low, 0)) {
        if (headroom < 0)
            return false;
        p->buf->low = (uint32_t)headroom;
    }
    p->data = at;
    p->len += LEN;
    pkt_set_mac(p, at, LEN);
    store64(at, load64(h)); /* in two steps, which overlap */
    store64(at + REST, load64((const uint8_t *)h + REST));
    return true;
}

/* Put an uninitialised Ethernet header in front, known as such. NULL (packet unchanged)
 * when memory ran out. */
static inline struct eth_hdr *pkt_push_eth(struct pkt *p)
{
    uint8_t *at = pkt_push(p, sizeof(struct eth_hdr));

    if (at)
        pkt_set_mac(p, at, sizeof(struct eth_hdr));
    return (struct eth_hdr *)(void *)at;
}

#endif
