// SPDX-License-Identifier: BSD-3-Clause
/* cli_table.c -- aligned tables for people: see cli.h */

#include "ctl/cli.h"

#include <stdlib.h>
#include <string.h>

/* Columns on a terminal: continuation bytes of UTF-8 take none. */
static size_t width(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void add(struct table *t, char *cell)
{
    if (t->n_cells == t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        char **cells = realloc(t->cells, room * sizeof *cells);

        if (!cells) {
            free(cell);
            return;
        }
        t->cells = cells;
        t->room = room;
    }
    t->cells[t->n_cells++] = cell;
}

void table_init(struct table *t, const char *heads)
{
    *t = (struct table){0};
    while (*heads && t->n_columns < TABLE_MAX_COLUMNS) {
        size_t len;

        if (*heads == '#') {
            t->right |= 1u << t->n_columns;
            heads++;
        }
        len = strcspn(heads, " ");
        add(t, strndup(heads, len));
        t->n_columns++;
        heads += len + (heads[len] == ' ');
    }
}

void table_cell(struct table *t, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    add(t, sbuf_take(&text));
}

static const char *cell_text(const struct table *t, size_t i)
{
    const char *text = i < t->n_cells ? t->cells[i] : NULL;

    return text && *text ? text : "-";
}

static void print_row(const struct table *t, size_t first, const size_t *widths,
                      FILE *out)
{
    for (unsigned i = 0; i < t->n_columns; i++) {
        const char *text = cell_text(t, first + i);
        int pad = (int)(widths[i] - width(text));
        bool last = i + 1 == t->n_columns;

        if (t->right & 1u << i)
            fprintf(out, "%*s%s%s", pad, "", text, last ? "" : "  ");
        else if (last)
            fputs(text, out);
        else
            fprintf(out, "%s%*s  ", text, pad, "");
    }
    fputc('\n', out);
}

void table_print(struct table *t, FILE *out)
{
    size_t widths[TABLE_MAX_COLUMNS] = {0};

    for (size_t i = 0; i < t->n_cells; i++) {
        size_t w = width(cell_text(t, i)), *widest = &widths[i % t->n_columns];

        if (w > *widest)
            *widest = w;
    }
    for (size_t i = 0; i < t->n_cells; i += t->n_columns)
        print_row(t, i, widths, out);
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){0};
}
