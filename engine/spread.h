// SPDX-License-Identifier: BSD-3-Clause
/* spread.h -- push a batch whose packets go to different outputs */

#ifndef ENGINE_SPREAD_H
#define ENGINE_SPREAD_H

#include "engine/element.h"

/* Packet i of the batch leaves by output `port[i]`, or is released if that is negative. The
 * order is kept for each output; one call an output and batch. */
void spread_push(struct element *e, struct batch *b, const int32_t *port);

#endif
