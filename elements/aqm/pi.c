// SPDX-License-Identifier: BSD-3-Clause
/*
 * PI -- drop packets with a probability that a PI controller sets
 *
 * Usage:    PI(W, A, B, TARGET [, QUEUES, STABILITY 4])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     W          seconds between two steps of the controller
 *           A          gain for the queue length now
 *           B          gain for the queue length a step ago
 *           TARGET     queue length to aim at, in packets
 *           QUEUES     names of the queues to watch; default: the nearest ones
 *           STABILITY  of the average that avg_queue_size shows, 1 to 16, default 4
 *           QREF       another name of TARGET
 * Counters: drops  packets dropped so far
 * Handlers: w, a, b         (rw) the arguments
 *           target_q        (rw) TARGET
 *           p               (read) drop probability now
 *           stats           (read) lengths and drops, for people
 *           avg_queue_size  (read) average queue length
 *           queues          (read) names of the queues, one a line
 * Example:  ... -> PI(0.1, 0.00001822, 0.00001816, 50) -> Queue(200) -> ...
 * See also: RED, AdaptiveRED, CoDel
 *
 * Each W seconds p grows by A * (length - TARGET) - B * (length before - TARGET), and stays
 * between 0 and 1 (Hollot, Misra, Towsley, Gong, "On Designing Improved Controllers for AQM
 * Routers Supporting TCP Flows", INFOCOM 2001).
 */

#include "engine/aqm.h"
#include "engine/unparse.h"

struct pi {
    double w, a, b, p;
    struct aqm_queues queues;
    struct aqm_average size;
    struct timer timer;
    uint32_t target, qref, stability, last_length;
    bool have_qref, have_target;
    struct text queue_names;
};

static const struct arg_spec pi_args[] = {
    ARG_DOUBLE(pi, w, "W", ARG_M, NULL, "seconds between two steps"),
    ARG_DOUBLE(pi, a, "A", ARG_M, NULL, "gain for the length now"),
    ARG_DOUBLE(pi, b, "B", ARG_M, NULL, "gain for the length before"),
    {.name = "TARGET",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .offset = offsetof(struct pi, target),
     .seen = 1 + offsetof(struct pi, have_target),
     .help = "queue length to aim at"},
    ARG_RAW(pi, queue_names, "QUEUES", ARG_POS, NULL, "names of the queues to watch"),
    {.name = "QREF",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct pi, qref),
     .seen = 1 + offsetof(struct pi, have_qref),
     .help = "another name of TARGET"},
    ARG_U32(pi, stability, "STABILITY", 0, "4", "how slowly the average moves"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec pi_counters[] = {
    [C_DROPS] = {"drops", "packets dropped so far"},
    {NULL, NULL},
};

static int pi_check(const struct pi *s, struct diag *d)
{
    if (s->target > 0xffff)
        return diag_err(d, "target_q too large (max %d)", 0xffff);
    if (!(s->w > 0 && s->w < 1e6)) /* not a NaN either */
        return diag_err(d, "w must be positive");
    if (!(s->a >= 0))
        return diag_err(d, "a must be positive");
    if (!(s->b >= 0))
        return diag_err(d, "b must be positive");
    return 0;
}

static int pi_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct pi *s = element_state(e);

    if (!s->have_target && !s->have_qref)
        return diag_err(d, "TARGET: required argument missing");
    if (s->have_qref)
        s->target = s->qref;
    if (s->stability < 1 || s->stability > 16)
        return diag_err(d, "STABILITY parameter must be between 1 and 16");
    s->size.stability = s->stability;
    return pi_check(s, d);
}

static int64_t pi_interval(const struct pi *s)
{
    int64_t ns = (int64_t)(s->w * 1e9);

    return ns < 1000000 ? 1000000 : ns; /* no more than a thousand steps a second */
}

static void pi_fire(struct element *e, struct timer *t)
{
    struct pi *s = element_state(e);
    uint32_t length = aqm_length(&s->queues);

    s->p += s->a * ((double)length - s->target) -
            s->b * ((double)s->last_length - s->target);
    s->p = s->p > 1 ? 1 : s->p >= 0 ? s->p : 0;
    s->last_length = length;
    timer_reschedule(t, pi_interval(s));
}

