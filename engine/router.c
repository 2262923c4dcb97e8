// SPDX-License-Identifier: BSD-3-Clause
/* router.c -- a configuration that runs: life cycle, running, accessors; see router.h */

#include "engine/router.h"

#include "engine/router_impl.h"

enum {
    MAX_STOP_STEPS = 1000, /* of the stop script in a row */
    MAX_TIMER_STRIDE = 32, /* rounds between two looks at the timers */
    TIMERS_IN_TIME = 12,   /* rounds that make the stride grow */
    TIMER_LATE_NS = 1000000,
};

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

static int load_graph(struct router *r, const struct router_options *options,
                      struct diag *d)
{
    const struct platform *p = r->platform;
    struct lang_options lang = {
        .library = p->find_library,
        .library_ctx = p->ctx,
        .package = router_provides,
    };

    lang.classes = router_class_names(&lang.n_classes);
    if (options) {
        lang.defines = options->defines;
        lang.n_defines = options->n_defines;
    }
    if (lang_load(&r->graph, r->arena, r->text, r->text_len, r->file, &lang, d) < 0)
        return -1;
    return lang_find_config(&r->text, &r->text_len); /* for the `config` handler */
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
    r->run_count = 1;
    r->timer_stride = MAX_TIMER_STRIDE;
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

/* Append the elements that the text does not have. */
static int add_extra(struct router *r, const struct router_options *options)
{
    struct lang_graph *g = &r->graph;
    struct lang_element *all;

    if (!options || !options->n_extra)
        return 0;
    all = arena_alloc(r->arena, (g->n_elements + options->n_extra) * sizeof *all);
    if (!all)
        return -1;
    if (g->n_elements)
        memcpy(all, g->elements, g->n_elements * sizeof *all);
    memcpy(all + g->n_elements, options->extra, options->n_extra * sizeof *all);
    g->elements = all;
    g->n_elements += (uint32_t)options->n_extra;
    return 0;
}

/* From the graph to elements that can run. Each step goes on as long as it makes sense,
 * so that one run reports every error. */
static int build(struct router *r, bool only_wire, struct diag *d)
{
    if (router_connect(r, d) < 0) {
        if (!r->by_phase)
            router_configure_elements(r, d);
        return -1;
    }
    if (only_wire)
        return 0;
    if (router_configure_elements(r, d) < 0 || router_initialize_elements(r, d) < 0)
        return -1;
    return r->sched.failed ? diag_err(d, "out of memory") : 0;
}

/* Tell the pool what packets keep of their records while `r` runs. */
static unsigned keep_parts(const struct router *r, unsigned parts)
{
    return r->platform->pool ? pkt_pool_set_keeps(r->platform->pool, parts) : 0;
}

struct router *router_new(const struct platform *platform, const char *text, size_t len,
                          const char *file, const struct router_options *options,
                          struct diag *d)
{
    struct router *r = router_alloc(platform, text, len, file,
                                    options ? options->memory_limit : 0);
    unsigned was;
    int rc;

    if (!r) {
        diag_err(d, "out of memory");
        return NULL;
    }
    clock_update(r);
    r->by_phase = options && options->by_phase;
    if (load_graph(r, options, d) < 0)
        goto fail;
    if (add_extra(r, options) < 0) {
        diag_err(d, "out of memory");
        goto fail;
    }
    if (router_create_elements(r, d) < 0)
        goto fail;
    was = keep_parts(r, 0); /* another router runs: what it keeps says nothing here */
    rc = build(r, options && options->only_wire, d);
    keep_parts(r, was);
    if (rc < 0) {
        if (options && options->last_word)
            diag_err(d, "%s", options->last_word);
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

static unsigned kept_by_all(const struct router *r)
{
    unsigned parts = PKT_PARTS;

    for (uint32_t i = 0; i < r->n; i++)
        parts &= r->elements[i]->cls->keeps;
    return parts;
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
    keep_parts(r, kept_by_all(r));
}

/* The run count has come to 0: whether the stop script wants to go on. */
static bool stop_script_goes_on(struct router *r)
{
    struct diag d = DIAG_INIT;

    for (int i = 0; r->stop_script && i < MAX_STOP_STEPS; i++) {
        int32_t before = r->run_count;

        handler_write(r, r->stop_script, "step", "router", 6, &d);
        if (r->run_count > 0 || r->run_count <= before)
            break;
    }
    if (d.n_messages && r->platform->console)
        r->platform->console(r->platform->ctx, diag_text(&d), strlen(diag_text(&d)));
    diag_fini(&d);
    return r->run_count > 0;
}

static bool goes_on(struct router *r)
{
    if (r->stopped)
        return false;
    if (r->run_count > 0 || stop_script_goes_on(r))
        return true;
    r->stopped = true;
    if (r->platform->stop)
        r->platform->stop(r->platform->ctx);
    return false;
}

/* As in Click, tasks run first and timers are looked at after some rounds, or at once
 * when no task is left: what a script sees at time 0 depends on it. The stride shrinks
 * while timers fire late and grows slowly while they do not. */
static bool run_timers(struct router *r)
{
    int64_t due = sched_next_timer(&r->sched);

    if (!sched_idle(&r->sched) && ++r->rounds % r->timer_stride)
        return false;
    clock_update(r);
    if (due > r->coarse_ns)
        return false;
    if (r->coarse_ns - due > TIMER_LATE_NS) {
        r->timers_in_time = 0;
        if (r->timer_stride > 1)
            r->timer_stride = r->timer_stride * 4 / 5;
    } else if (++r->timers_in_time >= TIMERS_IN_TIME) {
        r->timers_in_time = 0;
        if (r->timer_stride < MAX_TIMER_STRIDE)
            r->timer_stride++;
    }
    return sched_run_timers(&r->sched, r->coarse_ns);
}

bool router_run(struct router *r, unsigned budget, int64_t *next_ns)
{
    bool worked = false;

    *next_ns = INT64_MAX;
    if (!goes_on(r))
        return false;
    clock_update(r);
    worked = sched_run_tasks(&r->sched, budget);
    worked |= run_timers(r);
    if (goes_on(r))
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

void router_stop(struct router *r)
{
    router_adjust_run_count(r, -1);
}

void router_adjust_run_count(struct router *r, int32_t delta)
{
    int32_t n;

    if (!__builtin_add_overflow(r->run_count, delta, &n))
        r->run_count = n;
}

int router_set_stop_script(struct router *r, struct element *e)
{
    if (r->stop_script)
        return -1;
    r->stop_script = e;
    return 0;
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
