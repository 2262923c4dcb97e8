// SPDX-License-Identifier: BSD-3-Clause
/* red.c -- Random Early Detection, for RED and AdaptiveRED */

#include "engine/red.h"

#include "engine/router.h"
#include "engine/sched_run.h"
#include "engine/unparse.h"

enum { RED_THRESH_MAX = 0xffff, RED_ONE = 0x10000, RED_PERIOD_NS = 20000000 };

int red_parse_p(struct element *e, const char *text, void *member, struct diag *d)
{
    uint64_t p;

    if (!parse_real_fixed(text, 16, &p))
        return diag_err(d, "parse error");
    *(uint32_t *)member = p > UINT32_MAX ? UINT32_MAX : (uint32_t)p;
    return 0;
}

void red_set(struct red *r)
{
    uint32_t span = r->max_thresh - r->min_thresh;

    r->slope = span ? r->max_p / span : 0;
    r->offset = span ? (uint32_t)((uint64_t)r->max_p * r->min_thresh / span) : 1;
    r->slope_gentle = r->max_thresh ? (RED_ONE - r->max_p) / r->max_thresh : 0;
    r->offset_gentle = RED_ONE - 2 * (int32_t)r->max_p;
}

int red_check(struct red *r, struct diag *d)
{
    if (r->max_thresh > RED_THRESH_MAX)
        return diag_err(d, "MAX_THRESH must be <= %d", RED_THRESH_MAX);
    if (r->min_thresh > r->max_thresh)
        return diag_err(d, "MIN_THRESH must be <= MAX_THRESH");
    if (r->max_p > RED_ONE)
        return diag_err(d, "MAX_P must be between 0 and 1");
    if (r->stability > 16)
        return diag_err(d, "STABILITY must be between 0 and 16");
    r->kill_thresh = r->max_thresh * (r->gentle && r->max_p != RED_ONE ? 2 : 1);
    r->size.stability = r->stability;
    red_set(r);
    return 0;
}

int red_initialize(struct element *e, struct diag *d)
{
    struct red *r = element_state(e);

    r->count = -1;
    return aqm_find_queues(&r->queues, e, &r->queue_names, d);
}

void red_take_state(struct element *e, struct element *old)
{
    struct red *r = element_state(e);
    const struct red *from = element_state(old);

    r->size.scaled = from->size.scaled;
}

/* The average, in packets, after one more look at the queues. */
static inline uint64_t red_measure(struct red *r, struct element *e, uint32_t length)
{
    int64_t period;

    if (!r->stability)
        return length;
    if (length) {
        aqm_average_add(&r->size, length);
        r->empty_period = 0;
    } else {
        /* An idle link would have sent a packet a period. */
        period = 1 + element_coarse_now(e) / RED_PERIOD_NS;
        aqm_average_decay(&r->size,
                          r->empty_period ? (uint64_t)(period - r->empty_period) : 1);
        r->empty_period = period;
    }
    return aqm_average_packets(&r->size);
}

/* The drop probability, of 65536, for an average between min_thresh and kill_thresh; it
 * may come out below 0. */
static int64_t red_probability(const struct red *r, uint64_t avg)
{
    bool above = avg > r->max_thresh;
    uint64_t slope = above ? r->slope_gentle : r->slope;

    return (int64_t)(slope * r->size.scaled >> AQM_AVERAGE_BITS) -
           (above ? r->offset_gentle : (int64_t)r->offset);
}

/* For an average above min_thresh. */
static bool red_may_drop(struct red *r, struct element *e, uint64_t avg)
{
    int64_t p;

    if (avg > r->kill_thresh) {
        r->count = -1;
        return true;
    }
    p = red_probability(r, avg);
    if (r->count < INT32_MAX)
        r->count++;
    /* Drops come evenly spread: one within each 1 / p packets, at a random place. */
    if (r->count > 0 && p > 0 && r->count > r->random / p) {
        r->count = 0;
        r->random = element_random(e) >> 16;
        return true;
    }
    if (r->count == 0)
        r->random = element_random(e) >> 16;
    return false;
}

/* Decide about one packet, with so many in the queues. */
static inline bool red_should_drop(struct red *r, struct element *e, uint32_t length)
{
    uint64_t avg = red_measure(r, e, length);

    if (__builtin_expect(avg > r->min_thresh, 0))
        return red_may_drop(r, e, avg);
    r->count = -1;
    return false;
}

/* The usual case: neither the average nor the queue, even with all of `n` packets in it,
 * comes near min_thresh, so that all pass. If so, they are measured and counted; false: look
 * at them one by one. */
static bool red_all_pass(struct red *r, struct element *e, uint32_t length, uint32_t n)
{
    if (!n || !r->stability || length + n >= r->min_thresh ||
        r->size.scaled >> AQM_AVERAGE_BITS >= r->min_thresh)
        return false;
    red_measure(r, e, length);
    aqm_average_climb(&r->size, length + 1, n - 1);
    if (n > 1)
        r->empty_period = 0;
    r->count = -1;
    return true;
}

/* Move what is to be dropped from b->p[from ...] to `gone`; each packet that passes makes
 * the queues longer by `step`. */
