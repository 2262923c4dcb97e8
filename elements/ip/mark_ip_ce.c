// SPDX-License-Identifier: BSD-3-Clause
/*
 * MarkIPCE -- mark IPv4 packets: congestion experienced
 *
 * Usage:    MarkIPCE([FORCE])
 * Ports:    1 in, 1 out; push or pull
 * Args:     FORCE  mark packets that are not ECN capable too, default false: drop them
 * Counters: drops  packets dropped because they could not be marked
 * Example:  red :: RED(5, 50, 0.02); red[1] -> MarkIPCE -> ...
 * See also: SetIPECN, RED
 *
 * Wants the IP header to be marked. The checksum is updated, not computed anew.
 */

#include "engine/checksum.h"
#include "engine/element.h"

struct mark_ip_ce {
    bool force;
};

static const struct arg_spec mark_ip_ce_args[] = {
    ARG_BOOL(mark_ip_ce, force, "FORCE", ARG_POS, "false",
             "mark packets that are not ECN capable too"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec mark_ip_ce_counters[] = {
    [C_DROPS] = {"drops", "packets that could not be marked"},
    {NULL, NULL},
};

static inline verdict_t mark_ip_ce_one(struct element *e, struct pkt *p)
{
    const struct mark_ip_ce *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4(p);
    uint16_t was;

    if (!pkt_has_ip4(p) || (!(h->tos & IP_ECN_MASK) && !s->force))
        return drop(e, C_DROPS);
    if ((h->tos & IP_ECN_MASK) == IP_ECN_CE)
        return 0;
    if (pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    h = pkt_ip4(p);
    was = load16(h);
    h->tos |= IP_ECN_CE;
    h->sum = csum_replace16(h->sum, was, load16(h));
    return 0;
}
ELEMENT_LOOP(mark_ip_ce)

ELEMENT(MarkIPCE) = {
    .name = "MarkIPCE",
    .state_size = sizeof(struct mark_ip_ce),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = mark_ip_ce_args,
    .counters = mark_ip_ce_counters,
    .push = mark_ip_ce_push,
    .pull = mark_ip_ce_pull,
};
