// SPDX-License-Identifier: BSD-3-Clause
/*
 * program.h -- rules as a decision program, for people to read
 *
 *      0  12/08000000%ffff0000  yes->step 1  no->[X]
 *
 * A step compares a masked word with a value and goes on to another step, to an output
 * ("[0]"), or drops the packet ("[X]"). Offsets count from the packet's first byte; those
 * from 256 on from the network header, those from 512 on from the transport header, those
 * from 768 on are the IPv4-like summary of an IPv6 header. This
 * is how Click runs its classifiers, and what its `program` handler shows; we only print
 * it, and find out which outputs can get packets at all.
 *
 * Memory: a program owns its steps.
 */

#ifndef ENGINE_CLASSIFY_PROGRAM_H
#define ENGINE_CLASSIFY_PROGRAM_H

#include "base/sbuf.h"
#include "engine/classify/expr.h"

struct program;

/* An empty program, NULL when memory ran out. IP filters' programs are `grouped`: rules
 * are optimized in pairs, and runs of values in one word stand together and in order. */
struct program *program_new(bool grouped);
void program_free(struct program *p); /* accepts NULL */

/* The next rule; an output below 0 drops. -1 when memory ran out. */
int program_add(struct program *p, const struct expr *x, int output);

/* After the last rule, before any use. With `optimize`, leave out steps whose result is
 * known and steps that are never reached, which takes time in proportion to the square of
 * the number of steps. */
void program_finish(struct program *p, bool optimize);

/* Whether some path ends at this output. */
bool program_uses(const struct program *p, int output);

/* What a walk through the program comes to: an output, or -1. For tests. Offsets below 256
 * are taken from the base that the rules used. */
int program_match(const struct program *p, const struct expr_view *v);

void program_text(const struct program *p, struct sbuf *out);

#endif
