// SPDX-License-Identifier: BSD-3-Clause
/*
 * sched.c -- tasks, timers and notifiers of a router: see sched.h
 *
 * The run list is sorted by pass; a task that goes on is put in from the tail, which is
 * next to its place while tickets are alike, and behind those with the same pass, so that
 * equals take turns. The task that runs keeps its place until it returns: one that goes on
 * with nobody before it is neither taken out nor put in. Who is woken in between has an
 * earlier pass and goes before it.
 */

#include "engine/sched.h"

#include "engine/element.h"
#include "engine/router.h"
#include "engine/sched_run.h"

#include <stdlib.h>

enum { STRIDE1 = 1 << 16 };

void sched_init(struct sched *s, int64_t (*now)(void *ctx), void *now_ctx)
{
    *s = (struct sched){.now = now, .now_ctx = now_ctx, .changes = 1};
    s->run_list.prev = s->run_list.next = &s->run_list;
}

void sched_fini(struct sched *s)
{
    free(s->heap);
    s->heap = NULL;
    s->n_timers = s->room = 0;
}

/* --- tasks ---------------------------------------------------------------------------- */

void task_init(struct task *t, struct element *e,
               bool (*run)(struct element *e, struct task *t))
{
    *t = (struct task){.e = e, .run = run, .sched = router_sched(e->router)};
    task_set_tickets(t, TASK_DEFAULT_TICKETS);
}

void task_set_tickets(struct task *t, uint32_t tickets)
{
    if (tickets < 1)
        tickets = 1;
    if (tickets > TASK_MAX_TICKETS)
        tickets = TASK_MAX_TICKETS;
    t->tickets = tickets;
    t->stride = STRIDE1 / tickets;
}

static bool pass_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static void task_link(struct task *t)
{
    struct task *head = &t->sched->run_list, *at = head->prev;

    while (at != head && pass_after(at->pass, t->pass))
        at = at->prev;
    t->prev = at;
    t->next = at->next;
    at->next->prev = t;
    at->next = t;
}

static void task_unlink(struct task *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
}

/* Put it in at its pass; the one that runs has kept a place. */
static void task_insert(struct task *t)
{
    if (t->sched->running == t)
        task_unlink(t);
    task_link(t);
    t->scheduled = true;
    t->goes_on = false;
}

void task_schedule(struct task *t)
{
    if (t->scheduled || !t->sched)
        return;
    /* It starts where the others are: sleeping earns nothing. */
    t->pass = t->sched->pass;
    task_insert(t);
}

void task_unschedule(struct task *t)
{
    if (!t->scheduled)
        return;
    if (t->sched->running != t)
        task_unlink(t);
    t->scheduled = t->goes_on = false;
}

/* The task that ran, the first on the list, goes on: behind those whose turn comes before. */
static inline void task_settle(struct task *head, struct task *t)
{
    struct task *prev = t->prev, *next = t->next, *at = head->prev;

    if (next == head || pass_after(next->pass, t->pass))
        return;
    prev->next = next;
    next->prev = prev;
    while (pass_after(at->pass, t->pass)) /* no further than to `next` */
        at = at->prev;
    next = at->next;
    t->prev = at;
    t->next = next;
    next->prev = t;
    at->next = t;
}

bool sched_run_tasks(struct sched *s, unsigned budget)
{
    struct task *head = &s->run_list;
    bool worked = false;

    s->rounds++;
    for (s->left = budget; s->left && head->next != head; s->left--) {
        struct task *t = head->next;

        t->scheduled = t->goes_on = false;
        s->running = t;
        s->pass = t->pass;
        worked |= t->run(t->e, t);
        if (t->goes_on)
            task_settle(head, t);
        else if (!t->scheduled)
            task_unlink(t);
    }
    s->running = NULL;
    return worked;
}

bool sched_idle(const struct sched *s)
{
    return s->run_list.next == &s->run_list;
}

/* --- timers --------------------------------------------------------------------------- */

static bool timer_before(const struct timer *a, const struct timer *b)
{
    if (a->expiry_ns != b->expiry_ns)
        return a->expiry_ns < b->expiry_ns;
    return a->sequence < b->sequence;
}

static void heap_set(struct sched *s, uint32_t i, struct timer *t)
{
    s->heap[i] = t;
    t->slot = i + 1;
}

static void heap_up(struct sched *s, uint32_t i, struct timer *t)
{
    while (i > 0 && timer_before(t, s->heap[(i - 1) / 2])) {
        heap_set(s, i, s->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_set(s, i, t);
}

static void heap_down(struct sched *s, uint32_t i, struct timer *t)
{
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child + 1 < s->n_timers && timer_before(s->heap[child + 1], s->heap[child]))
            child++;
        if (child >= s->n_timers || !timer_before(s->heap[child], t))
            break;
        heap_set(s, i, s->heap[child]);
        i = child;
    }
    heap_set(s, i, t);
}

void timer_cancel(struct timer *t)
{
    struct sched *s = t->sched;
    struct timer *last;
    uint32_t i;

    if (!t->slot)
        return;
    i = t->slot - 1;
    t->slot = 0;
    last = s->heap[--s->n_timers];
    if (last == t)
        return;
    if (i > 0 && timer_before(last, s->heap[(i - 1) / 2]))
        heap_up(s, i, last);
    else
        heap_down(s, i, last);
}

