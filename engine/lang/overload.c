// SPDX-License-Identifier: BSD-3-Clause
/*
 * overload.c -- which of a compound's bodies is meant, and what its parameters are
 *
 * The first body wins whose numbers of inputs and outputs are those in use and whose
 * parameters take the arguments. A compound with one body alone is taken even if its
 * ports do not fit: what is then said about the ports tells more.
 */

#include "base/sbuf.h"
#include "engine/lang/parse.h"
#include "engine/lang/text.h"

#include <string.h>

enum { SHOWN_CANDIDATES = 20 };

/* Does the argument start with a keyword? Letters as Click's KeywordArg has them. */
static size_t keyword_length(const char *arg)
{
    size_t n = 0;

    while (text_is_name(arg[n]) || (arg[n] && strchr(".:?!", arg[n])))
        n++;
    return arg[n] == 0 || text_is_space(arg[n]) ? n : 0;
}

/* The keyword parameter that `arg` names, or `n`. */
static uint32_t find_keyword(const struct compound *c, const char *arg, uint32_t first,
                             uint32_t n)
{
    size_t len = keyword_length(arg);

    for (uint32_t i = first; len && i < n; i++)
        if (strncmp(c->vars[i].value, arg, len) == 0 && !c->vars[i].value[len])
            return i;
    return n;
}

static const char *after_keyword(const char *arg)
{
    arg += keyword_length(arg);
    while (text_is_space(*arg))
        arg++;
    return arg;
}

/* What __REST__ collects. */
struct rest {
    struct sbuf text;
    bool any;
};

static void rest_add(struct rest *r, const char *arg)
{
    sbuf_printf(&r->text, "%s%s", r->any ? ", " : "", arg);
    r->any = true;
}

/* Positional arguments come first; from the first keyword on, all must be keywords.
 * What is left over goes to `rest` or, if that is NULL, is an error. */
static bool assign(const struct compound *c, uint32_t n_named, const char *const *args,
                   uint32_t n, const char **values, struct rest *rest)
{
    uint32_t n_positional = 0, given = 0;
    bool keywords = false;

    while (n_positional < n_named && !*c->vars[n_positional].value)
        n_positional++;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = n_named;

        if (given >= n_positional)
            k = find_keyword(c, args[i], n_positional, n_named);
        if (k < n_named) {
            keywords = true;
            values[k] = after_keyword(args[i]);
        } else if (!keywords && given < n_positional) {
            values[given++] = args[i];
        } else if (rest) {
            rest_add(rest, args[i]);
        } else {
            return false;
        }
    }
    for (uint32_t i = 0; i < n_named; i++)
        if (!values[i])
            return false;
    return true;
}

/* Give the arguments to the parameters of `c`; `values` has room for all its variables. */
static bool assign_all(struct lang *l, const struct compound *c,
                       const char *const *args, uint32_t n, const char **values)
{
    uint32_t last = c->n_params - 1;
    struct rest rest = {SBUF_INIT, false};
    bool fits, collects;

    if (!lang_spend(l, 1 + (uint64_t)n * (c->n_params + 1)))
        return false;
    if (!c->n_params)
        return n == 0;
    collects = strcmp(c->vars[last].value, "__REST__") == 0;
    fits = assign(c, c->n_params - collects, args, n, values, collects ? &rest : NULL);
    if (fits && collects)
        values[last] = lang_copy(l, sbuf_text(&rest.text), rest.text.len);
    if (rest.text.failed)
        lang_out_of_memory(l);
    sbuf_fini(&rest.text);
    return fits;
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

static void show_ports(struct sbuf *out, const uint32_t n[2])
{
    sbuf_printf(out, "%u input%s, %u output%s]", n[IN], plural(n[IN]), n[OUT],
                plural(n[OUT]));
}

static const char *shown_name(const struct class *k)
{
    return *k->name ? k->name : "<anonymous>";
}

static void show_signature(struct sbuf *out, const struct class *k)
{
    const struct compound *c = k->compound;

    sbuf_puts(out, shown_name(k));
    for (uint32_t i = 0; i < c->n_params; i++) {
        const char *keyword = c->vars[i].value;

        if (!*keyword)
            keyword = "<arg>";
        else if (strcmp(keyword, "__REST__") == 0)
            keyword = "...";
        sbuf_printf(out, "%s%s", i ? ", " : "(", keyword);
    }
    sbuf_puts(out, c->n_params ? ")[" : "[");
    show_ports(out, c->n_ports);
}

__attribute__((format(printf, 3, 4))) static void note(struct diag *d, struct place at,
                                                       const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_add(d, DIAG_NOTE, at, fmt, ap);
    va_end(ap);
}

static void report_no_match(struct lang *l, const struct class *k,
                            const struct node *node, uint32_t n_args)
{
    struct sbuf text = SBUF_INIT;
    int shown = 0;

    sbuf_printf(&text, "%s[", shown_name(k));
    if (n_args)
        sbuf_printf(&text, "%u argument%s, ", n_args, plural(n_args));
    show_ports(&text, node->n_ports);
    lang_err(l, lang_here(l, node->at), "no match for '%s'", sbuf_text(&text));
    if (node->at.file)
        diag_hint(l->d, "%s:%u: '%s' is declared here", node->at.file, node->at.line,
                  node->name);
    diag_enter(l->d, k->compound->at, "candidates are");
    for (; k && k->compound && shown < SHOWN_CANDIDATES && !l->fatal; shown++) {
        sbuf_reset(&text);
        show_signature(&text, k);
        note(l->d, k->compound->at, "%s", sbuf_text(&text));
        k = k->compound->overload;
    }
    diag_leave(l->d);
    sbuf_fini(&text);
}

static const char **new_values(struct lang *l, const struct compound *c)
{
    return lang_alloc(l, (c->n_vars + 1) * sizeof(const char *));
}

struct class *overload_pick(struct lang *l, struct class *k, const struct node *node,
                            const char *const *args, uint32_t n, const char ***values)
{
    struct class *first = k, *closest = NULL;
    const char **closest_values = NULL;
    unsigned candidates = 0;

    for (; k && k->compound && !l->fatal; k = k->compound->overload, candidates++) {
        struct compound *c = k->compound;

        *values = new_values(l, c);
        if (!*values || !assign_all(l, c, args, n, *values))
            continue;
        if (memcmp(c->n_ports, node->n_ports, sizeof c->n_ports) == 0)
            return k;
        closest = k;
        closest_values = *values;
    }
    if (k)
        return l->fatal ? NULL
                        : k; /* an extension: what is left is the original class */
    if ((candidates != 1 || !closest) && !l->fatal)
        report_no_match(l, first, node, n);
    *values = closest_values;
    return closest;
}
