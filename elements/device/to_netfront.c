// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToNetfront -- packets to a network interface
 *
 * Usage:    ToNetfront(DEVNAME)
 * Ports:    1 in, 0 out; push or pull
 * Args:     DEVNAME  name or number of the interface
 *           BURST    packets pulled at a time, default 32
 *           QUIET    accepted and without effect
 *           METHOD   accepted and without effect
 *           DEBUG    accepted and without effect
 *           UNIQUE   accepted and without effect
 *           NO_PAD   accepted and without effect
 * Counters: count    packets sent
 *           drops    packets pushed while the interface was full
 * Handlers: device   r: the interface's name
 *           reset_counts w: set the counters to 0
 * Example:  FromNetfront(0) -> Queue -> ToNetfront(1);
 * See also: FromNetfront, Queue
 *
 * ToDevice is another name for it. With a pull input it takes packets when the interface
 * has room for them and keeps those that did not fit for the next time. With a push input
 * packets that find no room are dropped: put a Queue in front to keep them.
 */

#include "engine/element.h"
#include "engine/netdev.h"

struct to_netfront {
    struct task task;
    struct signal signal;
    struct netdev *dev; /* netdev_put() in cleanup */
    struct text name, method;
    uint32_t burst;
    bool unused;
    struct batch rest; /* pulled, and not sent yet */
};

static const struct arg_spec to_netfront_args[] = {
    ARG_WORD(to_netfront, name, "DEVNAME", ARG_M, NULL, "interface"),
    ARG_U32(to_netfront, burst, "BURST", ARG_KEY, "32", "packets pulled at a time"),
    ARG_BOOL(to_netfront, unused, "QUIET", ARG_KEY, "false", "no effect"),
    ARG_WORD(to_netfront, method, "METHOD", ARG_KEY, NULL, "no effect"),
    ARG_BOOL(to_netfront, unused, "DEBUG", ARG_KEY, "false", "no effect"),
    ARG_BOOL(to_netfront, unused, "UNIQUE", ARG_KEY, "false", "no effect"),
    ARG_BOOL(to_netfront, unused, "NO_PAD", ARG_KEY, "false", "no effect"),
    ARG_END,
};

enum { C_COUNT, C_DROPS };
static const struct counter_spec to_netfront_counters[] = {
    [C_COUNT] = {"count", "packets sent"},
    [C_DROPS] = {"drops", "packets pushed while the interface was full"},
    {NULL, NULL},
};

static int to_netfront_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct to_netfront *t = element_state(e);

    if (t->burst < 1 || t->burst > BATCH_MAX)
        t->burst = BATCH_MAX;
    t->dev = netdev_get(e, t->name.s, d);
    return t->dev ? 0 : -1;
}

/* Send what the interface takes; the rest stays in the batch. */
static uint32_t send(struct element *e, struct to_netfront *t, struct batch *b)
{
    uint32_t sent = t->dev->ops->tx(t->dev->dev, b);

    if (sent)
        element_count(e, C_COUNT, sent);
    return sent;
}

static void to_netfront_push(struct element *e, unsigned port, struct batch *b)
{
    struct to_netfront *t = element_state(e);

    send(e, t, b);
    if (b->n) {
        element_count(e, C_DROPS, b->n);
        batch_free(b);
    }
}

static bool to_netfront_run(struct element *e, struct task *task)
{
    struct to_netfront *t = element_state(e);
    uint32_t pulled = 0, sent;

    if (!t->rest.n)
        pulled = in_pull(e, 0, &t->rest, t->burst);
    sent = t->rest.n ? send(e, t, &t->rest) : 0;
    if (pulled || t->rest.n || signal_active(&t->signal))
        task_reschedule(task);
    return sent > 0;
}

static int to_netfront_initialize(struct element *e, struct diag *d)
{
    struct to_netfront *t = element_state(e);

    if (element_input_is_push(e, 0))
        return 0;
    task_init(&t->task, e, to_netfront_run);
    signal_up(&t->signal, e, 0, &t->task);
    task_schedule(&t->task);
    return 0;
}

static void to_netfront_take_state(struct element *e, struct element *old)
{
    struct to_netfront *t = element_state(e), *was = element_state(old);

    if (element_input_is_push(e, 0)) /* nobody would send them: they stay behind */
        return;
    t->rest = was->rest;
    was->rest.n = 0;
}

static void to_netfront_cleanup(struct element *e)
{
    struct to_netfront *t = element_state(e);

    batch_free(&t->rest);
    netdev_put(e, t->dev);
    t->dev = NULL;
}

static int write_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    e->counters[C_COUNT] = e->counters[C_DROPS] = 0;
    return 0;
}

static const struct handler_spec to_netfront_handlers[] = {
    HANDLER_VALUE(to_netfront, name, ARG_KIND_WORD, HANDLER_READ, "device",
                  "the interface's name"),
    HANDLER_PRESS(write_reset, "reset_counts", "set the counters to 0"),
    HANDLER_END,
};

ELEMENT(ToNetfront) = {
    .name = "ToNetfront",
    .state_size = sizeof(struct to_netfront),
    .ports = "1/0",
    .processing = "a/",
    .flow = "x/",
    .args = to_netfront_args,
    .counters = to_netfront_counters,
    .handlers = to_netfront_handlers,
    .configure = to_netfront_configure,
    .initialize = to_netfront_initialize,
    .take_state = to_netfront_take_state,
    .cleanup = to_netfront_cleanup,
    .push = to_netfront_push,
};
ELEMENT_ALIAS(ToDevice, ToNetfront);
