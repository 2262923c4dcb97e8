// SPDX-License-Identifier: BSD-3-Clause
/*
 * Unstrip -- put bytes back at the front of packets
 *
 * Usage:    Unstrip(LENGTH)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LENGTH  bytes put back
 * Counters: drops  packets for which memory ran out
 * Handlers: none
 * Example:  ... -> Strip(14) -> CheckIPHeader -> Unstrip(14) -> ToDevice(0);
 * See also: Strip, EtherEncap
 *
 * What Strip took off is there again. Where a packet never had so many bytes before its
 * data, the new ones are 0.
 */

#include "engine/element.h"

struct unstrip {
    uint32_t length;
};

static const struct arg_spec unstrip_args[] = {
    ARG_U32(unstrip, length, "LENGTH", ARG_M, NULL, "bytes put back"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec unstrip_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static inline verdict_t unstrip_one(struct element *e, struct pkt *p)
{
    const struct unstrip *s = element_state(e);
    uint32_t before = pkt_written_before(p);

    if (__builtin_expect(pkt_unpull(p, s->length) == 0, 1))
        return 0;
    if (s->length > PKT_MAX_LEN || !pkt_push(p, s->length))
        return drop(e, C_DROPS);
    memset(p->data, 0, s->length - before); /* never show what was in memory before */
    return 0;
}

ELEMENT_LOOP(unstrip)

ELEMENT(Unstrip) = {
    .name = "Unstrip",
    .state_size = sizeof(struct unstrip),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = unstrip_args,
    .counters = unstrip_counters,
    .push = unstrip_push,
    .pull = unstrip_pull,
};
