// SPDX-License-Identifier: BSD-3-Clause
/*
 * sched.h -- tasks, timers and notifiers of a router
 *
 * Tasks do work whenever they are scheduled, under stride scheduling (Waldspurger and
 * Weihl, 1995) with tickets, as in Click. Timers fire once at a time. A notifier tells
 * tasks that sleep downstream of a queue, or upstream of a full one, when to go on.
 *
 * All three are embedded in element state and die with it.
 *
 * Threads: the router's one thread only.
 */

#ifndef ENGINE_SCHED_H
#define ENGINE_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct element;
struct sched;

enum { TASK_DEFAULT_TICKETS = 1024, TASK_MAX_TICKETS = 1 << 15 };

/* Runs `run` once each time its turn comes. A task is taken off the list before it runs and
 * goes on only if it calls task_reschedule(). `run` returns whether it did anything
 * useful: a round in which nothing did counts as idle. */
struct task {
    struct element *e;
    bool (*run)(struct element *e, struct task *t);
    struct sched *sched;      /* NULL until task_init() */
    struct task *prev, *next; /* on the run list */
    uint32_t tickets, stride, pass;
    bool scheduled;
    bool goes_on; /* task_reschedule() since it began to run */
};

/* From initialize() only. The task is not scheduled yet. */
void task_init(struct task *t, struct element *e,
               bool (*run)(struct element *e, struct task *t));
void task_schedule(struct task *t); /* at its turn; nothing if it is scheduled */
/* The same from inside its `run`, one stride later. */
static inline void task_reschedule(struct task *t)
{
    if (t->scheduled)
        return;
    t->pass += t->stride;
    t->scheduled = t->goes_on = true;
}
void task_unschedule(struct task *t);
void task_set_tickets(struct task *t, uint32_t tickets);

/* Fires `fire` once, no earlier than at its time (steady ns). */
struct timer {
    struct element *e;
    void (*fire)(struct element *e, struct timer *t);
    struct sched *sched;
    int64_t expiry_ns;
    uint64_t sequence; /* equal times fire in the order they were set */
    uint32_t slot;     /* 1 + place in the heap; 0: not set */
};

void timer_init(struct timer *t, struct element *e,
                void (*fire)(struct element *e, struct timer *t));
void timer_at(struct timer *t, int64_t when_ns);
void timer_after(struct timer *t, int64_t delay_ns);      /* from now */
void timer_reschedule(struct timer *t, int64_t delay_ns); /* from its last expiry */
void timer_cancel(struct timer *t);

static inline bool timer_scheduled(const struct timer *t)
{
    return t->slot != 0;
}

/* A signal "there is something here", with the tasks that wait for it. */
struct listener {
    struct task *task;
    struct listener *next;
};

struct notifier {
    bool active;
    struct listener *listeners; /* in the router's arena */
};

/* `n` lies in zeroed element state; listeners that came before are kept. */
void notifier_init(struct notifier *n, bool active);

/* Set the signal; on a rise every listening task is scheduled. */
void notifier_wake_up(struct notifier *n);
static inline void notifier_wake(struct notifier *n)
{
    if (__builtin_expect(!n->active, 0))
        notifier_wake_up(n);
}
static inline void notifier_sleep(struct notifier *n)
{
    n->active = false;
}

/* What elements answer to cast(e, notifier_kind...) with: a struct notifier *. */
extern const char NOTIFIER_EMPTY[]; /* "something to pull here" */
extern const char NOTIFIER_FULL[];  /* "room to push here" */

/* All signals a task depends on; active when any of them is, or when there is none. */
struct signal {
    struct notifier **notifiers; /* in the router's arena */
    uint32_t n;
};

/* From initialize(): find the notifiers upstream of input `port` (downstream of output
 * `port` for signal_down) and have them schedule `task`, which may be NULL. A path
 * without any notifier makes the signal always active. */
void signal_up(struct signal *s, struct element *e, unsigned port, struct task *task);
void signal_down(struct signal *s, struct element *e, unsigned port, struct task *task);

static inline bool signal_active(const struct signal *s)
{
    if (!s->n)
        return true;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->notifiers[i]->active)
            return true;
    return false;
}

#endif
