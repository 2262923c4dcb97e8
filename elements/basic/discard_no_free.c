// SPDX-License-Identifier: BSD-3-Clause
/*
 * DiscardNoFree -- take packets and keep them
 *
 * Usage:    DiscardNoFree
 * Ports:    1 in; push or pull
 * Args:     none
 * Counters: none
 * Handlers: scheduled, tickets  of the task that pulls
 * Example:  FromDump(small.pcap) -> DiscardNoFree;
 * See also: Discard
 *
 * For measurements in which releasing packets should not count. They are released when
 * the router ends; until then their memory is in use.
 */

#include "engine/task_handlers.h"

struct discard_no_free {
    struct task task;
    struct signal nonempty;
    struct pkt *kept; /* owned; a list */
};

static void discard_no_free_push(struct element *e, unsigned port, struct batch *b)
{
    struct discard_no_free *s = element_state(e);

    for (uint32_t i = 0; i < b->n; i++) {
        b->p[i]->next = s->kept;
        s->kept = b->p[i];
    }
}

static bool discard_no_free_run(struct element *e, struct task *t)
{
    const struct discard_no_free *s = element_state(e);
    struct batch b;

    b.n = 0;
    if (in_pull(e, 0, &b, 1) || signal_active(&s->nonempty))
        task_reschedule(t);
    discard_no_free_push(e, 0, &b);
    return b.n > 0;
}

static int discard_no_free_initialize(struct element *e, struct diag *d)
{
    struct discard_no_free *s = element_state(e);

    if (element_input_is_push(e, 0))
        return 0;
    task_join(&s->task, e, discard_no_free_run, true, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    return 0;
}

static void discard_no_free_cleanup(struct element *e)
{
    struct discard_no_free *s = element_state(e);
    struct pkt *p;

    while ((p = s->kept)) {
        s->kept = p->next;
        pkt_free(p);
    }
}

static const struct handler_spec discard_no_free_handlers[] = {
    TASK_HANDLERS(discard_no_free, task),
    HANDLER_END,
};

ELEMENT(DiscardNoFree) = {
    .name = "DiscardNoFree",
    .state_size = sizeof(struct discard_no_free),
    .ports = "1/0",
    .handlers = discard_no_free_handlers,
    .has_task = task_pulls,
    .initialize = discard_no_free_initialize,
    .cleanup = discard_no_free_cleanup,
    .push = discard_no_free_push,
};
