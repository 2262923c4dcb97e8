// SPDX-License-Identifier: BSD-3-Clause
/*
 * task_handlers.h -- joining the scheduler, and the handlers of elements with a task
 *
 *     task_join(&s->task, e, unqueue_run, s->active, d);   in initialize()
 *     TASK_HANDLERS(unqueue, task),                        in the table of handlers
 */

#ifndef ENGINE_TASK_HANDLERS_H
#define ENGINE_TASK_HANDLERS_H

#include "engine/element.h"

/* task_init() with the tickets that ScheduleInfo gives `e`, on the run list if `go`. With no
 * tickets the task stays zeroed and never runs. Warns when there are too many. */
void task_join(struct task *t, struct element *e,
               bool (*run)(struct element *e, struct task *t), bool go, struct diag *d);

/* From ScheduleInfo `e`: the tickets, in 1/1024, that task_join() gives to the element
 * `name` in its scope, or, with a slash at the end, to all inside that compound element. */
int task_tickets_set(struct element *e, const char *name, uint32_t tickets);

#define TASK_HANDLERS(state, member)                                                   \
    {.name = "scheduled",                                                              \
     .help = "whether the task is on the run list; writing puts it there or takes it " \
             "off",                                                                    \
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX | HANDLER_OF_TASK,       \
     .offset = offsetof(struct state, member),                                         \
     .read = task_read_scheduled,                                                      \
     .write = task_write_scheduled},                                                   \
    {                                                                                  \
        .name = "tickets", .help = "share of the task, of 1024 by default",            \
        .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_OF_TASK,                       \
        .offset = offsetof(struct state, member), .read = task_read_tickets,           \
        .write = task_write_tickets                                                    \
    }

/* For .has_task: elements that push of their own accord, or pull. */
bool task_pushes(const struct element *e);
bool task_pulls(const struct element *e);

int task_read_scheduled(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d);
int task_write_scheduled(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d);
int task_read_tickets(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d);
int task_write_tickets(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d);

#endif
