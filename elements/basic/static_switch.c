// SPDX-License-Identifier: BSD-3-Clause
/*
 * StaticSwitch -- send all packets to one output
 *
 * Usage:    StaticSwitch(OUTPUT)
 * Ports:    1 in, any out; push
 * Args:     OUTPUT  number of the output; without such an output packets are dropped
 * Counters: none
 * Handlers: none
 * Example:  FromDevice(0) -> s :: StaticSwitch(1);  s[0] -> Discard;  s[1] -> ToDevice(1);
 * See also: Switch, StaticPullSwitch
 */

#include "engine/element.h"

struct static_switch {
    int32_t output;
};

static const struct arg_spec static_switch_args[] = {
    ARG_I32(static_switch, output, "OUTPUT", ARG_M, NULL, "number of the output"),
    ARG_END,
};

static void static_switch_push(struct element *e, unsigned port, struct batch *b)
{
    const struct static_switch *s = element_state(e);

    out_push_or_free(e, (unsigned)s->output, b); /* -1 is no output */
}

ELEMENT(StaticSwitch) = {
    .name = "StaticSwitch",
    .state_size = sizeof(struct static_switch),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .args = static_switch_args,
    .push = static_switch_push,
};
