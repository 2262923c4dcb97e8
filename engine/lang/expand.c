// SPDX-License-Identifier: BSD-3-Clause
/*
 * expand.c -- compounds are replaced by their elements: see parse.h
 *
 * The outermost scope grows: a compound element becomes a tunnel, and behind all that is
 * there come its input, its output and its elements, then those of the compounds inside.
 * That order of the elements is Click's, and handlers show it.
 */

#include "engine/lang/parse.h"

#include <string.h>

static void expand_node(struct lang *l, uint32_t which, const struct env *e,
                        unsigned depth);

/* The innermost environment that is visible from a compound of this depth. */
static const struct env *visible(const struct env *e, unsigned depth)
{
    while (e && e->scope->depth >= depth)
        e = e->parent;
    return e;
}

/* Add a copy of an inner element under its flat name. */
static uint32_t add_inner(struct lang *l, struct node n, const char *outer,
                          struct place outer_at)
{
    uint32_t old;

    n.name = lang_format(l, "%s/%s", outer, n.name);
    old = scope_find(l->top, n.name);
    if (old != NO_ELEMENT && !l->fatal) {
        lang_err(l, outer_at, "redeclaration of element '%s'", n.name);
        lang_err(l, l->top->nodes[old].at, "'%s' previously declared here", n.name);
    } else if (scope_find_class(l, n.name)) {
        lang_err(l, outer_at, "'%s' is an element class", n.name);
    }
    n.n_ports[IN] = n.n_ports[OUT] = 0;
    return scope_add_node(l, l->top, &n);
}

static void make_tunnel(struct lang *l, uint32_t which)
{
    struct node *n = &l->top->nodes[which];

    n->kind = NODE_TUNNEL;
    n->twin[IN] = l->top->n_nodes;
    n->twin[OUT] = l->top->n_nodes + 1;
}

/* Copy node `i` to `base + i`. Nodes 0 and 1 are the body's "input" and "output": the
 * inner ends of the tunnel. */
static void copy_node(struct lang *l, uint32_t which, const struct compound *c,
                      const struct env *e, uint32_t i, uint32_t base)
{
    const char *outer = l->top->nodes[which].name;
    struct place at = l->top->nodes[which].at;
    struct node n = c->nodes[i];

    if (i < 2) {
        n.at = at;
        n.twin[IN] = i == 0 ? NO_ELEMENT : which;
        n.twin[OUT] = i == 0 ? which : NO_ELEMENT;
    } else if (n.kind == NODE_ELEMENT) {
        n.config = variables_expand(l, e, n.config);
    } else {
        n.twin[IN] += n.twin[IN] == NO_ELEMENT ? 0 : base;
        n.twin[OUT] += n.twin[OUT] == NO_ELEMENT ? 0 : base;
    }
    add_inner(l, n, outer, at);
}

/* Click's tools go down into a compound where they meet it, and connect when they come
 * back. Twins are neighbours of their tunnel, so they stay at the same distance. */
static void copy_body_raw(struct lang *l, uint32_t which, const struct compound *c,
                          const struct env *e, unsigned depth)
{
    uint32_t *index = lang_alloc(l, (c->n_nodes + 1) * sizeof *index);

    for (uint32_t i = 0; i < c->n_nodes && !l->fatal; i++) {
        index[i] = l->top->n_nodes;
        copy_node(l, which, c, e, i, index[i] - i);
        if (i >= 2)
            expand_node(l, index[i], e, depth + 1);
    }
    for (uint32_t i = 0; i < c->n_links && !l->fatal; i++) {
        struct link k = c->links[i];

        k.from = index[k.from];
        k.to = index[k.to];
        scope_add_link(l, l->top, &k);
    }
}

static void copy_body(struct lang *l, uint32_t which, const struct compound *c,
                      const struct env *e, unsigned depth)
{
    uint32_t base = l->top->n_nodes;

    for (uint32_t i = 0; i < c->n_nodes && !l->fatal; i++)
        copy_node(l, which, c, e, i, base);
    for (uint32_t i = 0; i < c->n_links && !l->fatal; i++) {
        struct link k = c->links[i];

        k.from += base;
        k.to += base;
        scope_add_link(l, l->top, &k);
    }
    for (uint32_t i = 2; i < c->n_nodes && !l->fatal; i++)
        expand_node(l, base + i, e, depth + 1);
}

/* Replace element `which`, if it is a compound, by what it consists of. */
static void expand_node(struct lang *l, uint32_t which, const struct env *e,
                        unsigned depth)
{
    const struct node *node = &l->top->nodes[which];
    const char *const *args = NULL;
    const char **values = NULL;
    struct env inner = {0};
    struct class *k;
    int n;

    if (!node->type || !node->type->compound)
        return;
    if (depth >= LANG_MAX_DEPTH) {
        lang_err(l, node->at, "compound elements nested more than %d deep",
                 LANG_MAX_DEPTH);
        l->fatal = true;
        return;
    }
    n = lang_split_args(l->scratch, node->config, &args);
    if (n < 0) {
        lang_out_of_memory(l);
        return;
    }
    k = overload_pick(l, node->type, node, args, (uint32_t)n, &values);
    l->top->nodes[which].type = k;
    if (!k || !k->compound)
        return;
    inner.parent = visible(e, k->compound->depth);
    inner.scope = k->compound;
    inner.values = values;
    /* Definitions of a body see its parameters and the definitions before them. */
    for (inner.n = k->compound->n_params; inner.n < k->compound->n_vars; inner.n++)
        values[inner.n] = variables_expand(l, &inner, k->compound->vars[inner.n].value);
    make_tunnel(l, which);
    if (l->options && l->options->raw)
        copy_body_raw(l, which, k->compound, &inner, depth);
    else
        copy_body(l, which, k->compound, &inner, depth);
}

void expand_all(struct lang *l)
{
    struct compound *top = l->top;
    const char **values = lang_alloc(l, (top->n_vars + 1) * sizeof *values);
    struct env e = {.scope = top, .values = values, .n = top->n_vars};
    uint32_t n = top->n_nodes;

    for (uint32_t i = 0; i < top->n_vars && !l->fatal; i++)
        values[i] = l->options && l->options->raw && !l->options->raw_values
                        ? lang_format(l, "$%s", top->vars[i].name)
                        : top->vars[i].value;
    for (uint32_t i = 0; i < n && !l->fatal; i++) {
        scope_settle_name(l, top, i);
        if (top->nodes[i].kind != NODE_ELEMENT)
            continue;
        top->nodes[i].config = variables_expand(l, &e, top->nodes[i].config);
        expand_node(l, i, &e, 0);
    }
}
