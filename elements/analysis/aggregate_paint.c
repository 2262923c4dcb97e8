// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregatePaint -- set the aggregate annotation from the paint annotation
 *
 * Usage:    AggregatePaint([BITS 8, INCREMENTAL false])
 * Ports:    1 in, 1 out; push or pull
 * Args:     BITS         how many low bits of the paint count, default 8
 *           INCREMENTAL  true: shift the old annotation left to make room for them
 * Counters: none
 * Handlers: none
 * Example:  ... -> Paint(3) -> AggregatePaint -> AggregateCounter -> ...
 * See also: Paint, AggregateIP, AggregateLength
 */

#include "engine/element.h"

struct aggregate_paint {
    int32_t bits;
    bool incremental;
};

static const struct arg_spec aggregate_paint_args[] = {
    ARG_I32(aggregate_paint, bits, "BITS", ARG_POS, "8", "low bits of the paint"),
    ARG_BOOL(aggregate_paint, incremental, "INCREMENTAL", 0, "false",
             "shift the old annotation"),
    ARG_END,
};

static int aggregate_paint_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct aggregate_paint *s = element_state(e);

    return s->bits >= 1 && s->bits <= 8 ? 0 : diag_err(d, "bad number of bits");
}

static void aggregate_paint_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct aggregate_paint *s = element_state(e);
    uint32_t mask = (1u << s->bits) - 1;

    for (uint32_t i = from; i < b->n; i++) {
        uint32_t *agg = &b->p[i]->anno_u32[ANNO_AGGREGATE / 4];

        *agg = (s->incremental ? *agg << s->bits : 0) + (pkt_paint(b->p[i]) & mask);
    }
}
ELEMENT_BATCH(aggregate_paint)

ELEMENT(AggregatePaint) = {
    .name = "AggregatePaint",
    .state_size = sizeof(struct aggregate_paint),
    .ports = "1/1",
    .args = aggregate_paint_args,
    .configure = aggregate_paint_configure,
    .push = aggregate_paint_push,
    .pull = aggregate_paint_pull,
};
