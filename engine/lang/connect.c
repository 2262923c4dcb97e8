// SPDX-License-Identifier: BSD-3-Clause
/*
 * connect.c -- tunnels are bridged, and the graph is handed over: see parse.h
 *
 * A connection that enters a tunnel goes on with every connection that leaves it at the
 * other end. Only connections that start at a real element are followed; each one walks
 * all tunnels it leads to. Two sorted lists find the connections of a port.
 */

#include "engine/lang/parse.h"

#include <stdlib.h>
#include <string.h>

/* One end of a link, for sorting. */
struct end {
    uint32_t node, port;
    uint32_t link;
    uint32_t stamp; /* of the walk that came by here last; the first of a port counts */
};

struct ends {
    struct end *v;
    uint32_t n;
};

struct wiring {
    struct lang *l;
    struct ends
        side[2];     /* ends of links that are tunnels: where they enter, and leave */
    uint32_t *stack; /* links still to follow */
    uint32_t n_stack, stack_room;
    struct link *done;
    uint32_t n_done, done_room;
    uint32_t walk;
};

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_ends(const void *va, const void *vb)
{
    const struct end *a = va, *b = vb;
    int c = compare_u32(a->node, b->node);

    if (!c)
        c = compare_u32(a->port, b->port);
    return c ? c : compare_u32(a->link, b->link);
}

