// SPDX-License-Identifier: BSD-3-Clause
/* confhead.c -- what travels with a configuration: see confhead.h */

#include "base/confhead.h"

#include <string.h>

#define HEAD_START  "//!clickos\n"
#define HEAD_FILE   "//!file "
#define HEAD_DEFINE "//!define "
#define HEAD_END    "//!end\n"

bool confhead_fits(const char *text)
{
    return !strchr(text, '\n');
}

void confhead_start(struct sbuf *out, const char *file)
{
    sbuf_puts(out, HEAD_START);
    if (file)
        sbuf_printf(out, HEAD_FILE "%s\n", file);
}

void confhead_define(struct sbuf *out, const char *name, const char *value)
{
    sbuf_printf(out, HEAD_DEFINE "%s=%s\n", name, value);
}

void confhead_end(struct sbuf *out)
{
    sbuf_puts(out, HEAD_END);
}

static bool starts_with(const char *at, const char *end, const char *prefix)
{
    size_t len = strlen(prefix);

    return (size_t)(end - at) >= len && memcmp(at, prefix, len) == 0;
}

/* The end line must be reached through lines of the head only. */
static bool is_whole(const char *at, const char *end)
{
    while (starts_with(at, end, "//!")) {
        if (starts_with(at, end, HEAD_END))
            return true;
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    return false;
}

void confhead_open(struct confhead_reader *r, const char *text, size_t len)
{
    *r = (struct confhead_reader){.at = text, .end = text + len};
    r->inside = starts_with(r->at, r->end, HEAD_START) && is_whole(r->at, r->end);
    if (r->inside)
        r->at += strlen(HEAD_START);
}

static bool parse_line(const char *at, const char *eol, struct confhead_item *item)
{
    const char *sep;

    *item = (struct confhead_item){.name = at};
    if (starts_with(at, eol, HEAD_FILE)) {
        item->is_file = true;
        item->value = at + strlen(HEAD_FILE);
    } else if (starts_with(at, eol, HEAD_DEFINE)) {
        item->name = at + strlen(HEAD_DEFINE);
        sep = memchr(item->name, '=', (size_t)(eol - item->name));
        if (!sep)
            return false;
        item->name_len = (size_t)(sep - item->name);
        item->value = sep + 1;
    } else {
        return false;
    }
    item->value_len = (size_t)(eol - item->value);
    return true;
}

bool confhead_next(struct confhead_reader *r, struct confhead_item *item)
{
    while (r->inside) {
        const char *line = r->at;
        const char *eol = memchr(line, '\n', (size_t)(r->end - line));

        r->at = eol + 1; /* is_whole() has seen a newline behind every line */
        if (starts_with(line, r->at, HEAD_END))
            r->inside = false;
        else if (parse_line(line, eol, item))
            return true;
    }
    return false;
}
