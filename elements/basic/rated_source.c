// SPDX-License-Identifier: BSD-3-Clause
/*
 * RatedSource -- make packets at a rate
 *
 * Usage:    RatedSource(DATA, RATE 10, LIMIT -1, ACTIVE true, LENGTH -1, STOP false,
 *                       BANDWIDTH)
 * Ports:    1 out; push or pull
 * Args:     DATA       contents of the packets; the default is 69 bytes of text
 *           RATE       packets a second, default 10
 *           LIMIT      packets made altogether, default -1: no limit
 *           ACTIVE     whether packets are made at all, default true
 *           LENGTH     of a packet, default -1: that of DATA, which is cut or repeated
 *           STOP       stop the router when LIMIT packets have been made, default false
 *           BANDWIDTH  instead of RATE: bits or bytes a second, such as 10Mbps
 * Counters: count  packets made
 * Handlers: data, rate, limit, active, length  (read/write) the arguments
 *           reset               (write) set count to 0
 *           scheduled, tickets  of the task that pushes
 * Example:  RatedSource(\<00>, RATE 1000, LENGTH 64) -> ToDevice(0);
 * See also: InfiniteSource, TimedSource
 *
 * The first packet leaves at once. What could not be sent in time is made up for, but for
 * no more than a hundredth of a second.
 */

#include "engine/handler_call.h"
#include "engine/packet_source.h"
#include "engine/task_handlers.h"
#include "engine/token_bucket.h"

struct rated_source {
    struct task task;
    struct timer timer;
    struct token_bucket bucket;
    struct packet_source source;
    int64_t limit;
    uint32_t rate, burst;
    uint64_t bandwidth; /* bytes a second; 0: not given */
    bool active, stop;
    struct text data;
};

static const struct arg_spec rated_source_args[] = {
    ARG_STRING(rated_source, data, "DATA", ARG_POS, PACKET_SOURCE_DATA,
               "contents of the packets"),
    ARG_U32(rated_source, rate, "RATE", ARG_POS, "10", "packets a second"),
    ARG_I64(rated_source, limit, "LIMIT", ARG_POS, "-1", "packets made, < 0: no limit"),
    ARG_BOOL(rated_source, active, "ACTIVE", ARG_POS, "true", "make packets at all"),
    ARG_I64(rated_source, source.length, "LENGTH", ARG_KEY, "-1",
            "of a packet, < 0: that of DATA"),
    ARG_I64(rated_source, source.length, "DATASIZE", ARG_OLD, NULL, "LENGTH"),
    ARG_BOOL(rated_source, stop, "STOP", ARG_KEY, "false",
             "stop the router after the last packet"),
    ARG_BANDWIDTH(rated_source, bandwidth, "BANDWIDTH", ARG_KEY, NULL,
                  "instead of RATE: bits or bytes a second"),
    ARG_END,
};

enum { C_COUNT };
static const struct counter_spec rated_source_counters[] = {
    [C_COUNT] = {"count", "packets made"},
    {NULL, NULL},
};

static uint32_t rated_source_burst(uint32_t rate)
{
    return rate < 200 ? 2 : rate / 100;
}

static int rated_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct rated_source *s = element_state(e);
    uint32_t len;

    s->source.headroom = PKT_HEADROOM;
    if (packet_source_set_data(e, &s->source, s->data.s, s->data.len, d) < 0)
        return -1;
    len = s->source.packet->len;
    if (s->bandwidth && len)
        s->rate = s->bandwidth / len < UINT32_MAX ? (uint32_t)(s->bandwidth / len)
                                                  : UINT32_MAX;
    s->burst = rated_source_burst(s->rate);
    /* With BANDWIDTH and LENGTH, as many packets as two of them have bytes. */
    if (s->bandwidth && s->burst < 2 * s->source.length)
        s->burst = 2 * (uint32_t)s->source.length;
    if (e->configured) {
        e->counters[C_COUNT] = 0;
        token_bucket_init(&s->bucket, s->rate, s->burst, 1, element_now(e));
        if (s->active)
            task_schedule(&s->task);
    }
    return 0;
}

/* How many packets may leave now: there are tokens, and the limit allows them. */
static uint32_t rated_source_ready(struct element *e, uint32_t want)
{
    struct rated_source *s = element_state(e);
    uint64_t tokens;

    if (!s->active)
        return 0;
    want = packet_source_allowed(s->limit, e->counters[C_COUNT], want);
    if (!want) {
        if (s->stop)
            handler_call_stop(e);
        return 0;
    }
    token_bucket_refill(&s->bucket, element_now(e));
    tokens = token_bucket_count(&s->bucket);
    return tokens < want ? (uint32_t)tokens : want;
}

