// SPDX-License-Identifier: BSD-3-Clause
/* script_text.c -- words, substitution and calls of handlers: see script.h */

#include "engine/host.h"
#include "engine/lang/lang.h"
#include "engine/lang/substitute.h"
#include "engine/lang/text.h"
#include "engine/parse_chars.h"
#include "engine/platform.h"
#include "engine/router.h"
#include "engine/script.h"

#include <stdlib.h>

/* What all scripts of a router share. */
struct script_limits {
    int depth;
    uint64_t work;
    bool reported;
};

static struct script_limits *limits(const struct element *e)
{
    return router_shared(e->router, "script limits", sizeof(struct script_limits));
}

bool script_enter(struct element *e, struct diag *d)
{
    struct script_limits *l = limits(e);

    if (!l || l->depth >= SCRIPT_MAX_DEPTH) {
        diag_err(d, l ? "scripts nested too deeply" : "out of memory");
        return false;
    }
    if (l->depth++ == 0) {
        l->work = 0;
        l->reported = false;
    }
    return true;
}

void script_leave(struct element *e)
{
    limits(e)->depth--;
}

bool script_spend(struct element *e, uint64_t n, struct diag *d)
{
    struct script_limits *l = limits(e);

    if (!l)
        return false;
    l->work += n;
    if (l->work <= SCRIPT_MAX_WORK)
        return true;
    if (!l->reported)
        diag_err(d, "too much text, giving up");
    l->reported = true;
    return false;
}

/* --- words -------------------------------------------------------------------------------- */

struct slice script_shift(struct slice *rest)
{
    struct slice word;

    word.s = text_skip_blank(rest->s, rest->end);
    word.end = text_skip_word(word.s, rest->end);
    rest->s = text_skip_blank(word.end, rest->end);
    return word;
}

bool script_next(struct slice *rest, struct slice *word)
{
    *word = script_shift(rest);
    return word->s != word->end;
}

void script_unquote(struct slice s, struct sbuf *out)
{
    lang_unquote_into(out, s.s, (size_t)(s.end - s.s));
}

bool script_word(struct slice s, char buf[SCRIPT_WORD_MAX])
{
    size_t len = (size_t)(s.end - s.s);

    if (len >= SCRIPT_WORD_MAX || memchr(s.s, 0, len))
        return false;
    memcpy(buf, s.s, len);
    buf[len] = '\0';
    return true;
}

/* --- substitution -------------------------------------------------------------------------- */

/* $1, $2 ...: words of the arguments. */
static void put_argument(const struct script *s, uint64_t n, struct sbuf *out)
{
    struct slice rest = slice_of(sbuf_text(&s->run_args), s->run_args.len);
    struct slice word = {rest.s, rest.s};

    while (n-- > 0 && script_next(&rest, &word))
        ;
    sbuf_add(out, word.s, (size_t)(word.end - word.s));
}

static void put_argument_count(const struct script *s, struct sbuf *out)
{
    struct slice rest = slice_of(sbuf_text(&s->run_args), s->run_args.len), word;
    unsigned n = 0;

    while (script_next(&rest, &word))
        n++;
    sbuf_printf(out, "%u", n);
}

static bool put_special(const struct element *e, const struct script *s,
                        const char *name, struct sbuf *out)
{
    const struct platform *p = element_platform(e);
    uint64_t n;

    if (strcmp(name, "?") == 0)
        sbuf_printf(out, "%d", s->write_status);
    else if (strcmp(name, "args") == 0)
        sbuf_add(out, sbuf_text(&s->run_args), s->run_args.len);
    else if (strcmp(name, "$") == 0)
        sbuf_printf(out, "%ld", p->host ? p->host->pid(p->ctx) : 0);
    else if (strcmp(name, "0") == 0)
        sbuf_add(out, sbuf_text(&s->run_name), s->run_name.len);
    else if (name[0] >= '1' && name[0] <= '9' && parse_u64(name, 10, &n))
        put_argument(s, n, out);
    else if (strcmp(name, "#") == 0)
        put_argument_count(s, out);
    else if (strcmp(name, "write") == 0)
        sbuf_puts(out, s->run_write ? "true" : "false");
    else
        return false;
    return true;
}

