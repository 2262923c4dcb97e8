// SPDX-License-Identifier: BSD-3-Clause
/*
 * router_ports.c -- port counts, push and pull, wiring
 *
 * Every port of every element gets a number. Agnostic ports that must work the same way,
 * because a connection joins them or packets flow from one to the other inside an element,
 * are joined in a disjoint-set forest (Galler and Fischer, 1964; path halving); a set is
 * push or pull as soon as one of its ports is. That takes nearly linear time, where a
 * fixpoint over all elements would not. What does not fit is reported by router_check.c.
 */

#include "engine/router_impl.h"

#include <stdlib.h>

/* --- port counts ---------------------------------------------------------------------- */

enum { ANY = LANG_MAX_PORT + 1 };

struct count_code {
    unsigned in_min, in_max, out_min, out_max;
    bool equal;     /* as many outputs as inputs, and */
    unsigned extra; /* so many more */
};

static const char *parse_range(const char *s, unsigned *min, unsigned *max)
{
    unsigned n = 0;
    bool number = false;

    for (; *s >= '0' && *s <= '9'; s++, number = true)
        n = n * 10 + (unsigned)(*s - '0');
    *min = number ? n : 0;
    *max = number ? n : ANY;
    if (*s == '-') {
        s++;
        *max = ANY;
        if (*s >= '0' && *s <= '9')
            s = parse_range(s, &n, max);
    }
    return s;
}

static struct count_code count_code_parse(const char *s)
{
    struct count_code c = {0};

    if (!s)
        s = "0/0";
    s = parse_range(s, &c.in_min, &c.in_max);
    if (*s == '/')
        s++;
    if (*s == '=')
        for (c.equal = true; s[1] == '+'; s++)
            c.extra++;
    else
        parse_range(s, &c.out_min, &c.out_max);
    return c;
}

static unsigned clamp(unsigned n, unsigned min, unsigned max)
{
    return n < min ? min : n > max ? max : n;
}

/* Give each element as many ports as are in use and its class allows. */
static void count_ports(struct router *r)
{
    const struct lang_graph *g = &r->graph;

    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *c = &g->connections[i];
        struct element *from = r->elements[c->from], *to = r->elements[c->to];

        if (c->from_port >= from->n_out)
            from->n_out = (uint16_t)(c->from_port + 1);
        if (c->to_port >= to->n_in)
            to->n_in = (uint16_t)(c->to_port + 1);
    }
    for (uint32_t i = 0; i < r->n; i++) {
        struct element *e = r->elements[i];
        struct count_code c = count_code_parse(e->cls->ports);

        if (c.equal) {
            unsigned n = clamp(e->n_in, c.in_min, c.in_max);

            if (e->n_out > n + c.extra)
                n = clamp(e->n_out - c.extra, c.in_min, c.in_max);
            c.in_min = c.in_max = n;
            c.out_min = c.out_max = n + c.extra;
        }
        e->n_in = (uint16_t)clamp(e->n_in, c.in_min, c.in_max);
        e->n_out = (uint16_t)clamp(e->n_out, c.out_min, c.out_max);
        r->ports[i] = (struct ports){.first_in = r->n_in, .first_out = r->n_out};
        r->n_in += e->n_in;
        r->n_out += e->n_out;
    }
}

/* --- connections by port ---------------------------------------------------------------- */

static uint32_t out_of(const struct router *r, const struct lang_connection *c)
{
    return r->ports[c->from].first_out + c->from_port;
}

static uint32_t in_of(const struct router *r, const struct lang_connection *c)
{
    return r->ports[c->to].first_in + c->to_port;
}

