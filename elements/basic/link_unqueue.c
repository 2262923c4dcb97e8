// SPDX-License-Identifier: BSD-3-Clause
/*
 * LinkUnqueue -- pull packets and push them on as a serial link would
 *
 * Usage:    LinkUnqueue(LATENCY, BANDWIDTH)
 * Ports:    1 in, 1 out; pull in, push out
 * Args:     LATENCY    time that the first bit of a packet takes
 *           BANDWIDTH  bits or bytes a second, such as 1Mbps; at least 100 bytes
 * Counters: none
 * Handlers: latency, bandwidth  (read/write) the arguments; writing empties the link
 *           size                (read) packets that are on the link
 *           reset               (write) drop all packets on the link
 *           scheduled, tickets  of the task that pulls
 * Example:  Queue -> LinkUnqueue(50ms, 10Mbps) -> ToDevice(1);
 * See also: DelayUnqueue, BandwidthRatedUnqueue
 *
 * A packet occupies the link for its length, with its extra-length annotation, at
 * BANDWIDTH, and leaves after LATENCY. No more packets are pulled than the link holds.
 */

#include "engine/queue.h"
#include "engine/task_handlers.h"

struct link_unqueue {
    struct task task;
    struct timer timer;
    struct signal nonempty;
    struct queue
        link; /* packets under way; their timestamps are the times of arrival */
    int64_t latency_ns;
    uint64_t bandwidth; /* bytes a second, a multiple of 100 */
    int64_t tail_ns;    /* when the last one arrives */
    bool back_to_back;  /* the input has not been empty since */
};

static const struct arg_spec link_unqueue_args[] = {
    ARG_TIME(link_unqueue, latency_ns, "LATENCY", ARG_M, NULL,
             "time that the first bit takes"),
    ARG_BANDWIDTH(link_unqueue, bandwidth, "BANDWIDTH", ARG_M, NULL,
                  "bits or bytes a second"),
    ARG_END,
};

enum { LINK_MIN_BANDWIDTH = 100 };

static int link_unqueue_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct link_unqueue *s = element_state(e);

    if (s->bandwidth < LINK_MIN_BANDWIDTH)
        return diag_err(d, "bandwidth too small, minimum 100Bps");
    s->bandwidth -= s->bandwidth % LINK_MIN_BANDWIDTH;
    queue_init(&s->link, INT32_MAX);
    return 0;
}

/* Put packets on the link while it has room: it holds what LATENCY covers. */
static bool link_unqueue_fill(struct element *e, int64_t wall)
{
    struct link_unqueue *s = element_state(e);
    int64_t arrival = wall + s->latency_ns;
    bool worked = false;
    struct pkt *p;

    while (!s->link.n || s->tail_ns <= arrival) {
        uint64_t bytes;

        p = in_pull_one(e, 0);
        if (!p) {
            s->back_to_back = false;
            break;
        }
        bytes = (uint64_t)p->len + p->anno_u32[ANNO_EXTRA_LENGTH / 4];
        if (!s->link.n || !s->back_to_back)
            s->tail_ns = arrival;
        s->tail_ns += (int64_t)(bytes * 1000000 / s->bandwidth) * 1000;
        p->timestamp = s->tail_ns;
        if (!queue_put(&s->link, &p, 1))
            pkt_free(p); /* out of memory */
        worked = s->back_to_back = true;
    }
    return worked;
}

/* The oldest packet on the link; NULL if there is none. */
static const struct pkt *link_unqueue_head(const struct link_unqueue *s)
{
    return s->link.n ? s->link.ring[s->link.head] : NULL;
}

