// SPDX-License-Identifier: BSD-3-Clause
/*
 * sbuf.h -- a growing string
 *
 * Memory: the bytes are on the heap, owned by the sbuf, freed by sbuf_fini(). The text
 *         is always NUL-terminated once something was added. When memory runs out the
 *         sbuf keeps what it had, drops the rest and remembers it in `failed`: callers
 *         check once, at the end.
 */

#ifndef BASE_SBUF_H
#define BASE_SBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct sbuf {
    char *data; /* owned; NULL while empty */
    size_t len; /* bytes, without the NUL */
    size_t room;
    bool failed; /* memory ran out at some point: the text is cut */
};

#define SBUF_INIT ((struct sbuf){0})

void sbuf_fini(struct sbuf *s);

/* Forget the text, keep the memory. */
void sbuf_reset(struct sbuf *s);

void sbuf_add(struct sbuf *s, const void *bytes, size_t len);
void sbuf_puts(struct sbuf *s, const char *text);
void sbuf_putc(struct sbuf *s, char c);
__attribute__((format(printf, 2, 3))) void sbuf_printf(struct sbuf *s, const char *fmt,
                                                       ...);
__attribute__((format(printf, 2, 0))) void sbuf_vprintf(struct sbuf *s, const char *fmt,
                                                        va_list ap);

/* The text, never NULL; borrowed until the next change. */
const char *sbuf_text(const struct sbuf *s);

/* Hand the heap string over to the caller (free()); the sbuf is empty afterwards. NULL
 * only when memory ran out. */
char *sbuf_take(struct sbuf *s);

#endif
