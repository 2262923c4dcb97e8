// SPDX-License-Identifier: BSD-3-Clause
/* aqm.c -- what the elements that keep queues short have in common */

#include "engine/aqm.h"

#include "engine/words.h"

enum { AQM_MAX_QUEUES = 1024 };

struct search {
    struct element **found;
    uint32_t n;
};

static bool aqm_visit(void *ctx, struct element *at, unsigned at_port)
{
    struct search *s = ctx;

    (void)at_port;
    if (!at->cls->cast || !at->cls->cast(at, "Storage"))
        return true;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->found[i] == at)
            return false;
    if (s->n < AQM_MAX_QUEUES)
        s->found[s->n++] = at;
    return false;
}

static int aqm_by_name(struct search *s, struct element *e, const char *names,
                       struct diag *d)
{
    char word[WORD_ROOM];
    int rc = 0;

    while (word_next(&names, word) && s->n < AQM_MAX_QUEUES) {
        struct element *q = element_find(e, word, d);

        if (q)
            s->found[s->n++] = q;
        else
            rc = -1;
    }
    return rc;
}

int aqm_find_queues(struct aqm_queues *q, struct element *e, const struct text *names,
                    struct diag *d)
{
    struct search s = {element_alloc(e, AQM_MAX_QUEUES * sizeof *s.found), 0};
    int rc = 0;

    if (!s.found)
        return diag_err(d, "out of memory");
    if (names->len) {
        if (aqm_by_name(&s, e, names->s, d) < 0)
            return -1;
    } else if (e->n_out && element_output_is_push(e, 0)) {
        element_visit_down(e, 0, aqm_visit, &s);
    } else {
        element_visit_up(e, 0, aqm_visit, &s);
    }
    if (!s.n)
        return diag_err(d, "no nearby Queues");
    q->queue = element_alloc(e, s.n * sizeof(struct queue_element *));
    if (!q->queue)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < s.n; i++) {
        struct element *x = s.found[i];

        q->queue[i] = x->cls->cast ? x->cls->cast(x, "Storage") : NULL;
        if (!q->queue[i])
            rc = diag_err(d, "'%s' is not a Storage element", x->name);
    }
    q->element = s.found;
    q->n = s.n;
    return rc;
}

void aqm_list(const struct aqm_queues *q, struct sbuf *out)
{
    for (uint32_t i = 0; i < q->n; i++)
        sbuf_printf(out, "%s\n", q->element[i]->name);
}

void aqm_average_decay(struct aqm_average *a, uint64_t times)
{
    /* Rounding would keep a little for ever; Click lets it go after so many. */
    if (times >= 100)
        a->scaled = 0;
    while (times-- > 0 && a->scaled)
        aqm_average_add(a, 0);
}

bool codel_late(struct codel *c, int64_t delay_ns, int64_t now, bool backlog)
{
    if (delay_ns < c->target_ns || !backlog) {
        c->first_above_ns = 0;
        return false;
    }
    if (!c->first_above_ns) {
        c->first_above_ns = now + c->interval_ns;
        return false;
    }
    return now >= c->first_above_ns;
}

uint32_t codel_root(uint64_t x)
{
    uint64_t r = 0, bit = (uint64_t)1 << 62;

    while (bit > x)
        bit >>= 2;
    for (; bit; bit >>= 2) {
        if (x >= r + bit) {
            x -= r + bit;
            r = (r >> 1) + bit;
        } else {
            r >>= 1;
        }
    }
    return (uint32_t)r;
}

int64_t codel_next(const struct codel *c, int64_t t)
{
    /* 16 bits of fraction in the root: drops of a long dropping state are that exact. */
    uint64_t scaled_root = codel_root((uint64_t)c->count << 32);
    int64_t interval = c->interval_ns < INT64_MAX >> 17 ? c->interval_ns
                                                        : INT64_MAX >> 17;

    return t + (scaled_root ? (int64_t)(((uint64_t)interval << 16) / scaled_root)
                            : interval);
}

void codel_enter(struct codel *c, int64_t now)
{
    uint32_t delta = c->count - c->last_count;

    /* Soon after the last time, go on nearly where that ended: RFC 8289, section 5.4. */
    c->count = delta > 1 && now - c->drop_next_ns < 16 * c->interval_ns ? delta : 1;
    c->dropping = true;
    c->drop_next_ns = codel_next(c, now);
    c->last_count = c->count;
}
