// SPDX-License-Identifier: BSD-3-Clause
/* flatten.c -- a graph written back as a configuration: see flatten.h */

#include "engine/lang/flatten.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX };

/* Connections that leave an element's output 0: a chain goes on with the first one that
 * goes to an input 0, else with the last one. Two of each, since no connection follows
 * itself. */
struct leaving {
    uint32_t zero[2], last[2];
};

struct chains {
    const struct lang_graph *g;
    struct leaving *leaving; /* by element */
    uint32_t *next;          /* by connection */
    bool *inner, *used;      /* is some connection's next; was written */
};

static void leaving_add(struct leaving *e, uint32_t i, bool to_zero)
{
    e->last[1] = e->last[0];
    e->last[0] = i;
    if (!to_zero)
        return;
    if (e->zero[0] == NONE)
        e->zero[0] = i;
    else if (e->zero[1] == NONE)
        e->zero[1] = i;
}

static uint32_t find_next(const struct leaving *e, uint32_t i)
{
    uint32_t zero = e->zero[e->zero[0] == i];

    return zero != NONE ? zero : e->last[e->last[0] == i];
}

static void find_chains(struct chains *c)
{
    const struct lang_graph *g = c->g;

    memset(c->leaving, 0xff, g->n_elements * sizeof *c->leaving); /* all NONE */
    for (uint32_t i = 0; i < g->n_connections; i++)
        if (g->connections[i].from_port == 0)
            leaving_add(&c->leaving[g->connections[i].from], i,
                        g->connections[i].to_port == 0);
    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *k = &g->connections[i];

        c->next[i] = k->to_port ? NONE : find_next(&c->leaving[k->to], i);
        if (c->next[i] != NONE)
            c->inner[c->next[i]] = true;
    }
}

static void write_chain(struct chains *c, struct sbuf *out, uint32_t first)
{
    const struct lang_element *e = c->g->elements;
    const struct lang_connection *k = &c->g->connections[first];

    sbuf_puts(out, e[k->from].name);
    if (k->from_port)
        sbuf_printf(out, " [%u]", k->from_port);
    for (uint32_t i = first; i != NONE && !c->used[i]; i = c->next[i]) {
        k = &c->g->connections[i];
        sbuf_puts(out, i == first ? " -> " : "\n    -> ");
        if (k->to_port)
            sbuf_printf(out, "[%u] ", k->to_port);
        sbuf_puts(out, e[k->to].name);
        c->used[i] = true;
    }
    sbuf_puts(out, ";\n");
}

/* First what starts somewhere, then the cycles. */
static void write_connections(struct chains *c, struct sbuf *out)
{
    for (uint32_t i = 0; i < c->g->n_connections; i++)
        if (!c->used[i] && !c->inner[i])
            write_chain(c, out, i);
    for (uint32_t i = 0; i < c->g->n_connections; i++)
        if (!c->used[i])
            write_chain(c, out, i);
}

void lang_unparse_connections(const struct lang_graph *g, struct sbuf *out)
{
    struct chains c = {.g = g};

    c.leaving = calloc(g->n_elements + 1, sizeof *c.leaving);
    c.next = calloc(g->n_connections + 1, sizeof *c.next);
    c.inner = calloc(g->n_connections + 1, sizeof *c.inner);
    c.used = calloc(g->n_connections + 1, sizeof *c.used);
    if (c.leaving && c.next && c.inner && c.used) {
        find_chains(&c);
        write_connections(&c, out);
    } else {
        out->failed = true;
    }
    free(c.leaving);
    free(c.next);
    free(c.inner);
    free(c.used);
}

static void requirements(const struct lang_graph *g, struct sbuf *out)
{
    for (uint32_t i = 0; i < g->n_requirements; i++) {
        const struct lang_requirement *r = &g->requirements[i];

        sbuf_printf(out, "%s%s", i ? ", " : "require(", r->type);
        if (*r->value) {
            sbuf_puts(out, " \"");
            lang_quote_into(out, r->value, strlen(r->value));
            sbuf_putc(out, '"');
        }
    }
    if (g->n_requirements)
        sbuf_puts(out, ");\n\n");
}

void lang_unparse(const struct lang_graph *g, struct sbuf *out)
{
    requirements(g, out);
    for (uint32_t i = 0; i < g->n_elements; i++) {
        const struct lang_element *e = &g->elements[i];

        sbuf_printf(out, "%s :: %s", e->name, e->class_name);
        if (*e->config)
            sbuf_printf(out, "(%s)", e->config);
        sbuf_puts(out, ";\n");
    }
    if (g->n_elements)
        sbuf_putc(out, '\n');
    lang_unparse_connections(g, out);
}
