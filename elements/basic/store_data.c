// SPDX-License-Identifier: BSD-3-Clause
/*
 * StoreData -- overwrite bytes of packets
 *
 * Usage:    StoreData(OFFSET, DATA)
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  first byte that is overwritten
 *           DATA    the new bytes
 * Counters: drops  packets for which memory ran out
 * Handlers: none
 * Example:  ... -> StoreData(12, \<0800>) -> ...
 * See also: StoreIPAddress, StoreEtherAddress
 *
 * A packet does not grow: what would lie behind its end is left out.
 */

#include "engine/element.h"

struct store_data {
    uint32_t offset;
    struct text data;
};

static const struct arg_spec store_data_args[] = {
    ARG_U32(store_data, offset, "OFFSET", ARG_M, NULL, "first byte overwritten"),
    ARG_STRING(store_data, data, "DATA", ARG_M, NULL, "the new bytes"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec store_data_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static inline verdict_t store_data_one(struct element *e, struct pkt *p)
{
    const struct store_data *s = element_state(e);
    size_t n;

    if (p->len <= s->offset)
        return 0;
    if (pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    n = p->len - s->offset < s->data.len ? p->len - s->offset : s->data.len;
    memcpy(p->data + s->offset, s->data.s, n);
    return 0;
}

ELEMENT_LOOP(store_data)

ELEMENT(StoreData) = {
    .name = "StoreData",
    .state_size = sizeof(struct store_data),
    .ports = "1/1",
    .args = store_data_args,
    .counters = store_data_counters,
    .push = store_data_push,
    .pull = store_data_pull,
};
