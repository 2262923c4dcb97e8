// SPDX-License-Identifier: BSD-3-Clause
/*
 * Hub -- send copies of packets to all outputs but the one they came from
 *
 * Usage:    Hub
 * Ports:    any in, as many out; push
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  FromDevice(0) -> h :: Hub -> ToDevice(0);  FromDevice(1) -> [1] h [1] -> ToDevice(1);
 * See also: Tee, EtherSwitch
 *
 * Packets from input N leave by all outputs except output N.
 */

#include "engine/clone_out.h"

static void hub_push(struct element *e, unsigned port, struct batch *b)
{
    clone_out_all(e, (int)port, b);
}

ELEMENT(Hub) = {
    .name = "Hub",
    .ports = "-/=",
    .processing = "h/h",
    .flow = "#/[^#]",
    .push = hub_push,
};