static int pi_initialize(struct element *e, struct diag *d)
{
    struct pi *s = element_state(e);

    timer_init(&s->timer, e, pi_fire);
    timer_after(&s->timer, pi_interval(s));
    return aqm_find_queues(&s->queues, e, &s->queue_names, d);
}

static inline verdict_t pi_one(struct element *e, struct pkt *p)
{
    struct pi *s = element_state(e);

    aqm_average_add(&s->size, aqm_length(&s->queues));
    if (s->p <= 0 || element_random(e) >= s->p * 4294967296.0)
        return 0;
    return spill(e, 1, C_DROPS);
}
ELEMENT_LOOP(pi)

static void pi_take_state(struct element *e, struct element *old)
{
    struct pi *s = element_state(e);
    const struct pi *from = element_state(old);

    s->size.scaled = from->size.scaled;
    s->p = from->p;
    s->last_length = from->last_length;
}

static int pi_read_stats(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    const struct pi *s = element_state(e);
    char buf[UNPARSE_ROOM];

    unparse_fixed(s->size.scaled, AQM_AVERAGE_BITS, buf);
    if (h->user)
        sbuf_puts(out, buf);
    else
        sbuf_printf(out, "%u current queue\n%s avg queue\n%llu drops\n",
                    aqm_length(&s->queues), buf,
                    (unsigned long long)e->counters[C_DROPS]);
    return 0;
}

static int pi_read_queues(struct element *e, const struct handler_spec *h,
                          const char *param, struct sbuf *out, struct diag *d)
{
    aqm_list(&((const struct pi *)element_state(e))->queues, out);
    return 0;
}

static int pi_write(struct element *e, const struct handler_spec *h, const char *value,
                    size_t len, struct diag *d)
{
    struct pi *s = element_state(e), changed = *s;
    double v;

    if (!parse_double(value, &v) || (h->user == 3 && !(v >= 0 && v < 1e9)))
        return diag_err(d, "%s: parse error", h->name);
    if (h->user == 3)
        changed.target = (uint32_t)v;
    else
        *(h->user == 0 ? &changed.w : h->user == 1 ? &changed.a : &changed.b) = v;
    if (pi_check(&changed, d) < 0)
        return -1;
    *s = changed;
    return 0;
}

#define PI_VALUE(member_, kind_, user_, name_, help_)                                  \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_READ | HANDLER_WRITE,       \
        .kind = (kind_), .offset = offsetof(struct pi, member_), .user = (user_),      \
        .write = pi_write                                                              \
    }

static const struct handler_spec pi_handlers[] = {
    PI_VALUE(w, ARG_KIND_DOUBLE, 0, "w", "seconds between two steps"),
    PI_VALUE(a, ARG_KIND_DOUBLE, 1, "a", "gain for the length now"),
    PI_VALUE(b, ARG_KIND_DOUBLE, 2, "b", "gain for the length before"),
    PI_VALUE(target, ARG_KIND_U32, 3, "target_q", "queue length to aim at"),
    HANDLER_VALUE(pi, p, ARG_KIND_DOUBLE, HANDLER_READ, "p", "drop probability now"),
    HANDLER_READER(pi_read_stats, "stats", "lengths and drops, for people"),
    {.name = "avg_queue_size",
     .help = "average queue length",
     .flags = HANDLER_READ,
     .user = 1,
     .read = pi_read_stats},
    HANDLER_READER(pi_read_queues, "queues", "names of the queues, one a line"),
    HANDLER_END,
};

ELEMENT(PI) = {
    .name = "PI",
    .state_size = sizeof(struct pi),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = pi_args,
    .counters = pi_counters,
    .handlers = pi_handlers,
    .live = true,
    .configure = pi_configure,
    .initialize = pi_initialize,
    .take_state = pi_take_state,
    .push = pi_push,
    .pull = pi_pull,
};
