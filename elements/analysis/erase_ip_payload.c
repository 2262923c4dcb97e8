// SPDX-License-Identifier: BSD-3-Clause
/*
 * EraseIPPayload -- overwrite what TCP and UDP packets carry with zeros
 *
 * Usage:    EraseIPPayload
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets that are neither TCP, UDP nor ICMP, or have no IP header
 * Handlers: none
 * Example:  FromDump(t.pcap, FORCE_IP true) -> EraseIPPayload -> ToDump(u.pcap);
 * See also: AnonymizeIPAddr, TruncateIPPayload
 *
 * The TCP or UDP checksum becomes 0. Of later fragments everything behind the IP header is
 * erased. ICMP packets pass unchanged, others are dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { C_DROPS };
static const struct counter_spec erase_ip_payload_counters[] = {
    [C_DROPS] = {"drops", "packets that cannot be erased"},
    {NULL, NULL},
};

/* Bytes of transport header to keep, with the checksum in them set to 0. */
static uint32_t erase_ip_keep(const struct ip4_hdr *h, uint8_t *transport, uint32_t n)
{
    if (ip4_is_later_fragment(h))
        return 0;
    if (h->proto == IP_PROTO_UDP) {
        if (n >= 8)
            memset(transport + offsetof(struct udp_hdr, sum), 0, 2);
        return sizeof(struct udp_hdr);
    }
    if (n >= 18)
        memset(transport + offsetof(struct tcp_hdr, sum), 0, 2);
    return n >= 13 ? tcp_hlen((const struct tcp_hdr *)(const void *)transport) : n;
}

static inline verdict_t erase_ip_payload_one(struct element *e, struct pkt *p)
{
    struct ip4_hdr *h;
    uint8_t *transport;
    uint32_t n, keep;

    if (!pkt_has_ip4(p))
        return drop(e, C_DROPS);
    h = pkt_ip4(p);
    if (h->proto == IP_PROTO_ICMP)
        return 0;
    if ((h->proto != IP_PROTO_TCP && h->proto != IP_PROTO_UDP) || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    h = pkt_ip4(p);
    transport = p->network + ip4_hlen(h);
    n = pkt_left(p, transport);
    keep = erase_ip_keep(h, transport, n);
    if (keep < n)
        memset(transport + keep, 0, n - keep);
    return 0;
}
ELEMENT_LOOP(erase_ip_payload)

ELEMENT(EraseIPPayload) = {
    .name = "EraseIPPayload",
    .ports = "1/1",
    .counters = erase_ip_payload_counters,
    .push = erase_ip_payload_push,
    .pull = erase_ip_payload_pull,
};
