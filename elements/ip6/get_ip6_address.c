// SPDX-License-Identifier: BSD-3-Clause
/*
 * GetIP6Address -- set the destination annotation from the packet's data
 *
 * Usage:    GetIP6Address(OFFSET)
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  where 16 bytes of address stand in the data
 * Counters: none
 * Handlers: none
 * Example:  ... -> CheckIP6Header -> GetIP6Address(24) -> LookupIP6Route(...)
 * See also: SetIP6Address, LookupIP6Route
 *
 * Packets that are too short get the annotation ::.
 */

#include "engine/element.h"

struct get_ip6_address {
    uint32_t offset;
};

static const struct arg_spec get_ip6_address_args[] = {
    ARG_U32(get_ip6_address, offset, "OFFSET", ARG_M, NULL, "where the address is"),
    ARG_END,
};

static void get_ip6_address_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct get_ip6_address *s = element_state(e);
    const uint64_t offset = s->offset, end = offset + 16;
    const uint32_t n = b->n; /* what is written might be these */

    for (uint32_t i = from; i < n; i++) {
        struct pkt *p = b->p[i];

        if (__builtin_expect(p->len >= end, 1))
            memcpy(p->anno + ANNO_DST_IP6, p->data + offset, 16);
        else
            memset(p->anno + ANNO_DST_IP6, 0, 16);
    }
}
ELEMENT_BATCH(get_ip6_address)

ELEMENT(GetIP6Address) = {
    .name = "GetIP6Address",
    .state_size = sizeof(struct get_ip6_address),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = get_ip6_address_args,
    .push = get_ip6_address_push,
    .pull = get_ip6_address_pull,
};
