// SPDX-License-Identifier: BSD-3-Clause
/* delayed.c -- a packet that waits until it is old enough: see delayed.h */

#include "engine/delayed.h"

struct pkt *delayed_next(struct element *e, int64_t wall_ns)
{
    const struct delayed *s = element_state(e);
    struct pkt *p = s->waiting;

    if (p || !(p = in_pull_one(e, 0)))
        return p;
    if (p->timestamp < 1000000000) /* no whole second is no time */
        p->timestamp = wall_ns;
    if (__builtin_add_overflow(p->timestamp, s->delay_ns, &p->timestamp))
        p->timestamp = INT64_MAX;
    return p;
}

void delayed_take_state(struct element *e, struct element *old)
{
    struct delayed *s = element_state(e), *from = element_state(old);

    s->waiting = from->waiting;
    from->waiting = NULL;
}

void delayed_cleanup(struct element *e)
{
    struct delayed *s = element_state(e);

    pkt_free(s->waiting);
    s->waiting = NULL;
}