/* Sort the connections that exist by port, with a counting sort. */
static int index_connections(struct router *r, uint32_t **list, uint32_t **first,
                             uint32_t n_ports,
                             uint32_t (*port)(const struct router *,
                                              const struct lang_connection *))
{
    const struct lang_graph *g = &r->graph;

    *list = arena_alloc(r->arena, (g->n_connections + 1) * sizeof(uint32_t));
    *first = arena_alloc(r->arena, (n_ports + 2) * sizeof(uint32_t));
    if (!*list || !*first)
        return -1;
    for (uint32_t i = 0; i < g->n_connections; i++)
        if (router_has_connection(r, &g->connections[i]))
            (*first)[port(r, &g->connections[i]) + 2]++;
    for (uint32_t p = 2; p <= n_ports; p++)
        (*first)[p] += (*first)[p - 1];
    for (uint32_t i = 0; i < g->n_connections; i++)
        if (router_has_connection(r, &g->connections[i]))
            (*list)[(*first)[port(r, &g->connections[i]) + 1]++] = i;
    return 0;
}

/* A connection made twice is one connection: drop the second from the graph. */
static int drop_duplicates(struct router *r)
{
    struct lang_graph *g = &r->graph;
    uint32_t n = 0;
    struct strmap seen = STRMAP_INIT;

    for (uint32_t i = 0; i < g->n_connections; i++) {
        struct lang_connection *c = &g->connections[i];
        size_t key_len = offsetof(struct lang_connection, at);

        if (strmap_has(&seen, (const char *)c, key_len))
            continue;
        g->connections[n] = *c;
        if (strmap_put(&seen, (const char *)&g->connections[n], key_len, c) < 0) {
            strmap_fini(&seen);
            return -1;
        }
        n++;
    }
    g->n_connections = n;
    strmap_fini(&seen);
    return 0;
}

/* --- push and pull ------------------------------------------------------------------------ */

/* Sets of ports: inputs first, then outputs. */
struct kinds {
    uint32_t *parent; /* [n_in + n_out] */
    uint8_t *kind;    /* of the set, valid at its root */
};

static uint32_t set_find(struct kinds *k, uint32_t i)
{
    while (k->parent[i] != i) {
        k->parent[i] = k->parent[k->parent[i]];
        i = k->parent[i];
    }
    return i;
}

/* Join two sets. False when one is push and the other pull; they stay apart then. */
static bool set_join(struct kinds *k, uint32_t a, uint32_t b)
{
    a = set_find(k, a);
    b = set_find(k, b);
    if (a == b)
        return true;
    if (k->kind[a] && k->kind[b] && k->kind[a] != k->kind[b])
        return false;
    k->parent[b] = a;
    k->kind[a] |= k->kind[b];
    return true;
}

static enum port_kind kind_of_letter(char c)
{
    return c == 'h' || c == 'H'   ? PORT_PUSH
           : c == 'l' || c == 'L' ? PORT_PULL
                                  : PORT_AGNOSTIC;
}

/* The letter for port `n` of a processing code's side; the last one repeats. */
static const char *letter_at(const char *side, unsigned n)
{
    while (n-- > 0 && side[1] && side[1] != '/')
        side++;
    return side;
}

static const char *output_side(const char *code)
{
    const char *slash = strchr(code, '/');

    return slash ? slash + 1 : code;
}

static void kinds_from_class(const struct router *r, struct kinds *k, uint32_t i)
{
    const struct element *e = r->elements[i];
    const char *code = e->cls->processing ? e->cls->processing : "a/a";
    const char *out = output_side(code);

    for (unsigned p = 0; p < e->n_in; p++)
        k->kind[r->ports[i].first_in + p] = (uint8_t)kind_of_letter(
            *letter_at(code, p));
    for (unsigned p = 0; p < e->n_out; p++)
        k->kind[r->n_in + r->ports[i].first_out + p] = (uint8_t)kind_of_letter(
            *letter_at(out, p));
}

/* Join agnostic ports between which packets flow inside element `i`. Returns false on a
 * conflict between push and pull. */
static bool join_inside(struct router *r, struct kinds *k, uint32_t i,
                        const uint8_t *own)
{
    const struct element *e = r->elements[i];
    bool ok = true;

    for (unsigned in = 0; in < e->n_in; in++)
        for (unsigned out = 0; out < e->n_out; out++) {
            uint32_t a = r->ports[i].first_in + in;
            uint32_t b = r->n_in + r->ports[i].first_out + out;

            if (!own[a] && !own[b] && flow_connects(e->cls->flow, in, out))
                ok &= set_join(k, a, b);
        }
    return ok;
}

