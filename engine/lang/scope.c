// SPDX-License-Identifier: BSD-3-Clause
/* scope.c -- the classes, elements and variables of a compound: see parse.h */

#include "base/suggest.h"
#include "engine/lang/parse.h"
#include "engine/lang/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct compound *scope_new(struct lang *l, const char *name, struct compound *parent,
                           struct place at)
{
    struct compound *c = lang_alloc(l, sizeof *c);

    if (!c)
        return NULL;
    c->name = name;
    c->at = at;
    c->parent = parent;
    c->depth = parent ? parent->depth + 1 : 0;
    /* An address is a seed that the author of the text does not know. */
    c->classes.seed = c->names.seed = c->variables.seed = (uintptr_t)c * 2654435761u;
    c->next = l->all;
    l->all = c;
    return c;
}

void scope_fini(struct compound *c)
{
    strmap_fini(&c->classes);
    strmap_fini(&c->names);
    strmap_fini(&c->variables);
}

/* --- classes --- */

struct class *scope_new_class(struct lang *l, const char *name, struct compound *c)
{
    struct class *k = lang_alloc(l, sizeof *k);

    if (k)
        *k = (struct class){.name = name, .compound = c};
    return k;
}

void scope_add_class(struct lang *l, const char *name, struct class *k)
{
    if (*name && k && strmap_puts(&l->c->classes, name, k) < 0)
        lang_out_of_memory(l);
}

static int compare_names(const void *key, const void *member)
{
    return strcmp(key, *(const char *const *)member);
}

/* A class that the caller of lang_load() knows; it is entered in the outermost scope. */
static struct class *find_primitive(struct lang *l, const char *name)
{
    const struct lang_options *o = l->options;
    const char *const *found;
    struct class *k;

    if (!o || !o->classes || !o->n_classes)
        return NULL;
    found = bsearch(name, o->classes, o->n_classes, sizeof *o->classes, compare_names);
    if (!found || !(k = scope_new_class(l, *found, NULL)))
        return NULL;
    if (strmap_puts(&l->top->classes, *found, k) < 0)
        lang_out_of_memory(l);
    return k;
}

struct class *scope_find_class(struct lang *l, const char *name)
{
    size_t len = strlen(name);

    for (struct compound *c = l->c; c; c = c->parent) {
        struct class *k = strmap_get(&c->classes, name, len);

        if (k)
            return k;
    }
    return len ? find_primitive(l, name) : NULL;
}

static void suggest_class(struct lang *l, const char *name)
{
    const struct lang_options *o = l->options;
    struct suggest s;

    suggest_init(&s, name);
    for (size_t i = 0; i < o->n_classes; i++)
        suggest_add(&s, o->classes[i]);
    for (struct compound *c = l->c; c; c = c->parent) {
        struct strmap_entry *e;
        size_t at = 0;

        while ((e = strmap_next(&c->classes, &at)))
            if (!((struct class *)e->value)->bad)
                suggest_add(&s, e->key);
    }
    if (s.best)
        diag_hint(l->d, "did you mean '%s'?", s.best);
}

struct class *scope_need_class(struct lang *l, const char *name, struct place at,
                               bool report)
{
    struct class *k = scope_find_class(l, name);
    bool any = !l->options || !l->options->classes;

    if (k || !(k = scope_new_class(l, name, NULL)))
        return k;
    k->bad = !any;
    if (report && !any && !l->fatal) {
        lang_err(l, at, "unknown element class '%s'", name);
        suggest_class(l, name);
    }
    scope_add_class(l, name, k);
    return k;
}

/* --- elements --- */

uint32_t scope_find(const struct compound *c, const char *name)
{
    uintptr_t at = (uintptr_t)strmap_gets(&c->names, name);

    return at ? (uint32_t)(at - 1) : NO_ELEMENT;
}

/* Click gives numbers alone another meaning: no part of a name may be one. */
static bool has_number_part(const char *name)
{
    bool letter = false;

    for (; *name; name++) {
        if (*name == '/' && !letter)
            return true;
        letter = *name != '/' && (letter || !text_is_digit(*name));
    }
    return !letter;
}

uint32_t scope_add_node(struct lang *l, struct compound *c, const struct node *n)
{
    uint32_t index = c->n_nodes;

    if (index >= LANG_MAX_ELEMENTS && !l->fatal) {
        lang_err(l, n->at, "configuration has more than %d elements",
                 LANG_MAX_ELEMENTS);
        l->fatal = true;
    }
    if (!lang_spend(l, 64 + strlen(n->name)) ||
        !lang_grow(l, (void **)&c->nodes, index, &c->nodes_room, sizeof *c->nodes))
        return NO_ELEMENT;
    if (has_number_part(n->name))
        lang_err(l, lang_here(l, n->at), "element name '%s' has all-digit component",
                 n->name);
    c->nodes[index] = *n;
    c->n_nodes++;
    if (strmap_puts(&c->names, n->name, (void *)(uintptr_t)(index + 1)) < 0)
        lang_out_of_memory(l);
    return index;
}

static void count_port(struct node *n, int side, uint32_t port)
{
    if (n->n_ports[side] <= port)
        n->n_ports[side] = port + 1;
}

