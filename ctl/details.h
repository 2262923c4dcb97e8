// SPDX-License-Identifier: BSD-3-Clause
/*
 * details.h -- error messages of configurations as data
 *
 * The engine's messages come as text from a VM ("file:line:column: text", hints on
 * indented lines below, see diag_text_columns()) or as a struct diag from the engine in
 * our own process. Both become the API's list of details:
 *
 *     [{"file": "fw.click", "line": 3, "column": 12, "level": "error",
 *       "message": "unknown element class 'Queu'", "hint": "did you mean 'Queue'?"}]
 *
 * Trust: text from a VM is any bytes; it is cleaned, bounded and never fails to convert.
 */

#ifndef CTL_DETAILS_H
#define CTL_DETAILS_H

#include "base/diag.h"

#include <jansson.h>
#include <stddef.h>

enum { DETAILS_MAX = 1000 }; /* messages; the rest is counted in a last one */

/* A new list; NULL only when memory ran out. */
json_t *details_from_text(const char *text, size_t len);
json_t *details_from_diag(const struct diag *d);

/* The same for text that came with a success: what would be an error is only a note. */
json_t *details_from_notes(const char *text, size_t len);

/* How many of the list are errors, as opposed to warnings and headings. */
size_t details_errors(const json_t *list);

#endif