static inline void red_sift(struct element *e, struct batch *b, uint32_t from,
                            uint32_t step, struct batch *gone)
{
    struct red *r = element_state(e);
    uint32_t kept = from, length = aqm_length(&r->queues);

    gone->n = 0;
    for (uint32_t i = from; i < b->n; i++)
        if (red_should_drop(r, e, length)) {
            batch_add(gone, b->p[i]);
        } else {
            b->p[kept++] = b->p[i];
            length += step;
        }
    b->n = kept;
    element_count(e, RED_DROPS, gone->n);
}

/* Whether all that passes goes straight into the only queue that is watched, and fits. */
static bool red_knows_lengths(const struct element *e, const struct batch *b)
{
    const struct red *r = element_state(e);
    const struct queue *q = &r->queues.queue[0]->q;

    return r->queues.n == 1 && e->out[0].peer == r->queues.element[0] &&
           e->out[0].push == queue_element_push && e->n_out == 1 &&
           q->n + b->n <= q->capacity;
}

/* One packet, or those of several turns, between which the queue is emptied: all of them find it
 * so, and an average that lets them pass and only falls. False: it is not so. */
static bool red_finds_nothing(struct red *r, struct element *e, uint32_t n)
{
    uint32_t at_once = router_sched(e->router)->at_once;

    if ((at_once ? at_once : n) != 1 || aqm_length(&r->queues) ||
        r->size.scaled >> AQM_AVERAGE_BITS >= r->min_thresh)
        return false;
    red_measure(r, e, 0);
    r->count = -1;
    return true;
}

void red_push(struct element *e, unsigned port, struct batch *b)
{
    struct red *r = element_state(e);
    struct batch one, gone;

    (void)port;
    if (red_knows_lengths(e, b) && red_finds_nothing(r, e, b->n)) {
        out_push(e, 0, b);
        return;
    }
    element_not_plain(e);
    if (red_knows_lengths(e, b)) {
        if (red_all_pass(r, e, aqm_length(&r->queues), b->n)) {
            out_push(e, 0, b);
            return;
        }
        red_sift(e, b, 0, 1, &gone);
        out_push(e, 0, b);
        batch_free(&gone);
        return;
    }
    /* One by one: each packet that passes may lengthen the queue that decides on the next. */
    for (uint32_t i = 0; i < b->n; i++) {
        bool drops = red_should_drop(r, e, aqm_length(&r->queues));

        one.n = 1;
        one.p[0] = b->p[i];
        element_count(e, RED_DROPS, drops);
        if (drops)
            out_push_or_free(e, 1, &one);
        else
            out_push(e, 0, &one);
    }
}

uint32_t red_pull(struct element *e, unsigned port, struct batch *b, uint32_t max)
{
    uint32_t from = b->n, end = b->n + max;
    struct batch gone;

    (void)port;
    element_not_plain(e);
    while (b->n < end && in_pull(e, 0, b, 1)) {
        red_sift(e, b, b->n - 1, 0, &gone);
        out_push_or_free(e, 1, &gone);
    }
    return b->n - from;
}

static void red_read_config(const struct red *r, struct sbuf *out)
{
    char buf[UNPARSE_ROOM];

    sbuf_printf(out, "%u, %u, %s, QUEUES", r->min_thresh, r->max_thresh,
                unparse_fixed(r->max_p, 16, buf));
    for (uint32_t i = 0; i < r->queues.n; i++)
        sbuf_printf(out, " %s", r->queues.element[i]->name);
    sbuf_printf(out, ", STABILITY %u%s", r->stability,
                r->gentle ? "" : ", GENTLE false");
}

int red_read(struct element *e, const struct handler_spec *h, const char *param,
             struct sbuf *out, struct diag *d)
{
    const struct red *r = element_state(e);
    char buf[UNPARSE_ROOM];

    switch (h->user) {
    case RED_MIN:
        sbuf_printf(out, "%u", r->min_thresh);
        break;
    case RED_MAX:
        sbuf_printf(out, "%u", r->max_thresh);
        break;
    case RED_P:
        sbuf_puts(out, unparse_fixed(r->max_p, 16, buf));
        break;
    case RED_AVERAGE:
        sbuf_puts(out, unparse_fixed(r->size.scaled, AQM_AVERAGE_BITS, buf));
        break;
    case RED_STATS:
        sbuf_printf(out, "%u current queue\n%s avg queue\n%llu drops\n",
                    aqm_length(&r->queues),
                    unparse_fixed(r->size.scaled, AQM_AVERAGE_BITS, buf),
                    (unsigned long long)e->counters[RED_DROPS]);
        break;
    case RED_CONFIG:
        red_read_config(r, out);
        break;
    default:
        aqm_list(&r->queues, out);
    }
    return 0;
}

int red_write(struct element *e, const struct handler_spec *h, const char *value,
              size_t len, struct diag *d)
{
    struct red *r = element_state(e), changed = *r;
    uint64_t v;

    if (h->user == RED_P && !parse_real_fixed(value, 16, &v))
        return diag_err(d, "MAX_P: parse error");
    if (h->user != RED_P && !parse_u64(value, 0, &v))
        return diag_err(d, "%s: invalid number",
                        h->user == RED_MIN ? "MIN_THRESH" : "MAX_THRESH");
    if (v > UINT32_MAX)
        v = UINT32_MAX;
    *(h->user == RED_P     ? &changed.max_p
      : h->user == RED_MIN ? &changed.min_thresh
                           : &changed.max_thresh) = (uint32_t)v;
    if (red_check(&changed, d) < 0)
        return -1;
    *r = changed;
    return 0;
}