void timer_init(struct timer *t, struct element *e,
                void (*fire)(struct element *e, struct timer *t))
{
    struct sched *s = router_sched(e->router);

    *t = (struct timer){.e = e, .fire = fire, .sched = s};
    /* Make room now, so that setting a timer cannot fail. */
    if (s->reserved == s->room) {
        uint32_t room = s->room ? s->room * 2 : 8;
        struct timer **heap = realloc(s->heap, room * sizeof(struct timer *));

        if (!heap) {
            s->failed = true;
            t->sched = NULL;
            return;
        }
        s->heap = heap;
        s->room = room;
    }
    s->reserved++;
}

void timer_at(struct timer *t, int64_t when_ns)
{
    struct sched *s = t->sched;

    if (!s)
        return;
    timer_cancel(t);
    t->expiry_ns = when_ns;
    t->sequence = ++s->sequence;
    heap_up(s, s->n_timers++, t);
}

static int64_t later(int64_t when, int64_t delay)
{
    int64_t sum;

    return __builtin_add_overflow(when, delay, &sum) ? INT64_MAX - 1 : sum;
}

void timer_after(struct timer *t, int64_t delay_ns)
{
    if (t->sched)
        timer_at(t, later(t->sched->now(t->sched->now_ctx), delay_ns));
}

void timer_reschedule(struct timer *t, int64_t delay_ns)
{
    timer_at(t, later(t->expiry_ns, delay_ns));
}

int64_t sched_next_timer(const struct sched *s)
{
    return s->n_timers ? s->heap[0]->expiry_ns : INT64_MAX;
}

bool sched_run_timers(struct sched *s, int64_t now)
{
    /* Timers that are set again while we are here wait for the next round, so that one
     * with delay 0 cannot hold us. */
    uint64_t limit = s->sequence;
    bool fired = false;

    while (s->n_timers && s->heap[0]->expiry_ns <= now &&
           s->heap[0]->sequence <= limit) {
        struct timer *t = s->heap[0];

        timer_cancel(t);
        t->fire(t->e, t);
        fired = true;
    }
    return fired;
}

/* --- notifiers ------------------------------------------------------------------------ */

const char NOTIFIER_EMPTY[] = "notifier: empty";
const char NOTIFIER_FULL[] = "notifier: full";

void notifier_init(struct notifier *n, bool active)
{
    n->active = active; /* listeners may have come before */
}

void notifier_wake_up(struct notifier *n)
{
    n->active = true;
    for (struct listener *l = n->listeners; l; l = l->next)
        task_schedule(l->task);
}

struct signal_search {
    struct signal *signal;
    struct task *task;
    struct router *router;
    const char *kind;
    bool up, unknown;
};

static void signal_add(struct signal_search *q, struct notifier *n)
{
    struct arena *a = router_arena(q->router);
    struct signal *s = q->signal;
    struct notifier **list;
    struct listener *l;

    for (uint32_t i = 0; i < s->n; i++)
        if (s->notifiers[i] == n)
            return;
    list = arena_alloc(a, (s->n + 1) * sizeof(struct notifier *));
    l = arena_alloc(a, sizeof *l);
    if (!list || !l) {
        router_sched(q->router)->failed = true;
        return;
    }
    if (s->n)
        memcpy(list, s->notifiers, s->n * sizeof(struct notifier *));
    list[s->n] = n;
    s->notifiers = list;
    s->n++;
    if (q->task) {
        l->task = q->task;
        l->next = n->listeners;
        n->listeners = l;
    }
}

/* Whether packets only pass through `e` in the direction of the search, so that those
 * beyond it decide. */
static bool passes_on(const struct element *e, bool up)
{
    unsigned n = up ? e->n_in : e->n_out;

    for (unsigned i = 0; i < n; i++)
        if (up ? element_input_is_push(e, i) : !element_output_is_push(e, i))
            return false;
    return n > 0;
}

static bool signal_visit(void *ctx, struct element *at, unsigned at_port)
{
    struct signal_search *q = ctx;
    struct notifier *n = at->cls->cast ? at->cls->cast(at, q->kind) : NULL;

    (void)at_port;
    if (n) {
        signal_add(q, n);
        return false;
    }
    if (!passes_on(at, q->up)) {
        q->unknown = true;
        return false;
    }
    return true;
}

static void signal_search(struct signal *s, struct element *e, unsigned port,
                          struct task *task, bool up)
{
    struct signal_search q = {.signal = s,
                              .task = task,
                              .router = e->router,
                              .kind = up ? NOTIFIER_EMPTY : NOTIFIER_FULL,
                              .up = up};

    *s = (struct signal){0};
    if (up)
        element_visit_up(e, port, signal_visit, &q);
    else
        element_visit_down(e, port, signal_visit, &q);
    if (q.unknown)
        *s = (struct signal){0};
}

void signal_up(struct signal *s, struct element *e, unsigned port, struct task *task)
{
    signal_search(s, e, port, task, true);
}

void signal_down(struct signal *s, struct element *e, unsigned port, struct task *task)
{
    signal_search(s, e, port, task, false);
}
