// SPDX-License-Identifier: BSD-3-Clause
/*
 * StatelessTCPResponder -- answer TCP connections with fixed data, remembering nothing
 *
 * Usage:    StatelessTCPResponder([DATA])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     DATA  what every connection gets, at most 65533 bytes
 * Counters: resets  packets with RST
 *           evil    packets that belong to no connection this can have made
 * Example:  in -> CheckIPHeader -> IPClassifier(dst tcp port 80) -> StatelessTCPResponder(
 *           "HTTP/1.0 200 OK\r\n\r\nhello\n") -> out;
 * See also: IPMirror, ICMPPingResponder, TCPIPSend
 *
 * A SYN is answered, and each acknowledgement with the piece of data that comes next, the
 * last one with FIN. All that there is to know about a connection lies in its sequence
 * numbers: the segment size that the peer wants, 65536 times, and how far it has come.
 * Nothing is sent twice unless the peer acknowledges twice. What is no TCP packet with its
 * IP header marked leaves by output 1, or is dropped.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum {
    MSS_DEFAULT = 536, /* of peers that do not say, RFC 9293 */
    MSS_MIN = 20,
    MSS_OURS = 1460,
    DATA_MAX = 65533,
    MSS_OPTION = 4, /* bytes */
};

struct stateless_tcp_responder {
    struct text data;
    uint16_t next_id;
};

static const struct arg_spec stateless_tcp_responder_args[] = {
    ARG_STRING(stateless_tcp_responder, data, "DATA", ARG_POS, NULL, "what they get"),
    ARG_END,
};

enum { C_RESETS, C_EVIL };
static const struct counter_spec stateless_tcp_responder_counters[] = {
    [C_RESETS] = {"resets", "packets with RST"},
    [C_EVIL] = {"evil", "packets that belong to no connection"},
    {NULL, NULL},
};

static int stateless_tcp_responder_configure(struct element *e, struct conf *c,
                                             struct diag *d)
{
    const struct stateless_tcp_responder *s = element_state(e);

    return s->data.len > DATA_MAX ? diag_err(d, "DATA: more than %d bytes", DATA_MAX)
                                  : 0;
}

/* The segment size in the options of a SYN. */
static uint32_t stateless_tcp_responder_mss(const uint8_t *t, uint32_t end)
{
    for (uint32_t at = sizeof(struct tcp_hdr); at < end && t[at] != TCPOPT_EOL;) {
        if (t[at] == TCPOPT_NOP) {
            at++;
            continue;
        }
        if (end - at < 2 || t[at + 1] < 2 || t[at + 1] > end - at)
            break;
        if (t[at] == TCPOPT_MSS && t[at + 1] == MSS_OPTION)
            return be16(load16(t + at + 2));
        at += t[at + 1];
    }
    return MSS_DEFAULT;
}

/* What to send: positions are 0 for the SYN, then the data, then the FIN. */
struct stateless_tcp_responder_answer {
    uint32_t seq, ack, pos, len;
    uint8_t flags;
};

/* Decide; false: the packet is evil. `payload` are its bytes of data. */
static bool stateless_tcp_responder_decide(const struct stateless_tcp_responder *s,
                                           const struct tcp_hdr *t, uint32_t payload,
                                           struct stateless_tcp_responder_answer *a)
{
    uint32_t port = (uint32_t)be16(t->sport) << 8, end = (uint32_t)s->data.len + 1;
    uint32_t base, mss;

