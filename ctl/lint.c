// SPDX-License-Identifier: BSD-3-Clause
/* lint.c -- the engine in our own process: see lint.h */

#include "ctl/lint.h"

#include "abi/netmem.h"
#include "base/suggest.h"
#include "engine/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINT_MEMORY = 512 << 20, LINT_PACKETS = 4096 };

/* ---- a platform where nothing moves ---------------------------------------------- */

static int64_t steady_now(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t no_offset(void *ctx)
{
    (void)ctx;
    return 0;
}

static void no_console(void *ctx, const char *text, size_t len)
{
    (void)ctx, (void)text, (void)len;
}

static uint32_t no_rx(void *dev, struct batch *b, uint32_t max)
{
    (void)dev, (void)b, (void)max;
    return 0;
}

static uint32_t no_tx(void *dev, struct batch *b)
{
    (void)dev, (void)b;
    return 0;
}

static const struct netdev_ops no_ops = {.rx = no_rx, .tx = no_tx};

struct stage {
    struct platform platform;
    struct netdev devs[NETMEM_MAX_IFS];
    char names[NETMEM_MAX_IFS][4];
    struct lang_define *defines; /* owned */
    struct router_options options;
};

static int stage_init(struct stage *g, const json_t *defines, struct diag *d)
{
    const char *name;
    json_t *value;

    *g = (struct stage){.platform = {.now = steady_now,
                                     .wall_offset = no_offset,
                                     .console = no_console,
                                     .program = "lint",
                                     .n_netdevs = NETMEM_MAX_IFS}};
    g->platform.pool = pkt_pool_new(LINT_PACKETS);
    g->platform.netdevs = g->devs;
    for (unsigned i = 0; i < NETMEM_MAX_IFS; i++) {
        snprintf(g->names[i], sizeof g->names[i], "%u", i);
        g->devs[i] = (struct netdev){.ops = &no_ops,
                                     .name = g->names[i],
                                     .mac = {2, 0, 0, 0, 0, (uint8_t)i},
                                     .mtu = 1500};
    }
    g->defines = calloc(json_object_size(defines) + 1, sizeof *g->defines);
    if (!g->platform.pool || !g->defines) {
        pkt_pool_free(g->platform.pool);
        free(g->defines);
        return diag_err(d, "out of memory");
    }
    g->options = (struct router_options){.defines = g->defines,
                                         .memory_limit = LINT_MEMORY};
    json_object_foreach((json_t *)(uintptr_t)defines, name, value)
        g->defines[g->options.n_defines++] = (struct lang_define){
        name, json_string_value(value)};
    return 0;
}

static void stage_fini(struct stage *g)
{
    pkt_pool_free(g->platform.pool);
    free(g->defines);
}

int lint_check(const char *text, size_t len, const char *file, const json_t *defines,
               struct diag *d)
{
    struct stage g;
    struct router *r;

    if (stage_init(&g, defines, d) < 0)
        return -1;
    r = router_new(&g.platform, text, len, file, &g.options, d);
    router_free(r);
    stage_fini(&g);
    return r ? 0 : -1;
}

/* ---- graph ----------------------------------------------------------------------- */

int lint_graph(enum graph_format format, const char *text, size_t len, const char *file,
               const json_t *defines, struct sbuf *out, struct diag *d)
{
    struct stage g;
    struct router *r;

    if (stage_init(&g, defines, d) < 0)
        return -1;
    r = router_new(&g.platform, text, len, file, &g.options, d);
    if (r)
        graph_write(r, format, out);
    router_free(r);
    stage_fini(&g);
    return r ? 0 : -1;
}

/* ---- classes --------------------------------------------------------------------- */

static json_t *describe_args(const struct arg_spec *a)
{
    json_t *list = json_array();

    for (; a && a->name; a++) {
        json_t *o;

        if (a->flags & ARG_OLD)
            continue;
        o = json_pack("{s:s, s:b, s:b, s:s}", "name", a->name, "positional",
                      !!(a->flags & ARG_POS), "required", !!(a->flags & ARG_REQUIRED),
                      "help", a->help ? a->help : "");
        if (a->def)
            json_object_set_new(o, "default", json_string(a->def));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *describe_counters(const struct counter_spec *c)
{
    json_t *list = json_array();

    for (; c && c->name; c++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", c->name, "help",
                                              c->help ? c->help : ""));
    return list;
}

static json_t *describe_handlers(const struct handler_spec *h)
{
    json_t *list = json_array();

    for (; h && h->name; h++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:b, s:s}", "name", h->name,
                                              "read", !!(h->flags & HANDLER_READ),
                                              "write", !!(h->flags & HANDLER_WRITE),
                                              "help", h->help ? h->help : ""));
    return list;
}

static const char * or (const char *text, const char *other)
{
    return text ? text : other;
}

json_t *lint_class(const char *name)
{
    const struct element_class *cls = router_class_find(name);

    if (!cls)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "name", cls->name,
                     "ports", or (cls->ports, "0/0"), "processing",
                     or (cls->processing, "a/a"), "flow", or (cls->flow, "x/x"),
                     "any_args", (int)cls->any_args, "args", describe_args(cls->args),
                     "counters", describe_counters(cls->counters), "handlers",
                     describe_handlers(cls->handlers));
}

/* Aliases stand in the catalogue beside the classes' own names. */
json_t *lint_classes(void)
{
    json_t *list = json_array();
    size_t n;
    const char *const *names = router_class_names(&n);

    for (size_t i = 0; i < n; i++) {
        const struct element_class *cls = router_class_find(names[i]);
        json_t *o = json_pack("{s:s, s:s, s:s}", "name", names[i], "ports",
                              or (cls->ports, "0/0"), "processing",
                              or (cls->processing, "a/a"));

        if (strcmp(cls->name, names[i]))
            json_object_set_new(o, "alias_of", json_string(cls->name));
        json_array_append_new(list, o);
    }
    return list;
}

const char *lint_nearest(const char *name)
{
    size_t n;
    const char *const *names = router_class_names(&n);

    return suggest_nearest(name, names, n);
}
