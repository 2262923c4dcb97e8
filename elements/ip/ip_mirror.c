// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPMirror -- swap source and destination of IPv4 packets
 *
 * Usage:    IPMirror([DST_ANNO true])
 * Ports:    1 in, 1 out; push or pull
 * Args:     DST_ANNO  set the destination annotation to the new destination, default true
 * Example:  ... -> CheckIPHeader -> IPMirror -> ...
 * See also: EtherMirror, ICMPPingResponder, IP6Mirror
 *
 * Addresses and, for TCP and UDP but later fragments, ports; for TCP the sequence number and
 * the acknowledgement, too. Checksums stay good, since a
 * swap does not change a sum. Wants the IP header to be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct ip_mirror {
    bool dst_anno;
};

static const struct arg_spec ip_mirror_args[] = {
    ARG_BOOL(ip_mirror, dst_anno, "DST_ANNO", ARG_POS, "true",
             "set the destination annotation"),
    ARG_END,
};

static inline verdict_t ip_mirror_one(struct element *e, struct pkt *p)
{
    const struct ip_mirror *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4_writable(p);
    uint32_t src;

    if (__builtin_expect(!h, 0))
        return VERDICT_DROP;
    src = h->src;
    h->src = h->dst;
    h->dst = src;
    if (s->dst_anno)
        pkt_set_dst_ip(p, src);
    if ((h->proto == IP_PROTO_TCP || h->proto == IP_PROTO_UDP) &&
        !ip4_is_later_fragment(h) && pkt_avail(p, p->transport) >= 8) {
        uint32_t ports = load32(p->transport);
        store32(p->transport, ports << 16 | ports >> 16);
        if (h->proto == IP_PROTO_TCP &&
            pkt_avail(p, p->transport) >= offsetof(struct tcp_hdr, off)) {
            struct tcp_hdr *t = pkt_tcp(p);
            uint32_t seq = t->seq;

            t->seq = t->ack;
            t->ack = seq;
        }
    }
    return 0;
}
ELEMENT_LOOP(ip_mirror)

ELEMENT(IPMirror) = {
    .name = "IPMirror",
    .state_size = sizeof(struct ip_mirror),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = ip_mirror_args,
    .push = ip_mirror_push,
    .pull = ip_mirror_pull,
};
