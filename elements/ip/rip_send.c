// SPDX-License-Identifier: BSD-3-Clause
/*
 * RIPSend -- advertise a route by RIP
 *
 * Usage:    RIPSend(SRC, DST, PREFIX, METRIC)
 * Ports:    none in, 1 out; push
 * Args:     SRC     source address; the route leads there, too
 *           DST     destination address, such as that of the subnet's broadcasts
 *           PREFIX  network that is advertised
 *           METRIC  hops to it
 * Counters: sent  packets sent
 * Example:  RIPSend(18.26.4.99, 18.26.4.255, 18.26.7.0/24, 1) -> EtherEncap(0x0800,
 *           0:0:c0:4f:71:ef, ff:ff:ff:ff:ff:ff) -> out;
 * See also: LookupIPRoute
 *
 * Sends a RIP version 2 response (RFC 2453) with this one route 3 s after the start and then
 * every 30 s.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum { RIP_PORT = 520, RIP_RESPONSE = 2, RIP_VERSION = 2, RIP_FAMILY_IP = 2 };

struct rip_message {
    uint8_t command, version;
    uint16_t zero;
    uint16_t family, tag;
    uint32_t addr, mask, next_hop, metric;
} NET_PACKED;
_Static_assert(sizeof(struct rip_message) == 24, "RFC 2453, one route");

struct rip_send {
    uint32_t src, dst;
    struct ip_prefix prefix;
    int32_t metric;
    struct timer timer;
};

/* A network, not an address alone. */
static int rip_send_parse_prefix(struct element *e, const char *text, void *member,
                                 struct diag *d)
{
    return parse_ip_prefix(e, text, false, member) ? 0 : diag_err(d, "parse error");
}

static const struct arg_spec rip_send_args[] = {
    ARG_IP(rip_send, src, "SRC", ARG_M, NULL, "source address"),
    ARG_IP(rip_send, dst, "DST", ARG_M, NULL, "destination address"),
    {.name = "PREFIX",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_M,
     .help = "network",
     .offset = offsetof(struct rip_send, prefix),
     .parse = rip_send_parse_prefix},
    ARG_I32(rip_send, metric, "METRIC", ARG_M, NULL, "hops"),
    ARG_END,
};

enum { C_SENT };
static const struct counter_spec rip_send_counters[] = {
    [C_SENT] = {"sent", "packets sent"},
    {NULL, NULL},
};

static void rip_send_fill(const struct rip_send *s, struct pkt *p)
{
    uint32_t udp_len = sizeof(struct udp_hdr) + sizeof(struct rip_message);
    struct ip4_hdr *h = (struct ip4_hdr *)(void *)p->data;
    struct udp_hdr *u = (struct udp_hdr *)(void *)(h + 1);

    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)p->len),
                          .ttl = 200,
                          .proto = IP_PROTO_UDP,
                          .src = s->src,
                          .dst = s->dst};
    h->sum = csum_ip4_20(h);
    *u = (struct udp_hdr){BE16(RIP_PORT), BE16(RIP_PORT), be16((uint16_t)udp_len), 0};
    *(struct rip_message *)(void *)(u + 1) = (struct rip_message){
        .command = RIP_RESPONSE,
        .version = RIP_VERSION,
        .family = BE16(RIP_FAMILY_IP),
        .addr = s->prefix.addr,
        .mask = s->prefix.mask,
        .next_hop = s->src,
        .metric = be32((uint32_t)s->metric),
    };
    u->sum = csum_finish(
        csum_add(csum_pseudo4(s->src, s->dst, IP_PROTO_UDP, udp_len), u, udp_len));
    pkt_set_ip4(p, p->data, sizeof *h);
}

static void rip_send_fire(struct element *e, struct timer *t)
{
    const struct rip_send *s = element_state(e);
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL,
                            sizeof(struct ip4_hdr) + sizeof(struct udp_hdr) +
                                sizeof(struct rip_message),
                            0);

    if (p) {
        rip_send_fill(s, p);
        element_count(e, C_SENT, 1);
        out_push_one(e, 0, p);
    }
    timer_after(t, 30 * 1000000000ll);
}

static int rip_send_initialize(struct element *e, struct diag *d)
{
    struct rip_send *s = element_state(e);

    timer_init(&s->timer, e, rip_send_fire);
    timer_after(&s->timer, 3 * 1000000000ll);
    return 0;
}

ELEMENT(RIPSend) = {
    .name = "RIPSend",
    .state_size = sizeof(struct rip_send),
    .ports = "0/1",
    .processing = "h/h",
    .args = rip_send_args,
    .counters = rip_send_counters,
    .initialize = rip_send_initialize,
};
