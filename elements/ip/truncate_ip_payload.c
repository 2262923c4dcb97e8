// SPDX-License-Identifier: BSD-3-Clause
/*
 * TruncateIPPayload -- cut the payload of IPv4 packets
 *
 * Usage:    TruncateIPPayload([LENGTH 0, TRANSPORT true, keyword EXTRA_LENGTH])
 * Ports:    1 in, 1 out; push or pull
 * Args:     LENGTH        bytes of payload that stay
 *           TRANSPORT     TCP, UDP and ICMP headers do not count as payload
 *           EXTRA_LENGTH  add what was cut to the extra length annotation, default true
 * Example:  FromDump(t.pcap) -> CheckIPHeader(OFFSET 14) -> TruncateIPPayload(20) -> ...
 * See also: Truncate, EraseIPPayload
 *
 * The headers stay as they are: the length field tells how long the packet once was. Where no
 * IP header is marked, LENGTH counts from the packet's beginning.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { TSTAMP_HEADER = 20 };

struct truncate_ip_payload {
    uint16_t length;
    bool transport, extra_length;
};

static const struct arg_spec truncate_ip_payload_args[] = {
    ARG_U16(truncate_ip_payload, length, "LENGTH", ARG_POS, "0",
            "bytes of payload that stay"),
    ARG_BOOL(truncate_ip_payload, transport, "TRANSPORT", ARG_POS, "true",
             "keep the transport header"),
    ARG_BOOL(truncate_ip_payload, extra_length, "EXTRA_LENGTH", 0, "true",
             "add what was cut to the annotation"),
    ARG_END,
};

/* Bytes of header behind the IP header. */
static uint32_t truncate_ip_payload_transport(const struct pkt *p)
{
    uint32_t left = pkt_avail(p, p->transport);

    switch (pkt_ip4(p)->proto) {
    case IP_PROTO_TCP:
        if (left < 13 || tcp_hlen(pkt_tcp(p)) < sizeof(struct tcp_hdr))
            return sizeof(struct tcp_hdr);
        return tcp_hlen(pkt_tcp(p));
    case IP_PROTO_UDP:
        return sizeof(struct udp_hdr);
    case IP_PROTO_ICMP:
        if (left < sizeof(struct icmp_hdr))
            return 0;
        return pkt_icmp(p)->type == ICMP_TSTAMP || pkt_icmp(p)->type == ICMP_TSTAMPREPLY
                   ? TSTAMP_HEADER
                   : sizeof(struct icmp_hdr);
    }
    return 0;
}

/* Bytes to cut off the end. */
static uint32_t truncate_ip_payload_cut(const struct truncate_ip_payload *s,
                                        const struct pkt *p)
{
    uint32_t left = p->network ? pkt_avail(p, p->network) : p->len, keep = s->length;

    if (p->network && left && ip4_hlen(pkt_ip4(p)) < sizeof(struct ip4_hdr)) {
        keep += (uint32_t)sizeof(struct ip4_hdr); /* a broken header */
    } else if (p->network && left) {
        keep += ip4_hlen(pkt_ip4(p));
        if (s->transport && left >= 10)
            keep += truncate_ip_payload_transport(p);
    }
    return left > keep ? left - keep : 0;
}

static void truncate_ip_payload_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct truncate_ip_payload *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];
        uint32_t cut = truncate_ip_payload_cut(s, p);

        if (s->extra_length)
            p->anno_u32[ANNO_EXTRA_LENGTH / 4] += cut;
        pkt_take(p, cut);
    }
}
ELEMENT_BATCH(truncate_ip_payload)

ELEMENT(TruncateIPPayload) = {
    .name = "TruncateIPPayload",
    .state_size = sizeof(struct truncate_ip_payload),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = truncate_ip_payload_args,
    .push = truncate_ip_payload_push,
    .pull = truncate_ip_payload_pull,
};
