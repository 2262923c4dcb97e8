// SPDX-License-Identifier: BSD-3-Clause
/*
 * ether_switch.h -- what EtherSwitch and ListenEtherSwitch have in common
 *
 * The state is a struct ether_switch; the two differ in where packets go whose destination
 * is known. Time is that of the packets' timestamps, as in Click: what is learnt from
 * packets without one does not grow old.
 */

#ifndef ENGINE_ETHER_SWITCH_H
#define ENGINE_ETHER_SWITCH_H

#include "engine/element.h"
#include "engine/net_headers.h"

struct ether_switch_entry;

struct ether_switch {
    struct ether_switch_entry *v; /* heap: grows, and moves to the next configuration */
    uint32_t n, room;             /* room: a power of two */
    int64_t timeout_ns;
};

#define ETHER_SWITCH_ARGS                                                              \
    ARG_TIME(ether_switch, timeout_ns, "TIMEOUT", 0, "300",                            \
             "time that an address stays known")
extern const struct handler_spec ether_switch_handlers[];

/* Learn where the sender of `p` is, and return the port where its destination was heard;
 * -1 if that is not known, or a group; -2 if there is no Ethernet header. */
int ether_switch_port(struct element *e, unsigned port, const struct pkt *p);

/* Take `p` over and send it to all outputs but `from`, the last one first. */
void ether_switch_flood(struct element *e, unsigned from, struct pkt *p);

void ether_switch_take_state(struct element *e, struct element *old);
void ether_switch_cleanup(struct element *e);
void *ether_switch_cast(struct element *e, const char *kind);

#endif
