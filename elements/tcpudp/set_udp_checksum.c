// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetUDPChecksum -- compute the checksum of UDP packets
 *
 * Usage:    SetUDPChecksum
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Counters: drops  packets that are too short
 * Example:  ... -> CheckIPHeader -> SetUDPChecksum -> ...
 * See also: CheckUDPHeader, SetIPChecksum, SetTCPChecksum
 *
 * Wants the IP header to be marked. Packets shorter than their UDP header says, fragments
 * for example, leave by output 1, or are dropped.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum { C_DROPS };
static const struct counter_spec set_udp_checksum_counters[] = {
    [C_DROPS] = {"drops", "packets that are too short"},
    {NULL, NULL},
};

static inline verdict_t set_udp_checksum_one(struct element *e, struct pkt *p)
{
    uint32_t left = pkt_avail(p, p->transport), len = 0;
    struct udp_hdr *u = pkt_udp(p);
    struct ip4_hdr *h;

    if (left >= sizeof *u && pkt_has_ip4(p) && !ip4_is_fragment(pkt_ip4(p)))
        len = be16(u->len);
    if (__builtin_expect(len < sizeof *u || len > left, 0)) {
        if (e->n_out == 1 && e->counters[C_DROPS] == 0)
            element_say(e, "%s: fragment or short packet\n", element_declaration(e));
        return spill(e, 1, C_DROPS);
    }
    if (pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    h = pkt_ip4(p);
    u = pkt_udp(p);
    u->sum = 0;
    u->sum = csum_finish(
        csum_add(csum_pseudo4(h->src, h->dst, IP_PROTO_UDP, len), u, len));
    if (!u->sum) /* 0 would mean that there is none */
        u->sum = 0xffff;
    return 0;
}
ELEMENT_LOOP(set_udp_checksum)

ELEMENT(SetUDPChecksum) = {
    .name = "SetUDPChecksum",
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .counters = set_udp_checksum_counters,
    .push = set_udp_checksum_push,
    .pull = set_udp_checksum_pull,
};
