// SPDX-License-Identifier: BSD-3-Clause
/*
 * DynamicUDPIPEncap -- put UDP and IPv4 headers in front, with ports that change
 *
 * Usage:    DynamicUDPIPEncap(SRC, SPORT, DST, DPORT [, CHECKSUM true, INTERVAL 0])
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC       source address
 *           SPORT     source port
 *           DST       destination address
 *           DPORT     destination port
 *           CHECKSUM  compute the UDP checksum
 *           INTERVAL  packets after which both ports go up by one; 0: never
 * Counters: drops  packets for which memory ran out
 * Example:  InfiniteSource -> DynamicUDPIPEncap(1.0.0.1, 1234, 2.0.0.2, 1234, true, 10)
 *           -> ...
 * See also: UDPIPEncap, FastUDPSource
 *
 * Otherwise as UDPIPEncap: marks the header, sets the destination annotation to DST; the
 * identification counts up from 0, the time to live is 250.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct dynamic_udp_ip_encap {
    uint32_t src, dst;
    uint16_t sport, dport; /* host byte order */
    uint16_t next_id;
    bool checksum;
    uint32_t interval, count; /* packets with these ports so far */
};

#define ENCAP_PORT(member_, name_, help_)                                              \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_UDP, .flags = ARG_M, .help = help_,       \
        .offset = offsetof(struct dynamic_udp_ip_encap, member_)                       \
    }
static const struct arg_spec dynamic_udp_ip_encap_args[] = {
    ARG_IP(dynamic_udp_ip_encap, src, "SRC", ARG_M, NULL, "source address"),
    ENCAP_PORT(sport, "SPORT", "source port"),
    ARG_IP(dynamic_udp_ip_encap, dst, "DST", ARG_M, NULL, "destination address"),
    ENCAP_PORT(dport, "DPORT", "destination port"),
    ARG_BOOL(dynamic_udp_ip_encap, checksum, "CHECKSUM", ARG_POS, "true",
             "compute the UDP checksum"),
    ARG_U32(dynamic_udp_ip_encap, interval, "INTERVAL", ARG_POS, "0",
            "packets after which the ports change"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec dynamic_udp_ip_encap_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static void dynamic_udp_ip_encap_turn(struct dynamic_udp_ip_encap *s)
{
    if (!s->interval || ++s->count < s->interval)
        return;
    s->sport++;
    s->dport++;
    s->count = 0;
}

static inline verdict_t dynamic_udp_ip_encap_one(struct element *e, struct pkt *p)
{
    struct dynamic_udp_ip_encap *s = element_state(e);
    struct ip4_hdr *h = (void *)pkt_push(p, sizeof *h + sizeof(struct udp_hdr));
    struct udp_hdr *u = (struct udp_hdr *)(void *)(h + 1);
    uint32_t len = p->len - sizeof *h;

    if (!h)
        return drop(e, C_DROPS);
    *h = (struct ip4_hdr){.vhl = 0x45,
                          .len = be16((uint16_t)p->len),
                          .id = be16(s->next_id++),
                          .ttl = 250,
                          .proto = IP_PROTO_UDP,
                          .src = s->src,
                          .dst = s->dst};
    h->sum = csum_ip4_20(h);
    pkt_set_dst_ip(p, s->dst);
    pkt_set_ip4(p, p->data, sizeof *h);
    *u = (struct udp_hdr){be16(s->sport), be16(s->dport), be16((uint16_t)len), 0};
    if (s->checksum)
        u->sum = csum_finish(
            csum_add(csum_pseudo4(s->src, s->dst, IP_PROTO_UDP, len), u, len));
    dynamic_udp_ip_encap_turn(s);
    return 0;
}
ELEMENT_LOOP(dynamic_udp_ip_encap)

ELEMENT(DynamicUDPIPEncap) = {
    .name = "DynamicUDPIPEncap",
    .state_size = sizeof(struct dynamic_udp_ip_encap),
    .ports = "1/1",
    .args = dynamic_udp_ip_encap_args,
    .counters = dynamic_udp_ip_encap_counters,
    .push = dynamic_udp_ip_encap_push,
    .pull = dynamic_udp_ip_encap_pull,
};
