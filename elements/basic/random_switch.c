// SPDX-License-Identifier: BSD-3-Clause
/*
 * RandomSwitch -- send each packet to an output chosen at random
 *
 * Usage:    RandomSwitch
 * Ports:    1 in, 1 or more out; push
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  ... -> rs :: RandomSwitch -> a;  rs[1] -> b;
 * See also: RoundRobinSwitch, HashSwitch, RandomSample
 */

#include "engine/element.h"

static inline verdict_t random_switch_one(struct element *e, struct pkt *p)
{
    return (verdict_t)(((uint64_t)element_random(e) * e->n_out) >> 32);
}

ELEMENT_LOOP(random_switch)

ELEMENT(RandomSwitch) = {
    .name = "RandomSwitch",
    .ports = "1/1-",
    .processing = "h/h",
    .push = random_switch_push,
    .pull = random_switch_pull,
};
