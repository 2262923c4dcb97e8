// SPDX-License-Identifier: BSD-3-Clause
/*
 * element_docs.h -- the manuals of the elements, for programs that print them
 *
 * Generated at build time by tools/gen-element-docs from the comments at the head of the
 * elements' sources. Hosted programs link $(B)/element_docs.o; a guest never does.
 */

#ifndef ENGINE_ELEMENT_DOCS_H
#define ENGINE_ELEMENT_DOCS_H

#include <stdbool.h>
#include <stddef.h>

struct element_doc {
    const char *name;       /* "Queue", or an alias */
    const char *class_name; /* what it is a name of: its own, if it is no alias */
    const char *file;       /* "elements/basic/queue.c" */
    const char
        *text; /* lines without the comment's decoration, the first "Queue -- ..." */
};

extern const struct element_doc element_docs[]; /* sorted by name, ASCII */
extern const size_t n_element_docs;

/* The text of a class or alias; NULL if there is no such element. */
const char *element_doc(const char *name);

#endif
