// SPDX-License-Identifier: BSD-3-Clause
/*
 * TCPReflector -- a TCP server that acknowledges everything, remembering nothing
 *
 * Usage:    TCPReflector
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: ignored  packets that want no answer, or are too short
 * Handlers: none
 * Example:  in -> CheckIPHeader -> IPClassifier(tcp) -> TCPReflector -> out;
 * See also: StatelessTCPResponder, IPMirror, ICMPPingResponder
 *
 * A SYN is answered with a SYN, data with an acknowledgement, FIN with FIN; other packets are
 * dropped. Packets begin with their IP header, and end where it ends. An answer is the packet
 * itself, turned round, data and all; its TTL is 250, its window 60 KiB. Sets the destination
 * annotation.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum { ANSWER_TTL = 250, ANSWER_WINDOW = 60 * 1024 };

enum { C_IGNORED };
static const struct counter_spec tcp_reflector_counters[] = {
    [C_IGNORED] = {"ignored", "packets that want no answer"},
    {NULL, NULL},
};

/* Turn numbers and flags round; `len` bytes begin with the header. False: no answer. */
static bool tcp_reflector_answer(struct element *e, struct tcp_hdr *t, uint32_t len)
{
    uint32_t seq = be32(t->seq), ack = t->ack;
    int64_t data = (int64_t)len - tcp_hlen(t);
    uint8_t flags = (uint8_t)(t->flags & ~TCP_PSH);

    if (flags == TCP_SYN) {
        t->flags = TCP_SYN | TCP_ACK;
        t->seq = element_random(e);
        t->ack = be32(seq + 1);
        return true;
    }
    if (flags & (TCP_SYN | TCP_RST) || (data <= 0 && !(flags & TCP_FIN)))
        return false;
    t->flags = flags & TCP_FIN ? TCP_ACK | TCP_FIN : TCP_ACK;
    t->seq = ack;
    t->ack = be32(seq + (uint32_t)data + (flags & TCP_FIN ? 1 : 0));
    return true;
}

static verdict_t tcp_reflector_one(struct element *e, struct pkt *p)
{
    const uint32_t hlen = p->len ? (*p->data & 15u) * 4 : 0;
    struct ip4_hdr *h;
    struct tcp_hdr *t;
    uint32_t len, src;
    uint16_t sport;

    if (hlen < sizeof *h || p->len < hlen + sizeof *t || pkt_writable(p) < 0)
        return drop(e, C_IGNORED);
    h = (struct ip4_hdr *)p->data;
    t = (struct tcp_hdr *)(p->data + hlen);
    len = p->len - hlen;
    if (!tcp_reflector_answer(e, t, len))
        return drop(e, C_IGNORED);
    src = h->src;
    h->src = h->dst;
    h->dst = src;
    h->ttl = ANSWER_TTL;
    h->len = be16((uint16_t)p->len);
    pkt_set_dst_ip(p, src);
    sport = t->sport;
    t->sport = t->dport;
    t->dport = sport;
    t->win = BE16(ANSWER_WINDOW);
    t->sum = 0;
    t->sum = csum_finish(csum_add(csum_pseudo4(h->src, h->dst, h->proto, len), t, len));
    h->sum = 0;
    h->sum = csum(h, hlen);
    return 0;
}
ELEMENT_LOOP(tcp_reflector)

ELEMENT(TCPReflector) = {
    .name = "TCPReflector",
    .ports = "1/1",
    .counters = tcp_reflector_counters,
    .push = tcp_reflector_push,
    .pull = tcp_reflector_pull,
};
