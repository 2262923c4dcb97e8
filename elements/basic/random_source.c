// SPDX-License-Identifier: BSD-3-Clause
/*
 * RandomSource -- make packets of random bytes as fast as they are taken
 *
 * Usage:    RandomSource(LENGTH, LIMIT -1, BURST 1, ACTIVE true, TIMESTAMP true,
 *                        STOP false, END_CALL HANDLER [VALUE])
 * Ports:    1 out; push or pull
 * Args:     LENGTH     bytes of a packet
 *           LIMIT      packets made altogether, default -1: no limit
 *           BURST      packets made in one go, default 1; push only
 *           ACTIVE     whether packets are made at all, default true
 *           TIMESTAMP  set the packets' time, default true
 *           STOP       stop the router when LIMIT packets have been made, default false
 *           END_CALL   write HANDLER when LIMIT packets have been made
 * Counters: count  packets made
 * Handlers: limit, burst, active, length  (read/write) the arguments
 *           reset               (write) set count to 0
 *           scheduled, tickets  of the task that pushes
 * Example:  RandomSource(64, LIMIT 1000) -> CheckIPHeader -> Discard;
 * See also: InfiniteSource
 *
 * The bytes come from the router's generator: with the same seed they are the same.
 */

#include "engine/handler_call.h"
#include "engine/packet_source.h"
#include "engine/task_handlers.h"

enum { RANDOM_MAX_LENGTH = 65535 };

struct random_source {
    struct task task;
    struct signal nonfull;
    struct notifier nonempty; /* for those who pull */
    uint32_t length;
    int64_t limit;
    int32_t burst;
    bool active, timestamp, stop;
    struct handler_call end;
    struct text end_call;
};

static const struct arg_spec random_source_args[] = {
    {.name = "LENGTH",
     .kind = ARG_KIND_U32,
     .flags = ARG_M,
     .help = "bytes of a packet",
     .offset = offsetof(struct random_source, length),
     .max = RANDOM_MAX_LENGTH},
    ARG_I64(random_source, limit, "LIMIT", ARG_POS, "-1",
            "packets made, < 0: no limit"),
    ARG_I32(random_source, burst, "BURST", ARG_POS, "1", "packets made in one go"),
    ARG_BOOL(random_source, active, "ACTIVE", ARG_POS, "true", "make packets at all"),
    ARG_BOOL(random_source, timestamp, "TIMESTAMP", ARG_KEY, "true",
             "set the packets' time"),
    ARG_BOOL(random_source, stop, "STOP", ARG_KEY, "false",
             "stop the router after the last packet"),
    ARG_RAW(random_source, end_call, "END_CALL", ARG_KEY, NULL,
            "handler to write after the last packet"),
    ARG_END,
};

enum { C_COUNT };
static const struct counter_spec random_source_counters[] = {
    [C_COUNT] = {"count", "packets made"},
    {NULL, NULL},
};

static int random_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct random_source *s = element_state(e);

    if (s->burst < 1)
        return diag_err(d, "burst size must be >= 1");
    if (s->stop && s->end_call.len)
        return diag_err(d, "END_CALL and STOP are mutually exclusive");
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

static void random_source_fill(struct element *e, struct pkt *p)
{
    for (uint32_t at = 0; at < p->len; at += 4) {
        uint32_t r = element_random(e);

        memcpy(p->data + at, &r, p->len - at < 4 ? p->len - at : 4);
    }
}

/* Append up to `n` packets; returns how many memory allowed. */
static uint32_t random_source_emit(struct element *e, struct batch *b, uint32_t n,
                                   int64_t wall)
{
    const struct random_source *s = element_state(e);
    uint32_t made;

    for (made = 0; made < n; made++) {
        struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL, s->length, 0);

        if (!p)
            break;
        random_source_fill(e, p);
        p->timestamp = wall;
        batch_add(b, p);
    }
    return made;
}

