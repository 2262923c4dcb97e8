// SPDX-License-Identifier: BSD-3-Clause
/* turns.c -- several turns of a source at once: see turns.h */

#include "engine/turns.h"

#include "engine/queue_element.h"
#include "engine/sched_run.h"

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

uint32_t turns_now(struct turns *s, const struct task *t, uint32_t burst)
{
    struct sched *sched = t->sched;
    uint32_t most = TURNS_PACKETS / burst, turns = 1;

    if (most < 2)
        return 1;
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
    else if (t->prev == t->next) /* both are the head of the list */
        turns = sched->left;
    turns = turns < most ? turns : most;
    sched->at_once = turns > 1 ? burst : 0;
    return turns;
}

void turns_took(struct task *t, uint32_t turns)
{
    t->sched->at_once = 0;
    if (turns < 2)
        return;
    t->pass += (turns - 1) * t->stride;
    t->sched->pass = t->pass;
    t->sched->left -= turns - 1;
}

void turns_into(struct sched *sched, struct element *e)
{
    if (sched->into)
        sched->noted++;
    sched->into = e;
}
