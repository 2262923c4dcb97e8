// SPDX-License-Identifier: BSD-3-Clause
/*
 * flatten.h -- a graph written back as a configuration
 *
 * The text has the form of Click's `flatconfig` handler: requirements, a declaration for
 * each element, then connections strung into chains. Loading it gives the same graph.
 */

#ifndef ENGINE_LANG_FLATTEN_H
#define ENGINE_LANG_FLATTEN_H

#include "base/sbuf.h"
#include "engine/lang/lang.h"

void lang_unparse(const struct lang_graph *g, struct sbuf *out);

/* Only its connections, in the order in which they are there. */
void lang_unparse_connections(const struct lang_graph *g, struct sbuf *out);

#endif
