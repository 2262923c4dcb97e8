// SPDX-License-Identifier: BSD-3-Clause
/* task_handlers.c -- joining the scheduler: see task_handlers.h */

#include "engine/task_handlers.h"

#include "engine/router.h"

/* Tickets by element, from ScheduleInfo; most routers have none. */
struct task_tickets {
    uint32_t *by_element; /* [n], 0: default; in the router's arena */
    uint32_t n;
};

static struct task_tickets *task_tickets(struct element *e)
{
    return router_shared(e->router, "ScheduleInfo", sizeof(struct task_tickets));
}

int task_tickets_set(struct element *e, uint32_t tickets)
{
    struct task_tickets *t = task_tickets(e);

    if (!t)
        return -1;
    if (!t->by_element) {
        t->n = router_n_elements(e->router);
        t->by_element = arena_alloc(router_arena(e->router), t->n * sizeof(uint32_t));
        if (!t->by_element)
            return -1;
    }
    t->by_element[e->index] = tickets;
    return 0;
}

void task_join(struct task *t, struct element *e,
               bool (*run)(struct element *e, struct task *t), bool go)
{
    const struct task_tickets *tickets = task_tickets(e);

    task_init(t, e, run);
    if (tickets && tickets->by_element && tickets->by_element[e->index])
        task_set_tickets(t, tickets->by_element[e->index]);
    if (go)
        task_schedule(t);
}

/* The task lies at the handler's offset in the state. One that was never set up belongs
 * to an element that works in the other way, push or pull, and has none. */
static struct task *task_of(struct element *e, const struct handler_spec *h)
{
    return (struct task *)(void *)(e->state + h->offset);
}

int task_read_scheduled(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_puts(out, task_of(e, h)->scheduled ? "true" : "false");
    return 0;
}

int task_write_scheduled(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    bool scheduled;

    if (!parse_bool(value, &scheduled))
        return diag_err(d, "syntax error");
    if (scheduled)
        task_schedule(task_of(e, h));
    else
        task_unschedule(task_of(e, h));
    return 0;
}

int task_read_tickets(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_printf(out, "%u", task_of(e, h)->tickets);
    return 0;
}

int task_write_tickets(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    uint64_t tickets;

    if (!parse_u64(value, 0, &tickets) || tickets < 1 || tickets > TASK_MAX_TICKETS)
        return diag_err(d, "tickets must be between 1 and %d", TASK_MAX_TICKETS);
    task_set_tickets(task_of(e, h), (uint32_t)tickets);
    return 0;
}
