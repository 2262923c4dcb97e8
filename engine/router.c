// SPDX-License-Identifier: BSD-3-Clause
/* router.c -- a configuration that runs: life cycle, running, accessors; see router.h */

#include "engine/router.h"

#include "engine/router_impl.h"

void router_free(struct router *r)
{
    if (!r)
        return;
    for (uint32_t i = r->n_created; i-- > 0;)
        if (r->elements[i]->cls->cleanup)
            r->elements[i]->cls->cleanup(r->elements[i]);
    sched_fini(&r->sched);
    strmap_fini(&r->names);
    arena_free(r->arena);
}

static int read_library(void *ctx, const char *name, char **text, size_t *len,
                        struct diag *d)
{
    const struct platform *p = ctx;

    if (!p->read_file || p->read_file(p->ctx, name, text, len) < 0)
        return diag_err(d, "library '%s' not found", name);
    return 0;
}

static int load_graph(struct router *r, const struct router_options *options,
                      struct diag *d)
{
    struct lang_options lang = {.library = read_library,
                                .library_ctx = (void *)(uintptr_t)r->platform};

    lang.classes = router_class_names(&lang.n_classes);
    if (options) {
        lang.defines = options->defines;
        lang.n_defines = options->n_defines;
    }
    return lang_load(&r->graph, r->arena, r->text, r->text_len, r->file, &lang, d);
}

static struct router *router_alloc(const struct platform *platform, const char *text,
                                   size_t len, const char *file, size_t limit)
{
    struct arena *a = arena_new(limit);
    struct router *r = a ? arena_alloc(a, sizeof *r) : NULL;

    if (!r) {
        arena_free(a);
        return NULL;
    }
    r->arena = a;
    r->platform = platform;
    r->text = arena_strndup(a, text, len);
    r->text_len = len;
    r->file = arena_strdup(a, file);
    r->random = platform->seed ? platform->seed : 0x9e3779b97f4a7c15ull;
    sched_init(&r->sched, platform->now, platform->ctx);
    if (!r->text || !r->file) {
        arena_free(a);
        return NULL;
    }
    return r;
}

static void clock_update(struct router *r)
{
    const struct platform *p = r->platform;

    r->coarse_ns = p->now(p->ctx);
    r->wall_offset_ns = p->wall_offset ? p->wall_offset(p->ctx) : 0;
}

struct router *router_new(const struct platform *platform, const char *text, size_t len,
                          const char *file, const struct router_options *options,
                          struct diag *d)
{
    struct router *r = router_alloc(platform, text, len, file,
                                    options ? options->memory_limit : 0);

    if (!r) {
        diag_err(d, "out of memory");
        return NULL;
    }
    clock_update(r);
    /* Each step goes on as long as it makes sense, so that one run reports every error. */
    if (load_graph(r, options, d) < 0 || router_create_elements(r, d) < 0)
        goto fail;
    if (router_connect(r, d) < 0) {
        router_configure_elements(r, d);
        goto fail;
    }
    if (router_configure_elements(r, d) < 0 || router_initialize_elements(r, d) < 0)
        goto fail;
    if (r->sched.failed) {
        diag_err(d, "out of memory");
        goto fail;
    }
    return r;
fail:
    router_free(r);
    return NULL;
}

/* Counters go on where they were; an element moves the rest itself. */
static void take_state(struct element *e, struct element *old)
{
    const struct counter_spec *c = e->cls->counters;

    for (unsigned i = 0; c && c[i].name; i++)
        e->counters[i] = old->counters[i];
    if (e->cls->take_state)
        e->cls->take_state(e, old);
}

void router_activate(struct router *r, struct router *old)
{
    clock_update(r);
    if (old) {
        old->active = false;
        for (uint32_t i = 0; i < r->n; i++) {
            struct element *e = r->order[i], *was = router_find(old, e->name);

            if (was && was->cls == e->cls)
                take_state(e, was);
        }
    }
    r->active = true;
}

bool router_run(struct router *r, unsigned budget, int64_t *next_ns)
{
    bool worked;

    clock_update(r);
    worked = sched_run_timers(&r->sched, r->coarse_ns);
    worked |= sched_run_tasks(&r->sched, budget);
    *next_ns = sched_next_timer(&r->sched);
    return worked;
}

bool router_idle(const struct router *r)
{
    return sched_idle(&r->sched);
}

bool router_stopped(const struct router *r)
{
    return r->stopped;
}

void router_on_stop(struct router *r, bool (*stopped)(struct element *e),
                    struct element *e)
{
    r->on_stop = stopped;
    r->on_stop_element = e;
}

void router_stop(struct router *r)
{
    if (r->on_stop && r->on_stop(r->on_stop_element))
        return;
    r->stopped = true;
    if (r->platform->stop)
        r->platform->stop(r->platform->ctx);
}

uint32_t router_n_elements(const struct router *r)
{
    return r->n;
}

struct element *router_element(const struct router *r, uint32_t index)
{
    return index < r->n ? r->elements[index] : NULL;
}

struct element *router_find(const struct router *r, const char *name)
{
    return strmap_gets(&r->names, name);
}

const struct lang_graph *router_graph(const struct router *r)
{
    return &r->graph;
}

const char *router_text(const struct router *r, size_t *len)
{
    if (len)
        *len = r->text_len;
    return r->text;
}

const struct platform *router_platform(const struct router *r)
{
    return r->platform;
}

struct arena *router_arena(const struct router *r)
{
    return r->arena;
}

struct sched *router_sched(const struct router *r)
{
    return (struct sched *)(uintptr_t)&r->sched;
}

void *router_shared(struct router *r, const char *key, size_t size)
{
    struct shared_item *s;

    for (s = r->shared; s; s = s->next)
        if (!strcmp(s->key, key))
            return s->memory;
    s = arena_alloc(r->arena, sizeof *s);
    if (!s || !(s->key = arena_strdup(r->arena, key)) ||
        !(s->memory = arena_alloc(r->arena, size)))
        return NULL;
    s->next = r->shared;
    r->shared = s;
    return s->memory;
}
