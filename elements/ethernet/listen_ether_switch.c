// SPDX-License-Identifier: BSD-3-Clause
/*
 * ListenEtherSwitch -- a learning Ethernet switch with a port that hears everything
 *
 * Usage:    ListenEtherSwitch([keyword TIMEOUT])
 * Ports:    any number in, one more out; push
 * Args:     TIMEOUT  time that an address stays known, default 300s; 0: learn nothing
 * Handlers: table    (r) "ETH port" lines
 *           timeout  (rw) as TIMEOUT, in seconds
 * Example:  s :: ListenEtherSwitch; FromDevice(0) -> [0]s[0] -> ToDevice(0);
 *           FromDevice(1) -> [1]s[1] -> ToDevice(1); s[2] -> ToDump(all.pcap);
 * See also: EtherSwitch, Hub
 *
 * Does what EtherSwitch does. The last output, which has no input, gets a copy of every
 * packet.
 */

#include "engine/ether_switch.h"

static const struct arg_spec listen_ether_switch_args[] = {ETHER_SWITCH_ARGS, ARG_END};

static void listen_ether_switch_one(struct element *e, unsigned port, struct pkt *p)
{
    int to = ether_switch_port(e, port, p);
    unsigned listen = e->n_out - 1u;
    struct pkt *copy;

    if (to == -2) {
        pkt_free(p);
    } else if (to == -1) {
        ether_switch_flood(e, port, p);
    } else if ((unsigned)to == port || (unsigned)to >= listen) {
        out_push_one(e, listen, p);
    } else {
        copy = pkt_clone(p);
        if (copy)
            out_push_one(e, listen, copy);
        out_push_one(e, (unsigned)to, p);
    }
}

static void listen_ether_switch_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        listen_ether_switch_one(e, port, b->p[i]);
}

ELEMENT(ListenEtherSwitch) = {
    .name = "ListenEtherSwitch",
    .state_size = sizeof(struct ether_switch),
    .ports = "-/=+",
    .processing = "h/h",
    .flow = "#/[^#]",
    .args = listen_ether_switch_args,
    .handlers = ether_switch_handlers,
    .take_state = ether_switch_take_state,
    .cleanup = ether_switch_cleanup,
    .push = listen_ether_switch_push,
    .cast = ether_switch_cast,
};
