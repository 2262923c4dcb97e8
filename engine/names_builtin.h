// SPDX-License-Identifier: BSD-3-Clause
/* names_builtin.h -- the names that need no information element; for nameinfo.c */

#ifndef ENGINE_NAMES_BUILTIN_H
#define ENGINE_NAMES_BUILTIN_H

#include <stdbool.h>
#include <stdint.h>

/* `kind` is of enum name_kind (nameinfo.h). */
bool names_builtin_value(unsigned kind, const char *name, uint32_t *value);

/* The first name of a value; NULL if it has none. */
const char *names_builtin_name(unsigned kind, uint32_t value);

#endif
