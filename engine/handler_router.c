// SPDX-License-Identifier: BSD-3-Clause
/* handler_router.c -- the router's own handlers: list, config, version, stop ... */

#include "engine/handler_impl.h"
#include "engine/lang/flatten.h"
#include "engine/router.h"
#include "engine/version.h"

#include <string.h>

static void read_version(struct router *r, struct sbuf *out)
{
    sbuf_puts(out, CLICK_VERSION);
}

static void read_driver(struct router *r, struct sbuf *out)
{
    sbuf_puts(out, router_platform(r)->has_os ? "userlevel" : "clickos");
}

static void read_config(struct router *r, struct sbuf *out)
{
    size_t len;
    const char *text = router_text(r, &len);

    sbuf_add(out, text, len);
}

static void read_flat_config(struct router *r, struct sbuf *out)
{
    lang_unparse(router_graph(r), out);
}

static void read_requirements(struct router *r, struct sbuf *out)
{
    const struct lang_graph *g = router_graph(r);

    for (uint32_t i = 0; i < g->n_requirements; i++) {
        const struct lang_requirement *q = &g->requirements[i];

        sbuf_printf(out, "%s%s%s\n", q->type, *q->value ? " " : "", q->value);
    }
}

static void read_list(struct router *r, struct sbuf *out)
{
    uint32_t n = router_n_elements(r);

    sbuf_printf(out, "%u\n", n);
    for (uint32_t i = 0; i < n; i++)
        sbuf_printf(out, "%s\n", router_element(r, i)->name);
}

static void read_classes(struct router *r, struct sbuf *out)
{
    size_t n;
    const char *const *names = router_class_names(&n);

    for (size_t i = 0; i < n; i++)
        sbuf_printf(out, "%s\n", names[i]);
}

static int write_stop(struct router *r, const char *value, struct diag *d)
{
    router_stop(r);
    return 0;
}

static void read_handlers(struct router *r, struct sbuf *out);

static const struct global_handler globals[] = {
    {"version", HANDLER_READ, read_version, NULL},
    {"driver", HANDLER_READ, read_driver, NULL},
    {"config", HANDLER_READ, read_config, NULL},
    {"flatconfig", HANDLER_READ, read_flat_config, NULL},
    {"requirements", HANDLER_READ, read_requirements, NULL},
    {"handlers", HANDLER_READ, read_handlers, NULL},
    {"list", HANDLER_READ, read_list, NULL},
    {"stop", HANDLER_WRITE, NULL, write_stop},
    {"classes", HANDLER_READ, read_classes, NULL},
    {NULL, 0, NULL, NULL},
};

static void read_handlers(struct router *r, struct sbuf *out)
{
    for (const struct global_handler *g = globals; g->name; g++)
        sbuf_printf(out, "%s\t%s\n", g->name, g->read ? "r" : "w");
}

const struct global_handler *handler_global(const char *name)
{
    for (const struct global_handler *g = globals; g->name; g++)
        if (strcmp(g->name, name) == 0)
            return g;
    return NULL;
}
