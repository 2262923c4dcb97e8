// SPDX-License-Identifier: BSD-3-Clause
/*
 * graph.h -- a configuration as a picture
 *
 *   dot    for dot(1): boxes with ports, push ports filled, pull ports empty
 *   svg    the same, laid out here: layers from top to bottom as packets go
 *   text   for reading in a terminal: each element and where its outputs lead
 *
 * Trust: names and configuration strings are any bytes; they are cut and escaped.
 */

#ifndef CTL_GRAPH_H
#define CTL_GRAPH_H

#include "base/sbuf.h"
#include "engine/router.h"

#include <stdbool.h>

enum graph_format { GRAPH_DOT, GRAPH_SVG, GRAPH_TEXT };

/* "dot", "svg", "text" */
bool graph_format_parse(const char *name, enum graph_format *f);

void graph_write(const struct router *r, enum graph_format f, struct sbuf *out);

/* ---- among graph*.c only ---------------------------------------------------------- */

enum { GRAPH_CONFIG_SHOWN = 36 }; /* bytes of a configuration string */

/* "Queue(100)", cut; newlines become blanks. */
void graph_class(const struct lang_element *e, struct sbuf *out);
bool graph_is_push(const struct router *r, const struct lang_connection *c);
void graph_svg(const struct router *r, struct sbuf *out);

#endif
