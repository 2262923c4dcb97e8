// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateFirst -- pass the first packet of each aggregate
 *
 * Usage:    AggregateFirst([NOTIFIER])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     NOTIFIER  an AggregateIPFlows or the like, which says when aggregates end, so
 *                     that they need not be remembered for ever
 * Counters: none
 * Handlers: clear  (write) forget what has been seen
 * Example:  ... -> AggregateIPFlows -> AggregateFirst -> ToDump(first.pcap);
 * See also: AggregateLast, AggregateIP, AggregateIPFlows
 *
 * Later packets leave by output 1 if that is connected.
 */

#include "engine/agg_notifier.h"
#include "engine/agg_set.h"

struct aggregate_first {
    struct agg_set seen;
    struct element *notifier;
    struct agg_listener listener;
};

static const struct arg_spec aggregate_first_args[] = {
    ARG_ELEMENT(aggregate_first, notifier, "NOTIFIER", 0, NULL,
                "says when aggregates end"),
    ARG_END,
};

static void aggregate_first_notify(struct element *e, uint32_t aggregate,
                                   enum agg_event event)
{
    struct aggregate_first *s = element_state(e);

    if (event == AGG_DELETE)
        agg_set_remove(&s->seen, aggregate);
}

static int aggregate_first_initialize(struct element *e, struct diag *d)
{
    struct aggregate_first *s = element_state(e);

    return agg_listen(&s->listener, e, s->notifier, aggregate_first_notify, d);
}

static inline verdict_t aggregate_first_one(struct element *e, struct pkt *p)
{
    struct aggregate_first *s = element_state(e);
    struct agg_value *v = agg_set_put(&s->seen, p->anno_u32[ANNO_AGGREGATE / 4]);

    if (v && !v->value) {
        v->value = 1;
        return 0;
    }
    return e->n_out > 1 ? 1 : VERDICT_DROP;
}
ELEMENT_LOOP(aggregate_first)

static void aggregate_first_take_state(struct element *e, struct element *old)
{
    struct aggregate_first *s = element_state(e), *from = element_state(old);
    struct agg_set mine = s->seen;

    s->seen = from->seen;
    from->seen = mine;
}

static void aggregate_first_cleanup(struct element *e)
{
    agg_set_fini(&((struct aggregate_first *)element_state(e))->seen);
}

static int aggregate_first_clear(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d)
{
    aggregate_first_cleanup(e);
    return 0;
}

static const struct handler_spec aggregate_first_handlers[] = {
    HANDLER_PRESS(aggregate_first_clear, "clear", "forget what has been seen"),
    HANDLER_END,
};

ELEMENT(AggregateFirst) = {
    .name = "AggregateFirst",
    .state_size = sizeof(struct aggregate_first),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = aggregate_first_args,
    .handlers = aggregate_first_handlers,
    .initialize = aggregate_first_initialize,
    .take_state = aggregate_first_take_state,
    .cleanup = aggregate_first_cleanup,
    .push = aggregate_first_push,
    .pull = aggregate_first_pull,
};
