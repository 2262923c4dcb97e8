// SPDX-License-Identifier: BSD-3-Clause
/*
 * ForceUDP -- make a UDP packet of any IP packet
 *
 * Usage:    ForceUDP([DPORT])
 * Ports:    1 in, 1 out; push or pull
 * Args:     DPORT  destination port that packets get; without it, or with -1, any below
 *                  1024
 * Counters: drops  packets that are too short, or without IP header
 * Handlers: none
 * Example:  RandomSource(60) -> ForceIP -> ForceUDP(53) -> device under test;
 * See also: ForceIP, ForceTCP, ForceICMP, SetUDPChecksum
 *
 * What follows the IP header, which must be marked, becomes a UDP header whose length and
 * checksum are right; the protocol that the IP header names stays. For tests with packets that
 * get past the checks.
 */

#include "engine/checksum.h"
#include "engine/force.h"

struct force_udp {
    uint16_t dport;
    bool random;
    struct text dport_text;
};

static const struct arg_spec force_udp_args[] = {
    ARG_WORD(force_udp, dport_text, "DPORT", ARG_POS, NULL, "destination port"),
    ARG_END,
};

static int force_udp_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct force_udp *s = element_state(e);

    s->random = !s->dport_text.len || strcmp(s->dport_text.s, "-1") == 0;
    if (!s->random && !parse_port(e, s->dport_text.s, IP_PROTO_UDP, &s->dport))
        return diag_err(d, "DPORT: parse error");
    return 0;
}

static verdict_t force_udp_one(struct element *e, struct pkt *p)
{
    const struct force_udp *s = element_state(e);
    uint32_t len = force_begin(e, p, sizeof(struct udp_hdr));
    struct ip4_hdr *h;
    struct udp_hdr *u;

    if (!len)
        return VERDICT_DROP;
    h = pkt_ip4(p);
    u = force_at(p);
    u->len = be16((uint16_t)len);
    u->dport = be16(s->random ? (uint16_t)(element_random(e) % 1024) : s->dport);
    u->sum = 0;
    u->sum = csum_finish(csum_add(csum_pseudo4(h->src, h->dst, h->proto, len), u, len));
    return 0;
}
ELEMENT_LOOP(force_udp)

ELEMENT(ForceUDP) = {
    .name = "ForceUDP",
    .state_size = sizeof(struct force_udp),
    .ports = "1/1",
    .args = force_udp_args,
    .counters = force_counters,
    .configure = force_udp_configure,
    .push = force_udp_push,
    .pull = force_udp_pull,
};
