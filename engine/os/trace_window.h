// SPDX-License-Identifier: BSD-3-Clause
/*
 * trace_window.h -- the part of a trace that is emitted, and when
 *
 * What FromDump, FromNLANRDump and FromDAGDump have in common: the times between which
 * packets are emitted (START, START_AFTER, END, END_AFTER, INTERVAL), what happens behind
 * them (STOP, END_CALL), pauses as in the trace (TIMING), and being active or not.
 *
 *              start                  end
 *     ...........[......................).........
 *       BEFORE            IN               AFTER, once: then the end is no longer known
 *
 * Memory: a struct trace_window is a member of an element's state; trace_window_fini() from
 *         cleanup.
 * Trust:  times come from files: sums stop at the latest time there is.
 */

#ifndef ENGINE_OS_TRACE_WINDOW_H
#define ENGINE_OS_TRACE_WINDOW_H

#include "engine/handler_call.h"
#include "engine/task_handlers.h"

/* What happens at the end of the file and when the time is up. */
enum trace_end {
    TRACE_END_NOTHING,
    TRACE_END_INACTIVE,
    TRACE_END_STOP,
    TRACE_END_CALL
};

struct trace_window {
    /* arguments, times in ns; 0: not given */
    struct text end_call;
    bool stop, active, timing;
    int64_t start_arg, start_after, end_arg, end_after, interval;
    /* The first record sets the clock of TIMING; else trace_window_pace() does. */
    bool paced_by_first;

    /* the rest is for trace_window.c */
    enum trace_end at_end;
    struct handler_call call;
    bool have_start, have_end, start_relative, end_relative, end_interval;
    bool have_times; /* the relative ones are known */
    int64_t start, end, timing_offset;
    struct task task;
    struct timer timer;
    struct notifier notifier;
};

/* Beside STOP, ACTIVE and TIMING. */
#define TRACE_WINDOW_ARGS(state, member)                                               \
    ARG_TIME(state, member.start_arg, "START", ARG_KEY, "0", "first absolute time"),   \
        ARG_TIME(state, member.start_after, "START_AFTER", ARG_KEY, "0",               \
                 "skip so long"),                                                      \
        ARG_TIME(state, member.end_arg, "END", ARG_KEY, "0",                           \
                 "absolute time of the end"),                                          \
        ARG_TIME(state, member.end_after, "END_AFTER", ARG_KEY, "0",                   \
                 "end after so long"),                                                 \
        ARG_TIME(state, member.interval, "INTERVAL", ARG_KEY, "0",                     \
                 "emit for so long"),                                                  \
        ARG_RAW(state, member.end_call, "END_CALL", ARG_KEY, NULL,                     \
                "write handler at the end")

/* From configure(), initialize() and cleanup(); 0, or -1 with messages. */
int trace_window_configure(struct trace_window *w, struct diag *d);
int trace_window_start(struct element *e, struct trace_window *w,
                       bool (*run)(struct element *e, struct task *t), struct diag *d);
void trace_window_fini(struct trace_window *w);

/* Whether the record of this time shall be emitted; false with `active` off: no other
 * either. May call the handler of END_CALL, which may move the end. */
bool trace_window_takes(struct element *e, struct trace_window *w, int64_t when);

/* Whether all records will be emitted at once, as far as it is known here. */
static inline bool trace_window_is_open(const struct trace_window *w)
{
    return w->active && w->have_times && !w->have_start && !w->have_end && !w->timing;
}

/* TIMING: a packet of this time is due now. */
void trace_window_pace(struct element *e, struct trace_window *w, int64_t when);
/* Whether a packet of this time is due. If not, a timer wakes the element again. */
bool trace_window_due(struct element *e, struct trace_window *w, int64_t when);

/* The end is here, that of the file or that of the time: do what is to be done. */
void trace_window_end(struct element *e, struct trace_window *w);

/* TIMING counts from the next record; start and end stay where they are. */
void trace_window_reset(struct trace_window *w);

/* The two that follow look at nothing but `w`. Where a record of this time lies. */
enum trace_place { TRACE_BEFORE, TRACE_IN, TRACE_AFTER };
enum trace_place trace_window_place(struct trace_window *w, int64_t when);
/* Move the end. False: nothing happens there, it stays as unknown as it was. */
bool trace_window_extend(struct trace_window *w, int64_t ns);

#define TRACE_WINDOW_HANDLER_(state, member, name_, help_, flags_, write_)             \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_WRITE | (flags_),               \
        .offset = offsetof(struct state, member), .write = write_                      \
    }
#define TRACE_WINDOW_ACTIVE_HANDLER(state, member)                                     \
    {                                                                                  \
        .name = "active", .help = "whether packets are emitted",                       \
        .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,                      \
        .kind = ARG_KIND_BOOL, .offset = offsetof(struct state, member.active),        \
        .write = trace_window_write_active                                             \
    }
#define TRACE_WINDOW_STOP_HANDLER(state, member)                                       \
    TRACE_WINDOW_HANDLER_(state, member, "stop", "emit no more, and stop the driver",  \
                          HANDLER_BUTTON, trace_window_press_stop)
#define TRACE_WINDOW_EXTEND_HANDLER(state, member)                                     \
    TRACE_WINDOW_HANDLER_(state, member, "extend_interval", "move the end", 0,         \
                          trace_window_write_extend)

int trace_window_write_active(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d);
int trace_window_press_stop(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d);
int trace_window_write_extend(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d);

#endif
