// SPDX-License-Identifier: BSD-3-Clause
/*
 * AdaptiveRED -- RED that finds its drop probability itself
 *
 * Usage:    AdaptiveRED(TARGET, MAX_P, QUEUES, STABILITY 4)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     TARGET     average queue length to aim at, at least 10 packets
 *           MAX_P      drop probability to begin with
 *           QUEUES     names of the queues to watch; default: the nearest ones
 *           STABILITY  as in RED, default 4
 * Counters: drops  packets dropped so far
 * Handlers: min_thresh, max_thresh, max_p  (rw) RED's parameters now
 *           stats           (read) lengths and drops, for people
 *           avg_queue_size  (read) average queue length
 *           queues          (read) names of the queues, one a line
 *           config          (read) RED's arguments now, and the queues
 * Example:  ... -> AdaptiveRED(20, 0.02) -> Queue(200) -> ...
 * See also: RED, PI, CoDel
 *
 * MIN_THRESH is half of TARGET, MAX_THRESH one and a half of it. Each half second MAX_P
 * shrinks by a tenth if the average was in the lower half between them, and grows by 0.01,
 * or a quarter of itself if that is less, if it was in the upper half (Floyd, Gummadi,
 * Shenker, "Adaptive RED", 2001).
 */

#include "engine/red.h"

/* Probabilities are of 65536. */
enum { P_HUNDREDTH = 655, P_NINE_TENTHS = 58982, P_HALF = 0x8000, TARGET_MIN = 10 };
static const int64_t adapt_interval_ns = 500000000;

struct adaptive_red {
    struct red red;
    struct timer timer;
    uint32_t target, max_p;
};

static const struct arg_spec adaptive_red_args[] = {
    ARG_U32(adaptive_red, target, "TARGET", ARG_M, NULL, "length to aim at"),
    {.name = "MAX_P",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_M,
     .offset = offsetof(struct adaptive_red, max_p),
     .help = "drop probability to begin with",
     .parse = red_parse_p},
    ARG_RAW(adaptive_red, red.queue_names, "QUEUES", ARG_KEY, NULL,
            "names of the queues to watch"),
    ARG_U32(adaptive_red, red.stability, "STABILITY", 0, "4",
            "how slowly the average moves"),
    ARG_END,
};

static const struct counter_spec adaptive_red_counters[] = {
    RED_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec adaptive_red_handlers[] = {
    RED_HANDLERS,
    HANDLER_END,
};

static int adaptive_red_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct adaptive_red *s = element_state(e);

    if (s->target < TARGET_MIN)
        s->target = TARGET_MIN;
    s->red.min_thresh = s->target / 2;
    if (__builtin_add_overflow(s->target, s->red.min_thresh, &s->red.max_thresh))
        s->red.max_thresh = UINT32_MAX;
    s->red.gentle = true;
    s->red.max_p = s->max_p;
    return red_check(&s->red, d);
}

static void adaptive_red_fire(struct element *e, struct timer *t)
{
    struct adaptive_red *s = element_state(e);
    struct red *r = &s->red;
    uint32_t part = (r->max_thresh - r->min_thresh) / 2;
    uint64_t avg = r->stability ? aqm_average_packets(&r->size)
                                : aqm_length(&r->queues);

    if (avg < r->min_thresh + part && r->max_p > P_HUNDREDTH)
        r->max_p = (uint32_t)((uint64_t)r->max_p * P_NINE_TENTHS >> 16);
    else if (avg > r->max_thresh - part && r->max_p < P_HALF)
        r->max_p += r->max_p / 4 < P_HUNDREDTH ? r->max_p / 4 : P_HUNDREDTH;
    red_set(r);
    timer_reschedule(t, adapt_interval_ns);
}

static int adaptive_red_initialize(struct element *e, struct diag *d)
{
    struct adaptive_red *s = element_state(e);

    timer_init(&s->timer, e, adaptive_red_fire);
    timer_after(&s->timer, adapt_interval_ns);
    return red_initialize(e, d);
}

ELEMENT(AdaptiveRED) = {
    .name = "AdaptiveRED",
    .state_size = sizeof(struct adaptive_red),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = adaptive_red_args,
    .counters = adaptive_red_counters,
    .handlers = adaptive_red_handlers,
    .live = true,
    .configure = adaptive_red_configure,
    .initialize = adaptive_red_initialize,
    .take_state = red_take_state,
    .push = red_push,
    .pull = red_pull,
};
