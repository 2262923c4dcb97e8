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

#include "engine/task_handlers.h"

struct delay_unqueue {
    struct task task;
    struct timer timer;
    struct signal nonempty;
    int64_t delay_ns;
    struct pkt *waiting; /* owned; its timestamp says until when */
};

static const struct arg_spec delay_unqueue_args[] = {
    ARG_TIME(delay_unqueue, delay_ns, "DELAY", ARG_M, NULL,
             "from timestamp to departure"),
    ARG_END,
};

/* The next packet, with its time of departure; NULL if there is none. */
static struct pkt *delay_unqueue_next(struct element *e, int64_t wall)
{
    const struct delay_unqueue *s = element_state(e);
    struct pkt *p = s->waiting;

    if (p || !(p = in_pull_one(e, 0)))
        return p;
    if (p->timestamp < 1000000000) /* no whole second is no time */
        p->timestamp = wall;
    if (__builtin_add_overflow(p->timestamp, s->delay_ns, &p->timestamp))
        p->timestamp = INT64_MAX;
    return p;
}

static bool delay_unqueue_run(struct element *e, struct task *t)
{
    struct delay_unqueue *s = element_state(e);
    int64_t wall = element_wall_now(e);
    struct batch b;
    bool worked;

    b.n = 0;
    while (b.n < BATCH_MAX && (s->waiting = delay_unqueue_next(e, wall)) &&
           s->waiting->timestamp <= wall) {
        batch_add(&b, s->waiting);
        s->waiting = NULL;
    }
    worked = b.n > 0;
    if (s->waiting)
        timer_after(&s->timer, s->waiting->timestamp - wall);
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
    task_join(&s->task, e, delay_unqueue_run, true);
    signal_up(&s->nonempty, e, 0, &s->task);
    return 0;
}

static void delay_unqueue_take_state(struct element *e, struct element *old)
{
    struct delay_unqueue *s = element_state(e), *from = element_state(old);

    s->waiting = from->waiting;
    from->waiting = NULL;
}

static void delay_unqueue_cleanup(struct element *e)
{
    struct delay_unqueue *s = element_state(e);

    pkt_free(s->waiting);
    s->waiting = NULL;
}

static const struct handler_spec delay_unqueue_handlers[] = {
    HANDLER_VALUE(delay_unqueue, delay_ns, ARG_KIND_TIME, HANDLER_READ | HANDLER_WRITE,
                  "delay", "from timestamp to departure"),
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
    .take_state = delay_unqueue_take_state,
    .cleanup = delay_unqueue_cleanup,
};
