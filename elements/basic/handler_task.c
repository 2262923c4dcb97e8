// SPDX-License-Identifier: BSD-3-Clause
/*
 * HandlerTask -- write a handler whenever a task runs
 *
 * Usage:    HandlerTask(HANDLER, ACTIVE true, RESCHEDULE false)
 * Ports:    none
 * Args:     HANDLER     handler that is written: ELEMENT.HANDLER [VALUE]
 *           ACTIVE      false: the task waits until it is scheduled, default true
 *           RESCHEDULE  true: it runs again and again, default false
 * Counters: none
 * Handlers: count               (read) how often the task ran
 *           reschedule          (rw) the argument RESCHEDULE
 *           scheduled, tickets  of the task
 * Example:  HandlerTask(q.reset, ACTIVE false);
 * See also: Script, ScheduleInfo
 */

#include "engine/handler_call.h"
#include "engine/task_handlers.h"

struct handler_task {
    struct task task;
    struct text text;
    struct handler_call call;
    uint32_t count;
    bool active, reschedule;
};

static const struct arg_spec handler_task_args[] = {
    ARG_RAW(handler_task, text, "HANDLER", ARG_M, NULL, "handler that is written"),
    ARG_BOOL(handler_task, active, "ACTIVE", ARG_KEY, "true", "run from the start"),
    ARG_BOOL(handler_task, reschedule, "RESCHEDULE", ARG_KEY, "false", "run again"),
    ARG_END,
};

static int handler_task_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct handler_task *s = element_state(e);

    return handler_call_set(&s->call, s->text.s) < 0 ? diag_err(d, "out of memory") : 0;
}

static bool handler_task_run(struct element *e, struct task *t)
{
    struct handler_task *s = element_state(e);

    s->count++;
    handler_call_write(&s->call, e);
    if (s->reschedule)
        task_reschedule(t);
    return true;
}

static int handler_task_initialize(struct element *e, struct diag *d)
{
    struct handler_task *s = element_state(e);

    task_join(&s->task, e, handler_task_run, s->active, d);
    return handler_call_check(&s->call, e, HANDLER_WRITE, d);
}

static void handler_task_cleanup(struct element *e)
{
    handler_call_fini(&((struct handler_task *)element_state(e))->call);
}

static const struct handler_spec handler_task_handlers[] = {
    HANDLER_VALUE(handler_task, count, ARG_KIND_U32, HANDLER_READ, "count",
                  "how often the task ran"),
    HANDLER_VALUE(handler_task, reschedule, ARG_KIND_BOOL, HANDLER_READ | HANDLER_WRITE,
                  "reschedule", "run again"),
    TASK_HANDLERS(handler_task, task),
    HANDLER_END,
};

ELEMENT(HandlerTask) = {
    .name = "HandlerTask",
    .state_size = sizeof(struct handler_task),
    .ports = "0/0",
    .args = handler_task_args,
    .handlers = handler_task_handlers,
    .configure = handler_task_configure,
    .initialize = handler_task_initialize,
    .cleanup = handler_task_cleanup,
};
