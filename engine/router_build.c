// SPDX-License-Identifier: BSD-3-Clause
/* router_build.c -- elements from the graph: create, configure, initialise */

#include "engine/args.h"
#include "engine/router_impl.h"

#include <stdalign.h>

static const struct element_class *
class_of(struct router *r, const struct lang_element *le, struct diag *d)
{
    const struct element_class *cls = router_class_find(le->class_name);

    if (!cls) {
        diag_err_at(d, le->at, "unknown element class '%s'", le->class_name);
        return NULL;
    }
    if (cls->driver_only && !r->platform->has_os) {
        diag_err_at(
            d, le->at,
            "'%s :: %s' needs an operating system: it works in 'click', not in a VM",
            le->name, le->class_name);
        return NULL;
    }
    return cls;
}

static unsigned n_counters(const struct element_class *cls)
{
    unsigned n = 0;

    while (cls->counters && cls->counters[n].name)
        n++;
    return n;
}

static struct element *element_new(struct router *r, uint32_t index,
                                   const struct element_class *cls)
{
    const struct lang_element *le = &r->graph.elements[index];
    struct element *e = arena_alloc_aligned(r->arena, 1, sizeof *e + cls->state_size,
                                            alignof(struct element));
    unsigned n = n_counters(cls);

    if (!e)
        return NULL;
    e->cls = cls;
    e->index = index;
    e->router = r;
    e->name = le->name;
    e->config = le->config;
    e->at = le->at;
    e->counters = n ? arena_alloc(r->arena, n * sizeof(uint64_t)) : NULL;
    if (n && !e->counters)
        return NULL;
    return e;
}

static unsigned phase_of(const struct element_class *cls)
{
    if (cls->info)
        return PHASE_INFO;
    return cls->phase ? cls->phase : PHASE_DEFAULT;
}

/* Fill r->order: by phase, within a phase in the order of the text. Phases are few and
 * nearly all elements have the default one, so one pass for each phase in use will do. */
static void order_by_phase(struct router *r)
{
    uint32_t n = 0;
    unsigned phase = 0;

    while (n < r->n) {
        unsigned next = UINT32_MAX;

        for (uint32_t i = 0; i < r->n; i++) {
            unsigned p = phase_of(r->elements[i]->cls);

            if (p == phase)
                r->order[n++] = r->elements[i];
            else if (p > phase && p < next)
                next = p;
        }
        phase = next;
    }
}

int router_create_elements(struct router *r, struct diag *d)
{
    uint32_t n = r->graph.n_elements;
    int rc = 0;

    r->elements = arena_alloc(r->arena, (n + 1) * sizeof(struct element *));
    r->order = arena_alloc(r->arena, (n + 1) * sizeof(struct element *));
    if (!r->elements || !r->order)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        const struct element_class *cls = class_of(r, &r->graph.elements[i], d);
        struct element *e = cls ? element_new(r, i, cls) : NULL;

        if (cls && (!e || strmap_puts(&r->names, e->name, e) < 0))
            return diag_err(d, "out of memory");
        if (!e)
            rc = -1;
        else
            r->elements[r->n_created++] = e;
    }
    if (rc < 0)
        return -1;
    r->n = n;
    order_by_phase(r);
    return 0;
}

static const char *declaration(const void *e)
{
    return element_declaration(e);
}

static int configure_one(struct element *e, struct arena *scratch, struct diag *d)
{
    struct conf c = {.scratch = scratch};
    size_t errors = diag_n_errors(d);
    int rc;

    /* Nothing to parse, nothing to do: most of a large configuration is like that. */
    if (!e->cls->configure && !e->cls->args && !e->config[0]) {
        e->configured = true;
        return 0;
    }
    diag_enter_with(d, e->at, "While configuring", declaration, e);
    rc = args_parse(e, e->config, &c, scratch, d);
    if (rc == 0 && e->cls->configure)
        rc = e->cls->configure(e, &c, d);
    if (rc < 0 && diag_n_errors(d) == errors)
        diag_err(d, "unspecified error");
    diag_leave(d);
    e->configured = rc == 0;
    return rc;
}

int router_configure_elements(struct router *r, struct diag *d)
{
    struct arena *scratch = arena_new(0);
    int rc = 0;

    if (!scratch)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < r->n; i++) {
        rc |= configure_one(r->order[i], scratch, d);
        arena_reset(scratch);
    }
    arena_free(scratch);
    return rc ? -1 : 0;
}

int router_initialize_elements(struct router *r, struct diag *d)
{
    int rc = 0;

    for (uint32_t i = 0; i < r->n && (rc == 0 || !r->by_phase); i++) {
        struct element *e = r->order[i];

        if (e->cls->initialize) {
            diag_enter_with(d, e->at, "While initializing", declaration, e);
            if (e->cls->initialize(e, d) < 0)
                rc = -1;
            diag_leave(d);
        }
        e->initialized = rc == 0;
    }
    return rc;
}
