// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIPChecksum -- compute the checksum of IPv4 headers
 *
 * Usage:    SetIPChecksum
 * Ports:    1 in, 1 out; push or pull
 * Counters: drops  packets without an IP header
 * Example:  ... -> StoreData(8, \<40>) -> SetIPChecksum -> ...
 * See also: CheckIPHeader, SetTCPChecksum, SetUDPChecksum
 *
 * Of the header that is marked, or else at the packet's beginning. Packets without a whole one
 * are dropped.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum { C_DROPS };
static const struct counter_spec set_ip_checksum_counters[] = {
    [C_DROPS] = {"drops", "packets without an IP header"},
    {NULL, NULL},
};

static inline verdict_t set_ip_checksum_one(struct element *e, struct pkt *p)
{
    uint32_t at = p->network ? (uint32_t)(p->network - p->data) : 0;
    uint32_t left = pkt_avail(p, p->network ? p->network : p->data);
    struct ip4_hdr *h = (struct ip4_hdr *)(void *)(p->data + (int32_t)at);

    if (__builtin_expect(
            left < sizeof *h || ip4_hlen(h) < sizeof *h || ip4_hlen(h) > left, 0)) {
        if (e->counters[C_DROPS] == 0)
            element_say(e, "SetIPChecksum: bad input packet\n");
        return drop(e, C_DROPS);
    }
    if (__builtin_expect(pkt_writable(p) < 0, 0))
        return drop(e, C_DROPS);
    h = (struct ip4_hdr *)(void *)(p->data + (int32_t)at);
    h->sum = 0;
    h->sum = csum_ip4(h);
    return 0;
}
ELEMENT_LOOP(set_ip_checksum)

ELEMENT(SetIPChecksum) = {
    .name = "SetIPChecksum",
    .plain = true,
    .ports = "1/1",
    .counters = set_ip_checksum_counters,
    .push = set_ip_checksum_push,
    .pull = set_ip_checksum_pull,
};
