// SPDX-License-Identifier: BSD-3-Clause
/* shaper.c -- pulling at a smooth rate: see shaper.h */

#include "engine/shaper.h"

#include "engine/unparse.h"

/* --- the rate --------------------------------------------------------------------------- */

/* us of the running second << GAP_SHIFT: 32 bits are just enough. */
static uint32_t gap_now(int64_t now_us)
{
    return (uint32_t)(now_us % GAP_US_PER_S) << GAP_SHIFT;
}

void gap_rate_init(struct gap_rate *g)
{
    *g = (struct gap_rate){.gap = GAP_MAX_RATE + 1, .sec = -1};
}

void gap_rate_set(struct gap_rate *g, uint32_t rate, int64_t now_us)
{
    if (rate > GAP_MAX_RATE)
        rate = GAP_MAX_RATE;
    if (g->rate == rate)
        return;
    g->rate = rate;
    g->gap = rate ? GAP_MAX_RATE / rate : GAP_MAX_RATE + 1;
    if (g->sec >= 0 && rate)
        g->count = (int32_t)(gap_now(now_us) / g->gap);
}

bool gap_rate_due(struct gap_rate *g, int64_t now_us)
{
    int64_t sec = now_us / GAP_US_PER_S;
    uint32_t at = gap_now(now_us);

    g->need = at / g->gap;
    if (g->sec < 0) {
        /* The first one need not wait, unless the next is nearer than the last was. */
        g->sec = sec;
        g->count = (int32_t)(g->need + (at - g->need * g->gap > g->gap / 2));
    } else if (sec > g->sec) {
        g->sec = sec;
        if (g->count > 0)
            g->count = (int32_t)((uint32_t)g->count - g->rate);
    }
    return (int32_t)g->need >= g->count;
}

int64_t gap_rate_wait(const struct gap_rate *g, int64_t now_us)
{
    uint32_t count = (uint32_t)g->count;
    int64_t at;

    if (!g->rate)
        return -1;
    if (g->count < 0)
        return 0;
    at = (g->sec + count / g->rate) * GAP_US_PER_S +
         (((int64_t)(count % g->rate) * g->gap) >> GAP_SHIFT);
    return at > now_us ? at - now_us : 1; /* rounded down, it may not be due yet */
}

/* --- the elements ----------------------------------------------------------------------- */

static int64_t shaper_now_us(const struct element *e)
{
    const struct shaper *s = element_state(e);

    return (element_now(e) + s->offset_ns) / 1000;
}

int shaper_configure(struct element *e, bool bytes, struct diag *d)
{
    struct shaper *s = element_state(e);
    uint64_t rate = bytes ? s->bandwidth : s->rate;

    if (rate > UINT32_MAX)
        return diag_err(d, "RATE: out of range");
    if (rate > GAP_MAX_RATE)
        diag_err(d, "rate too large; lowered to %u", GAP_MAX_RATE); /* and goes on */
    s->bytes = bytes;
    if (!e->configured) {
        gap_rate_init(&s->gap);
        relay_init(&s->relay);
    }
    gap_rate_set(&s->gap, (uint32_t)rate, e->configured ? shaper_now_us(e) : 0);
    notifier_wake(&s->relay.notifier);
    return 0;
}

static void shaper_fire(struct element *e, struct timer *t)
{
    struct shaper *s = element_state(e);

    notifier_wake(&s->relay.notifier);
}

int shaper_initialize(struct element *e, struct diag *d)
{
    struct shaper *s = element_state(e);

    /* Seconds begin where they do for everybody, and never jump. */
    s->offset_ns = element_wall_now(e) - element_now(e);
    timer_init(&s->timer, e, shaper_fire);
    relay_listen(&s->relay, e, 0, &s->nonempty);
    return 0;
}

/* With output 1, what is not due can be pulled there: nobody may sleep for the rate. */
void *shaper_cast(struct element *e, const char *kind)
{
    struct shaper *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) || e->n_out > 1 ? NULL : &s->relay.notifier;
}

/* Pull as many as are due, and account for them. */
static void shaper_pull_due(struct element *e, struct batch *b, uint32_t max)
{
    struct shaper *s = element_state(e);
    struct gap_rate *g = &s->gap;
    uint32_t end = b->n + max;

    while (b->n < end && (int32_t)g->need >= g->count) {
        uint64_t due = (uint64_t)((int64_t)(int32_t)g->need - g->count) + 1;
        uint32_t want = s->bytes ? 1 : end - b->n;
        uint32_t got = in_pull(e, 0, b, due < want ? (uint32_t)due : want);

        if (!got)
            return;
        got = s->bytes ? b->p[b->n - 1]->len : got;
        g->count = (int32_t)((uint32_t)g->count + got);
    }
}

uint32_t shaper_pull(struct element *e, unsigned port, struct batch *b, uint32_t max)
{
    struct shaper *s = element_state(e);
    int64_t now_us = shaper_now_us(e), wait_us;
    bool due = gap_rate_due(&s->gap, now_us);
    uint32_t from = b->n;

    if (port && !s->bytes) /* BandwidthShaper's outputs are alike, as in Click */
        return due ? 0 : in_pull(e, 0, b, max);
    if (due)
        shaper_pull_due(e, b, max);
    if (b->n > from)
        return b->n - from;
    if (!due) {
        wait_us = gap_rate_wait(&s->gap, now_us);
        notifier_sleep(&s->relay.notifier);
        if (wait_us >= 0)
            timer_after(&s->timer, wait_us * 1000);
    } else if (!signal_active(&s->nonempty)) {
        notifier_sleep(&s->relay.notifier);
    }
    return 0;
}

int shaper_read_rate(struct element *e, const struct handler_spec *h, const char *param,
                     struct sbuf *out, struct diag *d)
{
    const struct shaper *s = element_state(e);
    char buf[64];

    if (s->bytes)
        sbuf_puts(out, unparse_bandwidth(s->gap.rate, buf));
    else
        sbuf_printf(out, "%u", s->gap.rate);
    return 0;
}

int shaper_reset(struct element *e, const struct handler_spec *h, const char *value,
                 size_t len, struct diag *d)
{
    struct shaper *s = element_state(e);

    s->gap.sec = -1;
    notifier_wake(&s->relay.notifier);
    return 0;
}
