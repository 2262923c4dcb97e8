// SPDX-License-Identifier: BSD-3-Clause
/* details.c -- error messages of configurations as data: see details.h */

#include "ctl/details.h"

#include "ctl/logring.h"

#include <stdlib.h>
#include <string.h>

enum { HINT_INDENT = 4, DETAIL_BYTES = 4000 };

struct span {
    const char *at, *end;
};

static json_t *clean_string(struct span s)
{
    struct sbuf clean = SBUF_INIT;
    json_t *j;
    size_t len = (size_t)(s.end - s.at);

    logring_clean(&clean, s.at, len < DETAIL_BYTES ? len : DETAIL_BYTES);
    j = json_stringn(sbuf_text(&clean), clean.len);
    sbuf_fini(&clean);
    return j;
}

/* A decimal number that ends in ':'; moves behind both. */
static bool take_number(struct span *s, json_int_t *number)
{
    const char *at = s->at;
    json_int_t n = 0;

    while (at < s->end && *at >= '0' && *at <= '9' && at - s->at < 9)
        n = n * 10 + (*at++ - '0');
    if (at == s->at || at == s->end || *at != ':')
        return false;
    s->at = at + 1;
    *number = n;
    return true;
}

/* "file:line:" or "file:line:column:" in front of the text, if they are there. File names
 * may hold colons, so the first ":digits:" decides. */
static void take_place(struct span *s, json_t *detail)
{
    const char *colon = s->at;
    json_int_t line, column;

    while ((colon = memchr(colon, ':', (size_t)(s->end - colon)))) {
        struct span file = {s->at, colon}, rest = {++colon, s->end};

        if (!take_number(&rest, &line))
            continue;
        json_object_set_new(detail, "file", clean_string(file));
        json_object_set_new(detail, "line", json_integer(line));
        if (take_number(&rest, &column))
            json_object_set_new(detail, "column", json_integer(column));
        if (rest.at < rest.end && *rest.at == ' ')
            rest.at++;
        *s = rest;
        return;
    }
}

/* The name of an argument in front of a warning about it: "NBYTES: ". */
static size_t subject_length(const char *at, const char *end)
{
    const char *s = at;

    while (s < end &&
           ((*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_'))
        s++;
    return s > at && end - s > 2 && s[0] == ':' && s[1] == ' ' ? (size_t)(s - at) + 2
                                                               : 0;
}

/* Level and text of a message; the word that says "warning" is the level. */
static void take_text(struct span s, json_t *detail)
{
    static const char warning[] = "warning: ";
    const char *at = s.at, *level = "error";
    struct sbuf text = SBUF_INIT;
    size_t subject;

    while (at < s.end && *at == ' ')
        at++;
    subject = subject_length(at, s.end);
    if ((size_t)(s.end - at) - subject >= sizeof warning - 1 &&
        !memcmp(at + subject, warning, sizeof warning - 1)) {
        level = "warning";
        sbuf_add(&text, at, subject);
        s.at = at + subject + sizeof warning - 1;
    } else if (s.end > s.at && s.end[-1] == ':') {
        level = "note";
    }
    sbuf_add(&text, s.at, (size_t)(s.end - s.at));
    json_object_set_new(detail, "level", json_string(level));
    json_object_set_new(
        detail, "message",
        clean_string((struct span){sbuf_text(&text), sbuf_text(&text) + text.len}));
    sbuf_fini(&text);
}

static void add_line(json_t *list, struct span s)
{
    json_t *detail;
    bool indented = s.end - s.at > HINT_INDENT && !memcmp(s.at, "    ", HINT_INDENT);

    if (indented && json_array_size(list)) {
        s.at += HINT_INDENT;
        detail = json_array_get(list, json_array_size(list) - 1);
        json_object_set_new(detail, "hint", clean_string(s));
        return;
    }
    detail = json_object();
    take_place(&s, detail);
    take_text(s, detail);
    json_array_append_new(list, detail);
}

static void add_cut(json_t *list, size_t left_out)
{
    if (left_out)
        json_array_append_new(list,
                              json_pack("{s:s, s:o}", "level", "note", "message",
                                        json_sprintf("%zu more lines", left_out)));
}

json_t *details_from_text(const char *text, size_t len)
{
    json_t *list = json_array();
    const char *end = text + len;
    size_t left_out = 0;

    while (list && text < end) {
        const char *eol = memchr(text, '\n', (size_t)(end - text));

        if (!eol)
            eol = end;
        if (json_array_size(list) >= DETAILS_MAX)
            left_out++;
        else if (eol > text)
            add_line(list, (struct span){text, eol});
        text = eol + 1;
    }
    if (list)
        add_cut(list, left_out);
    return list;
}

json_t *details_from_notes(const char *text, size_t len)
{
    json_t *list = details_from_text(text, len);
    size_t i;
    json_t *detail;

    json_array_foreach(list, i, detail)
    {
        const char *level = json_string_value(json_object_get(detail, "level"));

        if (level && !strcmp(level, "error"))
            json_object_set_new(detail, "level", json_string("note"));
    }
    return list;
}

static json_t *from_message(const struct diag_message *m)
{
    static const char *const levels[] = {
        [DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};
    json_t *detail = json_object();
    struct sbuf text = SBUF_INIT;

    if (m->file)
        json_object_set_new(detail, "file",
                            clean_string((struct span){m->file, strchr(m->file, 0)}));
    if (m->line)
        json_object_set_new(detail, "line", json_integer(m->line));
    if (m->line && m->column)
        json_object_set_new(detail, "column", json_integer(m->column));
    json_object_set_new(detail, "level", json_string(levels[m->level]));
    for (uint32_t i = 0; i < m->depth; i++)
        sbuf_puts(&text, "  ");
    sbuf_puts(&text, m->text ? m->text : "out of memory");
    json_object_set_new(
        detail, "message",
        clean_string((struct span){sbuf_text(&text), sbuf_text(&text) + text.len}));
    sbuf_fini(&text);
    if (m->hint)
        json_object_set_new(detail, "hint",
                            clean_string((struct span){m->hint, strchr(m->hint, 0)}));
    return detail;
}

json_t *details_from_diag(const struct diag *d)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; list && i < d->n_messages && i < DETAILS_MAX; i++)
        json_array_append_new(list, from_message(&d->messages[i]));
    if (list)
        add_cut(list, d->n_messages - i);
    return list;
}

size_t details_errors(const json_t *list)
{
    size_t n = 0, i;
    const json_t *detail;

    json_array_foreach(list, i, detail)
    {
        const char *level = json_string_value(json_object_get(detail, "level"));

        n += level && !strcmp(level, "error");
    }
    return n;
}
