// SPDX-License-Identifier: BSD-3-Clause
/* relay.c -- a notifier of one's own that wakes up with those upstream: see relay.h */

#include "engine/relay.h"

/* The task lies in the relay, whoever's state that is in. */
static bool relay_run(struct element *e, struct task *t)
{
    struct relay *r = (void *)((uint8_t *)t - offsetof(struct relay, task));

    notifier_wake(&r->notifier);
    return false;
}

void relay_init(struct relay *r)
{
    notifier_init(&r->notifier, true);
}

void relay_listen(struct relay *r, struct element *e, unsigned port, struct signal *s)
{
    if (!r->task.run)
        task_init(&r->task, e, relay_run);
    signal_up(s, e, port, &r->task);
}

struct signal *relay_signals(struct element *e, struct diag *d)
{
    struct signal *signals = element_alloc(e, (e->n_in + 1u) * sizeof(struct signal));

    if (!signals)
        diag_err(d, "out of memory");
    for (unsigned i = 0; signals && i < e->n_in; i++)
        signal_up(&signals[i], e, i, NULL);
    return signals;
}
