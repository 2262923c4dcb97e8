// SPDX-License-Identifier: BSD-3-Clause
/*
 * Unqueue -- pull packets and push them on
 *
 * Usage:    Unqueue(BURST 1, ACTIVE true, LIMIT -1)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     BURST   most packets moved in one go, default 1; < 0 means all there are
 *           ACTIVE  whether packets are moved at all, default true
 *           LIMIT   most packets moved altogether, default -1: no limit
 * Counters: count  packets moved
 * Handlers: active, burst, limit  (read/write) the arguments
 *           reset, reset_counts   (write) set count to 0
 *           scheduled, tickets    of the task that pulls
 * Example:  q :: Queue -> Unqueue(BURST 32) -> Print -> Discard;
 * See also: RatedUnqueue, BandwidthRatedUnqueue, TimedUnqueue
 */

#include "engine/task_handlers.h"
#include "engine/turns.h"

struct unqueue {
    struct task task;
    struct signal nonempty;
    struct turns turns;
    int32_t burst;
    int32_t limit;
    bool active;
};

static const struct arg_spec unqueue_args[] = {
    ARG_I32(unqueue, burst, "BURST", ARG_POS, "1", "most packets moved in one go"),
    ARG_BOOL(unqueue, active, "ACTIVE", ARG_KEY, "true", "move packets at all"),
    ARG_I32(unqueue, limit, "LIMIT", ARG_KEY, "-1",
            "most packets moved, < 0: no limit"),
    ARG_END,
};

enum { C_COUNT };
static const struct counter_spec unqueue_counters[] = {
    [C_COUNT] = {"count", "packets moved"},
    {NULL, NULL},
};

/* How many packets may still move in this run: `most` within the limit. */
static uint32_t unqueue_allowed(const struct element *e, const struct unqueue *s,
                                uint32_t most)
{
    uint64_t count = e->counters[C_COUNT];

    if (s->limit < 0)
        return most;
    if (count >= (uint64_t)s->limit)
        return 0;
    return (uint64_t)s->limit - count < most ? (uint32_t)s->limit - (uint32_t)count
                                             : most;
}

static bool unqueue_run(struct element *e, struct task *t)
{
    struct unqueue *s = element_state(e);
    uint32_t burst = (uint32_t)s->burst;
    uint32_t turns = burst ? turns_now(&s->turns, t, burst, false) : 1;
    uint32_t left = unqueue_allowed(e, s, turns_packets(turns, burst)), moved = 0;
    struct batch b;

    if (!s->active || (!left && s->limit >= 0))
        return false;
    if (s->limit >= 0)
        element_not_plain(e);
    while (left && s->active) {
        uint32_t want = left < BATCH_MAX ? left : BATCH_MAX, got;

        b.n = 0;
        got = in_pull(e, 0, &b, want);
        moved += got;
        left -= got;
        element_count(e, C_COUNT, got);
        out_push(e, 0, &b);
        if (got < want) {
            if (!got && !signal_active(&s->nonempty))
                return moved > 0;
            break;
        }
    }
    turns_pulled(&s->turns, t, turns, burst, moved);
    task_reschedule(t);
    return moved > 0;
}

static int unqueue_initialize(struct element *e, struct diag *d)
{
    struct unqueue *s = element_state(e);

    task_join(&s->task, e, unqueue_run, s->active, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    if (s->burst < 0)
        s->burst = INT32_MAX;
    else if (s->burst == 0)
        diag_warn(d, "BURST size 0, no packets will be pulled");
    return 0;
}

/* After any change: go on if there is still something to do. */
static void unqueue_go(struct element *e)
{
    struct unqueue *s = element_state(e);

    if (s->active && (s->limit < 0 || unqueue_allowed(e, s, 1)))
        task_schedule(&s->task);
}

static int unqueue_write(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    struct unqueue *s = element_state(e);
    int64_t number;

    if (h->kind == ARG_KIND_BOOL) {
        if (!parse_bool(value, &s->active))
            return diag_err(d, "syntax error");
    } else if (!parse_i64(value, 0, &number) || number < INT32_MIN ||
               number > INT32_MAX) {
        return diag_err(d, "syntax error");
    } else if (h->offset == offsetof(struct unqueue, limit)) {
        s->limit = (int32_t)number;
    } else {
        s->burst = number < 0 ? INT32_MAX : (int32_t)number;
    }
    unqueue_go(e);
    return 0;
}

static int unqueue_reset(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    unqueue_go(e);
    return 0;
}

static const struct handler_spec unqueue_handlers[] = {
    {.name = "active",
     .help = "whether packets are moved",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct unqueue, active),
     .write = unqueue_write},
    {.name = "burst",
     .help = "most packets moved in one go",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct unqueue, burst),
     .write = unqueue_write},
    {.name = "limit",
     .help = "most packets moved, < 0: no limit",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct unqueue, limit),
     .write = unqueue_write},
    HANDLER_PRESS(unqueue_reset, "reset", "set count to 0"),
    HANDLER_PRESS(unqueue_reset, "reset_counts", "set count to 0"),
    TASK_HANDLERS(unqueue, task),
    HANDLER_END,
};

ELEMENT(Unqueue) = {
    .name = "Unqueue",
    .state_size = sizeof(struct unqueue),
    .keeps = PKT_PARTS,
    .plain = true,
    .ports = "1/1",
    .processing = "l/h",
    .args = unqueue_args,
    .counters = unqueue_counters,
    .handlers = unqueue_handlers,
    .initialize = unqueue_initialize,
};
