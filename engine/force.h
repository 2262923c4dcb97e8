// SPDX-License-Identifier: BSD-3-Clause
/* force.h -- what ForceTCP, ForceUDP and ForceICMP have in common */

#ifndef ENGINE_FORCE_H
#define ENGINE_FORCE_H

#include "engine/element.h"

enum { FORCE_DROPS };
extern const struct counter_spec force_counters[];

/* How many bytes follow the IP header, when they are there, `need` at least, and can be written.
 * 0: the packet is to be dropped, which has been counted and told. */
uint32_t force_begin(struct element *e, struct pkt *p, size_t need);

/* The first of them. */
void *force_at(const struct pkt *p);

#endif
