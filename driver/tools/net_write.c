// SPDX-License-Identifier: BSD-3-Clause
/* net_write.c -- a net as a configuration: see net.h */

#include "driver/tools/net.h"
#include "engine/lang/flatten.h"

#include <err.h>
#include <string.h>

static void requirements(const struct net *n, struct sbuf *out)
{
    for (uint32_t i = 0; i < n->n_requirements; i++) {
        const struct lang_requirement *r = &n->requirements[i];

        sbuf_printf(out, "%s%s", i ? ", " : "require(", r->type);
        if (*r->value)
            sbuf_printf(out, " %s", lang_quote(n->arena, r->value, strlen(r->value)));
    }
    if (n->n_requirements)
        sbuf_puts(out, ");\n\n");
}

static void defines(const struct net *n, struct sbuf *out)
{
    for (uint32_t i = 0; i < n->n_defines; i++)
        sbuf_printf(out, "%s$%s %s", i ? ", " : "define(", n->defines[i].name,
                    n->defines[i].value);
    if (n->n_defines)
        sbuf_puts(out, ");\n\n");
}

static void declarations(const struct net *n, struct sbuf *out)
{
    for (uint32_t i = 0; i < n->n_elements; i++) {
        const struct net_element *e = &n->elements[i];

        if (e->dead || !e->class_name)
            continue;
        sbuf_printf(out, "# %u \"%s\"\n%s :: %s", e->at.line,
                    e->at.file ? e->at.file : "", e->name, e->class_name);
        if (*e->config)
            sbuf_printf(out, "(%s)", e->config);
        sbuf_puts(out, ";\n");
    }
}

/* What is said about connections is to be found in the text itself. */
static void line_directive(struct sbuf *out)
{
    unsigned line = 2;

    for (size_t i = 0; i < out->len; i++)
        line += out->data[i] == '\n';
    sbuf_printf(out, "# %u \"\"\n", line);
}

void net_unparse(const struct net *n, struct sbuf *out)
{
    struct lang_graph g = {0};

    requirements(n, out);
    defines(n, out);
    declarations(n, out);
    g.elements = arena_alloc_aligned(n->arena, n->n_elements + 1, sizeof *g.elements,
                                     16);
    g.connections = arena_alloc_aligned(n->arena, n->n_connections + 1,
                                        sizeof *g.connections, 16);
    if (!g.elements || !g.connections)
        err(1, NULL);
    for (; g.n_elements < n->n_elements; g.n_elements++)
        g.elements[g.n_elements].name = n->elements[g.n_elements].name;
    for (uint32_t c = n->head; c != NET_NONE; c = n->connections[c].after) {
        const struct net_port *end = n->connections[c].end;

        g.connections[g.n_connections++] = (struct lang_connection){
            .from = end[NET_FROM].element,
            .from_port = end[NET_FROM].port,
            .to = end[NET_TO].element,
            .to_port = end[NET_TO].port,
        };
    }
    if (g.n_connections)
        line_directive(out);
    lang_unparse_connections(&g, out);
}
