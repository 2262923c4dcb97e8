// SPDX-License-Identifier: BSD-3-Clause
/* load.c -- loading a configuration from start to end: see lang.h and parse.h */

#include "engine/lang/lang.h"

#include "engine/lang/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ERRORS = 100 };

/* About a second's work; a configuration of 100,000 elements needs a tenth of it. */
static const uint64_t BUDGET = (uint64_t)1 << 26;

int lang_err(struct lang *l, struct place at, const char *fmt, ...)
{
    va_list ap;

    if (l->fatal)
        return -1;
    va_start(ap, fmt);
    diag_add(l->d, DIAG_ERROR, at, fmt, ap);
    va_end(ap);
    if (++l->n_errors == MAX_ERRORS) {
        diag_err_at(l->d, at, "too many errors, giving up");
        l->fatal = true;
    }
    return -1;
}

struct place lang_here(const struct lang *l, struct place at)
{
    struct place now = l->lex.lang ? lexer_place(&l->lex) : l->end;

    if (now.line == at.line && now.file == at.file)
        return at;
    now.column = 0;
    return now;
}

void lang_out_of_memory(struct lang *l)
{
    lang_err(l, NO_PLACE, "out of memory while loading the configuration");
    l->fatal = true;
}

bool lang_spend(struct lang *l, uint64_t n)
{
    if (l->fatal)
        return false;
    if (n <= l->budget) {
        l->budget -= n;
        return true;
    }
    lang_err(l, NO_PLACE, "configuration expands to more than can be loaded");
    l->fatal = true;
    return false;
}

bool lang_grow(struct lang *l, void **array, uint32_t n, uint32_t *room, size_t size)
{
    uint32_t wanted = *room ? *room * 2 : 4;
    void *bigger;

    if (n < *room)
        return true;
    bigger = wanted > n ? arena_alloc_aligned(l->scratch, wanted, size, 16) : NULL;
    if (!bigger) {
        lang_out_of_memory(l);
        return false;
    }
    if (*room)
        memcpy(bigger, *array, *room * size);
    *array = bigger;
    *room = wanted;
    return true;
}

void *lang_alloc(struct lang *l, size_t size)
{
    void *p = arena_alloc(l->scratch, size);

    if (!p)
        lang_out_of_memory(l);
    return p;
}

const char *lang_copy(struct lang *l, const char *text, size_t len)
{
    char *copy = arena_strndup(l->scratch, text, len);

    if (!copy)
        lang_out_of_memory(l);
    return copy ? copy : "";
}

const char *lang_format(struct lang *l, const char *fmt, ...)
{
    va_list ap, again;
    char *text;
    int len;

    va_start(ap, fmt);
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = len < 0 ? NULL : arena_alloc_aligned(l->scratch, (size_t)len + 1, 1, 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, fmt, again);
    else
        lang_out_of_memory(l);
    va_end(again);
    return text ? text : "";
}

/* File names outlive the load: places in the graph point at them. */
const char *lang_intern_file(struct lang *l, const char *name)
{
    size_t len = strlen(name);
    char *copy = strmap_get(&l->files, name, len);

    if (copy)
        return copy;
    copy = arena_strndup(l->out, name, len);
    if (!copy || strmap_put(&l->files, copy, len, copy) < 0) {
        lang_out_of_memory(l);
        return "";
    }
    return copy;
}

/* Parse one file; a library comes here while another file is open. */
void parse_text(struct lang *l, const char *text, size_t len, const char *file)
{
    struct lexer outer = l->lex;

    lexer_init(&l->lex, l, text, len, lang_intern_file(l, file));
    parse_statements(l, FRAME_FILE);
    l->end = lexer_place(&l->lex);
    l->lex = outer;
}

/* Definitions from outside replace those of the text. */
static void define_options(struct lang *l)
{
    struct compound *top = l->top;

    for (size_t i = 0; l->options && i < l->options->n_defines && !l->fatal; i++) {
        const struct lang_define *def = &l->options->defines[i];
        uintptr_t at = (uintptr_t)strmap_get(&top->variables, def->name,
                                             strlen(def->name));

        if (at)
            top->vars[at - 1].value = def->value;
        else
            scope_define(l, top, def->name, def->value, false, NO_PLACE);
    }
}

