// SPDX-License-Identifier: BSD-3-Clause
/*
 * RoundRobinSwitch -- send packets to the outputs in turn
 *
 * Usage:    RoundRobinSwitch
 * Ports:    1 in, 1 or more out; push
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  FromDevice(0) -> rr :: RoundRobinSwitch -> [0] a; rr[1] -> [0] b;
 * See also: RoundRobinSched, HashSwitch, RandomSwitch, StrideSwitch
 */

#include "engine/element.h"

struct round_robin_switch {
    uint32_t next;
};

static inline verdict_t round_robin_switch_one(struct element *e, struct pkt *p)
{
    struct round_robin_switch *s = element_state(e);
    uint32_t output = s->next;

    s->next = output + 1 < e->n_out ? output + 1 : 0;
    return (verdict_t)output;
}

ELEMENT_LOOP(round_robin_switch)

ELEMENT(RoundRobinSwitch) = {
    .name = "RoundRobinSwitch",
    .state_size = sizeof(struct round_robin_switch),
    .ports = "1/1-",
    .processing = "h/h",
    .push = round_robin_switch_push,
    .pull = round_robin_switch_pull,
};
