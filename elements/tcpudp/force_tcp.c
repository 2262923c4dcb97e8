// SPDX-License-Identifier: BSD-3-Clause
/*
 * ForceTCP -- make a TCP packet of any IP packet
 *
 * Usage:    ForceTCP([DPORT, RANDOM_DPORT, FLAGS])
 * Ports:    1 in, 1 out; push or pull
 * Args:     DPORT         destination port that packets get; 0: see RANDOM_DPORT
 *           RANDOM_DPORT  true: two packets of eight go to port 80, one to any below 1024
 *           FLAGS         TCP flags that packets get; -1: those that they have
 * Counters: drops  packets that are too short, or without IP header
 * Handlers: none
 * Example:  RandomSource(60) -> ForceIP -> ForceTCP(80) -> device under test;
 * See also: ForceIP, ForceUDP, ForceICMP, SetTCPChecksum
 *
 * What follows the IP header, which must be marked, becomes a TCP header whose length is
 * possible and whose checksum is right; the protocol that the IP header names stays. For tests
 * with packets that get past the checks.
 */

#include "engine/checksum.h"
#include "engine/force.h"

struct force_tcp {
    uint16_t dport;
    bool random_dport;
    int32_t flags;
    uint32_t count;
};

static const struct arg_spec force_tcp_args[] = {
    {.name = "DPORT",
     .kind = ARG_KIND_PORT_TCP,
     .flags = ARG_POS,
     .offset = offsetof(struct force_tcp, dport),
     .def = "0",
     .help = "destination port"},
    ARG_BOOL(force_tcp, random_dport, "RANDOM_DPORT", ARG_POS, "false",
             "some packets get other ports"),
    ARG_I32(force_tcp, flags, "FLAGS", ARG_POS, "-1", "TCP flags"),
    ARG_END,
};

static void force_tcp_port(struct element *e, struct tcp_hdr *t)
{
    struct force_tcp *s = element_state(e);
    uint32_t of_eight = s->count++ & 7;

    if (s->dport)
        t->dport = be16(s->dport);
    else if (s->random_dport && of_eight < 2)
        t->dport = BE16(80);
    else if (s->random_dport && of_eight == 3)
        t->dport = be16((uint16_t)(element_random(e) % 1024));
}

static verdict_t force_tcp_one(struct element *e, struct pkt *p)
{
    const struct force_tcp *s = element_state(e);
    uint32_t len = force_begin(e, p, sizeof(struct tcp_hdr)), off;
    struct ip4_hdr *h;
    struct tcp_hdr *t;

    if (!len)
        return VERDICT_DROP;
    h = pkt_ip4(p);
    t = force_at(p);
    if (tcp_hlen(t) < sizeof *t || tcp_hlen(t) > len) {
        off = len > sizeof *t ? element_random(e) % (len - (uint32_t)sizeof *t) : len;
        t->off = (uint8_t)((t->off & 15) | (off / 4 & 15) << 4);
    }
    if (s->flags != -1)
        t->flags = (uint8_t)s->flags;
    force_tcp_port(e, t);
    t->sum = 0;
    t->sum = csum_finish(csum_add(csum_pseudo4(h->src, h->dst, h->proto, len), t, len));
    return 0;
}
ELEMENT_LOOP(force_tcp)

ELEMENT(ForceTCP) = {
    .name = "ForceTCP",
    .state_size = sizeof(struct force_tcp),
    .ports = "1/1",
    .args = force_tcp_args,
    .counters = force_counters,
    .push = force_tcp_push,
    .pull = force_tcp_pull,
};
