// SPDX-License-Identifier: BSD-3-Clause
/*
 * NullTask -- a task that does nothing
 *
 * Usage:    NullTask(STOP false, LIMIT 0, ACTIVE true)
 * Ports:    none
 * Args:     STOP    true: stop the driver when LIMIT is reached
 *           LIMIT   run so often; 0: for ever
 *           ACTIVE  false: wait until it is scheduled
 * Counters: none
 * Handlers: count               (read) how often the task ran
 *           limit               (rw) the argument LIMIT
 *           reset               (write) set count to 0
 *           scheduled, tickets  of the task
 * Example:  NullTask(LIMIT 1000000, STOP true);
 * See also: HandlerTask, SchedOrderTest, ScheduleInfo
 *
 * For measuring what a task costs, and for keeping the scheduler from sleeping.
 */

#include "engine/router.h"
#include "engine/task_handlers.h"

struct null_task {
    struct task task;
    uint32_t limit, count;
    bool stop, active;
};

static const struct arg_spec null_task_args[] = {
    ARG_BOOL(null_task, stop, "STOP", ARG_KEY, "false", "stop the driver at LIMIT"),
    ARG_U32(null_task, limit, "LIMIT", ARG_KEY, "0", "run so often"),
    ARG_BOOL(null_task, active, "ACTIVE", ARG_KEY, "true", "run from the start"),
    ARG_END,
};

static bool null_task_run(struct element *e, struct task *t)
{
    struct null_task *s = element_state(e);

    s->count++;
    if (!s->limit || s->count < s->limit)
        task_reschedule(t);
    else if (s->stop)
        router_stop(e->router);
    return true;
}

static int null_task_initialize(struct element *e, struct diag *d)
{
    struct null_task *s = element_state(e);

    task_join(&s->task, e, null_task_run, s->active, d);
    return 0;
}

static int null_task_reset(struct element *e, const struct handler_spec *h,
                           const char *value, size_t len, struct diag *d)
{
    ((struct null_task *)element_state(e))->count = 0;
    return 0;
}

static const struct handler_spec null_task_handlers[] = {
    HANDLER_VALUE(null_task, count, ARG_KIND_U32, HANDLER_READ, "count",
                  "how often the task ran"),
    HANDLER_VALUE(null_task, limit, ARG_KIND_U32, HANDLER_READ | HANDLER_WRITE, "limit",
                  "run so often"),
    HANDLER_WRITER(null_task_reset, "reset", "set count to 0"),
    TASK_HANDLERS(null_task, task),
    HANDLER_END,
};

ELEMENT(NullTask) = {
    .name = "NullTask",
    .state_size = sizeof(struct null_task),
    .ports = "0/0",
    .args = null_task_args,
    .handlers = null_task_handlers,
    .initialize = null_task_initialize,
};
