// SPDX-License-Identifier: BSD-3-Clause
/* handler_router.c -- the router's own handlers: list, config, version, stop ... */

#include "engine/handler_impl.h"
#include "engine/host.h"
#include "engine/lang/flatten.h"
#include "engine/router.h"
#include "engine/version.h"

#include <stdlib.h>
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
    const struct lang_graph *g = router_graph(r);
    size_t len;
    const char *text = router_text(r, &len);

    /* `require(compact_config)` lets Click forget the text. */
    for (uint32_t i = 0; i < g->n_requirements; i++)
        if (strcmp(g->requirements[i].type, "compact_config") == 0) {
            lang_unparse(g, out);
            return;
        }
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

        sbuf_printf(out, "%s\n%s\n", q->type, q->value);
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
    int64_t n;

    if (!parse_i64(value, 10, &n) || n < 0 || n > INT32_MAX)
        n = 1;
    router_adjust_run_count(r, -(int32_t)n);
    return 0;
}

/* Nothing is loaded while the program runs: there are no packages. */
static void read_packages(struct router *r, struct sbuf *out)
{
}

static void read_timewarp(struct router *r, struct sbuf *out)
{
    sbuf_puts(out, router_platform(r)->simtime ? "simulation" : "1");
}

static int write_hotconfig(struct router *r, const char *value, struct diag *d)
{
    const struct platform *p = router_platform(r);
    char *errors = NULL;
    int rc = p->host->install(p->ctx, value, strlen(value), &errors);

    for (char *line = errors; rc < 0 && line && *line;) {
        size_t len = strcspn(line, "\n");

        diag_err(d, "%.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
    if (rc < 0 && !errors)
        diag_err(d, "out of memory");
    free(errors);
    return rc;
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
    {"packages", HANDLER_READ, read_packages, NULL},
    {"timewarp", HANDLER_READ, read_timewarp, NULL},
    {"hotconfig", HANDLER_WRITE, NULL, write_hotconfig},
    {NULL, 0, NULL, NULL},
};

/* Only `click -R` can exchange its configuration. */
static bool is_there(struct router *r, const struct global_handler *g)
{
    const struct platform *p = router_platform(r);

    return g->write != write_hotconfig || (p->may_reconfigure && p->host);
}

static void read_handlers(struct router *r, struct sbuf *out)
{
    for (const struct global_handler *g = globals; g->name; g++)
        if (is_there(r, g))
            sbuf_printf(out, "%s\t%s\n", g->name, g->read ? "r" : "w");
}

const struct global_handler *handler_global(struct router *r, const char *name)
{
    for (const struct global_handler *g = globals; g->name; g++)
        if (strcmp(g->name, name) == 0 && is_there(r, g))
            return g;
    return NULL;
}
