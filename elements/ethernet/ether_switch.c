// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherSwitch -- a learning Ethernet switch
 *
 * Usage:    EtherSwitch([keyword TIMEOUT])
 * Ports:    any number in, as many out; push
 * Args:     TIMEOUT  time that an address stays known, default 300s; 0: learn nothing
 * Handlers: table    (r) "ETH port" lines
 *           timeout  (rw) as TIMEOUT, in seconds
 * Example:  s :: EtherSwitch; FromDevice(0) -> [0]s[0] -> ToDevice(0);
 *           FromDevice(1) -> [1]s[1] -> ToDevice(1);
 * See also: ListenEtherSwitch, EtherSpanTree, Hub
 *
 * A packet goes to the port where its destination was last heard, or to all others when
 * that is not known or is a group. Addresses grow old by the packets' timestamps. What is
 * known moves to the next configuration if that
 * has as many ports.
 */

#include "engine/ether_switch.h"

static const struct arg_spec ether_switch_args[] = {ETHER_SWITCH_ARGS, ARG_END};

static void ether_switch_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        int to = ether_switch_port(e, port, b->p[i]);

        if (to == -1)
            ether_switch_flood(e, port, b->p[i]);
        else if (to < 0 || (unsigned)to == port || to >= e->n_out)
            pkt_free(b->p[i]); /* no frame, or they hear each other already */
        else
            out_push_one(e, (unsigned)to, b->p[i]);
    }
}

ELEMENT(EtherSwitch) = {
    .name = "EtherSwitch",
    .state_size = sizeof(struct ether_switch),
    .ports = "-/=",
    .processing = "h/h",
    .flow = "#/[^#]",
    .args = ether_switch_args,
    .handlers = ether_switch_handlers,
    .take_state = ether_switch_take_state,
    .cleanup = ether_switch_cleanup,
    .push = ether_switch_push,
    .cast = ether_switch_cast,
};
