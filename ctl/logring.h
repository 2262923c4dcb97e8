// SPDX-License-Identifier: BSD-3-Clause
/*
 * logring.h -- the last lines that a VM said
 *
 * Bounded in bytes and in lines: old lines give way to new ones, and readers notice by
 * the numbers, which count every line ever added, from 1.
 *
 * Trust: the text comes from guests. Bytes that could confuse a terminal or a parser are
 *        replaced on the way in: control characters by '?', broken UTF-8 by '?'.
 */

#ifndef CTL_LOGRING_H
#define CTL_LOGRING_H

#include "base/sbuf.h"

#include <stddef.h>
#include <stdint.h>

enum {
    LOGRING_LINES = 1024,
    LOGRING_BYTES = 128 * 1024, /* of text, all lines together */
    LOGRING_LINE = 2048,        /* longer lines are broken */
};

struct logring_line {
    char *text;       /* owned; no newline */
    uint64_t time_us; /* wall clock */
    uint32_t len;
};

struct logring {
    struct logring_line *lines; /* owned; circle of LOGRING_LINES, NULL while empty */
    uint64_t first, next; /* numbers of the oldest line kept and of the next one */
    size_t bytes;
    struct sbuf partial; /* a line whose end has not come yet */
};

#define LOGRING_INIT ((struct logring){.first = 1, .next = 1})

void logring_fini(struct logring *r);

/* Add text as it comes, in pieces of any size. Returns how many lines became complete. */
unsigned logring_add(struct logring *r, const char *text, size_t len);

/* Complete the line that is still open, if any. */
void logring_flush(struct logring *r);

/* The line of that number, NULL if it is gone or not there yet. Borrowed. */
const struct logring_line *logring_get(const struct logring *r, uint64_t number);

/* Make `text` (`len` bytes) fit for terminals and JSON: see Trust. Appends to `out`. */
void logring_clean(struct sbuf *out, const char *text, size_t len);

#endif
