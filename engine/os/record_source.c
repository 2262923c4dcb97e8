// SPDX-License-Identifier: BSD-3-Clause
/* record_source.c -- packets from binary records of a file: see record_source.h */

#include "engine/os/record_source.h"

#include "engine/router.h"

enum { RETRIES = 16 }; /* records that are passed over each time the task runs */

static struct record_source *source_of(const struct element *e)
{
    return element_state(e);
}

static int64_t time_sum(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* --- arguments -------------------------------------------------------------------------- */

static int configure_times(struct record_source *s, struct diag *d)
{
    if (s->start_arg && s->start_after)
        return diag_err(d, "START and START_AFTER are mutually exclusive");
    s->start = s->start_arg ? s->start_arg : s->start_after;
    s->have_start = s->start != 0;
    s->start_relative = !s->start_arg;
    if (!!s->end_arg + !!s->end_after + !!s->interval > 1)
        return diag_err(d, "END, END_AFTER, and INTERVAL are mutually exclusive");
    s->end = s->end_arg ? s->end_arg : s->end_after ? s->end_after : s->interval;
    s->have_end = s->end != 0;
    s->end_relative = s->end_after != 0;
    s->end_interval = s->interval != 0;
    return 0;
}

int record_source_configure(struct element *e, struct diag *d)
{
    struct record_source *s = source_of(e);

    trace_sample_check(&s->sample, d);
    if (configure_times(s, d) < 0)
        return -1;
    if (s->stop && s->end_call.len)
        return diag_err(d, "END_CALL and STOP are mutually exclusive");
    s->at_end = s->end_call.len ? RECORD_END_CALL
                : s->stop       ? RECORD_END_STOP
                : s->have_end   ? RECORD_END_INACTIVE
                                : RECORD_END_NOTHING;
    if (handler_call_set(&s->call, s->end_call.s) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

/* --- packets ---------------------------------------------------------------------------- */

static void set_active(struct element *e, bool active)
{
    struct record_source *s = source_of(e);

    s->active = active;
    if (active && element_output_is_push(e, 0))
        task_schedule(&s->task);
}

static void call_end(struct element *e)
{
    struct record_source *s = source_of(e);

    if (s->at_end == RECORD_END_CALL) {
        handler_call_write(&s->call, e);
    } else if (s->at_end != RECORD_END_NOTHING) {
        set_active(e, false);
        if (s->at_end == RECORD_END_STOP)
            router_stop(e->router);
    }
}

static void prepare_times(struct element *e, int64_t when)
{
    struct record_source *s = source_of(e);

    if (s->start_relative)
        s->start = time_sum(s->start, when);
    if (s->end_relative)
        s->end = time_sum(s->end, when);
    else if (s->end_interval)
        s->end = time_sum(s->end, s->start);
    s->have_times = true;
}

/* Whether the packet of this time shall be emitted; false with `active` off: no other
 * either. */
static bool in_time(struct element *e, int64_t when)
{
    struct record_source *s = source_of(e);

    if (!s->have_times)
        prepare_times(e, when);
    if (s->have_start && when < s->start)
        return false;
    s->have_start = false;
    while (s->have_end && when >= s->end) {
        s->have_end = false;
        call_end(e);
        if (!s->active)
            return false;
        /* it may have moved the end */
    }
    return true;
}

/* Read the next record; the packet is NULL afterwards if it is not wanted. False: there
 * is none, or no more are wanted. */
static bool read_packet(struct element *e)
{
    struct record_source *s = source_of(e);
    bool was_active = s->active;
    int64_t when;

    s->packet_filepos = trace_file_pos(&s->file);
    if (!s->format->head(e, &when))
        return false;
    if (!in_time(e, when)) {
        s->format->pass(e);
        return s->active == was_active;
    }
    if (!trace_sample_takes(e, s->sample)) {
        s->format->pass(e);
        return true;
    }
    s->packet = s->format->body(e);
    if (!s->packet)
        return false;
    s->packet->timestamp = when;
    if (s->format->accepts(e, s->packet))
        return true;
    if (e->n_out > 1 && !s->d)
        out_push_one(e, 1, s->packet);
    else
        pkt_free(s->packet);
    s->packet = NULL;
    return true;
}

static bool due(struct element *e)
{
    struct record_source *s = source_of(e);
    int64_t at;

    if (!s->timing)
        return true;
    at = time_sum(s->packet->timestamp, s->timing_offset);
    if (at <= element_now(e))
        return true;
    timer_at(&s->timer, at);
    return false;
}

enum step { STEP_MORE, STEP_LATER, STEP_END };

/* One record on, at most. */
static enum step step(struct element *e, struct batch *b)
{
    struct record_source *s = source_of(e);

    if (!s->active)
        return STEP_LATER;
    if (!s->packet && !read_packet(e))
        return s->active ? STEP_END : STEP_LATER;
    if (!s->packet)
        return STEP_MORE;
    if (!due(e))
        return STEP_LATER;
    batch_add(b, s->packet);
    s->packet = NULL;
    return STEP_MORE;
}

static bool run(struct element *e, struct task *t)
{
    enum step next = STEP_MORE;
    struct batch b;
    bool worked;

    b.n = 0;
    for (uint32_t tries = 0; !b.n && next == STEP_MORE && tries < RETRIES; tries++)
        next = step(e, &b);
    worked = b.n > 0;
    if (next == STEP_MORE)
        task_reschedule(t);
    out_push(e, 0, &b);
    if (next == STEP_END)
        call_end(e);
    return worked;
}

uint32_t record_source_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max)
{
    enum step next = STEP_MORE;
    uint32_t before = b->n;

    while (b->n - before < max && next == STEP_MORE)
        next = step(e, b);
    if (next == STEP_END)
        call_end(e);
    return b->n - before;
}

static void fire(struct element *e, struct timer *t)
{
    (void)t;
    if (source_of(e)->active)
        set_active(e, true);
}

/* --- life ------------------------------------------------------------------------------- */

int record_source_start(struct element *e, const struct record_format *format,
                        struct diag *d)
{
    struct record_source *s = source_of(e);

    s->format = format;
    timer_init(&s->timer, e, fire);
    if (handler_call_check(&s->call, e, HANDLER_WRITE, d) < 0)
        return -1;
    if (element_output_is_push(e, 0))
        task_join(&s->task, e, run, s->active, d);
    if (trace_file_open(&s->file, e, s->filename.s, d) < 0)
        return -1;
    s->d = d;
    while (!s->packet && s->active && read_packet(e))
        ;
    s->d = NULL;
    if (s->packet &&
        __builtin_sub_overflow(element_now(e), s->packet->timestamp, &s->timing_offset))
        s->timing_offset = INT64_MAX;
    return 0;
}

int record_source_seek(struct element *e, int64_t filepos, struct diag *d)
{
    return trace_file_seek(&source_of(e)->file, filepos, d);
}

void record_source_cleanup(struct element *e)
{
    struct record_source *s = source_of(e);

    trace_file_close(&s->file);
    handler_call_fini(&s->call);
    pkt_free(s->packet);
    s->packet = NULL;
}

/* --- handlers --------------------------------------------------------------------------- */

int record_write_active(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    bool active;

    if (!parse_bool(value, &active))
        return diag_err(d, "type mismatch");
    set_active(e, active);
    return 0;
}

int record_write_extend(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct record_source *s = source_of(e);
    int64_t ns;

    if (!parse_time(value, &ns))
        return diag_err(d, "'extend_interval' takes a time interval");
    s->end = time_sum(s->end, ns);
    if (s->at_end != RECORD_END_NOTHING) {
        s->have_end = true;
        set_active(e, true);
    }
    return 0;
}

int record_press_stop(struct element *e, const struct handler_spec *h,
                      const char *value, size_t len, struct diag *d)
{
    set_active(e, false);
    router_stop(e->router);
    return 0;
}
