// SPDX-License-Identifier: BSD-3-Clause
/* force.c -- what ForceTCP, ForceUDP and ForceICMP have in common: see force.h */

#include "engine/force.h"

#include "engine/net_headers.h"
#include "engine/platform.h"

const struct counter_spec force_counters[] = {
    [FORCE_DROPS] = {"drops", "packets that are too short"},
    {NULL, NULL},
};

static uint32_t force_len(const struct pkt *p)
{
    uint32_t total;

    if (!pkt_has_ip4(p))
        return 0;
    total = be16(pkt_ip4(p)->len);
    if (total > pkt_avail(p, p->network) || total < ip4_hlen(pkt_ip4(p)))
        return 0;
    return total - ip4_hlen(pkt_ip4(p));
}

uint32_t force_begin(struct element *e, struct pkt *p, size_t need)
{
    uint32_t len = force_len(p);

    if (len >= need && pkt_writable(p) == 0)
        return len;
    if (element_platform(e)->has_os)
        element_say(e, "%s: bad lengths\n", e->cls->name);
    element_count(e, FORCE_DROPS, 1);
    return 0;
}

void *force_at(const struct pkt *p)
{
    return p->network + ip4_hlen(pkt_ip4(p));
}
