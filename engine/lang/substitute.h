// SPDX-License-Identifier: BSD-3-Clause
/*
 * substitute.h -- $a, ${a} and $(a) in a configuration string
 *
 * What a reference means is the caller's business: configurations put variables there,
 * scripts also values of handlers. Nothing is replaced between single quotes or in
 * comments, between double quotes a value is escaped so that it stays one string, and a
 * reference that has no value stays as it is.
 */

#ifndef ENGINE_LANG_SUBSTITUTE_H
#define ENGINE_LANG_SUBSTITUTE_H

#include "base/sbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct substitute {
    void *ctx; /* for the functions below */
    /* Append the value of the reference whose inside is `name`, which is not
     * NUL-terminated; `kind` is 'a' for $a, '{' or '('. False: it has none. `level` says
     * how deeply references are nested. */
    bool (*value)(void *ctx, char kind, const char *name, size_t len, int level,
                  struct sbuf *out);
    /* Asked to pay for each piece of work; false stops everything. May be NULL. */
    bool (*spend)(void *ctx, uint64_t n);
    bool quote_values; /* put quotes around values that stand outside of any */
};

/* Append `text` with its references replaced. Nothing is replaced at levels above 10. */
void lang_substitute(const struct substitute *s, const char *text, size_t len,
                     int level, struct sbuf *out);

#endif
