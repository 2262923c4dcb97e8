// SPDX-License-Identifier: BSD-3-Clause
/*
 * SimplePrioSched -- pull from the first input that has a packet, asking them all
 *
 * Usage:    SimplePrioSched
 * Ports:    any in, 1 out; pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  urgent -> [0] ps :: SimplePrioSched -> ToDevice(0);  rest -> [1] ps;
 * See also: PrioSched
 */

#include "engine/element.h"

static uint32_t simple_prio_sched_pull(struct element *e, unsigned port,
                                       struct batch *b, uint32_t max)
{
    uint32_t got = 0;

    for (unsigned i = 0; i < e->n_in && got < max; i++)
        got += in_pull(e, i, b, max - got);
    return got;
}

ELEMENT(SimplePrioSched) = {
    .name = "SimplePrioSched",
    .ports = "-/1",
    .processing = "l/l",
    .pull = simple_prio_sched_pull,
};
