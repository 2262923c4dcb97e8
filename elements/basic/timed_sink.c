// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimedSink -- pull and drop a packet every so often
 *
 * Usage:    TimedSink(INTERVAL 0.5)
 * Ports:    1 in; pull
 * Args:     INTERVAL  time from packet to packet, default 0.5 s
 * Counters: none
 * Handlers: interval  (read/write) the argument INTERVAL
 * Example:  Queue -> TimedSink(1);
 * See also: Discard, TimedSource, TimedUnqueue
 */

#include "engine/element.h"

struct timed_sink {
    struct timer timer;
    int64_t interval_ns;
};

static const struct arg_spec timed_sink_args[] = {
    ARG_TIME(timed_sink, interval_ns, "INTERVAL", ARG_POS, "0.5",
             "time from packet to packet"),
    ARG_END,
};

static void timed_sink_fire(struct element *e, struct timer *t)
{
    const struct timed_sink *s = element_state(e);

    pkt_free(in_pull_one(e, 0));
    timer_reschedule(t, s->interval_ns);
}

static int timed_sink_initialize(struct element *e, struct diag *d)
{
    struct timed_sink *s = element_state(e);

    timer_init(&s->timer, e, timed_sink_fire);
    timer_after(&s->timer, s->interval_ns);
    return 0;
}

static int timed_sink_write_interval(struct element *e, const struct handler_spec *h,
                                     const char *value, size_t len, struct diag *d)
{
    struct timed_sink *s = element_state(e);
    int64_t ns;

    if (!parse_time(value, &ns) || ns <= 0)
        return diag_err(d, "bad interval");
    s->interval_ns = ns;
    return 0;
}

static const struct handler_spec timed_sink_handlers[] = {
    {.name = "interval",
     .help = "time from packet to packet",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct timed_sink, interval_ns),
     .write = timed_sink_write_interval},
    HANDLER_END,
};

ELEMENT(TimedSink) = {
    .name = "TimedSink",
    .state_size = sizeof(struct timed_sink),
    .ports = "1/0",
    .processing = "l/h",
    .args = timed_sink_args,
    .handlers = timed_sink_handlers,
    .initialize = timed_sink_initialize,
};
