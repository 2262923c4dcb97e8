// SPDX-License-Identifier: BSD-3-Clause
/*
 * ForceIP -- make an IP packet of any bytes
 *
 * Usage:    ForceIP
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets without room for an IP header
 * Handlers: none
 * Example:  RandomSource(60) -> ForceIP -> ForceUDP(53) -> device under test;
 * See also: ForceTCP, ForceUDP, ForceICMP, SetIPChecksum
 *
 * Packets get version, length and checksum of an IP header, which is marked; one packet of
 * eight keeps what it says about fragments, the others are none. A header length that
 * cannot be becomes that of the packet, as far as it fits the field. All else stays as it is.
 * For tests with packets that get past the checks.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct force_ip {
    uint32_t count;
};

enum { C_DROPS };
static const struct counter_spec force_ip_counters[] = {
    [C_DROPS] = {"drops", "packets without room for an IP header"},
    {NULL, NULL},
};

static verdict_t force_ip_one(struct element *e, struct pkt *p)
{
    struct force_ip *s = element_state(e);
    struct ip4_hdr *h;
    uint32_t hlen;

    if (p->len < sizeof *h || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    h = (struct ip4_hdr *)p->data;
    h->len = be16((uint16_t)p->len);
    if ((s->count++ & 7) != 1)
        h->off = 0;
    hlen = ip4_hlen(h);
    h->vhl = (uint8_t)(4 << 4 | (h->vhl & 15));
    if (hlen < sizeof *h || hlen > p->len)
        h->vhl = (uint8_t)(4 << 4 | (p->len / 4 & 15));
    h->sum = 0;
    h->sum = csum(h, ip4_hlen(h) < p->len ? ip4_hlen(h) : p->len);
    pkt_set_ip4(p, p->data, hlen);
    return 0;
}
ELEMENT_LOOP(force_ip)

ELEMENT(ForceIP) = {
    .name = "ForceIP",
    .state_size = sizeof(struct force_ip),
    .ports = "1/1",
    .counters = force_ip_counters,
    .push = force_ip_push,
    .pull = force_ip_pull,
};
