// SPDX-License-Identifier: BSD-3-Clause
/* graph.c -- a configuration for dot(1) and as text: see graph.h */

#include "ctl/graph.h"

#include "engine/element.h"

#include <string.h>

bool graph_format_parse(const char *name, enum graph_format *f)
{
    static const char *const names[] = {"dot", "svg", "text"};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *f = (enum graph_format)i;
            return true;
        }
    return false;
}

/* Not in the middle of a character of several bytes. */
static size_t cut(const char *s, size_t max)
{
    size_t n = strlen(s);

    if (n <= max)
        return n;
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

void graph_class(const struct lang_element *e, struct sbuf *out)
{
    size_t n = cut(e->config, GRAPH_CONFIG_SHOWN);

    sbuf_puts(out, e->class_name);
    if (!*e->config)
        return;
    sbuf_putc(out, '(');
    for (size_t i = 0; i < n; i++)
        sbuf_putc(out, (unsigned char)e->config[i] < ' ' ? ' ' : e->config[i]);
    sbuf_puts(out, e->config[n] ? "...)" : ")");
}

bool graph_is_push(const struct router *r, const struct lang_connection *c)
{
    const struct element *e = router_element(r, c->from);

    return c->from_port < e->n_out && e->out[c->from_port].is_push;
}

/* ---- dot --------------------------------------------------------------------------- */

/* In a record's label some more characters mean something. */
static void dot_escape(struct sbuf *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\"\\{}|<> ", *text))
            sbuf_putc(out, '\\');
        sbuf_putc(out, *text);
    }
}

static void dot_ports(struct sbuf *out, char side, unsigned n)
{
    sbuf_putc(out, '{');
    for (unsigned i = 0; i < n; i++)
        sbuf_printf(out, "%s<%c%u> %u", i ? "|" : "", side, i, i);
    sbuf_putc(out, '}');
}

static void dot_element(struct sbuf *out, const struct router *r, uint32_t i)
{
    const struct lang_element *e = &router_graph(r)->elements[i];
    const struct element *x = router_element(r, i);
    struct sbuf class = SBUF_INIT;

    sbuf_printf(out, "  n%u [label=\"{", i);
    if (x->n_in) {
        dot_ports(out, 'i', x->n_in);
        sbuf_putc(out, '|');
    }
    dot_escape(out, e->name);
    sbuf_puts(out, "\\n");
    graph_class(e, &class);
    dot_escape(out, sbuf_text(&class));
    if (x->n_out) {
        sbuf_putc(out, '|');
        dot_ports(out, 'o', x->n_out);
    }
    sbuf_puts(out, "}\"];\n");
    sbuf_fini(&class);
}

static void dot(const struct router *r, struct sbuf *out)
{
    const struct lang_graph *g = router_graph(r);

    sbuf_puts(out, "digraph clickos {\n"
                   "  node [shape=record, fontname=\"monospace\", fontsize=10];\n"
                   "  edge [arrowsize=0.7];\n");
    for (uint32_t i = 0; i < g->n_elements; i++)
        dot_element(out, r, i);
    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *c = &g->connections[i];

        sbuf_printf(out, "  n%u:o%u:s -> n%u:i%u:n [arrowhead=%s];\n", c->from,
                    c->from_port, c->to, c->to_port,
                    graph_is_push(r, c) ? "normal" : "empty");
    }
    sbuf_puts(out, "}\n");
}

/* ---- text -------------------------------------------------------------------------- */

static void text_outputs(struct sbuf *out, const struct router *r, uint32_t from)
{
    const struct lang_graph *g = router_graph(r);
    const struct element *x = router_element(r, from);

    for (unsigned port = 0; port < x->n_out; port++)
        for (uint32_t i = 0; i < g->n_connections; i++) {
            const struct lang_connection *c = &g->connections[i];

            if (c->from == from && c->from_port == port)
                sbuf_printf(out, "    [%u] %s [%u] %s\n", port,
                            graph_is_push(r, c) ? "->" : "~>", c->to_port,
                            g->elements[c->to].name);
        }
}

static void text(const struct router *r, struct sbuf *out)
{
    const struct lang_graph *g = router_graph(r);
    bool pull = false;

    for (uint32_t i = 0; i < g->n_elements; i++) {
        sbuf_printf(out, "%s :: ", g->elements[i].name);
        graph_class(&g->elements[i], out);
        sbuf_putc(out, '\n');
        text_outputs(out, r, i);
    }
    for (uint32_t i = 0; i < g->n_connections && !pull; i++)
        pull = !graph_is_push(r, &g->connections[i]);
    if (pull)
        sbuf_puts(out, "\n-> push, ~> pull\n");
}

void graph_write(const struct router *r, enum graph_format f, struct sbuf *out)
{
    if (f == GRAPH_DOT)
        dot(r, out);
    else if (f == GRAPH_SVG)
        graph_svg(r, out);
    else
        text(r, out);
}
