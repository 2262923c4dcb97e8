// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimestampAccum -- sum up how long ago packets were stamped
 *
 * Usage:    TimestampAccum
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: count  packets seen
 * Handlers: time          (read) sum of the times from timestamp to now, in seconds
 *           average_time  (read) the same for one packet
 *           reset_counts  (write) start from 0
 * Example:  ... -> SetTimestamp -> Queue -> ta :: TimestampAccum -> ...
 * See also: SetTimestamp, SetTimestampDelta, TimeRange
 */

#include "engine/element.h"

struct timestamp_accum {
    double sum_s;
};

enum { C_COUNT };
static const struct counter_spec timestamp_accum_counters[] = {
    [C_COUNT] = {"count", "packets seen"},
    {NULL, NULL},
};

static void timestamp_accum_batch(struct element *e, struct batch *b, uint32_t from)
{
    struct timestamp_accum *s = element_state(e);
    int64_t now = element_wall_now(e);
    double sum = 0;

    for (uint32_t i = from; i < b->n; i++)
        sum += (double)now - (double)b->p[i]->timestamp;
    s->sum_s += sum / 1e9;
    element_count(e, C_COUNT, b->n - from);
}
ELEMENT_BATCH(timestamp_accum)

static void timestamp_accum_take_state(struct element *e, struct element *old)
{
    struct timestamp_accum *s = element_state(e);
    const struct timestamp_accum *from = element_state(old);

    s->sum_s = from->sum_s;
}

static int timestamp_accum_read(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct timestamp_accum *s = element_state(e);
    double n = h->user ? (double)e->counters[C_COUNT] : 1;

    sbuf_printf(out, "%.12g", n > 0 ? s->sum_s / n : 0.0);
    return 0;
}

static int timestamp_accum_reset(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d)
{
    struct timestamp_accum *s = element_state(e);

    s->sum_s = 0;
    e->counters[C_COUNT] = 0;
    return 0;
}

static const struct handler_spec timestamp_accum_handlers[] = {
    HANDLER_READER(timestamp_accum_read, "time", "sum of the times, in seconds"),
    {.name = "average_time",
     .help = "the same for one packet",
     .flags = HANDLER_READ,
     .user = 1,
     .read = timestamp_accum_read},
    HANDLER_PRESS(timestamp_accum_reset, "reset_counts", "start from 0"),
    HANDLER_END,
};

ELEMENT(TimestampAccum) = {
    .name = "TimestampAccum",
    .state_size = sizeof(struct timestamp_accum),
    .ports = "1/1",
    .counters = timestamp_accum_counters,
    .handlers = timestamp_accum_handlers,
    .take_state = timestamp_accum_take_state,
    .push = timestamp_accum_push,
    .pull = timestamp_accum_pull,
};
