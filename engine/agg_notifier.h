// SPDX-License-Identifier: BSD-3-Clause
/*
 * agg_notifier.h -- elements that make aggregates tell others when one begins and ends
 *
 * AggregateIPFlows and AggregateIPAddrPair answer cast(e, "AggregateNotifier") with a struct
 * agg_notifier; AggregateFirst, AggregateLast and others register with it, in initialize().
 */

#ifndef ENGINE_AGG_NOTIFIER_H
#define ENGINE_AGG_NOTIFIER_H

#include "engine/element.h"

enum agg_event { AGG_NEW, AGG_DELETE };

struct agg_listener {
    void (*notify)(struct element *e, uint32_t aggregate, enum agg_event event);
    struct element *e;
    struct agg_listener *next;
};

struct agg_notifier {
    struct agg_listener *first; /* borrowed: the listeners' states */
};

static inline void agg_notify(const struct agg_notifier *n, uint32_t aggregate,
                              enum agg_event event)
{
    for (const struct agg_listener *l = n->first; l; l = l->next)
        l->notify(l->e, aggregate, event);
}

/* Have `notify` called for what `notifier` (NULL: nobody) makes; `l` lies in the state of
 * `e`. -1 with a message when it is not an AggregateNotifier. */
static inline int agg_listen(struct agg_listener *l, struct element *e,
                             struct element *notifier,
                             void (*notify)(struct element *, uint32_t, enum agg_event),
                             struct diag *d)
{
    struct agg_notifier *n;

    if (!notifier)
        return 0;
    n = notifier->cls->cast ? notifier->cls->cast(notifier, "AggregateNotifier") : NULL;
    if (!n)
        return diag_err(d, "%s is not an AggregateNotifier", notifier->name);
    *l = (struct agg_listener){notify, e, n->first};
    n->first = l;
    return 0;
}

#endif