static bool random_source_run(struct element *e, struct task *t)
{
    struct random_source *s = element_state(e);
    int64_t wall = s->timestamp ? element_coarse_wall_now(e) : 0;
    uint32_t n, made, want, got;
    struct batch b;

    if (!s->active || !signal_active(&s->nonfull))
        return false;
    n = packet_source_allowed(s->limit, e->counters[C_COUNT], (uint32_t)s->burst);
    for (made = 0; made < n; made += got) {
        want = n - made < BATCH_MAX ? n - made : BATCH_MAX;
        b.n = 0;
        got = random_source_emit(e, &b, want, wall);
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

static uint32_t random_source_pull(struct element *e, unsigned port, struct batch *b,
                                   uint32_t max)
{
    struct random_source *s = element_state(e);
    uint32_t n = packet_source_allowed(s->limit, e->counters[C_COUNT], max);

    if (!s->active || !n) {
        if (s->active)
            handler_call_write(&s->end, e);
        notifier_sleep(&s->nonempty);
        return 0;
    }
    n = random_source_emit(e, b, n, s->timestamp ? element_coarse_wall_now(e) : 0);
    e->counters[C_COUNT] += n;
    return n;
}

static int random_source_initialize(struct element *e, struct diag *d)
{
    struct random_source *s = element_state(e);

    if (element_output_is_push(e, 0)) {
        task_join(&s->task, e, random_source_run, true);
        signal_down(&s->nonfull, e, 0, &s->task);
    }
    return handler_call_check(&s->end, e, HANDLER_WRITE, d);
}

static void random_source_cleanup(struct element *e)
{
    struct random_source *s = element_state(e);

    handler_call_fini(&s->end);
}

static void *random_source_cast(struct element *e, const char *kind)
{
    struct random_source *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->nonempty;
}

/* After any change there may be packets to make again. */
static int random_source_go(struct element *e)
{
    struct random_source *s = element_state(e);

    if (s->active && element_output_is_push(e, 0))
        task_schedule(&s->task);
    if (s->active && packet_source_allowed(s->limit, e->counters[C_COUNT], 1))
        notifier_wake(&s->nonempty);
    return 0;
}

static int random_source_write_active(struct element *e, const struct handler_spec *h,
                                      const char *value, size_t len, struct diag *d)
{
    struct random_source *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "active parameter must be boolean");
    return random_source_go(e);
}

static int random_source_write_limit(struct element *e, const struct handler_spec *h,
                                     const char *value, size_t len, struct diag *d)
{
    struct random_source *s = element_state(e);

    if (!parse_i64(value, 0, &s->limit))
        return diag_err(d, "limit parameter must be integer");
    return random_source_go(e);
}

static int random_source_write_burst(struct element *e, const struct handler_spec *h,
                                     const char *value, size_t len, struct diag *d)
{
    struct random_source *s = element_state(e);
    int64_t burst;

    if (!parse_i64(value, 0, &burst) || burst < 1 || burst > INT32_MAX)
        return diag_err(d, "burstsize parameter must be integer >= 1");
    s->burst = (int32_t)burst;
    return random_source_go(e);
}

static int random_source_write_length(struct element *e, const struct handler_spec *h,
                                      const char *value, size_t len, struct diag *d)
{
    struct random_source *s = element_state(e);
    uint64_t length;

    if (!parse_u64(value, 0, &length) || length > RANDOM_MAX_LENGTH)
        return diag_err(d, "bad length %s", value);
    s->length = (uint32_t)length;
    return random_source_go(e);
}

static int random_source_reset(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    return random_source_go(e);
}

static const struct handler_spec random_source_handlers[] = {
    {.name = "length",
     .help = "bytes of a packet",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct random_source, length),
     .write = random_source_write_length},
    {.name = "limit",
     .help = "packets made, < 0: no limit",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I64,
     .offset = offsetof(struct random_source, limit),
     .write = random_source_write_limit},
    {.name = "burst",
     .help = "packets made in one go",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct random_source, burst),
     .write = random_source_write_burst},
    {.name = "active",
     .help = "whether packets are made",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct random_source, active),
     .write = random_source_write_active},
    HANDLER_PRESS(random_source_reset, "reset", "set count to 0"),
    TASK_HANDLERS(random_source, task),
    HANDLER_END,
};

ELEMENT(RandomSource) = {
    .name = "RandomSource",
    .state_size = sizeof(struct random_source),
    .ports = "0/1",
    .args = random_source_args,
    .live = true,
    .counters = random_source_counters,
    .handlers = random_source_handlers,
    .configure = random_source_configure,
    .initialize = random_source_initialize,
    .cleanup = random_source_cleanup,
    .cast = random_source_cast,
    .pull = random_source_pull,
};
