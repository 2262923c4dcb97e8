// SPDX-License-Identifier: BSD-3-Clause
/* cli_caret.c -- a configuration's errors, each under the line it is about: see cli.h */

#include "ctl/cli.h"

#include <string.h>

enum { SHOWN_BEFORE = 60, SHOWN_AFTER = 40 };

/* The line of that number, without its end. */
static bool find_line(const char *text, size_t len, unsigned line, const char **at,
                      size_t *line_len)
{
    const char *end = text + len, *eol;

    while (line > 1) {
        eol = memchr(text, '\n', (size_t)(end - text));
        if (!eol)
            return false;
        text = eol + 1;
        line--;
    }
    if (line == 0 || text > end)
        return false;
    eol = memchr(text, '\n', (size_t)(end - text));
    *at = text;
    *line_len = (size_t)((eol ? eol : end) - text);
    if (*line_len && text[*line_len - 1] == '\r')
        --*line_len;
    return true;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Control characters would move the terminal's cursor, and the caret with it. */
static char shown(char c)
{
    return (unsigned char)c < 0x20 && c != '\t' ? '?' : c == 0x7f ? '?' : c;
}

/* The window of a long line around the column, on borders of characters. */
static void find_window(const char *line, size_t len, size_t column, size_t *from,
                        size_t *to)
{
    *from = column > SHOWN_BEFORE ? column - SHOWN_BEFORE : 0;
    *to = len - column > SHOWN_AFTER ? column + SHOWN_AFTER : len;
    while (*from < column && is_continuation(line[*from]))
        ++*from;
    while (*to < len && is_continuation(line[*to]))
        ++*to;
}

void caret_line(struct sbuf *out, const char *text, size_t len, unsigned line,
                unsigned column)
{
    const char *at;
    size_t line_len, from, to;

    if (column == 0 || !find_line(text, len, line, &at, &line_len))
        return;
    /* An error may stand one behind the end: "expected ';'". */
    column = column - 1 < line_len ? column - 1 : (unsigned)line_len;
    find_window(at, line_len, column, &from, &to);
    sbuf_puts(out, "    ");
    for (size_t i = from; i < to; i++)
        sbuf_putc(out, shown(at[i]));
    sbuf_puts(out, "\n    ");
    for (size_t i = from; i < column; i++)
        if (!is_continuation(at[i]))
            sbuf_putc(out, at[i] == '\t' ? '\t' : ' ');
    sbuf_puts(out, "^\n");
}

static void print_place(FILE *out, const json_t *d)
{
    const char *file = json_str(d, "file");
    json_int_t line = json_num(d, "line"), column = json_num(d, "column");

    if (*file)
        fprintf(out, "%s:", file);
    if (line)
        fprintf(out, "%lld:", (long long)line);
    if (line && column)
        fprintf(out, "%lld:", (long long)column);
    if (*file || line)
        fputc(' ', out);
}

void caret_print(FILE *out, const json_t *details, const struct source *s)
{
    size_t i;
    const json_t *d;

    json_array_foreach(details, i, d)
    {
        struct sbuf line = SBUF_INIT;
        const char *level = json_str(d, "level"), *hint = json_str(d, "hint");

        print_place(out, d);
        fprintf(out, "%s%s\n", !strcmp(level, "warning") ? "warning: " : "",
                json_str(d, "message"));
        /* A heading shares the place of what stands under it. */
        if (s && strcmp(level, "note") && !strcmp(json_str(d, "file"), s->file))
            caret_line(&line, s->text, s->len, (unsigned)json_num(d, "line"),
                       (unsigned)json_num(d, "column"));
        fputs(sbuf_text(&line), out);
        if (*hint)
            fprintf(out, "    %s\n", hint);
        sbuf_fini(&line);
    }
}
