// SPDX-License-Identifier: BSD-3-Clause
/* diag.c -- what went wrong, for people and for scripts: see diag.h */

#include "base/diag.h"

#include "base/sbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void message_fini(struct diag_message *m)
{
    free(m->file);
    free(m->text);
    free(m->hint);
}

void diag_reset(struct diag *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_messages; i++)
        message_fini(&d->messages[i]);
    for (unsigned i = 0; i < d->n_contexts && i < DIAG_MAX_CONTEXTS; i++)
        free(d->contexts[i].text);
    free(d->messages);
    free(d->text);
    *d = DIAG_INIT;
}

void diag_forget(struct diag *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_messages; i++)
        message_fini(&d->messages[i]);
    d->n_messages = 0;
    free(d->text);
    d->text = NULL;
}

void diag_fini(struct diag *d)
{
    diag_reset(d);
}

static char *copy_text(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = malloc(len);

    return copy ? memcpy(copy, text, len) : NULL;
}

static struct diag_message *message_append(struct diag *d)
{
    if (d->n_messages == d->room) {
        size_t room = d->room ? d->room * 2 : 8;
        struct diag_message *m = realloc(d->messages, room * sizeof *m);

        if (!m)
            return NULL;
        d->messages = m;
        d->room = room;
    }
    d->messages[d->n_messages] = (struct diag_message){0};
    return &d->messages[d->n_messages++];
}

static unsigned contexts_open(const struct diag *d)
{
    return d->n_contexts < DIAG_MAX_CONTEXTS ? d->n_contexts : DIAG_MAX_CONTEXTS;
}

/* The innermost place that a context knows. */
static struct place context_place(const struct diag *d, unsigned n)
{
    while (n-- > 0)
        if (d->contexts[n].place.line)
            return d->contexts[n].place;
    return NO_PLACE;
}

static void message_set(struct diag_message *m, struct place at, char *text)
{
    m->text = text;
    m->file = at.line && at.file ? copy_text(at.file) : NULL;
    m->line = at.line;
    m->column = at.column;
}

static void context_make_text(struct diag_context *c)
{
    struct sbuf text = SBUF_INIT;

    if (c->text || !c->name)
        return;
    sbuf_printf(&text, "%s '%s'", c->doing, c->name(c->what));
    c->text = sbuf_take(&text);
}

/* Put the heading of every open context that has not shown it yet into the list. */
static uint32_t contexts_show(struct diag *d)
{
    uint32_t depth = 0;

    for (unsigned i = 0; i < contexts_open(d); i++) {
        struct diag_context *c = &d->contexts[i];
        struct diag_message *m;
        struct sbuf heading = SBUF_INIT;

        context_make_text(c);
        if (!c->text)
            continue;
        if (!c->shown && (m = message_append(d))) {
            sbuf_printf(&heading, "%s:", c->text);
            message_set(m, context_place(d, i + 1), sbuf_take(&heading));
            m->level = DIAG_NOTE;
            m->depth = depth;
            c->shown = true;
        }
        depth++;
    }
    return depth;
}

void diag_add(struct diag *d, enum diag_level level, struct place at, const char *fmt,
              va_list ap)
{
    struct sbuf text = SBUF_INIT;
    struct diag_message *m;
    uint32_t depth;

    if (!d)
        return;
    d->n_errors += level == DIAG_ERROR;
    d->n_warnings += level == DIAG_WARNING;
    depth = contexts_show(d);
    m = message_append(d);
    if (!m)
        return;
    if (!at.line)
        at = context_place(d, contexts_open(d));
    sbuf_vprintf(&text, fmt, ap);
    message_set(m, at, sbuf_take(&text));
    m->level = level;
    m->depth = depth;
}

int diag_err(struct diag *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_add(d, DIAG_ERROR, NO_PLACE, fmt, ap);
    va_end(ap);
    return -1;
}

int diag_err_at(struct diag *d, struct place at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_add(d, DIAG_ERROR, at, fmt, ap);
    va_end(ap);
    return -1;
}

