// SPDX-License-Identifier: BSD-3-Clause
/*
 * StoreTimestamp -- write the timestamp into the packet data
 *
 * Usage:    StoreTimestamp([OFFSET, TAIL false])
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  where in the data
 *           TAIL    true: behind the data
 * Counters: drops  packets for which memory ran out
 * Handlers: none
 * Example:  ... -> SetTimestamp -> StoreTimestamp(14) -> ...
 * See also: SetTimestamp, StoreData
 *
 * Exactly one of OFFSET and TAIL must be given. 8 bytes are written: nanoseconds since 1970
 * as an integer in the machine's byte order, which is how packets carry it. Packets that are
 * too short are lengthened, with zeros before the timestamp.
 */

#include "engine/element.h"

struct store_timestamp {
    uint32_t offset;
    bool tail, have_offset;
};

enum { STAMP_SIZE = 8, OFFSET_MAX = 65535 };

static const struct arg_spec store_timestamp_args[] = {
    {.name = "OFFSET",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .offset = offsetof(struct store_timestamp, offset),
     .seen = 1 + offsetof(struct store_timestamp, have_offset),
     .help = "where in the data",
     .max = OFFSET_MAX},
    ARG_BOOL(store_timestamp, tail, "TAIL", 0, "false", "behind the data"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec store_timestamp_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static int store_timestamp_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct store_timestamp *s = element_state(e);

    if (s->have_offset == s->tail)
        return diag_err(d, "supply exactly one of 'OFFSET' and 'TAIL'");
    return 0;
}

static inline verdict_t store_timestamp_one(struct element *e, struct pkt *p)
{
    const struct store_timestamp *s = element_state(e);
    uint32_t len = p->len, at = s->tail ? len : s->offset;

    if (at + STAMP_SIZE > len) {
        uint8_t *more = pkt_put(p, at + STAMP_SIZE - len);

        if (!more)
            return drop(e, C_DROPS);
        memset(more, 0, at + STAMP_SIZE - len);
    } else if (pkt_writable(p) < 0) {
        return drop(e, C_DROPS);
    }
    memcpy(p->data + at, &p->timestamp, STAMP_SIZE);
    return 0;
}
ELEMENT_LOOP(store_timestamp)

ELEMENT(StoreTimestamp) = {
    .name = "StoreTimestamp",
    .state_size = sizeof(struct store_timestamp),
    .ports = "1/1",
    .args = store_timestamp_args,
    .counters = store_timestamp_counters,
    .configure = store_timestamp_configure,
    .push = store_timestamp_push,
    .pull = store_timestamp_pull,
};
