// SPDX-License-Identifier: BSD-3-Clause
/*
 * task.h -- work that takes long (a big file), beside the event loop
 *
 * Threads: run() is called in a thread of its own and may touch nothing but its task; all
 *          else is the event loop's. A few tasks run at a time, the others wait.
 * Memory:  a task is its owner's, who may free it in done().
 */

#ifndef CTL_TASK_H
#define CTL_TASK_H

#include "ctl/loop.h"

struct task {
    void (*run)(struct task *t);
    void (*done)(struct task *t); /* afterwards, in the event loop */
    struct task *next;
};

struct tasks;

struct tasks *tasks_new(struct loop *l, struct diag *d);

/* Waits for all that were started, and calls their done(). */
void tasks_free(struct tasks *ts);

/* -1 when there is no thread to be had; done() is not called then. */
int tasks_start(struct tasks *ts, struct task *t, struct diag *d);

#endif
