// SPDX-License-Identifier: BSD-3-Clause
/*
 * handler_flat.c -- the flat configuration as text
 *
 * Declarations come first, then connections in chains: behind `a -> b` goes a connection
 * from b's output 0 if there is one, preferably one that ends at an input 0. Every
 * connection stands in exactly one chain; the work grows linearly with their number.
 */

#include "engine/handler_impl.h"
#include "engine/router.h"

#include <stdlib.h>

enum { NONE = -1 };

struct chains {
    const struct lang_graph *g;
    int32_t *best;    /* [elements]: the connection that goes on from its output 0 */
    int32_t *next;    /* [connections] */
    uint8_t *started; /* [connections]: 1: follows another one; 2: written */
};
enum { FOLLOWS = 1, WRITTEN = 2 };

static void flat_declarations(struct router *r, struct sbuf *out)
{
    const struct lang_graph *g = router_graph(r);
    const char *comma = "require(";

    for (uint32_t i = 0; i < g->n_requirements; i++) {
        const struct lang_requirement *q = &g->requirements[i];

        sbuf_printf(out, "%s%s%s%s", comma, q->type, *q->value ? " " : "", q->value);
        comma = ", ";
    }
    if (g->n_requirements)
        sbuf_puts(out, ");\n\n");
    for (uint32_t i = 0; i < router_n_elements(r); i++) {
        const struct element *e = router_element(r, i);

        sbuf_printf(out, "%s :: %s", e->name, e->cls->name);
        if (e->config && *e->config)
            sbuf_printf(out, "(%s)", e->config);
        sbuf_puts(out, ";\n");
    }
    if (router_n_elements(r))
        sbuf_puts(out, "\n");
}

/* For each element the connection that a chain takes from its output 0: the first to an
 * input 0, or else the last one. */
static void find_best(struct chains *c)
{
    for (uint32_t i = 0; i < c->g->n_elements; i++)
        c->best[i] = NONE;
    for (uint32_t i = 0; i < c->g->n_connections; i++) {
        const struct lang_connection *k = &c->g->connections[i];
        int32_t old = c->best[k->from];

        if (k->from_port == 0 && (old == NONE || c->g->connections[old].to_port != 0))
            c->best[k->from] = (int32_t)i;
    }
}

static void link_chains(struct chains *c)
{
    for (uint32_t i = 0; i < c->g->n_connections; i++) {
        const struct lang_connection *k = &c->g->connections[i];
        int32_t n = k->to_port == 0 ? c->best[k->to] : NONE;

        c->next[i] = n == (int32_t)i ? NONE : n;
        if (c->next[i] != NONE)
            c->started[c->next[i]] = FOLLOWS;
    }
}

static void write_chain(struct chains *c, int32_t first, struct sbuf *out)
{
    const struct lang_connection *k = &c->g->connections[first];

    sbuf_puts(out, c->g->elements[k->from].name);
    if (k->from_port)
        sbuf_printf(out, " [%u]", k->from_port);
    for (int32_t i = first; i != NONE && c->started[i] != WRITTEN; i = c->next[i]) {
        k = &c->g->connections[i];
        sbuf_puts(out, i == first ? " -> " : "\n    -> ");
        if (k->to_port)
            sbuf_printf(out, "[%u] ", k->to_port);
        sbuf_puts(out, c->g->elements[k->to].name);
        c->started[i] = WRITTEN;
    }
    sbuf_puts(out, ";\n");
}

static void write_chains(struct chains *c, struct sbuf *out)
{
    int32_t n = (int32_t)c->g->n_connections;

    for (int32_t i = 0; i < n; i++)
        if (!c->started[i])
            write_chain(c, i, out);
    for (int32_t i = 0; i < n; i++) /* what is left runs in circles */
        if (c->started[i] != WRITTEN)
            write_chain(c, i, out);
}

void handler_flat_config(struct router *r, struct sbuf *out)
{
    struct chains c = {.g = router_graph(r)};

    flat_declarations(r, out);
    c.best = calloc(c.g->n_elements + 1u, sizeof *c.best);
    c.next = calloc(c.g->n_connections + 1u, sizeof *c.next);
    c.started = calloc(c.g->n_connections + 1u, 1);
    if (c.best && c.next && c.started) {
        find_best(&c);
        link_chains(&c);
        write_chains(&c, out);
    } else {
        out->failed = true;
    }
    free(c.best);
    free(c.next);
    free(c.started);
}
