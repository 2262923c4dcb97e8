// SPDX-License-Identifier: BSD-3-Clause
/*
 * PrioSched -- pull from the first input that has a packet
 *
 * Usage:    PrioSched
 * Ports:    any in, 1 out; pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  urgent :: Queue -> [0] ps :: PrioSched -> ToDevice(0);  rest :: Queue -> [1] ps;
 * See also: SimplePrioSched, RoundRobinSched, StrideSched, DRRSched
 *
 * Inputs that say they are empty are not asked.
 */

#include "engine/relay.h"

struct prio_sched {
    struct signal *nonempty; /* [n_in] */
};

static int prio_sched_initialize(struct element *e, struct diag *d)
{
    struct prio_sched *s = element_state(e);

    s->nonempty = relay_signals(e, d);
    return s->nonempty ? 0 : -1;
}

static uint32_t prio_sched_pull(struct element *e, unsigned port, struct batch *b,
                                uint32_t max)
{
    const struct prio_sched *s = element_state(e);
    uint32_t got = 0;

    for (unsigned i = 0; i < e->n_in && got < max; i++)
        if (signal_active(&s->nonempty[i]))
            got += in_pull(e, i, b, max - got);
    return got;
}

ELEMENT(PrioSched) = {
    .name = "PrioSched",
    .state_size = sizeof(struct prio_sched),
    .ports = "-/1",
    .processing = "l/l",
    .initialize = prio_sched_initialize,
    .pull = prio_sched_pull,
};
