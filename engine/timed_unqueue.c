// SPDX-License-Identifier: BSD-3-Clause
/* timed_unqueue.c -- pulling a burst of packets every so often: see timed_unqueue.h */

#include "engine/timed_unqueue.h"

enum { MS = 1000000 };

int timed_unqueue_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct timed_unqueue *s = element_state(e);

    s->interval_ns = (s->interval_ns + MS / 2) / MS * MS; /* Click counts in these */
    return s->burst > 0 ? 0 : diag_err(d, "bad BURST");
}

static bool timed_unqueue_run(struct element *e, struct task *t)
{
    struct timed_unqueue *s = element_state(e);
    uint32_t left = (uint32_t)s->burst, got;
    bool first = true;
    struct batch b;

    /* A queue upstream has filled, but it is not time yet. */
    if (timer_scheduled(&s->timer))
        return false;
    do {
        b.n = 0;
        got = in_pull(e, 0, &b, left < BATCH_MAX ? left : BATCH_MAX);
        if (first && !got && !signal_active(&s->nonempty)) {
            s->started = false;
            return false;
        }
        first = false;
        left -= got;
        out_push(e, 0, &b);
    } while (left && got);
    if (s->started)
        timer_reschedule(&s->timer, s->interval_ns);
    else
        timer_after(&s->timer, s->interval_ns);
    s->started = true;
    return true;
}

static void timed_unqueue_fire(struct element *e, struct timer *t)
{
    struct timed_unqueue *s = element_state(e);

    task_schedule(&s->task);
}

int timed_unqueue_initialize(struct element *e, struct diag *d)
{
    struct timed_unqueue *s = element_state(e);

    timer_init(&s->timer, e, timed_unqueue_fire);
    task_join(&s->task, e, timed_unqueue_run, true, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    return 0;
}
