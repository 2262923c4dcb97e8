// SPDX-License-Identifier: BSD-3-Clause
/* task_handlers.c -- joining the scheduler: see task_handlers.h */

#include "engine/task_handlers.h"

#include "engine/router.h"

/* What ScheduleInfo said; most routers have none. */
struct task_tickets {
    struct task_tickets *next;
    const char *scope; /* where it stands: "", "c/"; in the router's arena */
    const char *name;  /* of an element there, or of a compound element and a slash */
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
    struct task_tickets **list = task_tickets(e), *t = arena_alloc(a, sizeof *t);

    if (!list || !t || !(t->name = arena_strdup(a, name)) ||
        !(t->scope = arena_strndup(a, e->name,
                                   slash ? (size_t)(slash - e->name) + 1 : 0)))
        return -1;
    t->tickets = tickets;
    t->next = *list;
    *list = t;
    return 0;
}

/* The newest entry that stands in the first `scope` bytes of `whole` and is about its first
 * `len`; NULL if there is none. */
static const struct task_tickets *
find_tickets(const struct task_tickets *t, const char *whole, size_t scope, size_t len)
{
    for (; t; t = t->next)
        if (strlen(t->scope) == scope && !memcmp(t->scope, whole, scope) &&
            strlen(t->name) == len - scope &&
            !memcmp(t->name, whole + scope, len - scope))
            return t;
    return NULL;
}

static bool has_scope(const struct task_tickets *t, const char *whole, size_t scope)
{
    while (t && (strlen(t->scope) != scope || memcmp(t->scope, whole, scope) != 0))
        t = t->next;
    return t != NULL;
}

/* The share of what the first `len` bytes of e's name name: an element, or a compound
 * element and the slash behind it. A ScheduleInfo further out counts instead of those
 * further in, and if it is about something inside this, there is nothing about this. */
static uint32_t share_of(const struct task_tickets *list, const char *whole, size_t len)
{
    size_t full = strlen(whole);
    uint32_t share = TASK_DEFAULT_TICKETS;

    for (size_t scope = len + 1; scope-- > 0;) {
        const struct task_tickets *t;
        bool inside = false;

        if ((scope && whole[scope - 1] != '/') || !has_scope(list, whole, scope))
            continue;
        t = find_tickets(list, whole, scope, len);
        for (size_t more = len + 1; !t && !inside && more <= full; more++)
            if (more == full || whole[more - 1] == '/')
                inside = find_tickets(list, whole, scope, more) != NULL;
        if (t)
            share = t->tickets;
        else if (inside)
            share = TASK_DEFAULT_TICKETS;
    }
    return share;
}

/* The product of all shares, in 1/1024; may be 0 or less. */
static int32_t tickets_of(const struct element *e, struct diag *d)
{
    struct task_tickets **list = task_tickets(e);
    int32_t tickets = TASK_DEFAULT_TICKETS;
    size_t full = strlen(e->name);

    if (!list || !*list)
        return tickets;
    for (size_t len = 1; len <= full; len++)
        if (len == full || e->name[len - 1] == '/') {
            uint32_t share = share_of(*list, e->name, len);

            if (share != TASK_DEFAULT_TICKETS)
                tickets = (int32_t)(((int64_t)tickets * share) / TASK_DEFAULT_TICKETS);
        }
    if (tickets > TASK_MAX_TICKETS) {
        tickets = TASK_MAX_TICKETS;
        diag_warn(d, "ScheduleInfo too high; reduced to %d",
                  TASK_MAX_TICKETS / TASK_DEFAULT_TICKETS);
    }
    return tickets;
}

void task_join(struct task *t, struct element *e,
               bool (*run)(struct element *e, struct task *t), bool go, struct diag *d)
{
    int32_t tickets = tickets_of(e, d);

    if (tickets <= 0)
        return;
    task_init(t, e, run);
    task_set_tickets(t, (uint32_t)tickets);
    if (go)
        task_schedule(t);
}

/* The task lies at the handler's offset in the state. One that was never set up belongs
 * to an element that works in the other way, push or pull, and has none. */
static struct task *task_of(struct element *e, const struct handler_spec *h)
{
    return (struct task *)(void *)(e->state + h->offset);
}

bool task_pushes(const struct element *e)
{
    return element_output_is_push(e, 0);
}

bool task_pulls(const struct element *e)
{
    return !element_input_is_push(e, 0);
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
    const struct task *t = task_of(e, h);

    sbuf_printf(out, "%d", t->run ? (int)t->tickets : -1);
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
