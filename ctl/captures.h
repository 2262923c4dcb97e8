// SPDX-License-Identifier: BSD-3-Clause
/*
 * captures.h -- a port's packets as a pcap stream into a client's FIFO
 *
 * The client makes a FIFO and reads from it; the daemon only ever opens FIFOs for this, so
 * nobody can have a file written with the daemon's rights, and a client that goes away
 * ends its capture.
 */

#ifndef CTL_CAPTURES_H
#define CTL_CAPTURES_H

#include "ctl/daemon.h"

/* The backplane says that a capture has ended by itself. */
void capture_done(struct daemon_state *s, uint32_t id);

void captures_free(struct daemon_state *s);

#endif
