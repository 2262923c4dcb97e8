// SPDX-License-Identifier: BSD-3-Clause
/* router_visit.c -- walks through the graph along the flow codes */

#include "engine/router_impl.h"

#include <stdlib.h>

/* --- flow codes --------------------------------------------------------------------------- */

/* The code of one port: which letters it has, whether it is '#' (same number only). */
struct flow_set {
    uint64_t letters; /* a-z, A-Z; bit 63: everything */
    bool same_port;
};

static uint64_t letter_bit(char c)
{
    if (c >= 'a' && c <= 'z')
        return 1ull << (c - 'a');
    if (c >= 'A' && c <= 'Z')
        return 1ull << (26 + c - 'A');
    return 0;
}

/* Read one item ("x", "#", "[ab]", "[^ab]"); returns what follows it. */
static const char *flow_item(const char *s, struct flow_set *f)
{
    bool negated = false;

    *f = (struct flow_set){0};
    if (*s != '[') {
        f->same_port = *s == '#';
        f->letters = letter_bit(*s);
        return *s ? s + 1 : s;
    }
    s++;
    if (*s == '^') {
        negated = true;
        s++;
    }
    for (; *s && *s != ']'; s++) {
        f->letters |= letter_bit(*s);
        f->same_port |= *s == '#';
    }
    if (negated)
        f->letters = ~f->letters;
    return *s ? s + 1 : s;
}

static struct flow_set flow_at(const char *side, unsigned port)
{
    struct flow_set f;

    do {
        side = flow_item(side, &f);
    } while (port-- > 0 && *side && *side != '/');
    return f;
}

bool flow_connects(const char *code, unsigned in, unsigned out)
{
    const char *slash;
    struct flow_set i, o;

    if (!code || !strcmp(code, "x/x"))
        return true;
    slash = strchr(code, '/');
    i = flow_at(code, in);
    o = flow_at(slash ? slash + 1 : code, out);
    return (i.letters & o.letters) != 0 || (i.same_port && o.same_port && in == out);
}

int router_set_flow(struct router *r, const struct element *e, const char *code)
{
    if (!r->flow)
        r->flow = arena_alloc(r->arena, (r->n + 1) * sizeof *r->flow);
    if (!r->flow || !(code = arena_strdup(r->arena, code)))
        return -1;
    r->flow[e->index] = code;
    return 0;
}

/* --- visits --------------------------------------------------------------------------------- */

struct walk {
    struct router *r;
    bool (*visit)(void *ctx, struct element *at, unsigned at_port);
    void *ctx;
    uint8_t *seen;   /* by port number at which an element was entered */
    uint32_t *queue; /* connections still to be followed, owned */
    uint32_t head, tail;
    bool up;
};

/* Queue the connections of a port: an input going up, an output going down. */
static void walk_port(struct walk *w, uint32_t port)
{
    const struct router *r = w->r;
    const uint32_t *first = w->up ? r->in_first : r->out_first;
    const uint32_t *list = w->up ? r->by_in : r->by_out;

    for (uint32_t i = first[port]; i < first[port + 1]; i++)
        w->queue[w->tail++] = list[i];
}

static void walk_through(struct walk *w, const struct element *e, unsigned at_port)
{
    const struct ports *p = &w->r->ports[e->index];
    unsigned n = w->up ? e->n_in : e->n_out;
    const char *code = w->r->flow ? w->r->flow[e->index] : NULL;

    if (!code)
        code = e->cls->flow;
    for (unsigned i = 0; i < n; i++)
        if (w->up ? flow_connects(code, i, at_port) : flow_connects(code, at_port, i)) {
            uint32_t port = (w->up ? p->first_in : p->first_out) + i;
            uint8_t *seen = &w->seen[port];

            /* This port's connections are queued already. */
            if (!(*seen)) {
                *seen = 1;
                walk_port(w, port);
            }
        }
}

static void walk_run(struct walk *w)
{
    const struct router *r = w->r;

    while (w->head < w->tail) {
        const struct lang_connection *c = &r->graph.connections[w->queue[w->head++]];
        struct element *e = r->elements[w->up ? c->from : c->to];
        unsigned at_port = w->up ? c->from_port : c->to_port;

        if (w->visit(w->ctx, e, at_port))
            walk_through(w, e, at_port);
    }
}

static void walk(struct element *e, unsigned port, bool up,
                 bool (*visit)(void *ctx, struct element *at, unsigned at_port),
                 void *ctx)
{
    struct router *r = e->router;
    const struct ports *p = &r->ports[e->index];
    uint32_t first = (up ? p->first_in : p->first_out) + port;
    struct walk w = {.r = r, .visit = visit, .ctx = ctx, .up = up};

    if (port >= (up ? e->n_in : e->n_out))
        return;
    /* Each port is queued once, so no connection is followed twice. */
    w.seen = calloc((up ? r->n_in : r->n_out) + 1, 1);
    w.queue = malloc((r->graph.n_connections + 1) * sizeof(uint32_t));
    if (w.seen && w.queue) {
        w.seen[first] = 1;
        walk_port(&w, first);
        walk_run(&w);
    } else {
        r->sched.failed = true; /* the router does not start */
    }
    free(w.seen);
    free(w.queue);
}

void element_visit_up(struct element *e, unsigned port,
                      bool (*visit)(void *ctx, struct element *at, unsigned at_port),
                      void *ctx)
{
    walk(e, port, true, visit, ctx);
}

void element_visit_down(struct element *e, unsigned port,
                        bool (*visit)(void *ctx, struct element *at, unsigned at_port),
                        void *ctx)
{
    walk(e, port, false, visit, ctx);
}
