// SPDX-License-Identifier: BSD-3-Clause
/*
 * DelayShaper -- let packets be pulled when they are old enough
 *
 * Usage:    DelayShaper(DELAY)
 * Ports:    1 in, 1 out; pull
 * Args:     DELAY  time between a packet's timestamp and its departure
 * Counters: none
 * Handlers: delay  (read/write) the argument DELAY
 * Example:  FromDevice(0) -> Queue -> DelayShaper(50ms) -> ToDevice(1);
 * See also: DelayUnqueue, Shaper, SetTimestamp
 *
 * The timestamp becomes the time of departure. A packet without one counts from when it is
 * first pulled. Those downstream sleep meanwhile.
 */

#include "engine/relay.h"

struct delay_shaper {
    struct relay relay;
    struct signal nonempty;
    struct timer timer;
    int64_t delay_ns;
    struct pkt *waiting; /* owned; its timestamp says until when */
};

static const struct arg_spec delay_shaper_args[] = {
    ARG_TIME(delay_shaper, delay_ns, "DELAY", ARG_M, NULL,
             "from timestamp to departure"),
    ARG_END,
};

static struct pkt *delay_shaper_next(struct element *e, int64_t wall)
{
    const struct delay_shaper *s = element_state(e);
    struct pkt *p = s->waiting;

    if (p || !(p = in_pull_one(e, 0)))
        return p;
    if (p->timestamp < 1000000000) /* no whole second is no time */
        p->timestamp = wall;
    if (__builtin_add_overflow(p->timestamp, s->delay_ns, &p->timestamp))
        p->timestamp = INT64_MAX;
    return p;
}

static uint32_t delay_shaper_pull(struct element *e, unsigned port, struct batch *b,
                                  uint32_t max)
{
    struct delay_shaper *s = element_state(e);
    int64_t wall = element_wall_now(e);
    uint32_t n = 0;

    for (; n < max; n++) {
        s->waiting = delay_shaper_next(e, wall);
        if (!s->waiting || s->waiting->timestamp > wall)
            break;
        s->waiting->timestamp = wall;
        batch_add(b, s->waiting);
        s->waiting = NULL;
    }
    if (n)
        return n;
    if (s->waiting)
        timer_after(&s->timer, s->waiting->timestamp - wall);
    if (s->waiting || !signal_active(&s->nonempty))
        notifier_sleep(&s->relay.notifier);
    return 0;
}

static void delay_shaper_fire(struct element *e, struct timer *t)
{
    struct delay_shaper *s = element_state(e);

    notifier_wake(&s->relay.notifier);
}

static int delay_shaper_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct delay_shaper *s = element_state(e);

    relay_init(&s->relay);
    return 0;
}

static int delay_shaper_initialize(struct element *e, struct diag *d)
{
    struct delay_shaper *s = element_state(e);

    timer_init(&s->timer, e, delay_shaper_fire);
    relay_listen(&s->relay, e, 0, &s->nonempty);
    return 0;
}

static void *delay_shaper_cast(struct element *e, const char *kind)
{
    struct delay_shaper *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->relay.notifier;
}

static void delay_shaper_take_state(struct element *e, struct element *old)
{
    struct delay_shaper *s = element_state(e), *from = element_state(old);

    s->waiting = from->waiting;
    from->waiting = NULL;
}

static void delay_shaper_cleanup(struct element *e)
{
    struct delay_shaper *s = element_state(e);

    pkt_free(s->waiting);
    s->waiting = NULL;
}

static int delay_shaper_write(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    struct delay_shaper *s = element_state(e);

    return parse_time(value, &s->delay_ns) ? 0
                                           : diag_err(d, "delay must be a timestamp");
}

static const struct handler_spec delay_shaper_handlers[] = {
    {.name = "delay",
     .help = "from timestamp to departure",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct delay_shaper, delay_ns),
     .write = delay_shaper_write},
    HANDLER_END,
};

ELEMENT(DelayShaper) = {
    .name = "DelayShaper",
    .state_size = sizeof(struct delay_shaper),
    .ports = "1/1",
    .processing = "l/l",
    .args = delay_shaper_args,
    .handlers = delay_shaper_handlers,
    .configure = delay_shaper_configure,
    .initialize = delay_shaper_initialize,
    .take_state = delay_shaper_take_state,
    .cleanup = delay_shaper_cleanup,
    .cast = delay_shaper_cast,
    .pull = delay_shaper_pull,
};
