// SPDX-License-Identifier: BSD-3-Clause
/* turns.c -- several turns of a source at once: see turns.h */

#include "engine/turns.h"

#include "engine/router.h"
#include "engine/sched_run.h"

bool element_plain(const struct element *e)
{
    (void)e;
    return true;
}

static bool turns_visit(void *ctx, struct element *at, unsigned at_port)
{
    struct turns *s = ctx;
    struct element **ask;

    (void)at_port;
    if (!at->cls->plain)
        s->plain = false;
    if (!s->plain || at->cls->plain == element_plain)
        return s->plain;
    ask = arena_alloc(router_arena(at->router),
                      (s->n_ask + 1) * sizeof(struct element *));
    if (!ask)
        return s->plain = false;
    if (s->n_ask)
        memcpy(ask, s->ask, s->n_ask * sizeof(struct element *));
    s->ask = ask;
    s->ask[s->n_ask++] = at;
    return true;
}

void turns_init(struct turns *s, struct element *e, unsigned port)
{
    *s = (struct turns){.plain = true};
    element_visit_down(e, port, turns_visit, s);
}

static bool turns_plain(const struct turns *s)
{
    for (uint32_t i = 0; i < s->n_ask; i++)
        if (!s->ask[i]->cls->plain(s->ask[i]))
            return false;
    return s->plain;
}

uint32_t turns_now(struct turns *s, const struct task *t, uint32_t burst)
{
    const struct sched *sched = t->sched;
    uint32_t most = TURNS_PACKETS / burst;

    if (most < 2 || !turns_plain(s))
        return 1;
    if (s->round != sched->rounds) {
        s->round = sched->rounds;
        s->said = sched->said;
        return 1;
    }
    if (s->said != sched->said ||
        t->prev != t->next) /* both are the head of the list */
        return 1;
    return sched->left < most ? sched->left : most;
}

void turns_took(struct task *t, uint32_t turns)
{
    t->pass += (turns - 1) * t->stride;
    t->sched->pass = t->pass;
    t->sched->left -= turns - 1;
}
