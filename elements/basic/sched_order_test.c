// SPDX-License-Identifier: BSD-3-Clause
/*
 * SchedOrderTest -- note in which order tasks run
 *
 * Usage:    SchedOrderTest(ID, SIZE 1024, STOP false, LIMIT 0)
 * Ports:    none
 * Args:     ID     number that is noted each time this element's task runs
 *           SIZE   most numbers noted, of all of these elements together
 *           STOP   true: when there is no more room, stop the driver
 *           LIMIT  run so often; 0: for ever
 * Counters: none
 * Handlers: order               (read) the numbers of all of these elements
 *           scheduled, tickets  of the task
 * Example:  SchedOrderTest(1, STOP true); SchedOrderTest(2); ScheduleInfo(...);
 * See also: ScheduleInfo, HandlerTask
 */

#include "engine/router.h"
#include "engine/task_handlers.h"

enum { SIZE_MAX_NOTED = 1 << 24 };

/* What all of them in a router share. */
struct sched_order {
    int32_t *ids; /* [size], in the router's arena */
    uint32_t size, n;
};

struct sched_order_test {
    struct task task;
    struct sched_order *order;
    int32_t id;
    uint32_t size, limit, count;
    bool stop;
};

static const struct arg_spec sched_order_test_args[] = {
    ARG_I32(sched_order_test, id, "ID", ARG_M, NULL, "number that is noted"),
    ARG_U32(sched_order_test, size, "SIZE", ARG_KEY, "0", "most numbers noted"),
    ARG_BOOL(sched_order_test, stop, "STOP", ARG_KEY, "false", "stop when full"),
    ARG_U32(sched_order_test, limit, "LIMIT", ARG_KEY, "0", "run so often"),
    ARG_END,
};

static int sched_order_test_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct sched_order_test *s = element_state(e);

    s->order = router_shared(e->router, "SchedOrderTest", sizeof *s->order);
    if (!s->order)
        return diag_err(d, "out of memory");
    if (s->size > SIZE_MAX_NOTED)
        return diag_err(d, "SIZE %u is above %d", s->size, SIZE_MAX_NOTED);
    if (s->size > s->order->size)
        s->order->size = s->size;
    return 0;
}

static bool sched_order_test_run(struct element *e, struct task *t)
{
    struct sched_order_test *s = element_state(e);

    if (s->order->n < s->order->size)
        s->order->ids[s->order->n++] = s->id;
    else if (s->stop)
        router_stop(e->router);
    if (!s->limit || ++s->count < s->limit)
        task_reschedule(t);
    return true;
}

static int sched_order_test_initialize(struct element *e, struct diag *d)
{
    struct sched_order_test *s = element_state(e);
    struct sched_order *o = s->order;

    if (!o->ids) {
        o->size = o->size ? o->size : 1024;
        o->ids = element_alloc(e, o->size * sizeof *o->ids);
        if (!o->ids)
            return diag_err(d, "out of memory");
    }
    task_join(&s->task, e, sched_order_test_run, true, d);
    return 0;
}

static int sched_order_test_read(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d)
{
    const struct sched_order *o = ((struct sched_order_test *)element_state(e))->order;

    for (uint32_t i = 0; i < o->n; i++)
        sbuf_printf(out, i + 1 < o->n ? "%d " : "%d\n", (int)o->ids[i]);
    return 0;
}

static const struct handler_spec sched_order_test_handlers[] = {
    HANDLER_READER(sched_order_test_read, "order", "the numbers of all"),
    TASK_HANDLERS(sched_order_test, task),
    HANDLER_END,
};

ELEMENT(SchedOrderTest) = {
    .name = "SchedOrderTest",
    .state_size = sizeof(struct sched_order_test),
    .ports = "0/0",
    .args = sched_order_test_args,
    .handlers = sched_order_test_handlers,
    .configure = sched_order_test_configure,
    .initialize = sched_order_test_initialize,
};
