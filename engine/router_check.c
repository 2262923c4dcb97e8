// SPDX-License-Identifier: BSD-3-Clause
/*
 * router_check.c -- what does not fit in a graph, in Click's words and Click's order
 *
 * Nothing here is on the way of a configuration without errors but two walks along its
 * connections: the conflicts between push and pull are found by router_ports.c, and only
 * named here.
 */

#include "engine/router_impl.h"

#include <stdlib.h>

bool router_has_connection(const struct router *r, const struct lang_connection *c)
{
    return c->from_port < r->elements[c->from]->n_out &&
           c->to_port < r->elements[c->to]->n_in;
}

/* --- ports that are not there ----------------------------------------------------------- */

static void report_range(struct router *r, const struct lang_connection *c,
                         struct diag *d)
{
    const struct element *from = r->elements[c->from], *to = r->elements[c->to];

    if (c->to_port >= to->n_in)
        diag_err_at(d, to->at, "'%s' has no input %u", element_declaration(to),
                    c->to_port);
    if (c->from_port >= from->n_out)
        diag_err_at(d, from->at, "'%s' has no output %u", element_declaration(from),
                    c->from_port);
}

/* Click puts the last connection in the place of one that it has complained about, and
 * looks at that next. */
int router_check_range(struct router *r, struct diag *d)
{
    uint32_t n = r->graph.n_connections, i = 0, *rest;
    const struct lang_connection *all = r->graph.connections;

    while (i < n && router_has_connection(r, &all[i]))
        i++;
    if (i == n)
        return 0;
    rest = malloc(n * sizeof *rest);
    if (!rest)
        return diag_err(d, "out of memory");
    for (uint32_t k = 0; k < n; k++)
        rest[k] = k;
    while (i < n)
        if (router_has_connection(r, &all[rest[i]])) {
            i++;
        } else {
            report_range(r, &all[rest[i]], d);
            rest[i] = rest[--n];
        }
    free(rest);
    return -1;
}

/* --- push against pull ------------------------------------------------------------------ */

/* A connection, or the way from an input to an output inside an element, which Click treats
 * as a connection in the opposite direction. */
struct edge {
    uint32_t from, from_port, to, to_port;
    uint32_t out, in; /* as numbers of all ports; UINT32_MAX: reported */
    struct place at;
};

struct edges {
    struct edge *v; /* owned */
    uint32_t n, room, n_real;
};

/* Repeating passes over all edges finds conflicts in Click's order, but may take as many
 * passes as there are elements in a row. */
enum { MAX_EDGE_VISITS = 1 << 24 };

static const char *kind_name(uint8_t kind)
{
    return kind == PORT_PUSH ? "push" : "pull";
}

static bool edge_add(struct edges *s, struct edge e)
{
    if (s->n == s->room) {
        uint32_t room = s->room ? 2 * s->room : 64;
        struct edge *v = realloc(s->v, room * sizeof *v);

        if (!v)
            return false;
        s->v = v;
        s->room = room;
    }
    s->v[s->n++] = e;
    return true;
}

static bool add_connections(const struct router *r, struct edges *s)
{
    for (uint32_t i = 0; i < r->graph.n_connections; i++) {
        const struct lang_connection *c = &r->graph.connections[i];
        struct edge e = {c->from, c->from_port, c->to, c->to_port, 0, 0, c->at};

        e.out = r->n_in + r->ports[c->from].first_out + c->from_port;
        e.in = r->ports[c->to].first_in + c->to_port;
        if (router_has_connection(r, c) && !edge_add(s, e))
            return false;
    }
    s->n_real = s->n;
    return true;
}

static bool add_ways(const struct router *r, uint32_t i, const uint8_t *kind,
                     struct edges *s)
{
    const struct element *e = r->elements[i];

    for (unsigned in = 0; in < e->n_in; in++)
        for (unsigned out = 0; out < e->n_out; out++) {
            struct edge way = {i, out, i, in, 0, 0, e->at};

            way.in = r->ports[i].first_in + in;
            way.out = r->n_in + r->ports[i].first_out + out;
            if (!kind[way.in] && !kind[way.out] &&
                flow_connects(e->cls->flow, in, out) && !edge_add(s, way))
                return false;
        }
    return true;
}