void scope_add_link(struct lang *l, struct compound *c, const struct link *k)
{
    if (c->n_links >= LANG_MAX_CONNECTIONS && !l->fatal) {
        lang_err(l, k->at, "configuration has more than %d connections",
                 LANG_MAX_CONNECTIONS);
        l->fatal = true;
    }
    if (!lang_spend(l, 16) ||
        !lang_grow(l, (void **)&c->links, c->n_links, &c->links_room, sizeof *c->links))
        return;
    c->links[c->n_links++] = *k;
    count_port(&c->nodes[k->to], IN, k->to_port);
    count_port(&c->nodes[k->from], OUT, k->from_port);
}

const char *scope_unnamed(struct lang *l, const struct compound *c, const char *class)
{
    return lang_format(l, ";%s@%u", class,
                       (unsigned)(c->n_nodes - c->unnamed_offset + 1));
}

/* Drop the ';', and count the number up until the name is free. */
void scope_settle_name(struct lang *l, struct compound *c, uint32_t index)
{
    struct node *n = &c->nodes[index];
    const char *name = n->name + 1, *at;
    unsigned long number;

    if (n->name[0] != ';')
        return;
    if (scope_find(c, name) != NO_ELEMENT) {
        at = strrchr(name, '@');
        number = strtoul(at + 1, NULL, 10);
        do
            name = lang_format(l, "%.*s@%lu", (int)(at - n->name - 1), n->name + 1,
                               ++number);
        while (lang_spend(l, 64) && scope_find(c, name) != NO_ELEMENT);
    }
    n->name = name;
    if (strmap_puts(&c->names, name, (void *)(uintptr_t)(index + 1)) < 0)
        lang_out_of_memory(l);
}

/* --- variables --- */

static void check_param_order(struct lang *l, struct compound *c, struct place at)
{
    const char *now = c->vars[c->n_params - 1].value, *last;

    for (uint32_t i = 0; *now && i + 1 < c->n_params && lang_spend(l, 1); i++)
        if (strcmp(c->vars[i].value, now) == 0) {
            lang_err(l, at, "repeated keyword parameter '%s' in compound element", now);
            break;
        }
    if (c->order_error || c->n_params < 2)
        return;
    last = c->vars[c->n_params - 2].value;
    if ((*last && !*now) || strcmp(last, "__REST__") == 0) {
        lang_err(l, at, "compound element parameters out of order");
        lang_err(l, at,
                 "(The correct order is '[positional], [keywords], [__REST__]'.)");
        c->order_error = true;
    }
}

void scope_define(struct lang *l, struct compound *c, const char *name,
                  const char *value, bool param, struct place at)
{
    if (strmap_has(&c->variables, name, strlen(name))) {
        lang_err(l, at, "parameter '$%s' multiply defined", name);
        return;
    }
    if (!lang_grow(l, (void **)&c->vars, c->n_vars, &c->vars_room, sizeof *c->vars))
        return;
    c->vars[c->n_vars++] = (struct variable){name, value};
    if (strmap_puts(&c->variables, name, (void *)(uintptr_t)c->n_vars) < 0)
        lang_out_of_memory(l);
    if (param) {
        c->n_params = c->n_vars;
        check_param_order(l, c, at);
    }
}

/* --- "input" and "output" --- */

static const char *const side_names[2] = {"input", "output"};

/* Name the first few ports that are missing, and count the rest. */
static void report_missing(struct lang *l, const uint8_t *used, uint32_t n, int side,
                           const char *name, struct place at)
{
    enum { NAMED = 8 };
    uint32_t missing = 0;

    for (uint32_t i = 0; i < n; i++)
        if (!(used[i / 8] & (1u << i % 8)) && missing++ < NAMED)
            lang_err(l, at, "'%s' %s %u missing", name, side_names[side], i);
    if (missing > NAMED)
        lang_err(l, at, "'%s' misses %u more %ss", name, missing - NAMED,
                 side_names[side]);
}

uint32_t scope_check_pseudo(struct lang *l, const struct compound *c, uint32_t which,
                            int side, const char *name, struct place at,
                            uint32_t first_link)
{
    uint32_t n = which < c->n_nodes ? c->nodes[which].n_ports[!side] : 0;
    uint8_t *used = n ? calloc(1, n / 8 + 1) : NULL;

    if (which >= c->n_nodes || !lang_spend(l, n / 8 + c->n_links - first_link))
        goto out;
    if (c->nodes[which].n_ports[side])
        lang_err(l, at, "'%s' pseudoelement '%s' may only be used as %s", name,
                 side_names[side], side_names[!side]);
    if (n && !used)
        lang_out_of_memory(l);
    if (!used)
        goto out;
    for (uint32_t i = first_link; i < c->n_links; i++) {
        const struct link *k = &c->links[i];

        if ((side == IN ? k->from : k->to) == which) {
            uint32_t port = side == IN ? k->from_port : k->to_port;

            used[port / 8] |= (uint8_t)(1u << port % 8);
        }
    }
    report_missing(l, used, n, side, name, at);
out:
    free(used);
    return n;
}
