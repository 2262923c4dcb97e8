// SPDX-License-Identifier: BSD-3-Clause
/* parse_compound.c -- compound elements { ... } and element groups ( ... ): see parse.h */

#include "engine/lang/parse.h"

#include <string.h>

/* --- groups --- */

/* The three nodes of a group's tunnel; returns the first, NO_ELEMENT on failure. */
static uint32_t group_nodes(struct lang *l, const char *name)
{
    struct node n = {.name = name, .config = "", .at = lexer_place(&l->lex)};
    uint32_t first = l->c->n_nodes;

    for (int i = 0; i < 3; i++) {
        static const char *const suffix[3] = {"", "/input", "/output"};

        n.kind = (enum node_kind)(NODE_TUNNEL + i);
        n.name = i ? lang_format(l, "%s%s", name, suffix[i]) : name;
        n.twin[IN] = i == 0 ? first + 1 : i == 1 ? NO_ELEMENT : first;
        n.twin[OUT] = i == 0 ? first + 2 : i == 1 ? first : NO_ELEMENT;
        if (scope_add_node(l, l->c, &n) == NO_ELEMENT)
            return NO_ELEMENT;
    }
    return first;
}

/* Let `name` mean node `index`, or nothing; returns what it meant. */
static uint32_t rebind(struct lang *l, const char *name, uint32_t index)
{
    uint32_t old = scope_find(l->c, name);
    uintptr_t value = index == NO_ELEMENT ? 0 : (uintptr_t)index + 1;

    if (strmap_puts(&l->c->names, name, (void *)value) < 0)
        lang_out_of_memory(l);
    return old;
}

/* Unless ports are written, a group shows all that it has. */
static void imply_ports(struct lang *l, struct side *s, struct port_list *list,
                        uint32_t n)
{
    if (list->n)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (!side_push_port(l, s, list, i))
            return;
}

/* After "(": statements in this same scope, with an "input" and "output" of their own. */
void parse_group(struct lang *l, struct side *s, struct endpoint *e, const char *name)
{
    static const char shown[] = "<anonymous group>";
    uint32_t tunnel, old_in, old_out, first_link = l->c->n_links, n[2];
    struct place at;

    if (l->depth >= LANG_MAX_DEPTH) {
        lang_err(l, lexer_place(&l->lex),
                 "maximum element group nesting depth exceeded");
        l->fatal = true;
        return;
    }
    tunnel = group_nodes(l, name);
    if (tunnel == NO_ELEMENT)
        return;
    old_in = rebind(l, "input", tunnel + 1);
    old_out = rebind(l, "output", tunnel + 2);
    parse_statements(l, FRAME_GROUP);
    at = lexer_place(&l->lex);
    n[IN] = scope_check_pseudo(l, l->c, tunnel + 1, IN, shown, at, first_link);
    n[OUT] = scope_check_pseudo(l, l->c, tunnel + 2, OUT, shown, at, first_link);
    rebind(l, "input", old_in);
    rebind(l, "output", old_out);
    imply_ports(l, s, &e->ports[IN], n[IN]);
    imply_ports(l, s, &e->ports[OUT], n[OUT]);
}

/* --- compounds --- */

/* One parameter: "$a" or "KEYWORD $a". Returns false if this is none. */
static bool parse_param(struct lang *l, struct compound *c)
{
    struct token t = lexer_next(&l->lex), var = t;
    const char *keyword = "";

    if (t.kind == '|')
        return false;
    if (t.kind == T_IDENT)
        var = lexer_next(&l->lex);
    if (var.kind != T_VARIABLE) {
        if (c->n_params > 0)
            lang_err(l, var.at, "expected variable");
        lexer_put_back(&l->lex, var);
        if (t.kind == T_IDENT)
            lexer_put_back(&l->lex, t);
        return false;
    }
    if (t.kind == T_IDENT)
        keyword = lang_copy(l, t.text, t.len);
    scope_define(l, c, lang_copy(l, var.text, var.len), keyword, true, var.at);
    return true;
}

static void parse_params(struct lang *l, struct compound *c)
{
    while (!l->fatal && parse_param(l, c)) {
        struct token t = lexer_next(&l->lex);

        if (t.kind == '|')
            return;
        if (t.kind != ',') {
            lang_err(l, t.at, "expected ',' or '|'");
            lexer_put_back(&l->lex, t);
            return;
        }
    }
}

/* Elements 0 and 1 of every compound. */
static void add_pseudo_elements(struct lang *l, struct compound *c)
{
    struct node n = {.config = "", .at = c->at};

    n.name = "input";
    n.kind = NODE_INPUT;
    scope_add_node(l, c, &n);
    n.name = "output";
    n.kind = NODE_OUTPUT;
    scope_add_node(l, c, &n);
    c->unnamed_offset = 2;
}

static void finish(struct lang *l, struct compound *c)
{
    const char *name = *c->name ? c->name : "<anonymous>";

    c->n_ports[IN] = scope_check_pseudo(l, c, 0, IN, name, c->at, 0);
    c->n_ports[OUT] = scope_check_pseudo(l, c, 1, OUT, name, c->at, 0);
    for (uint32_t i = 0; i < c->n_nodes && !l->fatal; i++)
        scope_settle_name(l, c, i);
}

/* One of the bodies between "||". `*last` says whether "}" ended it. */
static struct compound *parse_body(struct lang *l, const char *name, struct place at,
                                   bool *last)
{
    struct compound *outer = l->c, *c = scope_new(l, name, outer, at);

    *last = true;
    if (!c)
        return NULL;
    l->c = c;
    add_pseudo_elements(l, c);
    parse_params(l, c);
    *last = parse_statements(l, FRAME_COMPOUND).kind != T_BAR2;
    l->c = outer;
    if (!l->fatal)
        finish(l, c);
    return c;
}

/* After "...": what an extension adds to. */
static struct class *parse_extension(struct lang *l, const char *name,
                                     struct token dots, bool first)
{
    struct class *k = scope_find_class(l, name);
    struct token t;

    if (!k) {
        lang_err(l, dots.at, "cannot extend unknown element class '%s'", name);
        k = scope_new_class(l, name, NULL);
        if (k)
            k->bad = true;
    }
    t = lexer_next(&l->lex);
    if (first || t.kind != '}') {
        lang_err(l, dots.at, "'...' should occur last, after one or more compounds");
        lexer_put_back(&l->lex, t);
    }
    return k;
}

struct class *parse_compound(struct lang *l, const char *name)
{
    struct class *k = scope_new_class(l, name, NULL), *extended = NULL;
    struct compound *newest = NULL, *c;
    bool last = false;

    if (k && l->depth >= LANG_MAX_DEPTH) {
        lang_err(l, lexer_place(&l->lex),
                 "maximum compound element nesting depth exceeded");
        l->fatal = true;
    }
    while (k && !last && !l->fatal) {
        struct token t = lexer_next(&l->lex);

        if (t.kind == T_DOT3) {
            extended = parse_extension(l, name, t, !newest);
            if (newest && !l->lex.n_back)
                break;
            continue;
        }
        lexer_put_back(&l->lex, t);
        c = parse_body(l, name, t.at, &last);
        if (newest)
            newest->overload = scope_new_class(l, name, c);
        else
            k->compound = c;
        newest = c;
        if (!c)
            break;
    }
    if (newest)
        newest->overload = extended;
    return k;
}
