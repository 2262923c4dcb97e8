// SPDX-License-Identifier: BSD-3-Clause
/*
 * RoundRobinSched -- pull from the inputs in turn
 *
 * Usage:    RoundRobinSched
 * Ports:    any in, 1 out; pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  a :: Queue -> rr :: RoundRobinSched -> ToDevice(0);  b :: Queue -> [1] rr;
 * See also: SimpleRoundRobinSched, DRRSched, StrideSched, RoundRobinSwitch
 *
 * An input that has no packet loses its turn. Those that say they are empty are not
 * asked.
 */

#include "engine/relay.h"

struct round_robin_sched {
    uint32_t next;           /* input */
    struct signal *nonempty; /* [n_in] */
};

static int round_robin_sched_initialize(struct element *e, struct diag *d)
{
    struct round_robin_sched *s = element_state(e);

    s->nonempty = relay_signals(e, d);
    return s->nonempty ? 0 : -1;
}

static uint32_t round_robin_sched_pull(struct element *e, unsigned port,
                                       struct batch *b, uint32_t max)
{
    struct round_robin_sched *s = element_state(e);
    uint32_t got = 0, idle = 0;

    /* A round in which nobody had a packet is the last. */
    while (got < max && idle < e->n_in) {
        uint32_t i = s->next;

        if (signal_active(&s->nonempty[i]) && in_pull(e, i, b, 1)) {
            got++;
            idle = 0;
        } else {
            idle++;
        }
        s->next = i + 1 < e->n_in ? i + 1 : 0;
    }
    return got;
}

ELEMENT(RoundRobinSched) = {
    .name = "RoundRobinSched",
    .state_size = sizeof(struct round_robin_sched),
    .ports = "-/1",
    .processing = "l/l",
    .initialize = round_robin_sched_initialize,
    .pull = round_robin_sched_pull,
};
