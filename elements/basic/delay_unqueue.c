// SPDX-License-Identifier: BSD-3-Clause
/*
 * DelayUnqueue -- pull packets and push them on when they are old enough
 *
 * Usage:    DelayUnqueue(DELAY)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     DELAY  time between a packet's timestamp and its departure
 * Counters: none
 * Handlers: delay               (read/write) the argument DELAY
 *           scheduled, tickets  of the task that pulls
 * Example:  FromDevice(0) -> Queue -> DelayUnqueue(50ms) -> ToDevice(1);
 * See also: DelayShaper, LinkUnqueue, SetTimestamp
 *
 * The timestamp becomes the time of departure. A packet without one counts from when it is
 * pulled. Order is kept: a packet that may go waits behind one that may not.
 */

#include "engine/delayed.h"
#include "engine/task_handlers.h"

struct delay_unqueue {
    struct delayed delayed; /* must be the first */
    struct task task;
    struct timer timer;
    struct signal nonempty;
};

static const struct arg_spec delay_unqueue_args[] = {
    DELAYED_ARGS(delay_unqueue, delayed),
    ARG_END,
};

static bool delay_unqueue_run(struct element *e, struct task *t)
{
    struct delay_unqueue *s = element_state(e);
    int64_t wall = element_wall_now(e);
    struct batch b;
    bool worked;

    b.n = 0;
    while (b.n < BATCH_MAX && (s->delayed.waiting = delayed_next(e, wall)) &&
           s->delayed.waiting->timestamp <= wall) {
        batch_add(&b, s->delayed.waiting);
        s->delayed.waiting = NULL;
    }
    worked = b.n > 0;
    if (s->delayed.waiting)
        timer_after(&s->timer, s->delayed.waiting->timestamp - wall);
    else if (b.n == BATCH_MAX || signal_active(&s->nonempty))
        task_reschedule(t);
    out_push(e, 0, &b);
    return worked;
}

static void delay_unqueue_fire(struct element *e, struct timer *t)
{
    struct delay_unqueue *s = element_state(e);

    task_schedule(&s->task);
}

static int delay_unqueue_initialize(struct element *e, struct diag *d)
{
    struct delay_unqueue *s = element_state(e);

    timer_init(&s->timer, e, delay_unqueue_fire);
    task_join(&s->task, e, delay_unqueue_run, true, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    return 0;
}

static const struct handler_spec delay_unqueue_handlers[] = {
    HANDLER_VALUE(delay_unqueue, delayed.delay_ns, ARG_KIND_TIME,
                  HANDLER_READ | HANDLER_WRITE, "delay", "from timestamp to departure"),
    TASK_HANDLERS(delay_unqueue, task),
    HANDLER_END,
};

ELEMENT(DelayUnqueue) = {
    .name = "DelayUnqueue",
    .state_size = sizeof(struct delay_unqueue),
    .ports = "1/1",
    .processing = "l/h",
    .args = delay_unqueue_args,
    .handlers = delay_unqueue_handlers,
    .initialize = delay_unqueue_initialize,
    .take_state = delayed_take_state,
    .cleanup = delayed_cleanup,
};
