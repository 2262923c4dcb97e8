// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetTimestamp -- set packets' time
 *
 * Usage:    SetTimestamp(TIMESTAMP, FIRST false)
 * Ports:    1 in, 1 out; push or pull
 * Args:     TIMESTAMP  seconds since 1970; by default the time when the packet passes
 *           FIRST      set the first-timestamp annotation instead, default false
 * Counters: none
 * Handlers: none
 * Example:  ... -> SetTimestamp -> Print(TIMESTAMP true) -> ...
 * See also: StoreTimestamp, AdjustTimestamp, SetTimestampDelta
 */

#include "engine/element.h"

struct set_timestamp {
    int64_t at_ns;
    bool at_given, first, delta;
};

static const struct arg_spec set_timestamp_args[] = {
    {.name = "TIMESTAMP",
     .kind = ARG_KIND_TIME,
     .flags = ARG_POS,
     .help = "seconds since 1970; default: now",
     .offset = offsetof(struct set_timestamp, at_ns),
     .seen = 1 + offsetof(struct set_timestamp, at_given)},
    ARG_BOOL(set_timestamp, first, "FIRST", ARG_KEY, "false",
             "set the first-timestamp annotation"),
    ARG_BOOL(set_timestamp, delta, "DELTA", ARG_OLD, NULL, "is refused"),
    ARG_END,
};

static int set_timestamp_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct set_timestamp *s = element_state(e);

    if (s->delta)
        return diag_err(d, "SetTimestamp(DELTA) is deprecated, use "
                           "SetTimestampDelta(TYPE FIRST)");
    return 0;
}

static void set_timestamp_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_timestamp *s = element_state(e);
    const int64_t at = s->at_given ? s->at_ns : element_wall_now(e);
    const uint32_t n = b->n;

    if (s->first) {
#pragma GCC unroll 4
        for (uint32_t i = from; i < n; i++)
            b->p[i]->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = (uint64_t)at;
        return;
    }
#pragma GCC unroll 4
    for (uint32_t i = from; i < n; i++)
        b->p[i]->timestamp = at;
}

ELEMENT_BATCH(set_timestamp)

ELEMENT(SetTimestamp) = {
    .name = "SetTimestamp",
    .state_size = sizeof(struct set_timestamp),
    .keeps = PKT_PARTS & ~PKT_STAMPS,
    .ports = "1/1",
    .args = set_timestamp_args,
    .configure = set_timestamp_configure,
    .push = set_timestamp_push,
    .pull = set_timestamp_pull,
};
