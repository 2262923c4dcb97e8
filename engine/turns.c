// SPDX-License-Identifier: BSD-3-Clause
/* turns.c -- several turns of a source at once: see turns.h */

#include "engine/turns.h"

#include "engine/queue_element.h"
#include "engine/sched_run.h"

enum {
    REACHED_MAX = 64, /* elements; where there are more, turns are taken one by one */
    REACHED_PORTS = 1024,
    MANY = 2,
};

/* The elements that packets of a task may meet. */
struct reached {
    struct element *e[REACHED_MAX];
    uint8_t ways[REACHED_MAX]; /* that lead there: 1 or MANY */
    bool todo[REACHED_MAX];    /* where they lead on is to be seen */
    uint32_t n, ports, sharing;
};

static bool is_apart(const struct element *e)
{
    return e->cls->apart != APART_NOT && (!e->cls->is_apart || e->cls->is_apart(e));
}

/* One more way, or many, lead to `e`. False: it cannot be dealt with. */
static bool reach(struct reached *r, struct element *e, uint8_t ways)
{
    uint32_t i = 0;

    while (i < r->n && r->e[i] != e)
        i++;
    if (i == r->n) {
        if (i == REACHED_MAX || !is_apart(e))
            return false;
        r->e[i] = e;
        r->ways[i] = 0;
        r->sharing += e->cls->apart == APART_SHARES;
        r->n++;
    }
    if (r->ways[i] == MANY)
        return true;
    r->ways[i] += r->ways[i] ? 1 : ways;
    r->todo[i] = true;
    return r->sharing <= 1 && (r->ways[i] < MANY || e->cls->apart == APART_SUMS);
}

/* Follow all that leads on from element `i`. */
static bool reach_from(struct reached *r, uint32_t i)
{
    const struct element *e = r->e[i];

    r->todo[i] = false;
    r->ports += e->n_out;
    if (r->ports > REACHED_PORTS)
        return false;
    for (unsigned p = 0; p < e->n_out; p++)
        if (!element_output_is_push(e, p) || !reach(r, e->out[p].peer, r->ways[i]))
            return false;
    return true;
}

static bool source_is_apart(const struct element *e)
{
    const struct element *up;

    if (!e->n_in)
        return true;
    if (e->n_in > 1 || element_input_is_push(e, 0))
        return false;
    up = e->in[0].peer;
    return !up->n_in && is_apart(up);
}

/* Whether everything is that packets may meet that a task of `e` makes, or pulls. */
static bool all_apart(struct element *e)
{
    struct reached r = {.e = {e}, .ways = {1}, .todo = {true}, .n = 1};
    bool more = true;

    if (!source_is_apart(e))
        return false;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < r.n; i++) {
            if (!r.todo[i])
                continue;
            more = true;
            if (!reach_from(&r, i))
                return false;
        }
    }
    return true;
}

/* No other task waits for its turn: both are the head of the list. */
static bool is_alone(const struct task *t)
{
    return t->prev == t->next;
}

/* The turns that come to `t` before the one who empties the queue must have had as many. */
static uint32_t turns_with_queue(const struct task *t, uint32_t burst)
{
    const struct sched *sched = t->sched;
    const struct queue_element *q = element_state(sched->into);
    const struct task *other = t->next;
    const struct listener *l = q->empty.listeners;
    uint32_t turns = sched->left / 2, room = (q->q.capacity - q->q.n) / burst;

    if (t->prev != other->next || !other->e || other->stride != t->stride ||
        !other->e->cls->plain || q->q.n || !l || l->next || l->task != other)
        return 1;
    /* It must not become full. */
    if (turns >= room)
        turns = room ? room - 1 : 0;
    return turns ? turns : 1;
}

/* For packets that are alike: the first turn of a round shows what the others meet. */
static uint32_t turns_alike(struct turns *s, const struct task *t, uint32_t burst)
{
    struct sched *sched = t->sched;
    uint32_t most = TURNS_PACKETS / burst, turns = 1;

    if (s->round != sched->rounds) {
        s->round = sched->rounds;
        s->noted = sched->noted;
        sched->into = NULL;
        return 1;
    }
    if (s->noted != sched->noted)
        return 1;
    if (sched->into)
        turns = turns_with_queue(t, burst);
    else if (is_alone(t))
        turns = sched->left;
    turns = turns < most ? turns : most;
    sched->at_once = turns > 1 && sched->into ? burst : 0;
    return turns;
}

uint32_t turns_now(struct turns *s, const struct task *t, uint32_t burst, bool alike)
{
    struct sched *sched = t->sched;
    uint32_t most;

    s->owed = sched->owing == t;
    if (s->owed) {
        sched->owing = NULL;
        return sched->owed;
    }
    if (burst > TURNS_PACKETS / 2)
        return 1;
    if (__builtin_expect(s->changes != sched->changes, 0)) {
        s->changes = sched->changes;
        s->apart = all_apart(t->e);
    }
    if (!s->apart)
        return alike ? turns_alike(s, t, burst) : 1;
    if (!is_alone(t))
        return 1;
    most = TURNS_PACKETS / burst;
    return sched->left < most ? sched->left : most;
}

void turns_took(struct task *t, uint32_t turns)
{
    struct sched *sched = t->sched;
    bool queued = sched->at_once != 0;

    sched->at_once = 0;
    if (turns < 2)
        return;
    t->pass += (turns - 1) * t->stride;
    sched->pass = t->pass;
    sched->left -= turns - 1;
    sched->owing = queued ? t->next : NULL;
    sched->owed = turns;
}

void turns_push_singly(struct element *e, unsigned port, struct batch *b, uint32_t from)
{
    struct batch one;

    for (uint32_t i = from; i < b->n; i++) {
        one.n = 1;
        one.p[0] = b->p[i];
        e->cls->push(e, port, &one);
    }
}

void turns_into(struct sched *sched, struct element *e)
{
    if (sched->into)
        sched->noted++;
    sched->into = e;
}
