// SPDX-License-Identifier: BSD-3-Clause
/*
 * clone_out.h -- sending copies of packets out of several outputs
 *
 * For Tee and its relatives. A clone costs a record and no copy; one for which memory ran
 * out is left out.
 */

#ifndef ENGINE_CLONE_OUT_H
#define ENGINE_CLONE_OUT_H

#include "engine/element.h"

/* Push clones of b->p[from ...] out of `port`; the packets themselves stay. */
void clone_out(struct element *e, unsigned port, const struct batch *b, uint32_t from);

/* Push the batch out of all outputs but `except` (-1: of all); takes it over. */
void clone_out_all(struct element *e, int except, struct batch *b);

#endif
