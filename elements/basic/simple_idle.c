// SPDX-License-Identifier: BSD-3-Clause
/*
 * SimpleIdle -- a place where nothing ever happens, without telling anybody
 *
 * Usage:    SimpleIdle
 * Ports:    any in, any out; push or pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  SimpleIdle -> [1] sched :: PrioSched;
 * See also: Idle
 *
 * Packets that are pushed into it are dropped, and there are none to pull; but tasks
 * downstream poll it.
 */

#include "engine/element.h"

static void simple_idle_push(struct element *e, unsigned port, struct batch *b)
{
    batch_free(b);
}

static uint32_t simple_idle_pull(struct element *e, unsigned port, struct batch *b,
                                 uint32_t max)
{
    return 0;
}

ELEMENT(SimpleIdle) = {
    .name = "SimpleIdle",
    .ports = "-/-",
    .flow = "x/y",
    .push = simple_idle_push,
    .pull = simple_idle_pull,
};