static bool join_connections(struct router *r, struct kinds *k)
{
    bool ok = true;

    for (uint32_t i = 0; i < r->graph.n_connections; i++) {
        const struct lang_connection *c = &r->graph.connections[i];

        if (router_has_connection(r, c))
            ok &= set_join(k, r->n_in + out_of(r, c), in_of(r, c));
    }
    return ok;
}

/* Decide for every port whether it is push or pull; what nothing decides is push. */
static int decide_kinds(struct router *r, struct diag *d)
{
    uint32_t n = r->n_in + r->n_out;
    uint8_t *own = malloc(n + 1), *kind = arena_alloc(r->arena, n + 1);
    struct kinds k = {.parent = malloc((n + 1) * sizeof(uint32_t)), .kind = kind};
    bool ok;

    if (!own || !kind || !k.parent) {
        free(own);
        free(k.parent);
        return -1;
    }
    for (uint32_t i = 0; i < n; i++)
        k.parent[i] = i;
    for (uint32_t i = 0; i < r->n; i++)
        kinds_from_class(r, &k, i);
    memcpy(own, kind, n);
    ok = join_connections(r, &k);
    for (uint32_t i = 0; i < r->n; i++)
        ok &= join_inside(r, &k, i, own);
    if (!ok)
        router_report_conflicts(r, own, d);
    for (uint32_t i = 0; i < n; i++)
        own[i] = k.kind[set_find(&k, i)] == PORT_PULL ? PORT_PULL : PORT_PUSH;
    memcpy(kind, own, n);
    r->in_kind = kind;
    r->out_kind = kind + r->n_in;
    free(own);
    free(k.parent);
    return 0;
}

/* --- wiring -------------------------------------------------------------------------------------- */

static int alloc_ports(struct router *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        struct element *e = r->elements[i];

        e->out = arena_alloc(r->arena, (e->n_in + e->n_out + 1) * sizeof(struct port));
        if (!e->out)
            return -1;
        e->in = e->out + e->n_out;
        for (unsigned p = 0; p < e->n_in; p++)
            e->in[p].is_push = r->in_kind[r->ports[i].first_in + p] == PORT_PUSH;
        for (unsigned p = 0; p < e->n_out; p++)
            e->out[p].is_push = r->out_kind[r->ports[i].first_out + p] == PORT_PUSH;
    }
    return 0;
}

static void wire_one(struct router *r, const struct lang_connection *c)
{
    struct element *from = r->elements[c->from], *to = r->elements[c->to];
    struct port *out = &from->out[c->from_port], *in = &to->in[c->to_port];

    /* Both ends know each other; only the calling side has a function. */
    out->peer = to;
    out->peer_port = (uint16_t)c->to_port;
    in->peer = from;
    in->peer_port = (uint16_t)c->from_port;
    if (out->is_push) {
        out->push = to->cls->push;
        out->push_ip4 = to->cls->push_ip4 ? to->cls->push_ip4 : to->cls->push;
    } else {
        in->pull = from->cls->pull;
    }
}

/* Elements that only hand packets on are not called: who would call one calls the element
 * behind it. `left` ends a circle of them. */
static void lead_past(struct port *port, bool push, uint32_t left)
{
    while (port->peer->cls->passes && left-- > 0) {
        const struct port *next = push ? port->peer->out : port->peer->in;
        bool is_push = port->is_push;

        *port = *next;
        port->is_push = is_push;
    }
}

/* From those only that are called themselves: a long chain is walked once. */
static void lead_past_all(struct router *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        struct element *e = r->elements[i];

        if (e->cls->passes)
            continue;
        for (unsigned p = 0; p < e->n_out; p++)
            if (e->out[p].is_push)
                lead_past(&e->out[p], true, r->n);
        for (unsigned p = 0; p < e->n_in; p++)
            if (!e->in[p].is_push)
                lead_past(&e->in[p], false, r->n);
    }
}

