// SPDX-License-Identifier: BSD-3-Clause
/*
 * IP6Mirror -- send IPv6 packets back to where they came from
 *
 * Usage:    IP6Mirror
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets without an IPv6 header
 * Handlers: none
 * Example:  FromDevice(0) -> MarkIP6Header(14) -> IP6Mirror -> EtherMirror -> ToDevice(0);
 * See also: IPMirror, EtherMirror
 *
 * Swaps the addresses, and the ports of TCP and UDP if eight bytes of those follow. Checksums stay
 * right. The network header must be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { C_DROPS };
static const struct counter_spec ip6_mirror_counters[] = {
    [C_DROPS] = {"drops", "packets without an IPv6 header"},
    {NULL, NULL},
};

static inline verdict_t ip6_mirror_one(struct element *e, struct pkt *p)
{
    struct ip6_hdr *h;
    struct ip6_addr src;

    if (pkt_avail(p, p->network) < sizeof *h || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    h = pkt_ip6(p);
    src = h->src;
    h->src = h->dst;
    h->dst = src;
    if ((h->next == IP_PROTO_TCP || h->next == IP_PROTO_UDP) &&
        pkt_avail(p, p->transport) >= sizeof(struct udp_hdr)) {
        uint8_t *ports = p->transport;
        uint32_t v = load32(ports);

        store32(ports, v << 16 | v >> 16);
    }
    return 0;
}
ELEMENT_LOOP(ip6_mirror)

ELEMENT(IP6Mirror) = {
    .name = "IP6Mirror",
    .ports = "1/1",
    .counters = ip6_mirror_counters,
    .push = ip6_mirror_push,
    .pull = ip6_mirror_pull,
};
