// SPDX-License-Identifier: BSD-3-Clause
/* handler_common.c -- the handlers that every element has */

#include "engine/handler_impl.h"
#include "engine/router.h"

#include <string.h>

static void read_name(const struct element *e, struct sbuf *out)
{
    sbuf_puts(out, e->name);
}

static void read_class(const struct element *e, struct sbuf *out)
{
    sbuf_puts(out, element_class_name(e));
}

static void read_config(const struct element *e, struct sbuf *out)
{
    sbuf_puts(out, e->config ? e->config : "");
}

static void read_handlers(const struct element *e, struct sbuf *out)
{
    handler_list(e, out);
}

/* Whether the class says that a port is agnostic; the last letter counts for all ports
 * behind it. */
static bool port_agnostic(const struct element_class *cls, bool output, unsigned port)
{
    const char *code = cls->processing ? cls->processing : "a/a";
    const char *slash = strchr(code, '/');

    if (output && slash)
        code = slash + 1;
    while (port-- && code[1] && code[1] != '/')
        code++;
    return *code == 'a';
}

/* The far ends of a port: "Source@1 [0], Source@2 [0]". */
static void add_peers(const struct element *e, bool output, unsigned port,
                      struct sbuf *out)
{
    const struct lang_graph *g = router_graph(e->router);
    const char *comma = "";

    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *c = &g->connections[i];
        const struct lang_element *peer = &g->elements[output ? c->to : c->from];

        if ((output ? c->from : c->to) != e->index ||
            (output ? c->from_port : c->to_port) != port)
            continue;
        if (output)
            sbuf_printf(out, "%s[%u] %s", comma, c->to_port, peer->name);
        else
            sbuf_printf(out, "%s%s [%u]", comma, peer->name, c->from_port);
        comma = ", ";
    }
}

static void add_side(const struct element *e, bool output, struct sbuf *out)
{
    unsigned n = output ? e->n_out : e->n_in;

    sbuf_printf(out, "%u %s%s\n", n, output ? "output" : "input", n == 1 ? "" : "s");
    for (unsigned i = 0; i < n; i++) {
        bool push = output ? element_output_is_push(e, i) : element_input_is_push(e, i);

        sbuf_printf(out, "%s%s\t-\t", push ? "push" : "pull",
                    port_agnostic(e->cls, output, i) ? "~" : "");
        add_peers(e, output, i, out);
        sbuf_putc(out, '\n');
    }
}

static void read_ports(const struct element *e, struct sbuf *out)
{
    add_side(e, false, out);
    add_side(e, true, out);
}

const struct common_handler handler_commons[] = {
    {"handlers", "r.", read_handlers}, {"ports", "r.", read_ports},
    {"config", "r.", read_config},     {"class", "r.", read_class},
    {"name", "r.", read_name},         {NULL, NULL, NULL},
};

const struct common_handler *handler_common(const char *name)
{
    for (const struct common_handler *c = handler_commons; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}
