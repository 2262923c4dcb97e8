// SPDX-License-Identifier: BSD-3-Clause
/* endless_source.c -- packets as fast as they are taken: see endless_source.h */

#include "engine/endless_source.h"

#include "engine/packet_source.h"

enum { C_COUNT };
const struct counter_spec endless_source_counters[] = {
    [C_COUNT] = {"count", "packets made"},
    {NULL, NULL},
};

static uint32_t allowed(struct element *e, uint32_t want)
{
    const struct endless_source *s = element_state(e);

    return packet_source_allowed(s->limit, e->counters[C_COUNT], want);
}

void endless_source_go(struct element *e)
{
    struct endless_source *s = element_state(e);

    if (!s->active || !allowed(e, 1))
        return;
    if (element_output_is_push(e, 0))
        task_schedule(&s->task);
    else
        notifier_wake(&s->nonempty);
}

int endless_source_check(struct element *e, struct handler_call *end, struct diag *d)
{
    const struct endless_source *s = element_state(e);

    if (s->burst < 1)
        return diag_err(d, "burst size must be >= 1");
    if (s->stop && s->end_call.len)
        return diag_err(d, "END_CALL and STOP are mutually exclusive");
    if (handler_call_set(end, s->stop ? "stop" : s->end_call.s) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

void endless_source_configured(struct element *e, struct handler_call *end)
{
    struct endless_source *s = element_state(e);

    handler_call_fini(&s->end);
    s->end = *end;
    if (!e->configured) {
        notifier_init(&s->nonempty, true);
        return;
    }
    e->counters[C_COUNT] = 0;
    endless_source_go(e);
}

/* Push up to `n` packets; returns how many memory allowed. */
static uint32_t emit(struct element *e, uint32_t n)
{
    const struct endless_source *s = element_state(e);
    int64_t wall = s->timestamp ? element_coarse_wall_now(e) : 0;
    uint32_t made, want, got;
    struct batch b;

    for (made = 0; made < n; made += got) {
        want = n - made < BATCH_MAX ? n - made : BATCH_MAX;
        b.n = 0;
        got = s->emit(e, &b, want, wall);
        out_push(e, 0, &b);
        if (!got)
            break;
    }
    return made;
}

static bool endless_source_run(struct element *e, struct task *t)
{
    struct endless_source *s = element_state(e);
    uint32_t burst = (uint32_t)s->burst, turns, n, made;

    if (!s->active || !signal_active(&s->nonfull))
        return false;
    turns = turns_now(&s->turns, t, burst, s->alike);
    n = allowed(e, burst * turns);
    n = n < s->run_max ? n : s->run_max;
    made = emit(e, n);
    e->counters[C_COUNT] += made;
    if (turns > 1)
        turns_took(t, (made + burst - 1) / burst);
    /* Out of memory, it tries again: others may be about to free packets. */
    if (n)
        task_reschedule(t);
    else
        handler_call_write(&s->end, e);
    return made > 0;
}

uint32_t endless_source_pull(struct element *e, unsigned port, struct batch *b,
                             uint32_t max)
{
    struct endless_source *s = element_state(e);
    uint32_t n = allowed(e, max);

    (void)port;
    if (!s->active || !n) {
        if (s->active)
            handler_call_write(&s->end, e);
        notifier_sleep(&s->nonempty);
        return 0;
    }
    n = s->emit(e, b, n, s->timestamp ? element_coarse_wall_now(e) : 0);
    e->counters[C_COUNT] += n;
    return n;
}

int endless_source_initialize(struct element *e, struct diag *d)
{
    struct endless_source *s = element_state(e);

    if (element_output_is_push(e, 0)) {
        task_join(&s->task, e, endless_source_run, true, d);
        signal_down(&s->nonfull, e, 0, &s->task);
    }
    return handler_call_check(&s->end, e, HANDLER_WRITE, d);
}

void endless_source_cleanup(struct element *e)
{
    struct endless_source *s = element_state(e);

    handler_call_fini(&s->end);
}

void *endless_source_cast(struct element *e, const char *kind)
{
    struct endless_source *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->nonempty;
}

int endless_source_write_active(struct element *e, const struct handler_spec *h,
                                const char *value, size_t len, struct diag *d)
{
    struct endless_source *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "active parameter must be boolean");
    endless_source_go(e);
    return 0;
}

int endless_source_write_limit(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    struct endless_source *s = element_state(e);

    if (!parse_i64(value, 0, &s->limit))
        return diag_err(d, "limit parameter must be integer");
    endless_source_go(e);
    return 0;
}

int endless_source_write_burst(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    struct endless_source *s = element_state(e);
    int64_t burst;

    if (!parse_i64(value, 0, &burst) || burst < 1 || burst > INT32_MAX)
        return diag_err(d, "burstsize parameter must be integer >= 1");
    s->burst = (int32_t)burst;
    endless_source_go(e);
    return 0;
}

int endless_source_reset(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = 0;
    endless_source_go(e);
    return 0;
}
