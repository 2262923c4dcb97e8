// SPDX-License-Identifier: BSD-3-Clause
/*
 * relay.h -- a notifier of one's own that wakes up with those upstream
 *
 * An element that holds packets, or chooses among its inputs, cannot leave it to the queues
 * behind it to say whether there is something to pull. It answers with a relay: awake
 * whenever one of the inputs wakes up, and put to sleep by the element itself.
 */

#ifndef ENGINE_RELAY_H
#define ENGINE_RELAY_H

#include "engine/element.h"

struct relay {
    struct notifier notifier; /* for cast() with NOTIFIER_EMPTY */
    struct task task;         /* wakes the notifier */
};

/* From configure(), before others look for the notifier. */
void relay_init(struct relay *r);
/* From initialize(): have input `port` wake the relay; its state is in `s`. */
void relay_listen(struct relay *r, struct element *e, unsigned port, struct signal *s);

/* From initialize(): the signals of all inputs, in the router's arena; NULL with a message
 * when memory ran out. */
struct signal *relay_signals(struct element *e, struct diag *d);

#endif
