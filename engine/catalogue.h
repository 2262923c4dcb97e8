// SPDX-License-Identifier: BSD-3-Clause
/*
 * catalogue.h -- the element classes of a program, sorted by name
 *
 * Generated at build time by tools/gen-catalogue from the ELEMENT() and ELEMENT_ALIAS()
 * lines of the sources that the program links: nothing has to be sorted or checked for
 * duplicates at start, and a young VM touches only the pages it needs.
 */

#ifndef ENGINE_CATALOGUE_H
#define ENGINE_CATALOGUE_H

#include "engine/element.h"

extern const size_t catalogue_n;
extern const char *const catalogue_names[];                   /* sorted, ASCII */
extern const struct element_class *const catalogue_classes[]; /* by the same index */

#endif
