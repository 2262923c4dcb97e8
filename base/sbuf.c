// SPDX-License-Identifier: BSD-3-Clause
/* sbuf.c -- a growing string: see sbuf.h */

#include "base/sbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sbuf_fini(struct sbuf *s)
{
    free(s->data);
    *s = SBUF_INIT;
}

void sbuf_reset(struct sbuf *s)
{
    s->len = 0;
    s->failed = false;
    if (s->data)
        s->data[0] = '\0';
}

/* Make room for `more` bytes and the NUL. */
static bool sbuf_grow(struct sbuf *s, size_t more)
{
    size_t need, room;
    char *data;

    if (__builtin_add_overflow(s->len, more, &need) ||
        __builtin_add_overflow(need, 1, &need)) {
        s->failed = true;
        return false;
    }
    if (need <= s->room)
        return true;
    room = s->room ? s->room : 64;
    while (room < need)
        room = room > need / 2 ? need : room * 2;
    if (room < s->room * 2)
        room = s->room * 2; /* keep additions amortised */
    data = realloc(s->data, room);
    if (!data) {
        s->failed = true;
        return false;
    }
    s->data = data;
    s->room = room;
    return true;
}

void sbuf_add(struct sbuf *s, const void *bytes, size_t len)
{
    if (!sbuf_grow(s, len))
        return;
    if (len)
        memcpy(s->data + s->len, bytes, len);
    s->len += len;
    s->data[s->len] = '\0';
}

void sbuf_puts(struct sbuf *s, const char *text)
{
    sbuf_add(s, text, strlen(text));
}

void sbuf_putc(struct sbuf *s, char c)
{
    sbuf_add(s, &c, 1);
}

void sbuf_vprintf(struct sbuf *s, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || !sbuf_grow(s, (size_t)n)) {
        s->failed = true;
        return;
    }
    vsnprintf(s->data + s->len, (size_t)n + 1, fmt, ap);
    s->len += (size_t)n;
}

void sbuf_printf(struct sbuf *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(s, fmt, ap);
    va_end(ap);
}

const char *sbuf_text(const struct sbuf *s)
{
    return s->data ? s->data : "";
}

char *sbuf_take(struct sbuf *s)
{
    char *text = s->data ? s->data : calloc(1, 1);

    *s = SBUF_INIT;
    return text;
}
