// SPDX-License-Identifier: BSD-3-Clause
/* trace_window.c -- the part of a trace that is emitted: see trace_window.h */

#include "engine/os/trace_window.h"

#include "engine/router.h"

static int64_t time_sum(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* --- arguments -------------------------------------------------------------------------- */

static int configure_times(struct trace_window *w, struct diag *d)
{
    if (w->start_arg && w->start_after)
        return diag_err(d, "START and START_AFTER are mutually exclusive");
    w->start = w->start_arg ? w->start_arg : w->start_after;
    w->have_start = w->start != 0;
    w->start_relative = !w->start_arg;
    if (!!w->end_arg + !!w->end_after + !!w->interval > 1)
        return diag_err(d, "END, END_AFTER, and INTERVAL are mutually exclusive");
    w->end = w->end_arg ? w->end_arg : w->end_after ? w->end_after : w->interval;
    w->have_end = w->end != 0;
    w->end_relative = w->end_after != 0;
    w->end_interval = w->interval != 0;
    return 0;
}

int trace_window_configure(struct trace_window *w, struct diag *d)
{
    if (configure_times(w, d) < 0)
        return -1;
    if (w->stop && w->end_call.len)
        return diag_err(d, "END_CALL and STOP are mutually exclusive");
    w->at_end = w->end_call.len ? TRACE_END_CALL
                : w->stop       ? TRACE_END_STOP
                : w->have_end   ? TRACE_END_INACTIVE
                                : TRACE_END_NOTHING;
    if (handler_call_set(&w->call, w->end_call.s) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

/* --- times ------------------------------------------------------------------------------ */

static void prepare(struct trace_window *w, int64_t when)
{
    if (w->start_relative)
        w->start = time_sum(w->start, when);
    if (w->end_relative)
        w->end = time_sum(w->end, when);
    else if (w->end_interval)
        w->end = time_sum(w->end, w->start);
    w->have_times = true;
}

enum trace_place trace_window_place(struct trace_window *w, int64_t when)
{
    if (!w->have_times)
        prepare(w, when);
    if (w->have_start && when < w->start)
        return TRACE_BEFORE;
    w->have_start = false;
    if (!w->have_end || when < w->end)
        return TRACE_IN;
    w->have_end = false;
    return TRACE_AFTER;
}

bool trace_window_extend(struct trace_window *w, int64_t ns)
{
    w->end = time_sum(w->end, ns);
    if (w->at_end == TRACE_END_NOTHING)
        return false;
    w->have_end = true;
    return true;
}

void trace_window_reset(struct trace_window *w)
{
    w->start_relative = w->end_relative = w->end_interval = w->have_times = false;
}

/* --- packets ---------------------------------------------------------------------------- */

static void set_active(struct element *e, struct trace_window *w, bool active)
{
    w->active = active;
    if (active && element_output_is_push(e, 0))
        task_schedule(&w->task);
    else if (active)
        notifier_wake(&w->notifier);
}

void trace_window_end(struct element *e, struct trace_window *w)
{
    if (w->at_end == TRACE_END_CALL) {
        handler_call_write(&w->call, e);
    } else if (w->at_end != TRACE_END_NOTHING) {
        set_active(e, w, false);
        if (w->at_end == TRACE_END_STOP)
            router_stop(e->router);
    }
}

bool trace_window_takes(struct element *e, struct trace_window *w, int64_t when)
{
    enum trace_place place;

    for (;;) {
        if (!w->have_times && w->paced_by_first && w->timing)
            trace_window_pace(e, w, when);
        place = trace_window_place(w, when);
        if (place != TRACE_AFTER)
            return place == TRACE_IN;
        trace_window_end(e, w);
        if (!w->active)
            return false;
        /* it may have moved the end */
    }
}

void trace_window_pace(struct element *e, struct trace_window *w, int64_t when)
{
    if (__builtin_sub_overflow(element_now(e), when, &w->timing_offset))
        w->timing_offset = INT64_MAX;
}

bool trace_window_due(struct element *e, struct trace_window *w, int64_t when)
{
    int64_t at;

    if (!w->timing)
        return true;
    at = time_sum(when, w->timing_offset);
    if (at <= element_now(e))
        return true;
    timer_at(&w->timer, at);
    notifier_sleep(&w->notifier);
    return false;
}

/* --- life ------------------------------------------------------------------------------- */

static void fire(struct element *e, struct timer *t)
{
    struct trace_window *w = (void *)((uint8_t *)t -
                                      offsetof(struct trace_window, timer));

    if (w->active)
        set_active(e, w, true);
}

int trace_window_start(struct element *e, struct trace_window *w,
                       bool (*run)(struct element *e, struct task *t), struct diag *d)
{
    notifier_init(&w->notifier, w->active);
    timer_init(&w->timer, e, fire);
    if (handler_call_check(&w->call, e, HANDLER_WRITE, d) < 0)
        return -1;
    if (element_output_is_push(e, 0))
        task_join(&w->task, e, run, w->active, d);
    return 0;
}

void trace_window_fini(struct trace_window *w)
{
    handler_call_fini(&w->call);
}

/* --- handlers --------------------------------------------------------------------------- */

static struct trace_window *window_at(struct element *e, size_t offset)
{
    return (struct trace_window *)(void *)((uint8_t *)element_state(e) + offset);
}

int trace_window_write_active(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    size_t offset = h->offset - offsetof(struct trace_window, active);
    bool active;

    if (!parse_bool(value, &active))
        return diag_err(d, "type mismatch");
    set_active(e, window_at(e, offset), active);
    return 0;
}

int trace_window_write_extend(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    struct trace_window *w = window_at(e, h->offset);
    int64_t ns;

    if (!parse_time(value, &ns))
        return diag_err(d, "'extend_interval' takes a time interval");
    if (trace_window_extend(w, ns))
        set_active(e, w, true);
    return 0;
}

int trace_window_press_stop(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d)
{
    set_active(e, window_at(e, h->offset), false);
    router_stop(e->router);
    return 0;
}
