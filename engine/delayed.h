// SPDX-License-Identifier: BSD-3-Clause
/*
 * delayed.h -- a packet that waits until it is old enough
 *
 * What DelayShaper and DelayUnqueue have in common: packets leave in their order, each a
 * fixed time after its timestamp. The states of these elements begin with struct delayed.
 *
 * Memory: the packet that waits belongs to the element.
 */

#ifndef ENGINE_DELAYED_H
#define ENGINE_DELAYED_H

#include "engine/element.h"

struct delayed {
    int64_t delay_ns;
    struct pkt *waiting; /* owned; its timestamp says until when */
};

#define DELAYED_ARGS(state, member)                                                    \
    ARG_TIME(state, member.delay_ns, "DELAY", ARG_M, NULL,                             \
             "from timestamp to departure")

/* The packet that waits, or else the next one of input 0, with its time of departure as
 * its timestamp; NULL if there is none. The caller stores it in `waiting`, or passes it. */
struct pkt *delayed_next(struct element *e, int64_t wall_ns);

/* Members of struct element_class. */
void delayed_take_state(struct element *e, struct element *old);
void delayed_cleanup(struct element *e);

#endif
