// SPDX-License-Identifier: BSD-3-Clause
/*
 * lint.h -- the engine in our own process: checking configurations, showing classes
 *
 * The same engine and elements as in a VM are linked into the daemon and the command
 * line. A configuration is built and initialised completely, on a platform where devices
 * exist but nothing ever moves, and thrown away.
 */

#ifndef CTL_LINT_H
#define CTL_LINT_H

#include "ctl/graph.h"
#include "base/diag.h"
#include "base/sbuf.h"
#include "ctl/details.h"

#include <stdbool.h>

/* Check a configuration; errors and warnings go into `d`. `defines` is a JSON object of
 * strings or NULL. Returns 0 if it could be installed. */
int lint_check(const char *text, size_t len, const char *file, const json_t *defines,
               struct diag *d);

/* The configuration as a graph in the language of dot(1), appended to `out`. */
int lint_graph(enum graph_format format, const char *text, size_t len, const char *file,
               const json_t *defines, struct sbuf *out, struct diag *d);

/* All classes: [{"name", "ports", "processing"}], sorted. */
json_t *lint_classes(void);

/* One class with its arguments, counters and handlers; NULL if there is none. */
json_t *lint_class(const char *name);

/* The class name nearest to `name`, or NULL. */
const char *lint_nearest(const char *name);

#endif
