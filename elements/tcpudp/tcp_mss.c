// SPDX-License-Identifier: BSD-3-Clause
/*
 * TCPMSS -- lower the maximum segment size that TCP connections agree on
 *
 * Usage:    TCPMSS(MSS 0 [, MTU 0])
 * Ports:    1 in, 1 out; push or pull
 * Args:     MSS  largest segment in bytes; 0: see MTU
 *           MTU  longest IP packet: the segment size is what headers without options leave
 *                of it, 40 bytes less with IPv4 and 60 bytes less with IPv6
 * Counters: clamped  packets that were changed
 * Handlers: mss  (rw) as MSS
 *           mtu  (rw) as MTU
 * Example:  ... -> CheckIPHeader(14) -> TCPMSS(MTU 1400) -> IPEncap(4, ...) -> ...
 * See also: TCPFragmenter, IPFragmenter
 *
 * For links whose MTU is smaller than what the ends believe, such as tunnels. Packets with
 * SYN that carry the option and promise more are changed, with their checksum; the option is
 * not added where it is missing, since such a peer sends 536 bytes at most (RFC 9293). All
 * other packets pass unchanged. Wants the IP header to be marked.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct tcp_mss {
    uint16_t mss, mtu;
};

static const struct arg_spec tcp_mss_args[] = {
    ARG_U16(tcp_mss, mss, "MSS", ARG_POS, "0", "largest segment"),
    ARG_U16(tcp_mss, mtu, "MTU", 0, "0", "longest IP packet"),
    ARG_END,
};

enum { C_CLAMPED };
static const struct counter_spec tcp_mss_counters[] = {
    [C_CLAMPED] = {"clamped", "packets that were changed"},
    {NULL, NULL},
};

static int tcp_mss_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct tcp_mss *s = element_state(e);

    if (!s->mss && !s->mtu)
        return diag_err(d, "at least one of MSS and MTU must be set");
    if (s->mtu && s->mtu <= sizeof(struct ip6_hdr) + sizeof(struct tcp_hdr))
        return diag_err(d, "MTU must be greater than 60");
    return 0;
}

/* Bytes of the IP header in front of TCP; 0: there is no TCP header. */
static uint32_t tcp_mss_ip_len(const struct pkt *p)
{
    uint32_t n = pkt_avail(p, p->network);

    if (!n || pkt_avail(p, p->transport) < sizeof(struct tcp_hdr))
        return 0;
    if (*p->network >> 4 == 6)
        return n >= sizeof(struct ip6_hdr) && pkt_ip6(p)->next == IP_PROTO_TCP
                   ? sizeof(struct ip6_hdr)
                   : 0;
    return pkt_has_ip4(p) && pkt_ip4(p)->proto == IP_PROTO_TCP &&
                   !ip4_is_later_fragment(pkt_ip4(p))
               ? sizeof(struct ip4_hdr)
               : 0;
}

static uint32_t tcp_mss_most(const struct tcp_mss *s, uint32_t ip_len)
{
    uint32_t by_mtu = s->mtu ? s->mtu - ip_len - sizeof(struct tcp_hdr) : 0xffff;

    return s->mss && s->mss < by_mtu ? s->mss : by_mtu;
}

/* Offset of the option's value from the TCP header; 0: there is none. */
static uint32_t tcp_mss_find(const struct pkt *p)
{
    const uint8_t *t = p->transport;
    uint32_t avail = pkt_avail(p, t), end = tcp_hlen(pkt_tcp(p));

    end = end < avail ? end : avail;
    for (uint32_t at = sizeof(struct tcp_hdr); at < end && t[at] != TCPOPT_EOL;) {
        if (t[at] == TCPOPT_NOP) {
            at++;
            continue;
        }
        if (end - at < 2 || t[at + 1] < 2 || t[at + 1] > end - at)
            return 0;
        if (t[at] == TCPOPT_MSS)
            return t[at + 1] == 4 ? at + 2 : 0;
        at += t[at + 1];
    }
    return 0;
}

/* Where the value lies across two words of the sum, its bytes count swapped. */
static uint16_t tcp_mss_sum(uint16_t sum, uint32_t at, uint16_t was, uint16_t is)
{
    if (at % 2) {
        was = (uint16_t)(was << 8 | was >> 8);
        is = (uint16_t)(is << 8 | is >> 8);
    }
    return csum_replace16(sum, was, is);
}

static inline verdict_t tcp_mss_one(struct element *e, struct pkt *p)
{
    uint32_t ip_len = tcp_mss_ip_len(p), most, at;
    uint16_t was, is;
    struct tcp_hdr *t;

    if (!ip_len || !(pkt_tcp(p)->flags & TCP_SYN))
        return 0;
    at = tcp_mss_find(p);
    most = tcp_mss_most(element_state(e), ip_len);
    if (!at || be16(load16(p->transport + at)) <= most || pkt_writable(p) < 0)
        return 0;
    t = pkt_tcp(p);
    was = load16(p->transport + at);
    is = be16((uint16_t)most);
    store16(p->transport + at, is);
    t->sum = tcp_mss_sum(t->sum, at, was, is);
    element_count(e, C_CLAMPED, 1);
    return 0;
}
ELEMENT_LOOP(tcp_mss)

#define RW (HANDLER_READ | HANDLER_WRITE)

static int tcp_mss_write(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    struct tcp_mss *s = element_state(e), was = *s;
    uint64_t n;

    if (!parse_u64(value, 0, &n) || n > 65535)
        return diag_err(d, "expected uint16_t");
    *(h->offset == offsetof(struct tcp_mss, mss) ? &s->mss : &s->mtu) = (uint16_t)n;
    if (tcp_mss_configure(e, NULL, d) == 0)
        return 0;
    *s = was;
    return -1;
}

#define NUMBER(name_, member_, help_)                                                  \
    {                                                                                  \
        .name = name_, .help = help_, .flags = RW, .kind = ARG_KIND_U16,               \
        .offset = offsetof(struct tcp_mss, member_), .write = tcp_mss_write            \
    }
static const struct handler_spec tcp_mss_handlers[] = {
    NUMBER("mss", mss, "largest segment"),
    NUMBER("mtu", mtu, "longest IP packet"),
    HANDLER_END,
};

ELEMENT(TCPMSS) = {
    .name = "TCPMSS",
    .state_size = sizeof(struct tcp_mss),
    .ports = "1/1",
    .args = tcp_mss_args,
    .live = true,
    .counters = tcp_mss_counters,
    .handlers = tcp_mss_handlers,
    .configure = tcp_mss_configure,
    .push = tcp_mss_push,
    .pull = tcp_mss_pull,
};
