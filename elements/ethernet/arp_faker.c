// SPDX-License-Identifier: BSD-3-Clause
/*
 * ARPFaker -- send an ARP reply that nobody asked for, again and again
 *
 * Usage:    ARPFaker(DSTIP, DSTETH, SRCIP, SRCETH)
 * Ports:    1 out; push
 * Args:     DSTIP   to whom the reply is sent
 *           DSTETH  the Ethernet address there
 *           SRCIP   the address that the reply speaks of
 *           SRCETH  the Ethernet address that it claims to have
 * Counters: none
 * Handlers: none
 * Example:  ARPFaker(10.0.0.1, 0:0:0:0:0:1, 10.0.0.99, 0:0:0:0:0:9) -> ToDevice(0);
 * See also: ARPResponder, ARPQuerier
 *
 * The first one after a second, the others every ten seconds, Ethernet header included.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

#define S 1000000000ll

struct arp_faker {
    uint32_t dst_ip, src_ip;
    struct ether_addr dst_eth, src_eth;
    struct timer timer;
};

static const struct arg_spec arp_faker_args[] = {
    ARG_IP(arp_faker, dst_ip, "DSTIP", ARG_M, NULL, "to whom it is sent"),
    ARG_ETHER(arp_faker, dst_eth, "DSTETH", ARG_M, NULL, "the Ethernet address there"),
    ARG_IP(arp_faker, src_ip, "SRCIP", ARG_M, NULL, "the address it speaks of"),
    ARG_ETHER(arp_faker, src_eth, "SRCETH", ARG_M, NULL, "what it claims to have"),
    ARG_END,
};

static void arp_faker_fire(struct element *e, struct timer *t)
{
    const struct arp_faker *s = element_state(e);
    enum { LEN = sizeof(struct eth_hdr) + sizeof(struct arp_hdr) };
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL, LEN, 0);

    timer_after(t, 10 * S);
    if (!p) {
        element_say(e, "in arp responder: cannot make packet!\n");
        return;
    }
    pkt_set_mac(p, p->data, sizeof(struct eth_hdr));
    arp_make_reply(p->data, s->dst_eth, s->dst_ip, s->src_eth, s->src_ip);
    out_push_one(e, 0, p);
}

static int arp_faker_initialize(struct element *e, struct diag *d)
{
    struct arp_faker *s = element_state(e);

    timer_init(&s->timer, e, arp_faker_fire);
    timer_after(&s->timer, 1 * S);
    return 0;
}

ELEMENT(ARPFaker) = {
    .name = "ARPFaker",
    .state_size = sizeof(struct arp_faker),
    .ports = "0/1",
    .processing = "h/h",
    .args = arp_faker_args,
    .initialize = arp_faker_initialize,
};