static uint32_t rated_source_make(struct element *e, struct batch *b, uint32_t n)
{
    struct rated_source *s = element_state(e);

    n = packet_source_emit(&s->source, b, n, element_coarse_wall_now(e));
    token_bucket_drain(&s->bucket, n);
    e->counters[C_COUNT] += n;
    return n;
}

static bool rated_source_run(struct element *e, struct task *t)
{
    struct rated_source *s = element_state(e);
    struct batch b;
    int64_t wait;

    b.n = 0;
    if (rated_source_ready(e, 1)) {
        rated_source_make(e, &b, 1);
        out_push(e, 0, &b);
        task_reschedule(t);
        return true;
    }
    if (!s->active || !packet_source_allowed(s->limit, e->counters[C_COUNT], 1))
        return false;
    wait = token_bucket_wait(&s->bucket, 1);
    if (wait != INT64_MAX)
        timer_at(&s->timer, s->bucket.at_ns + wait);
    return false;
}

static void rated_source_fire(struct element *e, struct timer *t)
{
    struct rated_source *s = element_state(e);

    task_schedule(&s->task);
}

static uint32_t rated_source_pull(struct element *e, unsigned port, struct batch *b,
                                  uint32_t max)
{
    uint32_t n = rated_source_ready(e, max);

    return n ? rated_source_make(e, b, n) : 0;
}

static int rated_source_initialize(struct element *e, struct diag *d)
{
    struct rated_source *s = element_state(e);

    token_bucket_init(&s->bucket, s->rate, s->burst, 1, element_now(e));
    timer_init(&s->timer, e, rated_source_fire);
    if (element_output_is_push(e, 0))
        task_join(&s->task, e, rated_source_run, true, d);
    return 0;
}

static void rated_source_cleanup(struct element *e)
{
    struct rated_source *s = element_state(e);

    packet_source_fini(&s->source);
}

static int rated_source_restart(struct element *e)
{
    struct rated_source *s = element_state(e);

    if (s->active && element_output_is_push(e, 0) && !s->task.scheduled) {
        token_bucket_init(&s->bucket, s->rate, s->burst, 1, element_now(e));
        task_schedule(&s->task);
    }
    return 0;
}

static int rated_source_write_rate(struct element *e, const struct handler_spec *h,
                                   const char *value, size_t len, struct diag *d)
{
    struct rated_source *s = element_state(e);
    uint64_t rate;

    if (!parse_u64(value, 0, &rate) || rate > UINT32_MAX)
        return diag_err(d, "syntax error");
    s->rate = (uint32_t)rate;
    s->burst = rated_source_burst(s->rate);
    token_bucket_change(&s->bucket, s->rate, s->burst, element_now(e));
    if (s->active && element_output_is_push(e, 0))
        task_schedule(&s->task); /* the timer was set for the old rate */
    return 0;
}

static int rated_source_write_limit(struct element *e, const struct handler_spec *h,
                                    const char *value, size_t len, struct diag *d)
{
    struct rated_source *s = element_state(e);

    if (!parse_i64(value, 0, &s->limit))
        return diag_err(d, "syntax error");
    return 0;
}

static int rated_source_write_active(struct element *e, const struct handler_spec *h,
                                     const char *value, size_t len, struct diag *d)
{
    struct rated_source *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "syntax error");
    return rated_source_restart(e);
}

static int rated_source_reset(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    return rated_source_restart(e);
}

static const struct handler_spec rated_source_handlers[] = {
    PACKET_SOURCE_DATA_HANDLER(rated_source, source),
    {.name = "rate",
     .help = "packets a second",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct rated_source, rate),
     .write = rated_source_write_rate},
    {.name = "limit",
     .help = "packets made, < 0: no limit",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CALM,
     .kind = ARG_KIND_I64,
     .offset = offsetof(struct rated_source, limit),
     .write = rated_source_write_limit},
    {.name = "active",
     .help = "whether packets are made",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct rated_source, active),
     .write = rated_source_write_active},
    HANDLER_PRESS(rated_source_reset, "reset", "set count to 0"),
    PACKET_SOURCE_LENGTH_HANDLER(rated_source, source, "length",
                                 "of a packet, < 0: that of the data", true, 0),
    PACKET_SOURCE_LENGTH_HANDLER(rated_source, source, "datasize", "old name of length",
                                 true, HANDLER_DEPRECATED),
    TASK_HANDLERS(rated_source, task),
    HANDLER_END,
};

ELEMENT(RatedSource) = {
    .name = "RatedSource",
    .state_size = sizeof(struct rated_source),
    .ports = "0/1",
    .args = rated_source_args,
    .live = true,
    .counters = rated_source_counters,
    .handlers = rated_source_handlers,
    .configure = rated_source_configure,
    .has_task = task_pushes,
    .initialize = rated_source_initialize,
    .cleanup = rated_source_cleanup,
    .pull = rated_source_pull,
};