    a->ack = be32(t->seq) + payload + ((t->flags & TCP_FIN) != 0);
    if ((t->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        mss = stateless_tcp_responder_mss((const uint8_t *)t, tcp_hlen(t));
        mss = mss < MSS_MIN ? MSS_MIN : mss;
        *a = (struct stateless_tcp_responder_answer){
            .seq = (mss << 16) + port, .ack = a->ack + 1, .flags = TCP_SYN | TCP_ACK};
        return true;
    }
    if ((t->flags & (TCP_SYN | TCP_ACK)) != TCP_ACK)
        return false;
    a->seq = be32(t->ack);
    base = a->seq - port;
    mss = base >> 16;
    a->pos = base & 0xffff;
    if (mss < MSS_MIN || !a->pos || a->pos > end + 1)
        return false;
    mss = mss < be16(t->win) ? mss : be16(t->win);
    a->len = a->pos < end ? end - a->pos : 0;
    a->len = a->len < mss ? a->len : mss;
    a->flags = TCP_ACK;
    if (a->pos <= end && a->pos + a->len == end && mss)
        a->flags |= TCP_FIN;
    return true;
}

static struct pkt *
stateless_tcp_responder_make(struct element *e, const struct pkt *p,
                             const struct stateless_tcp_responder_answer *a)
{
    struct stateless_tcp_responder *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct tcp_hdr *t = pkt_tcp(p);
    uint32_t opt = a->flags & TCP_SYN ? MSS_OPTION : 0, tcp_len;
    struct pkt *q;
    struct ip4_hdr *nh;
    struct tcp_hdr *nt;

    tcp_len = (uint32_t)sizeof *nt + opt + a->len;
    q = pkt_new(element_pool(e), PKT_HEADROOM, NULL, (uint32_t)sizeof *nh + tcp_len, 0);
    if (!q)
        return NULL;
    nh = (struct ip4_hdr *)(void *)q->data;
    *nh = (struct ip4_hdr){.vhl = 0x45,
                           .len = be16((uint16_t)q->len),
                           .id = be16(s->next_id),
                           .ttl = 200,
                           .proto = IP_PROTO_TCP,
                           .src = h->dst,
                           .dst = h->src};
    s->next_id = (uint16_t)(s->next_id + 2);
    nh->sum = csum_ip4_20(nh);
    pkt_set_ip4(q, q->data, sizeof *nh);
    pkt_set_dst_ip(q, nh->dst);
    nt = pkt_tcp(q);
    *nt = (struct tcp_hdr){.sport = t->dport,
                           .dport = t->sport,
                           .seq = be32(a->seq),
                           .ack = be32(a->ack),
                           .off = (uint8_t)((sizeof *nt + opt) / 4 << 4),
                           .flags = a->flags,
                           .win = 0xffff};
    if (opt)
        store32(nt + 1, BE32(TCPOPT_MSS << 24 | MSS_OPTION << 16 | MSS_OURS));
    if (a->len)
        memcpy((uint8_t *)(nt + 1) + opt, s->data.s + a->pos - 1, a->len);
    nt->sum = csum_finish(
        csum_add(csum_pseudo4(nh->src, nh->dst, IP_PROTO_TCP, tcp_len), nt, tcp_len));
    return q;
}

static bool stateless_tcp_responder_is_tcp(const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t left = pkt_avail(p, p->transport);

    return pkt_has_ip4(p) && h->proto == IP_PROTO_TCP && !ip4_is_fragment(h) &&
           p->transport == p->network + ip4_hlen(h) && left >= sizeof(struct tcp_hdr) &&
           tcp_hlen(pkt_tcp(p)) >= sizeof(struct tcp_hdr) &&
           tcp_hlen(pkt_tcp(p)) <= left;
}

/* The answer to a packet, which is taken over; NULL when there is none. */
static struct pkt *stateless_tcp_responder_answer(struct element *e, struct pkt *p)
{
    struct stateless_tcp_responder_answer a = {.pos = 0};
    struct pkt *q = NULL;
    const struct tcp_hdr *t = pkt_tcp(p);
    uint32_t headers, len, payload;

    if (!stateless_tcp_responder_is_tcp(p)) {
        if (e->n_out > 1)
            out_push_one(e, 1, p);
        else
            pkt_free(p);
        return NULL;
    }
    headers = ip4_hlen(pkt_ip4(p)) + tcp_hlen(t);
    len = be16(pkt_ip4(p)->len);
    payload = len > headers ? len - headers : 0;
    if (t->flags & TCP_RST) {
        element_count(e, C_RESETS, 1);
    } else if (!stateless_tcp_responder_decide(element_state(e), t, payload, &a)) {
        element_count(e, C_EVIL, 1);
    } else if (a.len || a.flags != TCP_ACK || payload || (t->flags & TCP_FIN)) {
        q = stateless_tcp_responder_make(e, p, &a);
    }
    pkt_free(p);
    return q;
}

static void stateless_tcp_responder_batch(struct element *e, struct batch *b,
                                          uint32_t from)
{
    uint32_t kept = from;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *q = stateless_tcp_responder_answer(e, b->p[i]);

        if (q)
            b->p[kept++] = q;
    }
    b->n = kept;
}
ELEMENT_BATCH(stateless_tcp_responder)

ELEMENT(StatelessTCPResponder) = {
    .name = "StatelessTCPResponder",
    .state_size = sizeof(struct stateless_tcp_responder),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = stateless_tcp_responder_args,
    .counters = stateless_tcp_responder_counters,
    .configure = stateless_tcp_responder_configure,
    .push = stateless_tcp_responder_push,
    .pull = stateless_tcp_responder_pull,
};
