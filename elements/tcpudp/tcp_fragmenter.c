// SPDX-License-Identifier: BSD-3-Clause
/*
 * TCPFragmenter -- cut long TCP packets into shorter ones
 *
 * Usage:    TCPFragmenter(MTU 0 [, MTU_ANNO])
 * Ports:    1 in, 1 out; push
 * Args:     MTU       longest IP packet in bytes; 0: see MTU_ANNO
 *           MTU_ANNO  2-byte annotation; where it is not 0, and less than MTU, it is the MTU
 * Counters: drops  packets that lie about their length, or for which memory ran out
 * Handlers: count             (r) packets that came
 *           fragmented_count  (r) packets that were cut
 *           fragments         (r) pieces that they were cut into
 * Example:  FromDevice(eth0) -> CheckIPHeader(14) -> TCPFragmenter(MTU 1500) -> ...
 * See also: IPFragmenter, TCPMSS
 *
 * The pieces are whole TCP segments with the data in order: each has the headers of the
 * packet, with its own length, sequence number and checksums; whatever stands before the
 * IP header, such as an Ethernet header, is copied as well. FIN is left to the last. A
 * shorter packet, and what is no TCP packet with its IP header marked, passes unchanged;
 * one that is just as long as the MTU counts as cut into one piece.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct tcp_fragmenter {
    uint16_t mtu;
    bool have_anno;
    struct anno_ref mtu_anno;
    uint64_t count, fragmented, fragments;
};

static const struct arg_spec tcp_fragmenter_args[] = {
    ARG_U16(tcp_fragmenter, mtu, "MTU", ARG_POS, "0", "longest IP packet"),
    {.name = "MTU_ANNO",
     .kind = ARG_KIND_ANNO,
     .offset = offsetof(struct tcp_fragmenter, mtu_anno),
     .seen = 1 + offsetof(struct tcp_fragmenter, have_anno),
     .max = 2,
     .help = "annotation with the longest IP packet"},
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec tcp_fragmenter_counters[] = {
    [C_DROPS] = {"drops", "packets that could not be cut"},
    {NULL, NULL},
};

static int tcp_fragmenter_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct tcp_fragmenter *s = element_state(e);

    if (!s->mtu && !s->have_anno)
        return diag_err(d, "At least one of MTU and MTU_ANNO must be set");
    return 0;
}

static uint32_t tcp_fragmenter_mtu(const struct tcp_fragmenter *s, const struct pkt *p)
{
    uint32_t anno = s->have_anno ? load16(p->anno + s->mtu_anno.offset) : 0;

    return anno && (!s->mtu || anno < s->mtu) ? anno : s->mtu;
}

/* Bytes of IP and TCP headers; 0 if it is not a TCP packet. */
static uint32_t tcp_fragmenter_headers(const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);

    if (!pkt_has_ip4(p) || h->proto != IP_PROTO_TCP || ip4_is_fragment(h) ||
        p->transport != p->network + ip4_hlen(h) ||
        pkt_avail(p, p->transport) < sizeof(struct tcp_hdr) ||
        tcp_hlen(pkt_tcp(p)) < sizeof(struct tcp_hdr) ||
        pkt_avail(p, p->transport) < tcp_hlen(pkt_tcp(p)))
        return 0;
    return ip4_hlen(h) + tcp_hlen(pkt_tcp(p));
}

/* `q`, a clone of a packet with `headers` bytes of IP and TCP headers, becomes the piece of
 * `len` bytes at `offset` of its data. -1 without memory. */
static int tcp_fragmenter_piece(struct pkt *q, const struct pkt *whole,
                                uint32_t headers, uint32_t offset, uint32_t len,
                                bool last)
{
    uint32_t before = (uint32_t)(whole->network - whole->data) + headers;
    uint32_t tcp_len;
    struct ip4_hdr *h;
    struct tcp_hdr *t;

    pkt_take(q, q->len - (before + len));
    if (pkt_writable(q) < 0)
        return -1;
    if (offset)
        memcpy(q->data + before, whole->data + before + offset, len);
    h = pkt_ip4(q);
    t = pkt_tcp(q);
    h->len = be16((uint16_t)(headers + len));
    h->sum = 0;
    h->sum = csum_ip4(h);
    t->seq = be32(be32(t->seq) + offset);
    if (!last)
        t->flags &= (uint8_t)~TCP_FIN;
    t->sum = 0;
    tcp_len = headers - ip4_hlen(h) + len;
    t->sum = csum_finish(
        csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_TCP, tcp_len), t, tcp_len));
    return 0;
}

static void tcp_fragmenter_cut(struct element *e, struct pkt *p, uint32_t headers,
                               uint32_t data, uint32_t most)
{
    struct tcp_fragmenter *s = element_state(e);
    struct batch b = {.n = 0};

    s->fragmented++;
    for (uint32_t at = 0; at < data; at += most) {
        uint32_t len = data - at < most ? data - at : most;
        struct pkt *q = pkt_clone(p);

        if (!q || tcp_fragmenter_piece(q, p, headers, at, len, at + len == data) < 0) {
            element_count(e, C_DROPS, 1);
            pkt_free(q);
            break;
        }
        s->fragments++;
        batch_add(&b, q);
        if (b.n == BATCH_MAX) {
            out_push(e, 0, &b);
            b.n = 0;
        }
    }
    out_push(e, 0, &b);
    pkt_free(p);
}

static void tcp_fragmenter_one(struct element *e, struct pkt *p)
{
    struct tcp_fragmenter *s = element_state(e);
    uint32_t mtu = tcp_fragmenter_mtu(s, p), headers = tcp_fragmenter_headers(p);
    uint32_t len = headers ? be16(pkt_ip4(p)->len) : 0;

    s->count++;
    if (!headers || !mtu || mtu <= headers || len < mtu) {
        out_push_one(e, 0, p);
    } else if (len > pkt_avail(p, p->network)) {
        element_count(e, C_DROPS, 1);
        pkt_free(p);
    } else {
        tcp_fragmenter_cut(e, p, headers, len - headers, mtu - headers);
    }
}

static void tcp_fragmenter_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        tcp_fragmenter_one(e, b->p[i]);
}

static const struct handler_spec tcp_fragmenter_handlers[] = {
    HANDLER_VALUE(tcp_fragmenter, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets that came"),
    HANDLER_VALUE(tcp_fragmenter, fragmented, ARG_KIND_U64, HANDLER_READ,
                  "fragmented_count", "packets that were cut"),
    HANDLER_VALUE(tcp_fragmenter, fragments, ARG_KIND_U64, HANDLER_READ, "fragments",
                  "pieces that they were cut into"),
    HANDLER_END,
};

ELEMENT(TCPFragmenter) = {
    .name = "TCPFragmenter",
    .state_size = sizeof(struct tcp_fragmenter),
    .ports = "1/1",
    .processing = "h/h",
    .args = tcp_fragmenter_args,
    .live = true,
    .counters = tcp_fragmenter_counters,
    .handlers = tcp_fragmenter_handlers,
    .configure = tcp_fragmenter_configure,
    .push = tcp_fragmenter_push,
};
