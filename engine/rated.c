// SPDX-License-Identifier: BSD-3-Clause
/* rated.c -- what the elements that hold packets to a rate have in common: rated.h */

#include "engine/rated.h"

/* Tokens that may be saved up beyond the floor. */
static uint64_t rated_room(const struct rated *r)
{
    uint64_t rate = r->bytes ? r->bandwidth : r->rate;
    unsigned __int128 room = r->burst;

    if (!r->burst_given)
        room = (unsigned __int128)rate * (uint64_t)(r->burst_ns > 0 ? r->burst_ns : 0) /
               1000000000;
    if (room > UINT32_MAX)
        room = UINT32_MAX;
    if (r->bytes)
        room += RATED_FLOOR;
    return room ? (uint64_t)room : 1;
}

void rated_change(struct element *e, struct rated *r)
{
    token_bucket_rescale(&r->bucket, r->bytes ? r->bandwidth : r->rate, rated_room(r),
                         element_now(e));
}

int rated_configure(struct element *e, struct rated *r, bool bytes, struct diag *d)
{
    if (r->burst_ns_given && r->burst_given)
        return diag_err(d, "cannot specify both BURST_DURATION and BURST_SIZE");
    r->bytes = bytes;
    if (e->configured) {
        rated_change(e, r);
        return 0;
    }
    token_bucket_init(&r->bucket, bytes ? r->bandwidth : r->rate, rated_room(r),
                      rated_room(r), element_now(e));
    return 0;
}

static struct rated *rated_of(struct element *e, const struct handler_spec *h)
{
    return (struct rated *)(void *)(e->state + h->offset);
}

int rated_read_rate(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d)
{
    const struct rated *r = rated_of(e, h);
    char buf[64];

    if (r->bytes)
        sbuf_puts(out, unparse_bandwidth(r->bandwidth, buf));
    else
        sbuf_printf(out, "%u", r->rate);
    return 0;
}

int rated_write_rate(struct element *e, const struct handler_spec *h, const char *value,
                     size_t len, struct diag *d)
{
    struct rated *r = rated_of(e, h);
    uint64_t rate;

    if (r->bytes ? !parse_bandwidth(value, &rate)
                 : !parse_u64(value, 0, &rate) || rate > UINT32_MAX)
        return diag_err(d, "RATE: parse error");
    r->bandwidth = rate;
    r->rate = (uint32_t)rate;
    rated_change(e, r);
    return 0;
}

/* --- RatedUnqueue and BandwidthRatedUnqueue ------------------------------------------- */

enum { RATED_BURST = 32 }; /* packets moved in one go, tokens permitting */

static bool rated_unqueue_run(struct element *e, struct task *t)
{
    struct rated_unqueue *s = element_state(e);
    uint32_t n;
    struct batch b;

    s->runs++;
    if (!s->active)
        return false;
    n = rated_allows(&s->rated, element_now(e), RATED_BURST);
    if (!n) {
        int64_t wait = rated_wait(&s->rated);

        s->empty_runs++;
        if (wait != INT64_MAX)
            timer_at(&s->timer, s->rated.bucket.at_ns + wait);
        return false;
    }
    b.n = 0;
    if (in_pull(e, 0, &b, n)) {
        rated_spend(&s->rated, &b, 0);
        s->pushes += b.n;
        s->runs += b.n - 1; /* as if they had gone one by one */
        out_push(e, 0, &b);
        task_reschedule(t);
        return true;
    }
    s->failed_pulls++;
    if (signal_active(&s->nonempty)) {
        s->empty_runs++;
        task_reschedule(t);
    }
    return false;
}

static void rated_unqueue_fire(struct element *e, struct timer *t)
{
    struct rated_unqueue *s = element_state(e);

    task_schedule(&s->task);
}

int rated_unqueue_initialize(struct element *e, struct diag *d)
{
    struct rated_unqueue *s = element_state(e);

    s->active = true;
    timer_init(&s->timer, e, rated_unqueue_fire);
    task_join(&s->task, e, rated_unqueue_run, true, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    return 0;
}

/* What the timer waits for may come sooner now. */
int rated_unqueue_write_rate(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    struct rated_unqueue *s = element_state(e);

    if (rated_write_rate(e, h, value, len, d) < 0)
        return -1;
    task_schedule(&s->task);
    return 0;
}

int rated_unqueue_read_calls(struct element *e, const struct handler_spec *h,
                             const char *param, struct sbuf *out, struct diag *d)
{
    const struct rated_unqueue *s = element_state(e);

    sbuf_printf(out,
                "%llu calls to run_task()\n%llu empty runs\n%llu pushes\n"
                "%llu failed pulls\n",
                (unsigned long long)s->runs, (unsigned long long)s->empty_runs,
                (unsigned long long)s->pushes, (unsigned long long)s->failed_pulls);
    return 0;
}

int rated_unqueue_write_active(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    struct rated_unqueue *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "syntax error");
    if (s->active)
        task_schedule(&s->task);
    return 0;
}