void diag_warn(struct diag *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_add(d, DIAG_WARNING, NO_PLACE, fmt, ap);
    va_end(ap);
}

void diag_note(struct diag *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_add(d, DIAG_NOTE, NO_PLACE, fmt, ap);
    va_end(ap);
}

void diag_warn_about(struct diag *d, const char *subject, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    diag_warn(d, "%s: %s", subject, sbuf_text(&text));
    if (d && d->n_messages && d->messages[d->n_messages - 1].level == DIAG_WARNING)
        d->messages[d->n_messages - 1].subject = (uint32_t)strlen(subject) + 2;
    sbuf_fini(&text);
}

void diag_warn_at(struct diag *d, struct place at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_add(d, DIAG_WARNING, at, fmt, ap);
    va_end(ap);
}

size_t diag_n_errors(const struct diag *d)
{
    return d ? d->n_errors : 0;
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
    struct diag_message *m;
    struct sbuf text = SBUF_INIT;
    va_list ap;

    if (!d || !d->n_messages)
        return;
    m = &d->messages[d->n_messages - 1];
    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    free(m->hint);
    m->hint = sbuf_take(&text);
}

void diag_enter_place(struct diag *d, struct place at)
{
    if (!d)
        return;
    if (d->n_contexts < DIAG_MAX_CONTEXTS)
        d->contexts[d->n_contexts] = (struct diag_context){.place = at};
    d->n_contexts++;
}

void diag_enter(struct diag *d, struct place at, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    if (!d)
        return;
    diag_enter_place(d, at);
    if (d->n_contexts > DIAG_MAX_CONTEXTS)
        return;
    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    d->contexts[d->n_contexts - 1].text = sbuf_take(&text);
}

void diag_enter_with(struct diag *d, struct place at, const char *doing,
                     const char *(*name)(const void *what), const void *what)
{
    struct diag_context *c;

    if (!d)
        return;
    diag_enter_place(d, at);
    if (d->n_contexts > DIAG_MAX_CONTEXTS)
        return;
    c = &d->contexts[d->n_contexts - 1];
    c->doing = doing;
    c->name = name;
    c->what = what;
}

void diag_leave(struct diag *d)
{
    if (!d || !d->n_contexts)
        return;
    if (--d->n_contexts < DIAG_MAX_CONTEXTS)
        free(d->contexts[d->n_contexts].text);
}

/* What stands in front of a line of a message. */
static void line_start(struct sbuf *out, const struct diag_message *m, bool columns)
{
    if (m->file)
        sbuf_printf(out, "%s:", m->file);
    if (m->line)
        sbuf_printf(out, "%u:", m->line);
    if (m->line && m->column && columns)
        sbuf_printf(out, "%u:", m->column);
    if (m->file || m->line)
        sbuf_putc(out, ' ');
    for (uint32_t i = 0; i < m->depth; i++)
        sbuf_puts(out, "  ");
}

/* Each line of a text is told where it belongs. */
static void message_render(struct sbuf *out, const struct diag_message *m, bool columns)
{
    const char *text = m->text ? m->text + m->subject : "out of memory";

    do {
        size_t len = strcspn(text, "\n");

        line_start(out, m, columns);
        if (m->text)
            sbuf_add(out, m->text, m->subject);
        if (m->level == DIAG_WARNING)
            sbuf_puts(out, "warning: ");
        sbuf_add(out, text, len);
        sbuf_putc(out, '\n');
        text += len + (text[len] == '\n');
    } while (*text);
    if (columns && m->hint)
        sbuf_printf(out, "    %s\n", m->hint);
}

static const char *render(struct diag *d, bool columns)
{
    struct sbuf out = SBUF_INIT;

    if (!d)
        return "";
    for (size_t i = 0; i < d->n_messages; i++)
        message_render(&out, &d->messages[i], columns);
    free(d->text);
    d->text = sbuf_take(&out);
    return d->text ? d->text : "out of memory\n";
}

const char *diag_text(struct diag *d)
{
    return render(d, false);
}

const char *diag_text_columns(struct diag *d)
{
    return render(d, true);
}
