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
    struct fast_source s;
    struct ip6_addr src, dst;
    uint16_t sport, dport; /* host byte order */
    uint32_t interval;
    bool checksum;
    struct pkt *p; /* owned */
};

#define FAST_PORT(member_, name_, help_)                                               \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_UDP, .flags = ARG_M, .help = help_,       \
        .offset = offsetof(struct fast_udp_source_ip6, member_)                        \
    }
static const struct arg_spec fast_udp_source_ip6_args[] = {
    FAST_SOURCE_RATE_ARGS(fast_udp_source_ip6, s),
    ARG_ETHER(fast_udp_source_ip6, s.src_eth, "SRCETH", ARG_M, NULL, "source address"),
    ARG_IP6(fast_udp_source_ip6, src, "SRCIP6", ARG_M, NULL, "source address"),
    FAST_PORT(sport, "SPORT", "source port"),
    ARG_ETHER(fast_udp_source_ip6, s.dst_eth, "DSTETH", ARG_M, NULL,
              "destination address"),
    ARG_IP6(fast_udp_source_ip6, dst, "DSTIP6", ARG_M, NULL, "destination address"),
    FAST_PORT(dport, "DPORT", "destination port"),
    ARG_BOOL(fast_udp_source_ip6, checksum, "CHECKSUM", ARG_POS, "true",
             "compute the UDP checksum"),
    ARG_U32(fast_udp_source_ip6, interval, "INTERVAL", ARG_POS, "0",
            "packets after which the ports change"),
    ARG_BOOL(fast_udp_source_ip6, s.active, "ACTIVE", ARG_POS, "true", "send"),
    ARG_END,
};

/* Click says 60 and would write behind the end of such a packet. */
static int fast_udp_source_ip6_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    struct fast_udp_source_ip6 *f = element_state(e);

    if (f->s.length < LENGTH_MIN) {
        element_say(e, "warning: packet length < %d, defaulting to %d\n", LENGTH_MIN,
                    LENGTH_MIN);
        f->s.length = LENGTH_MIN;
    }
    return 0;
}

static void fast_udp_source_ip6_ports(struct element *e, uint64_t turn)
{
    struct fast_udp_source_ip6 *f = element_state(e);
    struct udp_hdr *u = pkt_udp(f->p);
    uint32_t len = f->p->len - UDP_AT;

    u->sport = be16((uint16_t)(f->sport + turn));
    u->dport = be16((uint16_t)(f->dport + turn));
    u->sum = 0;
    if (!f->checksum)
        return;
    u->sum = csum_finish(
        csum_add(csum_pseudo6(&f->src, &f->dst, IP_PROTO_UDP, len), u, len));
    u->sum = u->sum ? u->sum : 0xffff;
}

static int fast_udp_source_ip6_initialize(struct element *e, struct diag *d)
{
    struct fast_udp_source_ip6 *f = element_state(e);
    struct ip6_hdr *h;
    struct pkt *p;

    p = f->p = pkt_new(element_pool(e), PKT_HEADROOM - FAST_SOURCE_ETH, NULL,
                       f->s.length, 0);
    if (!p)
        return diag_err(d, "out of memory");
    memset(p->data, 0, p->len);
    *(struct eth_hdr *)(void *)p->data = (struct eth_hdr){f->s.dst_eth, f->s.src_eth,
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
    fast_udp_source_ip6_ports(e, 0);
    return 0;
}

static void fast_udp_source_ip6_cleanup(struct element *e)
{
    struct fast_udp_source_ip6 *f = element_state(e);

    pkt_free(f->p);
    f->p = NULL;
}

/* Packets until the ports change. */
static uint32_t fast_udp_source_ip6_left(const struct fast_udp_source_ip6 *f,
                                         uint32_t max)
{
    uint32_t left = f->interval ? f->interval - (uint32_t)(f->s.count % f->interval)
                                : max;

    return left < max ? left : max;
}

static uint32_t fast_udp_source_ip6_pull(struct element *e, unsigned port,
                                         struct batch *b, uint32_t max)
{
    struct fast_udp_source_ip6 *f = element_state(e);
    uint32_t due = fast_source_due(e, &f->s, max), made = 0;

    while (made < due) {
        uint32_t want = fast_udp_source_ip6_left(f, due - made);
        uint32_t n = batch_clone(b, f->p, want);

        fast_source_sent(e, &f->s, n);
        made += n;
        if (n < want)
            break;
        if (f->interval && f->s.count % f->interval == 0) {
            if (pkt_writable(f->p) < 0)
                break;
            fast_udp_source_ip6_ports(e, f->s.count / f->interval);
        }
    }
    return made;
}

static const struct handler_spec fast_udp_source_ip6_handlers[] = {
    FAST_SOURCE_HANDLERS(fast_udp_source_ip6, s),
    HANDLER_END,
};

ELEMENT(FastUDPSourceIP6) = {
    .name = "FastUDPSourceIP6",
    .state_size = sizeof(struct fast_udp_source_ip6),
    .ports = "0/1",
    .processing = "h/l",
    .args = fast_udp_source_ip6_args,
    .handlers = fast_udp_source_ip6_handlers,
    .configure = fast_udp_source_ip6_configure,
    .initialize = fast_udp_source_ip6_initialize,
    .cleanup = fast_udp_source_ip6_cleanup,
    .pull = fast_udp_source_ip6_pull,
};
