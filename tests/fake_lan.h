// SPDX-License-Identifier: BSD-3-Clause
/*
 * fake_lan.h -- four fake guests beside a backplane whose worker runs only when told to
 *
 * For unit tests of the switch: SETUP calls fake_lan_setup(), TEARDOWN fake_lan_teardown().
 * Frames are 100 bytes long; what tells them apart is the byte that fills them.
 */

#ifndef TESTS_FAKE_LAN_H
#define TESTS_FAKE_LAN_H

#include "base/diag.h"
#include "switch/plane.h"
#include "tests/fake_guest.h"

enum { FAKE_LAN_GUESTS = 4 };

extern struct backplane *bp;
extern struct fake_guest *g[FAKE_LAN_GUESTS];
extern uint32_t port[FAKE_LAN_GUESTS]; /* of guest i, 0: not attached */
extern uint32_t lan;                   /* a learning network */
extern struct diag d;

void fake_lan_setup(void);
void fake_lan_teardown(void);

uint32_t network(const char *name, enum network_mode mode);

/* Attach guest `i` as "vm<i>". */
void attach(int i, uint32_t net);

/* Rounds until nothing moves any more. */
void settle(void);

/* From guest `from`, addresses as in fake_frame(); then settle(). */
void send_one(int from, uint16_t dst, uint16_t src, uint8_t fill);

/* What guest `i` received next: the byte its frame was filled with, -1: nothing. */
int got(int i);

#endif
