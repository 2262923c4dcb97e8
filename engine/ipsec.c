// SPDX-License-Identifier: BSD-3-Clause
/* ipsec.c -- security associations: see ipsec.h */

#include "engine/ipsec.h"

#include "engine/router.h"

const char ipsec_stage_kind[] = "IPsecStage";

struct ipsec_table *ipsec_table(struct element *e)
{
    return router_shared(e->router, "ipsec", sizeof(struct ipsec_table));
}

/* A free place. What the table grows out of stays in the arena: at most as much again. */
static struct ipsec_sa *find_place(struct element *e, struct ipsec_table *t)
{
    struct ipsec_sa *sa;

    for (; t->maybe_free < t->n; t->maybe_free++)
        if (!t->sa[t->maybe_free]->spi)
            return t->sa[t->maybe_free];
    if (t->n == IPSEC_SA_MAX)
        return NULL;
    if (t->n == t->room) {
        uint32_t room = t->room ? 2 * t->room : 8;
        struct ipsec_sa **more = element_alloc(e, room * sizeof *more);

        if (!more)
            return NULL;
        if (t->n)
            memcpy(more, t->sa, t->n * sizeof *more);
        t->sa = more;
        t->room = room;
    }
    sa = element_alloc(e, sizeof *sa);
    if (!sa || !(sa->crypto = element_alloc(e, ipsec_crypto_size())))
        return NULL;
    sa->index = t->n;
    t->sa[t->n++] = sa;
    return sa;
}

struct ipsec_sa *ipsec_sa_new(struct element *e, uint32_t spi,
                              const struct ipsec_keys *keys, uint32_t first,
                              uint32_t window, struct diag *d)
{
    struct ipsec_table *t = ipsec_table(e);
    struct ipsec_sa *sa = t ? find_place(e, t) : NULL;
    size_t salt = keys->len % 8;

    if (!sa) {
        diag_err(d, t && t->n == IPSEC_SA_MAX ? "too many security associations"
                                              : "out of memory");
        return NULL;
    }
    sa->spi = spi;
    sa->keys = *keys;
    sa->next_seq = sa->last_seq = first ? first : 1;
    sa->seen = 0;
    sa->window = window > IPSEC_WINDOW_MAX ? IPSEC_WINDOW_MAX : window;
    sa->iv_prefix = element_random(e);
    ipsec_crypto_init(sa->crypto, keys->key, keys->len - salt,
                      salt ? keys->key + keys->len - salt : NULL, keys->auth,
                      keys->auth_len);
    return sa;
}

void ipsec_sa_free(struct ipsec_table *t, struct ipsec_sa *sa)
{
    if (sa->index < t->maybe_free)
        t->maybe_free = sa->index;
    sa->spi = 0;
    ipsec_wipe(&sa->keys, sizeof sa->keys);
    ipsec_wipe(sa->crypto, ipsec_crypto_size());
}

bool ipsec_replay_ok(struct ipsec_sa *sa, uint32_t seq)
{
    uint32_t late;

    if (seq == 0)
        return false;
    if (seq > sa->last_seq) {
        uint32_t step = seq - sa->last_seq;

        sa->seen = step < sa->window ? sa->seen << step | 1 : 1;
        sa->last_seq = seq;
        return true;
    }
    late = sa->last_seq - seq;
    if (late >= sa->window && late != 0)
        return false;
    if (sa->seen >> late & 1)
        return false;
    sa->seen |= 1ull << late;
    return true;
}

struct search {
    unsigned roles;
    const struct ipsec_stage *found;
};

static bool stage_visit(void *ctx, struct element *at, unsigned at_port)
{
    struct search *s = ctx;
    const struct ipsec_stage *stage;

    if (s->found)
        return false;
    stage = at->cls->cast ? at->cls->cast(at, IPSEC_STAGE) : NULL;
    if (!stage)
        return true;
    if (stage->role & s->roles)
        s->found = stage;
    return !(stage->role & (IPSEC_ENCAP | IPSEC_UNENCAP));
}

const struct ipsec_stage *ipsec_find_stage(struct element *e, bool down, unsigned roles)
{
    struct search s = {.roles = roles};

    if (down)
        element_visit_down(e, 0, stage_visit, &s);
    else
        element_visit_up(e, 0, stage_visit, &s);
    return s.found;
}
