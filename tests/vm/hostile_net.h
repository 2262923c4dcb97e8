// SPDX-License-Identifier: BSD-3-Clause
/* hostile_net.h -- what a hostile image does to its packet memory, for ATTACK_NS */

#ifndef TESTS_VM_HOSTILE_NET_H
#define TESTS_VM_HOSTILE_NET_H

#include <stdbool.h>

/* Carry out the deed of that name; false if there is none. */
bool hostile_net(const char *name);

#endif