static bool value(void *ctx, char kind, const char *name, size_t len, int level,
                  struct sbuf *out)
{
    const struct script_scope *scope = ctx;
    struct script *s = element_state(scope->e);
    char word[SCRIPT_WORD_MAX];
    int32_t var;

    if (kind == '(' && !script_spend(scope->e, SCRIPT_CALL_WORK, scope->d))
        return false;
    if (kind == '(')
        return script_call_read(scope, slice_of(name, len), false, false, out) !=
               HANDLER_NONE;
    var = script_variable(s, name, len, false);
    if (var >= 0) {
        sbuf_add(out, sbuf_text(&s->vars[var].value), s->vars[var].value.len);
        return true;
    }
    return script_word(slice_of(name, len), word) &&
           put_special(scope->e, s, word, out);
}

static bool spend(void *ctx, uint64_t n)
{
    const struct script_scope *scope = ctx;

    return script_spend(scope->e, n, scope->d);
}

void script_expand(const struct script_scope *scope, const char *text,
                   bool quote_values, struct sbuf *out)
{
    const struct substitute sub = {.ctx = (void *)(uintptr_t)scope,
                                   .value = value,
                                   .spend = spend,
                                   .quote_values = quote_values};

    lang_substitute(&sub, text, strlen(text), 0, out);
    if (out->len > SCRIPT_MAX_VALUE) {
        out->len = SCRIPT_MAX_VALUE;
        out->data[out->len] = '\0';
        diag_err(scope->d, "text too long, cut at %d bytes", SCRIPT_MAX_VALUE);
    }
    if (out->failed)
        diag_err(scope->d, "out of memory");
}

/* --- calls ---------------------------------------------------------------------------------- */

/* "name args" taken apart. */
struct call {
    struct sbuf name, args;
};

static void call_init(struct call *c, struct slice text, bool unquote)
{
    struct slice word = script_shift(&text);

    *c = (struct call){0};
    script_unquote(word, &c->name);
    if (unquote)
        script_unquote(text, &c->args);
    else
        sbuf_add(&c->args, text.s, (size_t)(text.end - text.s));
}

static void call_fini(struct call *c)
{
    sbuf_fini(&c->name);
    sbuf_fini(&c->args);
}

/* Click names the call in the errors of a handler that was there to be called. */
static void enter_call(const struct script_scope *scope, const struct call *c)
{
    struct sbuf full = SBUF_INIT;

    handler_full_name(scope->e->router, scope->e, sbuf_text(&c->name), &full);
    diag_enter(scope->d, NO_PLACE, "While calling '%s%s%s'", sbuf_text(&full),
               c->args.len ? " " : "", sbuf_text(&c->args));
    sbuf_fini(&full);
}

int script_call_read(const struct script_scope *scope, struct slice text, bool unquote,
                     bool context, struct sbuf *out)
{
    struct call c;
    int rc;

    call_init(&c, text, unquote);
    context = context &&
              handler_exists(scope->e->router, scope->e, sbuf_text(&c.name),
                             HANDLER_READ | (c.args.len ? HANDLER_PARAM : 0));
    if (context)
        enter_call(scope, &c);
    rc = handler_read(scope->e->router, scope->e, sbuf_text(&c.name),
                      sbuf_text(&c.args), out, scope->d);
    if (context)
        diag_leave(scope->d);
    call_fini(&c);
    return rc;
}

int script_call_write(const struct script_scope *scope, struct slice text, bool unquote)
{
    struct call c;
    bool context;
    int rc;

    call_init(&c, text, unquote);
    context = handler_exists(scope->e->router, scope->e, sbuf_text(&c.name),
                             HANDLER_WRITE);
    if (context)
        enter_call(scope, &c);
    rc = handler_write(scope->e->router, scope->e, sbuf_text(&c.name),
                       sbuf_text(&c.args), c.args.len, scope->d);
    if (context)
        diag_leave(scope->d);
    call_fini(&c);
    return rc == -1 ? SCRIPT_EINVAL : rc;
}
