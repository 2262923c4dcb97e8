// SPDX-License-Identifier: BSD-3-Clause
/*
 * Discard -- drop all packets
 *
 * Usage:    Discard(ACTIVE true, BURST 1)
 * Ports:    1 in; push or pull
 * Args:     ACTIVE  whether packets are pulled at all, default true; pull only
 *           BURST   most packets pulled in one go, default 1; 0 means all there are
 * Counters: count  packets dropped
 * Handlers: reset_counts  (write) set count to 0
 *           active        (read/write) the argument ACTIVE
 *           scheduled, tickets  of the task that pulls
 * Example:  q :: Queue -> Discard(BURST 32);
 * See also: Idle, DiscardNoFree, TimedSink
 */

#include "engine/task_handlers.h"
#include "engine/turns.h"

struct discard {
    struct task task;
    struct signal nonempty;
    struct turns turns;
    uint32_t burst;
    bool active;
};

static const struct arg_spec discard_args[] = {
    ARG_BOOL(discard, active, "ACTIVE", ARG_KEY, "true", "pull packets at all"),
    ARG_U32(discard, burst, "BURST", ARG_KEY, "1", "most packets pulled in one go"),
    ARG_END,
};

enum { C_COUNT };
static const struct counter_spec discard_counters[] = {
    [C_COUNT] = {"count", "packets dropped"},
    {NULL, NULL},
};

static bool discard_run(struct element *e, struct task *t)
{
    struct discard *s = element_state(e);
    uint32_t turns = turns_now(&s->turns, t, s->burst, false);
    uint32_t left = turns_packets(turns, s->burst), got = 0, n = 1;
    struct batch b;

    if (!s->active) /* woken by a queue, but not wanted */
        return false;
    for (; left && n; left -= n) {
        b.n = 0;
        n = in_pull(e, 0, &b, left < BATCH_MAX ? left : BATCH_MAX);
        batch_free(&b);
        got += n;
    }
    element_count(e, C_COUNT, got);
    turns_pulled(&s->turns, t, turns, s->burst, got);
    if (got || signal_active(&s->nonempty))
        task_reschedule(t);
    return got != 0;
}

static int discard_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct discard *s = element_state(e);

    if (!s->active && element_input_is_push(e, 0))
        return diag_err(d, "ACTIVE is meaningless in push context");
    if (!s->burst)
        s->burst = UINT32_MAX;
    return 0;
}

static int discard_initialize(struct element *e, struct diag *d)
{
    struct discard *s = element_state(e);

    if (element_input_is_push(e, 0))
        return 0;
    task_join(&s->task, e, discard_run, s->active, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    return 0;
}

static void discard_push(struct element *e, unsigned port, struct batch *b)
{
    element_count(e, C_COUNT, b->n);
    batch_free(b);
}

static int discard_reset(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    return 0;
}

static int discard_write_active(struct element *e, const struct handler_spec *h,
                                const char *value, size_t len, struct diag *d)
{
    struct discard *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "syntax error");
    if (s->active)
        task_schedule(&s->task);
    else
        task_unschedule(&s->task);
    return 0;
}

static const struct handler_spec discard_handlers[] = {
    HANDLER_PRESS(discard_reset, "reset_counts", "set count to 0"),
    {.name = "active",
     .help = "whether packets are pulled",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX | HANDLER_OF_TASK,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct discard, active),
     .write = discard_write_active},
    TASK_HANDLERS(discard, task),
    HANDLER_END,
};

ELEMENT(Discard) = {
    .name = "Discard",
    .state_size = sizeof(struct discard),
    .keeps = PKT_PARTS,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/0",
    .args = discard_args,
    .counters = discard_counters,
    .handlers = discard_handlers,
    .configure = discard_configure,
    .has_task = task_pulls,
    .initialize = discard_initialize,
    .push = discard_push,
};
