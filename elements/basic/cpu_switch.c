// SPDX-License-Identifier: BSD-3-Clause
/*
 * CPUSwitch -- send packets to the output of the thread that brings them
 *
 * Usage:    CPUSwitch
 * Ports:    1 in, 1 or more out; push
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  ... -> s :: CPUSwitch -> Discard;  s[1] -> Discard;
 * See also: StaticSwitch, HashSwitch
 *
 * One thread runs a router here, so all packets leave by output 0.
 */

#include "engine/element.h"

static void cpu_switch_push(struct element *e, unsigned port, struct batch *b)
{
    out_push(e, 0, b);
}

ELEMENT(CPUSwitch) = {
    .name = "CPUSwitch",
    .ports = "1/1-",
    .processing = "h/h",
    .push = cpu_switch_push,
};
