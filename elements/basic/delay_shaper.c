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

#include "engine/delayed.h"
#include "engine/relay.h"

struct delay_shaper {
    struct delayed delayed; /* must be the first */
    struct relay relay;
    struct signal nonempty;
    struct timer timer;
};

static const struct arg_spec delay_shaper_args[] = {
    DELAYED_ARGS(delay_shaper, delayed),
    ARG_END,
};

static uint32_t delay_shaper_pull(struct element *e, unsigned port, struct batch *b,
                                  uint32_t max)
{
    struct delay_shaper *s = element_state(e);
    int64_t wall = element_wall_now(e);
    uint32_t n = 0;

    for (; n < max; n++) {
        s->delayed.waiting = delayed_next(e, wall);
        if (!s->delayed.waiting || s->delayed.waiting->timestamp > wall)
            break;
        s->delayed.waiting->timestamp = wall;
        batch_add(b, s->delayed.waiting);
        s->delayed.waiting = NULL;
    }
    if (n)
        return n;
    if (s->delayed.waiting)
        timer_after(&s->timer, s->delayed.waiting->timestamp - wall);
    if (s->delayed.waiting || !signal_active(&s->nonempty))
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

static int delay_shaper_write(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    struct delay_shaper *s = element_state(e);

    return parse_time(value, &s->delayed.delay_ns)
               ? 0
               : diag_err(d, "delay must be a timestamp");
}

static const struct handler_spec delay_shaper_handlers[] = {
    {.name = "delay",
     .help = "from timestamp to departure",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct delay_shaper, delayed.delay_ns),
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
    .take_state = delayed_take_state,
    .cleanup = delayed_cleanup,
    .cast = delay_shaper_cast,
    .pull = delay_shaper_pull,
};