static void report_conflict(const struct router *r, const struct edge *e, bool real,
                            const uint8_t *kind, struct diag *d)
{
    const char *from = kind_name(kind[e->out]), *to = kind_name(kind[e->in]);
    /* Click does not say where. */
    struct place at = r->by_phase ? NO_PLACE : e->at;

    if (real)
        diag_err_at(d, at, "'%s' %s output %u connected to '%s' %s input %u",
                    element_declaration(r->elements[e->from]), from, e->from_port,
                    element_declaration(r->elements[e->to]), to, e->to_port);
    else
        diag_err_at(d, at, "agnostic '%s' in mixed context: %s input %u, %s output %u",
                    element_declaration(r->elements[e->from]), to, e->to_port, from,
                    e->from_port);
}

/* One pass; returns whether a port has become push or pull. */
static bool spread(const struct router *r, struct edges *s, uint8_t *kind,
                   struct diag *d)
{
    bool changed = false;

    for (uint32_t i = 0; i < s->n; i++) {
        struct edge *e = &s->v[i];

        if (e->out == UINT32_MAX || kind[e->out] == kind[e->in])
            continue;
        if (!kind[e->in]) {
            kind[e->in] = kind[e->out];
            changed = true;
        } else if (!kind[e->out]) {
            kind[e->out] = kind[e->in];
            changed = true;
        } else {
            report_conflict(r, e, i < s->n_real, kind, d);
            e->out = UINT32_MAX;
        }
    }
    return changed;
}

void router_report_conflicts(struct router *r, const uint8_t *own, struct diag *d)
{
    uint8_t *kind = malloc(r->n_in + r->n_out + 1);
    struct edges s = {0};
    size_t before = diag_n_errors(d);
    uint64_t visits = 0;
    bool ok = kind && add_connections(r, &s);

    for (uint32_t i = 0; i < r->n && ok; i++)
        ok = add_ways(r, i, own, &s);
    if (ok) {
        memcpy(kind, own, r->n_in + r->n_out);
        while (spread(r, &s, kind, d) && visits < MAX_EDGE_VISITS)
            visits += s.n;
    }
    if (diag_n_errors(d) == before)
        diag_err(d, ok ? "push and pull are mixed" : "out of memory");
    free(s.v);
    free(kind);
}

/* --- ports in use ------------------------------------------------------------------------ */

/* Each connection too many at a port that calls. */
static void check_reuse(const struct router *r, const struct element *e, bool output,
                        struct diag *d)
{
    uint32_t base = output ? r->ports[e->index].first_out : r->ports[e->index].first_in;
    const uint32_t *first = output ? r->out_first : r->in_first;
    const uint8_t *kind = output ? r->out_kind : r->in_kind;
    uint8_t calls = output ? PORT_PUSH : PORT_PULL;
    unsigned n = output ? e->n_out : e->n_in;

    for (unsigned p = 0; p < n; p++)
        for (uint32_t i = first[base + p] + 1;
             kind[base + p] == calls && i < first[base + p + 1]; i++)
            diag_err_at(d, e->at, "illegal reuse of '%s' %s %u", element_declaration(e),
                        output ? "push output" : "pull input", p);
}

static void check_used(const struct router *r, const struct element *e, bool output,
                       struct diag *d)
{
    uint32_t base = output ? r->ports[e->index].first_out : r->ports[e->index].first_in;
    const uint32_t *first = output ? r->out_first : r->in_first;
    unsigned n = output ? e->n_out : e->n_in;

    for (unsigned p = 0; p < n; p++)
        if (first[base + p] == first[base + p + 1])
            diag_err_at(d, e->at, "'%s' %s %u unused", element_declaration(e),
                        output ? "output" : "input", p);
}

int router_check_complete(struct router *r, struct diag *d)
{
    size_t before = diag_n_errors(d);

    for (int output = 0; output < 2; output++)
        for (uint32_t i = 0; i < r->n; i++)
            check_reuse(r, r->elements[i], output, d);
    for (int output = 0; output < 2; output++)
        for (uint32_t i = 0; i < r->n; i++)
            check_used(r, r->elements[i], output, d);
    return diag_n_errors(d) > before ? -1 : 0;
}
