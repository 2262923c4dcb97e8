// SPDX-License-Identifier: BSD-3-Clause
/*
 * SimpleRoundRobinSched -- pull from the inputs in turn, asking them all
 *
 * Usage:    SimpleRoundRobinSched
 * Ports:    any in, 1 out; pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  a :: Queue -> rr :: SimpleRoundRobinSched -> ToDevice(0);  b :: Queue -> [1] rr;
 * See also: RoundRobinSched
 *
 * An input that has no packet loses its turn.
 */

#include "engine/element.h"

struct simple_round_robin_sched {
    uint32_t next; /* input */
};

static uint32_t simple_round_robin_sched_pull(struct element *e, unsigned port,
                                              struct batch *b, uint32_t max)
{
    struct simple_round_robin_sched *s = element_state(e);
    uint32_t got = 0, idle = 0;

    /* A round in which nobody had a packet is the last. */
    while (got < max && idle < e->n_in) {
        uint32_t i = s->next;

        idle = in_pull(e, i, b, 1) ? 0 : idle + 1;
        got += idle == 0;
        s->next = i + 1 < e->n_in ? i + 1 : 0;
    }
    return got;
}

ELEMENT(SimpleRoundRobinSched) = {
    .name = "SimpleRoundRobinSched",
    .state_size = sizeof(struct simple_round_robin_sched),
    .ports = "-/1",
    .processing = "l/l",
    .pull = simple_round_robin_sched_pull,
};