/* To elements that are not plain: see turns.h. */
static void push_noted(struct element *e, unsigned port, struct batch *b)
{
    e->router->sched.noted++;
    e->cls->push(e, port, b);
}

static void push_ip4_noted(struct element *e, unsigned port, struct batch *b)
{
    e->router->sched.noted++;
    (e->cls->push_ip4 ? e->cls->push_ip4 : e->cls->push)(e, port, b);
}

static uint32_t pull_noted(struct element *e, unsigned port, struct batch *b,
                           uint32_t max)
{
    e->router->sched.noted++;
    return e->cls->pull(e, port, b, max);
}

static void note_others(struct router *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        struct element *e = r->elements[i];

        for (unsigned p = 0; p < e->n_out; p++)
            if (e->out[p].is_push && !e->out[p].peer->cls->plain) {
                e->out[p].push = push_noted;
                e->out[p].push_ip4 = push_ip4_noted;
            }
        for (unsigned p = 0; p < e->n_in; p++)
            if (!e->in[p].is_push && !e->in[p].peer->cls->plain)
                e->in[p].pull = pull_noted;
    }
}

/* Between any two elements: packets one by one, and turns too. */
static void push_singly(struct element *e, unsigned port, struct batch *b)
{
    struct batch one;
    uint32_t n = b->n;

    e->router->sched.noted++;
    if (n == 1) {
        e->cls->push(e, port, b);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        one.n = 1;
        one.p[0] = b->p[i];
        e->cls->push(e, port, &one);
    }
}

/* Where one element prints packets, two may; and then a packet is to be printed by both before
 * the next one is by either, as in Click. Only the driver has somebody who reads along. */
static void push_singly_if_printed(struct router *r)
{
    bool talks = false;

    for (uint32_t i = 0; i < r->n; i++)
        talks |= r->elements[i]->cls->talks && r->elements[i]->n_in;
    if (!talks || !r->platform->has_os)
        return;
    for (uint32_t i = 0; i < r->n; i++) {
        struct element *e = r->elements[i];

        for (unsigned p = 0; p < e->n_out; p++)
            if (e->out[p].is_push)
                e->out[p].push = e->out[p].push_ip4 = push_singly;
    }
}

static int wire(struct router *r, struct diag *d)
{
    for (uint32_t i = 0; i < r->graph.n_connections; i++)
        wire_one(r, &r->graph.connections[i]);
    for (uint32_t i = 0; i < r->n; i++) {
        const struct element *e = r->elements[i];

        for (unsigned p = 0; p < e->n_out; p++)
            if (e->out[p].is_push && !e->out[p].push)
                return diag_err_at(d, e->at, "'%s' cannot be pushed to",
                                   element_declaration(e->out[p].peer));
        for (unsigned p = 0; p < e->n_in; p++)
            if (!e->in[p].is_push && !e->in[p].pull)
                return diag_err_at(d, e->at, "'%s' cannot be pulled from",
                                   element_declaration(e->in[p].peer));
    }
    lead_past_all(r);
    note_others(r);
    push_singly_if_printed(r);
    return 0;
}

int router_connect(struct router *r, struct diag *d)
{
    size_t before = diag_n_errors(d);

    r->ports = arena_alloc(r->arena, (r->n + 1) * sizeof *r->ports);
    if (!r->ports || drop_duplicates(r) < 0)
        return diag_err(d, "out of memory");
    count_ports(r);
    if (router_check_range(r, d) < 0 && r->by_phase)
        return -1;
    if (index_connections(r, &r->by_out, &r->out_first, r->n_out, out_of) < 0 ||
        index_connections(r, &r->by_in, &r->in_first, r->n_in, in_of) < 0 ||
        decide_kinds(r, d) < 0 || alloc_ports(r) < 0)
        return diag_err(d, "out of memory");
    if (diag_n_errors(d) > before && r->by_phase)
        return -1;
    if (router_check_complete(r, d) < 0 || diag_n_errors(d) > before)
        return -1;
    return wire(r, d);
}
