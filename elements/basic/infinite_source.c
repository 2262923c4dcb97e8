// SPDX-License-Identifier: BSD-3-Clause
/*
 * InfiniteSource -- make packets as fast as they are taken
 *
 * Usage:    InfiniteSource(DATA, LIMIT -1, BURST 1, ACTIVE true, TIMESTAMP true,
 *                          LENGTH -1, STOP false, END_CALL HANDLER [VALUE])
 * Ports:    1 out; push or pull
 * Args:     DATA       contents of the packets; the default is 69 bytes of text
 *           LIMIT      packets made altogether, default -1: no limit
 *           BURST      packets made in one go, default 1; push only
 *           ACTIVE     whether packets are made at all, default true
 *           TIMESTAMP  set the packets' time, default true
 *           LENGTH     of a packet, default -1: that of DATA, which is cut or repeated
 *           STOP       stop the router when LIMIT packets have been made, default false
 *           END_CALL   write HANDLER when LIMIT packets have been made
 * Counters: count  packets made
 * Handlers: data, limit, burst, active, length  (read/write) the arguments
 *           reset               (write) set count to 0
 *           scheduled, tickets  of the task that pushes
 * Example:  InfiniteSource(LENGTH 64, LIMIT 1000000, BURST 32, STOP true) -> Discard;
 * See also: RatedSource, TimedSource, RandomSource
 *
 * Pushing into a full queue that tells so (Queue, FullNoteQueue), it waits for room.
 */

#include "engine/handler_call.h"
#include "engine/packet_source.h"
#include "engine/task_handlers.h"

struct infinite_source {
    struct task task;
    struct signal nonfull;
    struct notifier nonempty; /* for those who pull */
    struct packet_source source;
    int64_t limit;
    int32_t burst;
    bool active, timestamp, stop;
    struct handler_call end;
    struct text data, end_call;
};

static const struct arg_spec infinite_source_args[] = {
    ARG_STRING(infinite_source, data, "DATA", ARG_POS, PACKET_SOURCE_DATA,
               "contents of the packets"),
    ARG_I64(infinite_source, limit, "LIMIT", ARG_POS, "-1",
            "packets made, < 0: no limit"),
    ARG_I32(infinite_source, burst, "BURST", ARG_POS, "1", "packets made in one go"),
    ARG_BOOL(infinite_source, active, "ACTIVE", ARG_POS, "true", "make packets at all"),
    ARG_BOOL(infinite_source, timestamp, "TIMESTAMP", ARG_KEY, "true",
             "set the packets' time"),
    ARG_I64(infinite_source, source.length, "LENGTH", ARG_KEY, "-1",
            "of a packet, < 0: that of DATA"),
    ARG_I64(infinite_source, source.length, "DATASIZE", ARG_OLD, NULL, "LENGTH"),
    ARG_BOOL(infinite_source, stop, "STOP", ARG_KEY, "false",
             "stop the router after the last packet"),
    ARG_RAW(infinite_source, end_call, "END_CALL", ARG_KEY, NULL,
            "handler to write after the last packet"),
    ARG_END,
};

enum { C_COUNT };
static const struct counter_spec infinite_source_counters[] = {
    [C_COUNT] = {"count", "packets made"},
    {NULL, NULL},
};

static int infinite_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct infinite_source *s = element_state(e);

    if (s->burst < 1)
        return diag_err(d, "burst size must be >= 1");
    if (s->stop && s->end_call.len)
        return diag_err(d, "END_CALL and STOP are mutually exclusive");
    s->source.headroom = PKT_HEADROOM;
    if (packet_source_set_data(e, &s->source, s->data.s, s->data.len, d) < 0)
        return -1;
    if (handler_call_set(&s->end, s->stop ? "stop" : s->end_call.s) < 0)
        return diag_err(d, "out of memory");
    if (!e->configured) {
        notifier_init(&s->nonempty, true);
        return 0;
    }
    e->counters[C_COUNT] = 0;
    task_schedule(&s->task);
    notifier_wake(&s->nonempty);
    return 0;
}

static bool infinite_source_run(struct element *e, struct task *t)
{
    struct infinite_source *s = element_state(e);
    int64_t wall = s->timestamp ? element_coarse_wall_now(e) : 0;
    uint32_t n, made, want, got;
    struct batch b;

    if (!s->active || !signal_active(&s->nonfull))
        return false;
    n = packet_source_allowed(s->limit, e->counters[C_COUNT], (uint32_t)s->burst);
    for (made = 0; made < n; made += got) {
        want = n - made < BATCH_MAX ? n - made : BATCH_MAX;
        b.n = 0;
        got = packet_source_emit(&s->source, &b, want, wall);
        out_push(e, 0, &b);
        if (!got)
            break;
    }
    e->counters[C_COUNT] += made;
    /* Out of memory, it tries again: others may be about to free packets. */
    if (n)
        task_reschedule(t);
    else
        handler_call_write(&s->end, e);
    return made > 0;
}

