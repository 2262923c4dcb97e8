// SPDX-License-Identifier: BSD-3-Clause
/*
 * confhead.h -- what travels with a configuration: its file's name and definitions
 *
 * CONTROL_INSTALL and CONTROL_CHECK carry a configuration as one text. What its sender
 * knows besides goes into lines above it, which the receiver takes off again before it
 * counts lines, and which are comments to anybody who does not know them:
 *
 *     //!clickos
 *     //!file fw.click
 *     //!define PORT=80
 *     //!end
 *     FromNetfront(0) -> ...          <- line 1 of fw.click
 */

#ifndef BASE_CONFHEAD_H
#define BASE_CONFHEAD_H

#include "base/sbuf.h"

#include <stdbool.h>
#include <stddef.h>

/* Write the head: start, any number of items, end. File names, names and values must not
 * contain a newline: confhead_fits() says whether one does not. */
bool confhead_fits(const char *text);
void confhead_start(struct sbuf *out, const char *file); /* `file` may be NULL */
void confhead_define(struct sbuf *out, const char *name, const char *value);
void confhead_end(struct sbuf *out);

/* Read it. All of it points into the text that was given, and is not NUL-terminated. */
struct confhead_item {
    bool is_file; /* the value is the file's name; else name = value is a definition */
    const char *name, *value;
    size_t name_len, value_len;
};

struct confhead_reader {
    const char *at,
        *end; /* what is left: the configuration itself once items are read */
    bool inside;
};

void confhead_open(struct confhead_reader *r, const char *text, size_t len);

/* The next item; false after the last, when r->at .. r->end is the configuration. A text
 * without a head, or with a head that never ends, has no items and is left whole. */
bool confhead_next(struct confhead_reader *r, struct confhead_item *item);

#endif
