// SPDX-License-Identifier: BSD-3-Clause
/* queue_element.c -- what the elements that are queues have in common */

#include "engine/queue_element.h"

#include "engine/router.h"
#include "engine/sched_run.h"
#include "engine/turns.h"

static void queue_element_resize(struct element *e)
{
    struct queue_element *s = element_state(e);

    queue_set_capacity(&s->q, s->capacity, s->drop_front);
    if (s->q.n < s->q.capacity)
        notifier_wake(&s->full);
    else
        notifier_sleep(&s->full);
}

int queue_element_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct queue_element *s = element_state(e);

    (void)c;
    (void)d;
    if (e->configured) {
        queue_element_resize(e);
        return 0;
    }
    s->sched = router_sched(e->router);
    queue_init(&s->q, s->capacity);
    notifier_init(&s->empty, false);
    notifier_init(&s->full, s->capacity > 0);
    return 0;
}

/* As Click says it. */
static void say_lost(struct element *e, uint32_t old_length)
{
    const struct queue_element *s = element_state(e);
    struct diag d = DIAG_INIT;

    diag_enter(&d, e->at, "While hot-swapping state into '%s'", element_declaration(e));
    diag_warn(&d, "some packets lost (old length %u, new capacity %u)", old_length,
              s->q.capacity);
    diag_leave(&d);
    element_say(e, "%s", diag_text(&d));
    diag_fini(&d);
}

void queue_element_take_state(struct element *e, struct element *old)
{
    struct queue_element *s = element_state(e), *from = element_state(old);
    uint32_t room = s->q.capacity - s->q.n, length = from->q.n, lost = 0;

    /* Those that stay are the ones that would be in a queue of this size. */
    if (s->drop_front && length > room)
        lost = queue_set_capacity(&from->q, room, true);
    lost += queue_take(&s->q, &from->q);
    element_count(e, QUEUE_DROPS, lost);
    if (lost)
        say_lost(e, length);
    if (s->q.n)
        notifier_wake(&s->empty);
    if (s->q.n >= s->q.capacity)
        notifier_sleep(&s->full);
}

void queue_element_cleanup(struct element *e)
{
    struct queue_element *s = element_state(e);

    queue_fini(&s->q);
}

void *queue_element_cast_simple(struct element *e, const char *kind)
{
    if (!strcmp(kind, "Queue") || !strcmp(kind, "SimpleQueue") ||
        !strcmp(kind, "Storage"))
        return element_state(e);
    return NULL;
}

void *queue_element_cast_empty(struct element *e, const char *kind)
{
    struct queue_element *s = element_state(e);

    if (!strcmp(kind, NOTIFIER_EMPTY))
        return &s->empty;
    return queue_element_cast_simple(e, kind);
}

void *queue_element_cast_both(struct element *e, const char *kind)
{
    struct queue_element *s = element_state(e);

    if (!strcmp(kind, NOTIFIER_FULL))
        return &s->full;
    return queue_element_cast_empty(e, kind);
}

void queue_element_overflow(struct element *e, struct batch *b, uint32_t from)
{
    const struct queue_element *s = element_state(e);
    struct batch rest;

    if (!e->counters[QUEUE_DROPS] && s->q.capacity)
        element_say(e, "%s: overflow\n", element_declaration(e));
    rest.n = b->n - from;
    memcpy(rest.p, b->p + from, rest.n * sizeof(struct pkt *));
    element_count(e, QUEUE_DROPS, rest.n);
    out_push_or_free(e, 1, &rest);
}

/* Put in packets of several turns, between which they would have been taken out, as all were
 * before. They may come in one batch or in several. */
static uint32_t put_turns(struct queue_element *s, const struct batch *b)
{
    uint32_t highwater = s->q.highwater, most = s->sched->at_once;
    uint32_t took = queue_put(&s->q, b->p, b->n);

    if (s->q.n < most)
        most = s->q.n;
    s->q.highwater = most > highwater ? most : highwater;
    return took;
}

void queue_element_push(struct element *e, unsigned port, struct batch *b)
{
    struct queue_element *s = element_state(e);
    bool known = s->sched->into == e; /* from the first turn of the round */
    uint32_t took;

    (void)port;
    if (!known)
        turns_into(s->sched, e);
    took = __builtin_expect(known && s->sched->at_once, 0)
               ? put_turns(s, b)
               : queue_put(&s->q, b->p, b->n);
    if (took)
        notifier_wake(&s->empty);
    if (s->q.n >= s->q.capacity)
        notifier_sleep(&s->full);
    if (__builtin_expect(took < b->n, 0))
        queue_element_overflow(e, b, took);
}

uint32_t queue_element_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max)
{
    struct queue_element *s = element_state(e);
    uint32_t got = queue_get(&s->q, b->p + b->n, max);

    (void)port;
    b->n += got;
    if (got)
        notifier_wake(&s->full);
    else
        notifier_sleep(&s->empty);
    return got;
}

int queue_element_read_length(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d)
{
    const struct queue_element *s = element_state(e);

    sbuf_printf(out, "%u", s->q.n);
    return 0;
}

int queue_element_read_highwater(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d)
{
    const struct queue_element *s = element_state(e);

    sbuf_printf(out, "%u", s->q.highwater);
    return 0;
}

int queue_element_read_capacity(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct queue_element *s = element_state(e);

    sbuf_printf(out, "%u", s->q.capacity);
    return 0;
}

int queue_element_write_capacity(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d)
{
    struct queue_element *s = element_state(e);
    uint64_t capacity;

    if (!parse_u64(value, 0, &capacity) || capacity > UINT32_MAX)
        return diag_err(d, "CAPACITY: invalid number");
    s->capacity = (uint32_t)capacity;
    queue_element_resize(e);
    return 0;
}

int queue_element_reset_counts(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d)
{
    struct queue_element *s = element_state(e);

    e->counters[QUEUE_DROPS] = 0;
    s->q.highwater = s->q.n;
    return 0;
}

int queue_element_reset(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct batch b;

    b.n = 0;
    while (queue_element_pull(e, 0, &b, BATCH_MAX)) {
        out_push_or_free(e, 1, &b);
        b.n = 0;
    }
    return 0;
}
