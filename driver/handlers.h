// SPDX-License-Identifier: BSD-3-Clause
/* handlers.h -- what `click -h` prints and `click -x` returns */

#ifndef DRIVER_HANDLERS_H
#define DRIVER_HANDLERS_H

#include "base/diag.h"
#include "engine/router.h"

/* Append the value of one -h argument to `out`: "el.handler", "handler" of the router, or
 * with a pattern for the element ("*.count", "in*.count") or the name of a class
 * ("Counter.count") that handler of every element that has it. A value stands under a line
 * "el.handler:" and above an empty line if `headings` is set or there may be several.
 * Returns -1 with a message in `d`. */
int handlers_print(struct router *r, const char *spec, bool headings, struct sbuf *out,
                   struct diag *d);

/* The exit status that a handler asks for: an integer, or 0 and 1 for true and false; 255
 * with a message when it has no such value. */
int handlers_exit_status(struct router *r, const char *call, struct diag *d);

#endif