static void requirements_out(struct lang *l, struct lang_graph *g)
{
    uint32_t n = l->n_requirements;

    g->requirements = arena_alloc_aligned(l->out, n, sizeof *g->requirements, 16);
    if (!g->requirements) {
        lang_out_of_memory(l);
        return;
    }
    for (g->n_requirements = 0; g->n_requirements < n; g->n_requirements++) {
        struct lang_requirement *r = &g->requirements[g->n_requirements];

        r->type = arena_strdup(l->out, l->requirements[g->n_requirements].type);
        r->value = arena_strdup(l->out, l->requirements[g->n_requirements].value);
        if (!r->type || !r->value)
            lang_out_of_memory(l);
    }
}

/* What is in the scope of the configuration, for raw graphs. */
static void declarations_out(struct lang *l, struct lang_graph *g,
                             const struct compound *top)
{
    struct strmap_entry *e;
    size_t at = 0;

    g->defines = arena_alloc_aligned(l->out, top->n_vars, sizeof *g->defines, 16);
    g->compounds = arena_alloc_aligned(l->out, top->classes.count, sizeof *g->compounds,
                                       16);
    if (!g->defines || !g->compounds) {
        lang_out_of_memory(l);
        return;
    }
    for (; g->n_defines < top->n_vars; g->n_defines++) {
        struct lang_define *d = &g->defines[g->n_defines];

        d->name = arena_strdup(l->out, top->vars[g->n_defines].name);
        d->value = arena_strdup(l->out, top->vars[g->n_defines].value);
        if (!d->name || !d->value)
            lang_out_of_memory(l);
    }
    while ((e = strmap_next(&top->classes, &at)))
        if (((struct class *)e->value)->compound &&
            !(g->compounds[g->n_compounds++] = arena_strndup(l->out, e->key, e->len)))
            lang_out_of_memory(l);
}

/* Take a compound class's body for the configuration. */
static void choose_body(struct lang *l, const char *name)
{
    struct class *k = strmap_gets(&l->top->classes, name);

    if (!k || !k->compound) {
        lang_err(l, NO_PLACE, "no compound element class '%s'", name);
        l->fatal = true;
        return;
    }
    l->top = k->compound;
    for (unsigned i = 0; i < 2 && i < l->top->n_nodes; i++)
        l->top->nodes[i].twin[IN] = l->top->nodes[i].twin[OUT] = NO_ELEMENT;
}

static void load(struct lang *l, struct lang_graph *g, const char *text, size_t len,
                 const char *file)
{
    if (lang_find_config(&text, &len) < 0) {
        if (len < 8 || memcmp(text, "!<arch>\n", 8) != 0)
            lang_err(l, NO_PLACE, "not an archive");
        lang_err(l, NO_PLACE, "%s: archive has no 'config' section", file);
        return;
    }
    l->top = l->c = scope_new(l, "", NULL, NO_PLACE);
    if (!l->top)
        return;
    parse_text(l, text, len, file);
    define_options(l);
    if (l->options && l->options->raw)
        declarations_out(l, g, l->top);
    if (l->options && l->options->body && !l->fatal)
        choose_body(l, l->options->body);
    expand_all(l);
    connect_all(l, g);
    requirements_out(l, g);
}

int lang_load(struct lang_graph *graph, struct arena *a, const char *text, size_t len,
              const char *file, const struct lang_options *options, struct diag *d)
{
    struct lang *l = calloc(1, sizeof *l);
    bool failed;

    *graph = (struct lang_graph){0};
    if (!l || !(l->scratch = arena_new(0))) {
        free(l);
        return diag_err(d, "out of memory while loading the configuration");
    }
    l->out = a;
    l->d = d;
    l->options = options;
    l->budget = BUDGET + 16 * (uint64_t)len;
    load(l, graph, text, len, file ? file : "config");
    failed = l->n_errors > 0;
    for (struct compound *c = l->all; c; c = c->next)
        scope_fini(c);
    strmap_fini(&l->files);
    strmap_fini(&l->libraries);
    arena_free(l->scratch);
    free(l);
    return failed ? -1 : 0;
}
