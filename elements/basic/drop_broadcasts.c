// SPDX-License-Identifier: BSD-3-Clause
/*
 * DropBroadcasts -- drop packets that arrived as link-level broadcast or multicast
 *
 * Usage:    DropBroadcasts
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     none
 * Counters: drops  packets that did not pass
 * Handlers: none
 * Example:  Strip(14) -> CheckIPHeader -> ... -> DropBroadcasts -> DecIPTTL -> ...
 * See also: HostEtherFilter, SetPacketType
 *
 * The packet type decides, which input devices and HostEtherFilter set. What does not pass
 * leaves by output 1, or is dropped if that is not connected.
 */

#include "engine/ip4_plain.h"

enum { C_DROPS };
static const struct counter_spec drop_broadcasts_counters[] = {
    [C_DROPS] = {"drops", "packets that did not pass"},
    {NULL, NULL},
};

/* By type. To look there takes less than to compare. */
static const uint8_t dropped[UINT8_MAX + 1] = {
    [PKT_BROADCAST] = 1, [PKT_MULTICAST] = 1};

static inline bool drop_broadcasts_idle(const struct element *e, const struct pkt *p)
{
    return !dropped[p->type];
}

static inline verdict_t drop_broadcasts_one(struct element *e, struct pkt *p)
{
    if (drop_broadcasts_idle(e, p))
        return 0;
    if (!e->counters[C_DROPS])
        element_say(e, "DropBroadcasts: dropped a packet\n");
    return spill(e, 1, C_DROPS);
}

static uint32_t drop_broadcasts_run(struct element *e, struct batch *b, uint32_t from)
{
    uint8_t any = 0;

#pragma GCC unroll 4
    for (uint32_t i = from; i < b->n; i++)
        any |= dropped[b->p[i]->type];
    return any ? batch_while(e, b, from, drop_broadcasts_idle) : b->n;
}
ELEMENT_LOOP_RUN(drop_broadcasts)
ELEMENT_IP4(drop_broadcasts)

ELEMENT(DropBroadcasts) = {
    .name = "DropBroadcasts",
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .counters = drop_broadcasts_counters,
    .push = drop_broadcasts_push,
    .pull = drop_broadcasts_pull,
    .push_ip4 = drop_broadcasts_push_ip4,
};