static bool link_unqueue_run(struct element *e, struct task *t)
{
    struct link_unqueue *s = element_state(e);
    int64_t wall = element_wall_now(e), next;
    bool worked = link_unqueue_fill(e, wall);
    const struct pkt *head;
    struct batch b;

    b.n = 0;
    while (b.n < BATCH_MAX && (head = link_unqueue_head(s)) && head->timestamp <= wall)
        b.n += queue_get(&s->link, b.p + b.n, 1);
    worked |= b.n > 0;
    head = link_unqueue_head(s);
    if (head) {
        next = head->timestamp;
        if (signal_active(&s->nonempty) && s->tail_ns - s->latency_ns < next)
            next = s->tail_ns - s->latency_ns;
        timer_after(&s->timer, next > wall ? next - wall : 0);
    } else if (signal_active(&s->nonempty)) {
        task_reschedule(t);
    }
    out_push(e, 0, &b);
    return worked;
}

static void link_unqueue_fire(struct element *e, struct timer *t)
{
    struct link_unqueue *s = element_state(e);

    task_schedule(&s->task);
}

static int link_unqueue_initialize(struct element *e, struct diag *d)
{
    struct link_unqueue *s = element_state(e);

    timer_init(&s->timer, e, link_unqueue_fire);
    task_join(&s->task, e, link_unqueue_run, true, d);
    signal_up(&s->nonempty, e, 0, &s->task);
    return 0;
}

static void link_unqueue_take_state(struct element *e, struct element *old)
{
    struct link_unqueue *s = element_state(e), *from = element_state(old);

    queue_take(&s->link, &from->link);
    s->tail_ns = from->tail_ns;
}

static void link_unqueue_cleanup(struct element *e)
{
    struct link_unqueue *s = element_state(e);

    queue_fini(&s->link);
}

static int link_unqueue_reset(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    struct link_unqueue *s = element_state(e);

    queue_fini(&s->link);
    queue_init(&s->link, INT32_MAX);
    s->back_to_back = false;
    timer_cancel(&s->timer);
    task_schedule(&s->task);
    return 0;
}

static int link_unqueue_write_latency(struct element *e, const struct handler_spec *h,
                                      const char *value, size_t len, struct diag *d)
{
    struct link_unqueue *s = element_state(e);

    if (!parse_time(value, &s->latency_ns))
        return diag_err(d, "latency must be a timestamp");
    return link_unqueue_reset(e, h, value, len, d);
}

static int link_unqueue_write_bandwidth(struct element *e, const struct handler_spec *h,
                                        const char *value, size_t len, struct diag *d)
{
    struct link_unqueue *s = element_state(e);
    uint64_t bandwidth;

    if (!parse_bandwidth(value, &bandwidth))
        return diag_err(d, "invalid bandwidth");
    if (bandwidth < LINK_MIN_BANDWIDTH)
        return diag_err(d, "bandwidth too small, minimum 100Bps");
    s->bandwidth = bandwidth - bandwidth % LINK_MIN_BANDWIDTH;
    return link_unqueue_reset(e, h, value, len, d);
}

static const struct handler_spec link_unqueue_handlers[] = {
    {.name = "latency",
     .help = "time that the first bit takes",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CALM,
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct link_unqueue, latency_ns),
     .write = link_unqueue_write_latency},
    {.name = "bandwidth",
     .help = "bytes a second",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CALM,
     .kind = ARG_KIND_U64,
     .offset = offsetof(struct link_unqueue, bandwidth),
     .write = link_unqueue_write_bandwidth},
    HANDLER_VALUE(link_unqueue, link.n, ARG_KIND_U32, HANDLER_READ, "size",
                  "packets on the link"),
    HANDLER_PRESS(link_unqueue_reset, "reset", "drop all packets on the link"),
    TASK_HANDLERS(link_unqueue, task),
    HANDLER_END,
};

ELEMENT(LinkUnqueue) = {
    .name = "LinkUnqueue",
    .state_size = sizeof(struct link_unqueue),
    .ports = "1/1",
    .processing = "l/h",
    .args = link_unqueue_args,
    .handlers = link_unqueue_handlers,
    .configure = link_unqueue_configure,
    .initialize = link_unqueue_initialize,
    .take_state = link_unqueue_take_state,
    .cleanup = link_unqueue_cleanup,
};
