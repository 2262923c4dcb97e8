// SPDX-License-Identifier: BSD-3-Clause
/*
 * StaticPullSwitch -- pull from one input
 *
 * Usage:    StaticPullSwitch(INPUT)
 * Ports:    any in, 1 out; pull
 * Args:     INPUT  number of the input; without such an input nothing is pulled
 * Counters: none
 * Handlers: none
 * Example:  a :: Queue -> ps :: StaticPullSwitch(1) -> ToDevice(0);  b :: Queue -> [1] ps;
 * See also: PullSwitch, StaticSwitch
 */

#include "engine/element.h"

struct static_pull_switch {
    int32_t input;
};

static const struct arg_spec static_pull_switch_args[] = {
    ARG_I32(static_pull_switch, input, "INPUT", ARG_M, NULL, "number of the input"),
    ARG_END,
};

static uint32_t static_pull_switch_pull(struct element *e, unsigned port,
                                        struct batch *b, uint32_t max)
{
    const struct static_pull_switch *s = element_state(e);

    if (s->input < 0 || s->input >= e->n_in)
        return 0;
    return in_pull(e, (unsigned)s->input, b, max);
}

ELEMENT(StaticPullSwitch) = {
    .name = "StaticPullSwitch",
    .state_size = sizeof(struct static_pull_switch),
    .ports = "-/1",
    .processing = "l/l",
    .args = static_pull_switch_args,
    .pull = static_pull_switch_pull,
};
