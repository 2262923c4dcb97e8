// SPDX-License-Identifier: BSD-3-Clause
/* task_handlers.c -- joining the scheduler: see task_handlers.h */

#include "engine/task_handlers.h"

#include "engine/router.h"

/* What ScheduleInfo said, by absolute name; most routers have none. */
struct task_tickets {
    struct task_tickets *next;
    const char *name; /* of an element or a compound element; in the router's arena */
    uint32_t tickets;
};

static struct task_tickets **task_tickets(const struct element *e)
{
    return router_shared(e->router, "ScheduleInfo", sizeof(struct task_tickets *));
}

int task_tickets_set(struct element *e, const char *name, uint32_t tickets)
{
    struct arena *a = router_arena(e->router);
    const char *slash = strrchr(e->name, '/');
    size_t scope = slash ? (size_t)(slash - e->name) + 1 : 0, len = strlen(name);
    struct task_tickets **list = task_tickets(e), *t = arena_alloc(a, sizeof *t);
    char *absolute = arena_alloc(a, scope + len + 1);

    if (!list || !t || !absolute)
        return -1;
    memcpy(absolute, e->name, scope);
    memcpy(absolute + scope, name, len + 1);
    *t = (struct task_tickets){.next = *list, .name = absolute, .tickets = tickets};
    *list = t;
    return 0;
}

/* Whether `name` is `whole` or one of the compound elements around it. */
static bool names_scope_of(const char *name, const char *whole)
{
    size_t n = strlen(name);

    return !strncmp(name, whole, n) &&
           (!whole[n] || whole[n] == '/' || (n && name[n - 1] == '/'));
}

/* The product of all that apply, in 1/1024. */
static uint32_t tickets_of(const struct element *e)
{
    struct task_tickets **list = task_tickets(e);
    uint64_t product = TASK_DEFAULT_TICKETS;

    for (struct task_tickets *t = list ? *list : NULL; t; t = t->next)
        if (names_scope_of(t->name, e->name))
            product = product * t->tickets / TASK_DEFAULT_TICKETS;
    return product < TASK_MAX_TICKETS ? (uint32_t)product : TASK_MAX_TICKETS;
}

void task_join(struct task *t, struct element *e,
               bool (*run)(struct element *e, struct task *t), bool go)
{
    task_init(t, e, run);
    task_set_tickets(t, tickets_of(e));
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
    int64_t tickets;

    if (!parse_i64(value, 0, &tickets))
        return diag_err(d, "syntax error");
    if (tickets < 1 || tickets > TASK_MAX_TICKETS) {
        tickets = tickets < 1 ? 1 : TASK_MAX_TICKETS;
        diag_warn(d, "tickets pinned at %d", (int)tickets);
    }
    task_set_tickets(task_of(e, h), (uint32_t)tickets);
    return 0;
}