static uint32_t infinite_source_pull(struct element *e, unsigned port, struct batch *b,
                                     uint32_t max)
{
    struct infinite_source *s = element_state(e);
    uint32_t n = packet_source_allowed(s->limit, e->counters[C_COUNT], max);

    if (!s->active || !n) {
        if (s->active)
            handler_call_write(&s->end, e);
        notifier_sleep(&s->nonempty);
        return 0;
    }
    n = packet_source_emit(&s->source, b, n,
                           s->timestamp ? element_coarse_wall_now(e) : 0);
    e->counters[C_COUNT] += n;
    return n;
}

static int infinite_source_initialize(struct element *e, struct diag *d)
{
    struct infinite_source *s = element_state(e);

    if (element_output_is_push(e, 0)) {
        task_join(&s->task, e, infinite_source_run, true);
        signal_down(&s->nonfull, e, 0, &s->task);
    }
    return handler_call_check(&s->end, e, HANDLER_WRITE, d);
}

static void infinite_source_cleanup(struct element *e)
{
    struct infinite_source *s = element_state(e);

    packet_source_fini(&s->source);
    handler_call_fini(&s->end);
}

static void *infinite_source_cast(struct element *e, const char *kind)
{
    struct infinite_source *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->nonempty;
}

/* After any change there may be packets to make again. */
static int infinite_source_go(struct element *e)
{
    struct infinite_source *s = element_state(e);

    if (s->active && element_output_is_push(e, 0))
        task_schedule(&s->task);
    if (s->active && packet_source_allowed(s->limit, e->counters[C_COUNT], 1))
        notifier_wake(&s->nonempty);
    return 0;
}

static int infinite_source_write_active(struct element *e, const struct handler_spec *h,
                                        const char *value, size_t len, struct diag *d)
{
    struct infinite_source *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "active parameter must be boolean");
    return infinite_source_go(e);
}

static int infinite_source_write_limit(struct element *e, const struct handler_spec *h,
                                       const char *value, size_t len, struct diag *d)
{
    struct infinite_source *s = element_state(e);

    if (!parse_i64(value, 0, &s->limit))
        return diag_err(d, "limit parameter must be integer");
    return infinite_source_go(e);
}

static int infinite_source_write_burst(struct element *e, const struct handler_spec *h,
                                       const char *value, size_t len, struct diag *d)
{
    struct infinite_source *s = element_state(e);
    int64_t burst;

    if (!parse_i64(value, 0, &burst) || burst < 1 || burst > INT32_MAX)
        return diag_err(d, "burstsize parameter must be integer >= 1");
    s->burst = (int32_t)burst;
    return infinite_source_go(e);
}

static int infinite_source_reset(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    return infinite_source_go(e);
}

static const struct handler_spec infinite_source_handlers[] = {
    PACKET_SOURCE_HANDLERS(infinite_source, source),
    {.name = "limit",
     .help = "packets made, < 0: no limit",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I64,
     .offset = offsetof(struct infinite_source, limit),
     .write = infinite_source_write_limit},
    {.name = "burst",
     .help = "packets made in one go",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct infinite_source, burst),
     .write = infinite_source_write_burst},
    {.name = "burstsize",
     .help = "old name of burst",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct infinite_source, burst),
     .write = infinite_source_write_burst},
    {.name = "active",
     .help = "whether packets are made",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct infinite_source, active),
     .write = infinite_source_write_active},
    HANDLER_PRESS(infinite_source_reset, "reset", "set count to 0"),
    TASK_HANDLERS(infinite_source, task),
    HANDLER_END,
};

ELEMENT(InfiniteSource) = {
    .name = "InfiniteSource",
    .state_size = sizeof(struct infinite_source),
    .ports = "0/1",
    .args = infinite_source_args,
    .live = true,
    .counters = infinite_source_counters,
    .handlers = infinite_source_handlers,
    .configure = infinite_source_configure,
    .initialize = infinite_source_initialize,
    .cleanup = infinite_source_cleanup,
    .cast = infinite_source_cast,
    .pull = infinite_source_pull,
};
