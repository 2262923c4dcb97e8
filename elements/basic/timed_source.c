// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimedSource -- make a packet every so often
 *
 * Usage:    TimedSource(INTERVAL 0.5, DATA, LIMIT -1, ACTIVE true, STOP false, HEADROOM)
 * Ports:    1 out; push
 * Args:     INTERVAL  time from packet to packet, default 0.5 s
 *           DATA      contents of the packets; the default is 69 bytes of text
 *           LIMIT     packets made altogether, default -1: no limit
 *           ACTIVE    whether packets are made at all, default true
 *           STOP      stop the router one INTERVAL after LIMIT packets, default false
 *           HEADROOM  bytes of room before the data
 * Counters: count  packets made
 * Handlers: interval, data, limit, active, headroom  (read/write) the arguments
 *           reset  (write) set count to 0 and make a packet at once
 * Example:  TimedSource(1, "hello") -> Print -> Discard;
 * See also: RatedSource, InfiniteSource
 */

#include "engine/handler_call.h"
#include "engine/packet_source.h"

struct timed_source {
    struct timer timer;
    struct packet_source source;
    int64_t interval_ns, limit;
    uint32_t headroom;
    bool active, stop;
    struct text data;
};

static const struct arg_spec timed_source_args[] = {
    ARG_TIME(timed_source, interval_ns, "INTERVAL", ARG_POS, "0.5",
             "time from packet to packet"),
    ARG_STRING(timed_source, data, "DATA", ARG_POS, PACKET_SOURCE_DATA,
               "contents of the packets"),
    ARG_I64(timed_source, limit, "LIMIT", ARG_KEY, "-1", "packets made, < 0: no limit"),
    ARG_BOOL(timed_source, active, "ACTIVE", ARG_KEY, "true", "make packets at all"),
    ARG_BOOL(timed_source, stop, "STOP", ARG_KEY, "false",
             "stop the router after the last packet"),
    ARG_U32(timed_source, headroom, "HEADROOM", ARG_KEY, "130",
            "bytes of room before the data"),
    ARG_END,
};

enum { C_COUNT };
static const struct counter_spec timed_source_counters[] = {
    [C_COUNT] = {"count", "packets made"},
    {NULL, NULL},
};

static int timed_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct timed_source *s = element_state(e);

    s->source.length = -1;
    s->source.headroom = s->headroom;
    return packet_source_set_data(e, &s->source, s->data.s, s->data.len, d);
}

static void timed_source_fire(struct element *e, struct timer *t)
{
    struct timed_source *s = element_state(e);
    struct batch b;

    if (!s->active)
        return;
    if (!packet_source_allowed(s->limit, e->counters[C_COUNT], 1)) {
        if (s->stop)
            handler_call_stop(e);
        return;
    }
    b.n = 0;
    e->counters[C_COUNT] += packet_source_emit(&s->source, &b, 1,
                                               element_coarse_wall_now(e));
    out_push(e, 0, &b);
    timer_reschedule(t, s->interval_ns);
}

static int timed_source_initialize(struct element *e, struct diag *d)
{
    struct timed_source *s = element_state(e);

    timer_init(&s->timer, e, timed_source_fire);
    if (s->active)
        timer_after(&s->timer, s->interval_ns);
    return 0;
}

static void timed_source_cleanup(struct element *e)
{
    struct timed_source *s = element_state(e);

    packet_source_fini(&s->source);
}

static void timed_source_go(struct timed_source *s)
{
    if (s->active && !timer_scheduled(&s->timer))
        timer_after(&s->timer, 0);
}

static int timed_source_write_interval(struct element *e, const struct handler_spec *h,
                                       const char *value, size_t len, struct diag *d)
{
    struct timed_source *s = element_state(e);
    int64_t ns;

    if (!parse_time(value, &ns) || ns <= 0)
        return diag_err(d, "bad interval");
    s->interval_ns = ns;
    return 0;
}

static int timed_source_write_active(struct element *e, const struct handler_spec *h,
                                     const char *value, size_t len, struct diag *d)
{
    struct timed_source *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "bad active");
    timed_source_go(s);
    return 0;
}

static int timed_source_write_headroom(struct element *e, const struct handler_spec *h,
                                       const char *value, size_t len, struct diag *d)
{
    struct timed_source *s = element_state(e);
    uint64_t headroom;

    if (!parse_u64(value, 0, &headroom) || headroom > PKT_MAX_LEN)
        return diag_err(d, "bad headroom");
    s->headroom = s->source.headroom = (uint32_t)headroom;
    return packet_source_build(e, &s->source, d);
}

static int timed_source_reset(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    timed_source_go(element_state(e));
    return 0;
}

static const struct handler_spec timed_source_handlers[] = {
    PACKET_SOURCE_DATA_HANDLER(timed_source, source),
    HANDLER_VALUE(timed_source, limit, ARG_KIND_I64, HANDLER_READ | HANDLER_WRITE,
                  "limit", "packets made, < 0: no limit"),
    {.name = "interval",
     .help = "time from packet to packet",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct timed_source, interval_ns),
     .write = timed_source_write_interval},
    {.name = "active",
     .help = "whether packets are made",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct timed_source, active),
     .write = timed_source_write_active},
    {.name = "headroom",
     .help = "bytes of room before the data",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct timed_source, headroom),
     .write = timed_source_write_headroom},
    HANDLER_PRESS(timed_source_reset, "reset", "set count to 0"),
    HANDLER_END,
};

ELEMENT(TimedSource) = {
    .name = "TimedSource",
    .state_size = sizeof(struct timed_source),
    .ports = "0/1",
    .processing = "h/h",
    .args = timed_source_args,
    .counters = timed_source_counters,
    .handlers = timed_source_handlers,
    .configure = timed_source_configure,
    .initialize = timed_source_initialize,
    .cleanup = timed_source_cleanup,
};
