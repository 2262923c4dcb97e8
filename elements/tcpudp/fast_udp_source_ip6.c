// SPDX-License-Identifier: BSD-3-Clause
/*
 * FastUDPSourceIP6 -- UDP packets of one IPv6 flow, for measurements
 *
 * Usage:    FastUDPSourceIP6(RATE, LIMIT, LENGTH, SRCETH, SRCIP6, SPORT, DSTETH, DSTIP6,
 *           DPORT [, CHECKSUM true, INTERVAL 0, ACTIVE true])
 * Ports:    none in, 1 out; pull
 * Args:     RATE      packets a second; 0: as fast as they are pulled
 *           LIMIT     packets in all; negative: no end
 *           LENGTH    bytes a packet, Ethernet header included; at least 62
 *           SRCETH, SRCIP6, SPORT  where they come from
 *           DSTETH, DSTIP6, DPORT  where they go
 *           CHECKSUM  compute the UDP checksum
 *           INTERVAL  packets after which both ports go up by one; 0: never
 *           ACTIVE    false: send nothing yet
 * Handlers: count   (r) packets sent
 *           rate    (rw) packets a second, once all have been sent; as RATE
 *           active  (w) as ACTIVE; writing true begins anew
 *           reset   (w) begin anew
 *           limit   (w) as LIMIT
 * Example:  FastUDPSourceIP6(100000, 500000, 64, 0:0:0:0:0:1, 2001:db8::1, 1234,
 *           0:0:0:0:0:2, 2001:db8::2, 1234) -> ToDevice(eth0);
 * See also: FastUDPSource, UDPIP6Encap, IP6Encap
 *
 * All packets are clones of one. After `reset` or `active`, the ports change from the
 * first pair again when INTERVAL packets have gone.
 */

#include "engine/fast_source.h"
#include "engine/net_headers.h"

enum {
    UDP_AT = FAST_SOURCE_ETH + sizeof(struct ip6_hdr),
    LENGTH_MIN = UDP_AT + sizeof(struct udp_hdr),
};

struct fast_udp_source_ip6 {
    struct fast_udp u; /* first */
    struct ip6_addr src, dst;
};

static const struct arg_spec fast_udp_source_ip6_args[] = {
    FAST_SOURCE_RATE_ARGS(fast_udp_source_ip6, u.s),
    ARG_ETHER(fast_udp_source_ip6, u.s.src_eth, "SRCETH", ARG_M, NULL,
              "source address"),
    ARG_IP6(fast_udp_source_ip6, src, "SRCIP6", ARG_M, NULL, "source address"),
    FAST_UDP_PORT(fast_udp_source_ip6, u.sport, "SPORT", "source port"),
    ARG_ETHER(fast_udp_source_ip6, u.s.dst_eth, "DSTETH", ARG_M, NULL,
              "destination address"),
    ARG_IP6(fast_udp_source_ip6, dst, "DSTIP6", ARG_M, NULL, "destination address"),
    FAST_UDP_PORT(fast_udp_source_ip6, u.dport, "DPORT", "destination port"),
    FAST_UDP_ARGS(fast_udp_source_ip6, u),
    ARG_END,
};

/* Click says 60 and would write behind the end of such a packet. */
static int fast_udp_source_ip6_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    struct fast_udp_source_ip6 *f = element_state(e);

    if (f->u.s.length < LENGTH_MIN) {
        element_say(e, "warning: packet length < %d, defaulting to %d\n", LENGTH_MIN,
                    LENGTH_MIN);
        f->u.s.length = LENGTH_MIN;
    }
    return 0;
}

static uint16_t fast_udp_source_ip6_sum(const struct fast_udp *u)
{
    const struct ip6_hdr *h = pkt_ip6(u->p);
    uint32_t len = u->p->len - UDP_AT;
    uint16_t sum = csum_finish(csum_add(
        csum_pseudo6(&h->src, &h->dst, IP_PROTO_UDP, len), u->p->transport, len));

    return sum ? sum : 0xffff;
}

static int fast_udp_source_ip6_initialize(struct element *e, struct diag *d)
{
    struct fast_udp_source_ip6 *f = element_state(e);
    struct fast_udp *u = &f->u;
    struct ip6_hdr *h;
    struct pkt *p;

    p = u->p = pkt_new(element_pool(e), PKT_HEADROOM - FAST_SOURCE_ETH, NULL,
                       u->s.length, 0);
    if (!p)
        return diag_err(d, "out of memory");
    memset(p->data, 0, p->len);
    *(struct eth_hdr *)(void *)p->data = (struct eth_hdr){u->s.dst_eth, u->s.src_eth,
                                                          BE16(ETHERTYPE_IP6)};
    h = (struct ip6_hdr *)(void *)(p->data + FAST_SOURCE_ETH);
    *h = (struct ip6_hdr){.flow = be32(6u << 28),
                          .len = be16((uint16_t)(p->len - UDP_AT)),
                          .next = IP_PROTO_UDP,
                          .hlim = 250,
                          .src = f->src,
                          .dst = f->dst};
    pkt_set_ip4(p, (uint8_t *)h, sizeof *h);
    memcpy(p->anno + ANNO_DST_IP6, f->dst.b, sizeof f->dst);
    pkt_udp(p)->len = h->len;
    u->sum = fast_udp_source_ip6_sum;
    fast_udp_start(u);
    return 0;
}

static const struct handler_spec fast_udp_source_ip6_handlers[] = {
    FAST_SOURCE_HANDLERS(fast_udp_source_ip6, u.s),
    HANDLER_END,
};

ELEMENT(FastUDPSourceIP6) = {
    .name = "FastUDPSourceIP6",
    .state_size = sizeof(struct fast_udp_source_ip6),
    .apart = APART_ORDER,
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_udp_source_ip6_args,
    .handlers = fast_udp_source_ip6_handlers,
    .configure = fast_udp_source_ip6_configure,
    .initialize = fast_udp_source_ip6_initialize,
    .cleanup = fast_udp_cleanup,
    .pull = fast_udp_pull,
};
