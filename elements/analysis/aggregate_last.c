// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateLast -- pass the last packet of each aggregate, with totals
 *
 * Usage:    AggregateLast([NOTIFIER, STOP_AFTER_CLEAR false])
 * Ports:    1 in, 1-2 out; push
 * Args:     NOTIFIER          an AggregateIPFlows or the like, which says when an aggregate
 *                             ends: then its last packet leaves
 *           STOP_AFTER_CLEAR  true: stop the driver when `clear` is done
 * Counters: drops  packets for which memory ran out
 * Handlers: clear  (write) let all last packets leave now, in the order of aggregates
 * Example:  ... -> AggregateIPFlows -> al :: AggregateLast -> ToIPSummaryDump(-, FIELDS ip_src ip_dst count);
 * See also: AggregateFirst, AggregateIPFlows, ToIPSummaryDump
 *
 * A packet that leaves carries in its annotations how many packets and bytes came besides
 * it (extra packets, extra length) and when the first one came (first timestamp). All others
 * leave by output 1 if that is connected. Without NOTIFIER packets leave only at `clear`.
 */

#include "engine/agg_notifier.h"
#include "engine/agg_set.h"
#include "engine/router.h"

#include <stdlib.h>

struct aggregate_last {
    struct agg_set last; /* values: struct pkt *, owned */
    struct element *notifier;
    struct agg_listener listener;
    struct task task;
    bool stop_after_clear;
};

static const struct arg_spec aggregate_last_args[] = {
    ARG_ELEMENT(aggregate_last, notifier, "NOTIFIER", 0, NULL,
                "says when aggregates end"),
    ARG_BOOL(aggregate_last, stop_after_clear, "STOP_AFTER_CLEAR", 0, "false",
             "stop the driver after clear"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec aggregate_last_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static struct pkt *last_pkt(const struct agg_value *v)
{
    return (void *)(uintptr_t)v->value;
}

static void aggregate_last_notify(struct element *e, uint32_t aggregate,
                                  enum agg_event event)
{
    struct aggregate_last *s = element_state(e);
    struct agg_value *v = agg_set_get(&s->last, aggregate);
    struct pkt *p;

    if (event != AGG_DELETE || !v)
        return;
    p = last_pkt(v);
    agg_set_remove(&s->last, aggregate);
    out_push_one(e, 0, p);
}

/* Let all packets leave; the table is empty before the first one does. */
static bool aggregate_last_clear(struct element *e, struct task *t)
{
    struct aggregate_last *s = element_state(e);
    struct agg_set was = s->last;
    size_t n;
    struct agg_value *all = agg_set_sorted(&was, &n);

    s->last = (struct agg_set){0};
    if (all)
        agg_set_fini(&was);
    else
        s->last = was; /* no memory to sort them in: the next time */
    for (size_t i = 0; i < n; i++)
        out_push_one(e, 0, last_pkt(&all[i]));
    free(all);
    if (s->stop_after_clear)
        router_stop(e->router);
    return true;
}

static int aggregate_last_initialize(struct element *e, struct diag *d)
{
    struct aggregate_last *s = element_state(e);

    task_init(&s->task, e, aggregate_last_clear);
    return agg_listen(&s->listener, e, s->notifier, aggregate_last_notify, d);
}

/* Put `p` in the place of the last packet; returns that, NULL if `p` is the first. */
static struct pkt *aggregate_last_replace(struct agg_value *v, struct pkt *p)
{
    struct pkt *was = last_pkt(v);

    v->value = (uintptr_t)p;
    if (!was) {
        p->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = (uint64_t)p->timestamp;
        return NULL;
    }
    p->anno_u32[ANNO_EXTRA_PACKETS / 4] += 1 + was->anno_u32[ANNO_EXTRA_PACKETS / 4];
    p->anno_u32[ANNO_EXTRA_LENGTH / 4] += was->len +
                                          was->anno_u32[ANNO_EXTRA_LENGTH / 4];
    p->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = was->anno_u64[ANNO_FIRST_TIMESTAMP / 8];
    return was;
}

static void aggregate_last_push(struct element *e, unsigned port, struct batch *b)
{
    struct aggregate_last *s = element_state(e);
    struct batch done;

    if (s->task.scheduled) {
        task_unschedule(&s->task);
        aggregate_last_clear(e, &s->task);
    }
    done.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i], *was;
        struct agg_value *v = agg_set_put(&s->last, p->anno_u32[ANNO_AGGREGATE / 4]);

        if (!v) {
            element_count(e, C_DROPS, 1);
            was = p;
        } else {
            was = aggregate_last_replace(v, p);
        }
        if (was)
            batch_add(&done, was);
    }
    out_push_or_free(e, 1, &done);
}

static void aggregate_last_take_state(struct element *e, struct element *old)
{
    struct aggregate_last *s = element_state(e), *from = element_state(old);

    s->last = from->last;
    from->last = (struct agg_set){0};
}

static void aggregate_last_cleanup(struct element *e)
{
    struct aggregate_last *s = element_state(e);

    for (uint32_t i = 0; i < s->last.n_slots; i++)
        pkt_free(last_pkt(&s->last.slots[i]));
    agg_set_fini(&s->last);
}

static int aggregate_last_write_clear(struct element *e, const struct handler_spec *h,
                                      const char *value, size_t len, struct diag *d)
{
    struct aggregate_last *s = element_state(e);

    task_schedule(&s->task);
    return 0;
}

static const struct handler_spec aggregate_last_handlers[] = {
    HANDLER_WRITER(aggregate_last_write_clear, "clear",
                   "let all last packets leave now"),
    HANDLER_END,
};

ELEMENT(AggregateLast) = {
    .name = "AggregateLast",
    .state_size = sizeof(struct aggregate_last),
    .ports = "1/1-2",
    .processing = "h/h",
    .args = aggregate_last_args,
    .counters = aggregate_last_counters,
    .handlers = aggregate_last_handlers,
    .initialize = aggregate_last_initialize,
    .take_state = aggregate_last_take_state,
    .cleanup = aggregate_last_cleanup,
    .push = aggregate_last_push,
};