/* The first end at this port, or where it would be. */
static uint32_t ends_find(const struct ends *e, uint32_t node, uint32_t port)
{
    uint32_t low = 0, high = e->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct end *m = &e->v[mid];

        if (m->node < node || (m->node == node && m->port < port))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool ends_at(const struct ends *e, uint32_t i, uint32_t node, uint32_t port)
{
    return i < e->n && e->v[i].node == node && e->v[i].port == port;
}

static bool is_tunnel(const struct lang *l, uint32_t node)
{
    return l->top->nodes[node].kind != NODE_ELEMENT;
}

static bool is_raw(const struct lang *l)
{
    return l->options && l->options->raw;
}

static bool index_ends(struct lang *l, struct ends *e, int side)
{
    const struct compound *top = l->top;

    e->v = lang_alloc(l, ((size_t)top->n_links + 1) * sizeof *e->v);
    if (!e->v)
        return false;
    for (uint32_t i = 0; i < top->n_links; i++) {
        const struct link *k = &top->links[i];
        uint32_t node = side == IN ? k->to : k->from;
        uint32_t port = side == IN ? k->to_port : k->from_port;

        if (is_tunnel(l, node))
            e->v[e->n++] = (struct end){.node = node, .port = port, .link = i};
    }
    qsort(e->v, e->n, sizeof *e->v, compare_ends);
    return true;
}

/* --- ports of compounds that lead nowhere --- */

/* A link's end at `node` uses a port that has nothing on the other side. */
static void report_dead_end(struct lang *l, uint32_t node, int side, uint32_t port)
{
    const struct node *nodes = l->top->nodes, *n = &nodes[node], *outer = n;

    if (n->kind == NODE_INPUT)
        outer = &nodes[n->twin[OUT]];
    else if (n->kind == NODE_OUTPUT)
        outer = &nodes[n->twin[IN]];
    if (n->kind == NODE_TUNNEL)
        lang_err(l, outer->at, "'%s' has no %s %u", outer->name,
                 side == IN ? "input" : "output", port);
    else
        lang_err(l, outer->at, "'%s' %s %u unused", outer->name,
                 side == IN ? "output" : "input", port);
}

static void check_end(struct wiring *w, uint32_t node, int side, uint32_t port)
{
    struct lang *l = w->l;
    const struct node *n = &l->top->nodes[node];
    uint32_t here, twin;

    if (n->kind == NODE_ELEMENT)
        return;
    twin = n->twin[side];
    if (twin == NO_ELEMENT) {
        lang_err(l, n->at, "'%s' used as %s", n->name, side == IN ? "input" : "output");
        return;
    }
    here = ends_find(&w->side[side], node, port);
    if (w->side[side].v[here].stamp)
        return; /* was looked at */
    w->side[side].v[here].stamp = 1;
    if (!ends_at(&w->side[!side], ends_find(&w->side[!side], twin, port), twin, port))
        report_dead_end(l, node, side, port);
}

static void check_ends(struct wiring *w)
{
    const struct compound *top = w->l->top;

    for (uint32_t i = 0; i < top->n_links && !w->l->fatal; i++) {
        check_end(w, top->links[i].from, OUT, top->links[i].from_port);
        check_end(w, top->links[i].to, IN, top->links[i].to_port);
    }
}

/* --- following --- */

static void finish_link(struct wiring *w, const struct link *start,
                        const struct link *k)
{
    struct lang *l = w->l;

    if (w->n_done >= LANG_MAX_CONNECTIONS && !l->fatal) {
        lang_err(l, start->at, "configuration has more than %d connections",
                 LANG_MAX_CONNECTIONS);
        l->fatal = true;
    }
    if (!lang_spend(l, 4) ||
        !lang_grow(l, (void **)&w->done, w->n_done, &w->done_room, sizeof *w->done))
        return;
    w->done[w->n_done] = *start;
    w->done[w->n_done].to = k->to;
    w->done[w->n_done++].to_port = k->to_port;
}

/* All links that leave the tunnel at the other end of `k`, but only once a walk. */
static void push_next(struct wiring *w, const struct link *k)
{
    uint32_t twin = w->l->top->nodes[k->to].twin[IN];
    struct ends *leaving = &w->side[OUT];
    uint32_t i;

    if (twin == NO_ELEMENT)
        return;
    i = ends_find(leaving, twin, k->to_port);
    if (!ends_at(leaving, i, twin, k->to_port) || leaving->v[i].stamp == w->walk)
        return;
    leaving->v[i].stamp = w->walk;
    for (; ends_at(leaving, i, twin, k->to_port); i++)
        if (lang_spend(w->l, 4) && lang_grow(w->l, (void **)&w->stack, w->n_stack,
                                             &w->stack_room, sizeof *w->stack))
            w->stack[w->n_stack++] = leaving->v[i].link;
}

static void follow(struct wiring *w, uint32_t first)
{
    const struct link *links = w->l->top->links, *start = &links[first];

    w->walk++;
    w->n_stack = 0;
    if (!is_tunnel(w->l, start->to)) {
        finish_link(w, start, start);
        return;
    }
    push_next(w, start);
    while (w->n_stack && !w->l->fatal) {
        const struct link *k = &links[w->stack[--w->n_stack]];

        if (is_tunnel(w->l, k->to))
            push_next(w, k);
        else
            finish_link(w, start, k);
    }
}

/* --- the graph --- */

/* Click sorts connections by where they go to, then by where they come from. */
static int compare_links(const void *va, const void *vb)
{
    const struct link *a = va, *b = vb;
    int c = compare_u32(a->to, b->to);

    if (!c)
        c = compare_u32(a->to_port, b->to_port);
    if (!c)
        c = compare_u32(a->from, b->from);
    return c ? c : compare_u32(a->from_port, b->from_port);
}

static const char *intern(struct lang *l, struct strmap *m, const char *name)
{
    size_t len = strlen(name);
    char *copy = strmap_get(m, name, len);

    if (copy)
        return copy;
    copy = arena_strndup(l->out, name, len);
    if (!copy || strmap_put(m, copy, len, copy) < 0)
        lang_out_of_memory(l);
    return copy;
}

/* Copy the elements; `number` becomes the index that each node has in the graph. */
static void elements_out(struct lang *l, struct lang_graph *g, uint32_t *number)
{
    const struct compound *top = l->top;
    struct strmap classes = STRMAP_INIT;
    uint32_t n = 0;

    for (uint32_t i = 0; i < top->n_nodes; i++)
        n += !is_tunnel(l, i) || is_raw(l);
    g->elements = arena_alloc_aligned(l->out, n, sizeof *g->elements, 16);
    if (!g->elements)
        lang_out_of_memory(l);
    for (uint32_t i = 0; i < top->n_nodes && !l->fatal; i++) {
        const struct node *from = &top->nodes[i];
        struct lang_element *e = &g->elements[g->n_elements];

        if (is_tunnel(l, i) && !is_raw(l))
            continue;
        number[i] = g->n_elements++;
        e->name = arena_strdup(l->out, from->name);
        e->class_name = is_tunnel(l, i) ? NULL
                        : from->type    ? intern(l, &classes, from->type->name)
                                        : "Error";
        e->config = *from->config ? arena_strdup(l->out, from->config) : "";
        e->at = from->at;
        if (!e->name || (!e->class_name && !is_raw(l)) || !e->config)
            lang_out_of_memory(l);
    }
    strmap_fini(&classes);
}

static void connections_out(struct wiring *w, struct lang_graph *g,
                            const uint32_t *number)
{
    if (w->n_done && !is_raw(w->l))
        qsort(w->done, w->n_done, sizeof *w->done, compare_links);
    g->connections = arena_alloc_aligned(w->l->out, w->n_done, sizeof *g->connections,
                                         16);
    if (!g->connections) {
        lang_out_of_memory(w->l);
        return;
    }
    for (uint32_t i = 0; i < w->n_done; i++) {
        const struct link *k = &w->done[i];

        if (i && !is_raw(w->l) && compare_links(k - 1, k) == 0)
            continue; /* said twice */
        g->connections[g->n_connections++] = (struct lang_connection){
            number[k->from], number[k->to], k->from_port, k->to_port, k->at};
    }
}

/* The tunnels as they are; the elements have the numbers of their nodes. */
static void tunnels_out(struct lang *l, struct lang_graph *g)
{
    const struct compound *top = l->top;

    g->tunnels = arena_alloc_aligned(l->out, top->n_nodes, sizeof *g->tunnels, 16);
    if (!g->tunnels) {
        lang_out_of_memory(l);
        return;
    }
    for (uint32_t i = 0; i < top->n_nodes; i++) {
        const struct node *n = &top->nodes[i];

        g->tunnels[i] = (struct lang_tunnel){LANG_NO_ELEMENT, LANG_NO_ELEMENT};
        if (is_tunnel(l, i))
            g->tunnels[i] = (struct lang_tunnel){.out = n->twin[IN],
                                                 .in = n->twin[OUT]};
    }
}

static void connect_raw(struct wiring *w, struct lang_graph *g)
{
    struct lang *l = w->l;

    for (uint32_t i = 0; i < l->top->n_links && !l->fatal; i++)
        if (lang_grow(l, (void **)&w->done, w->n_done, &w->done_room, sizeof *w->done))
            w->done[w->n_done++] = l->top->links[i];
    tunnels_out(l, g);
}

void connect_all(struct lang *l, struct lang_graph *g)
{
    struct wiring w = {.l = l, .walk = 1};
    uint32_t *number;

    if (l->fatal || !index_ends(l, &w.side[IN], IN) ||
        !index_ends(l, &w.side[OUT], OUT))
        return;
    if (!is_raw(l) || !l->options->body)
        check_ends(&w);
    if (is_raw(l))
        connect_raw(&w, g);
    for (uint32_t i = 0; i < l->top->n_links && !l->fatal && !is_raw(l); i++)
        if (!is_tunnel(l, l->top->links[i].from))
            follow(&w, i);
    number = lang_alloc(l, ((size_t)l->top->n_nodes + 1) * sizeof *number);
    if (l->fatal)
        return;
    elements_out(l, g, number);
    if (!l->fatal)
        connections_out(&w, g, number);
}
