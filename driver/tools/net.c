// SPDX-License-Identifier: BSD-3-Clause
/* net.c -- a configuration that can be changed: see net.h */

#include "driver/tools/net.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more in an array of the arena. */
static void *grow(struct arena *a, void *array, uint32_t n, uint32_t *room, size_t size)
{
    void *bigger;

    if (n < *room)
        return array;
    *room = *room ? 2 * *room : 16;
    bigger = arena_alloc_aligned(a, *room, size, 16);
    if (!bigger)
        err(1, NULL);
    if (n)
        memcpy(bigger, array, n * size);
    return bigger;
}

static const char *copy(struct net *n, const char *text)
{
    const char *s = arena_strdup(n->arena, text);

    if (!s)
        err(1, NULL);
    return s;
}

const char *net_format(struct net *n, const char *fmt, ...)
{
    struct sbuf s = SBUF_INIT;
    const char *text;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&s, fmt, ap);
    va_end(ap);
    if (s.failed)
        err(1, NULL);
    text = copy(n, sbuf_text(&s));
    sbuf_fini(&s);
    return text;
}

const char *net_join_args(struct net *n, const char *const *args, int n_args)
{
    struct sbuf s = SBUF_INIT;
    const char *text;

    for (int i = 0; i < n_args; i++)
        sbuf_printf(&s, "%s%s", i ? ", " : "", args[i]);
    if (s.failed)
        err(1, NULL);
    text = copy(n, sbuf_text(&s));
    sbuf_fini(&s);
    return text;
}

void net_init(struct net *n, struct arena *a)
{
    *n = (struct net){.arena = a, .head = NET_NONE, .tail = NET_NONE};
}

void net_fini(struct net *n)
{
    strmap_fini(&n->names);
}

/* --- elements ----------------------------------------------------------------------------- */

static void bind(struct net *n, const char *name, uint32_t number)
{
    uintptr_t value = number == NET_NONE ? 0 : (uintptr_t)number + 1;

    if (strmap_puts(&n->names, name, (void *)value) < 0)
        err(1, NULL);
}

uint32_t net_find(const struct net *n, const char *name)
{
    uintptr_t found = (uintptr_t)strmap_gets(&n->names, name);

    return found ? (uint32_t)(found - 1) : NET_NONE;
}

static void unbind(struct net *n, uint32_t e)
{
    if (net_find(n, n->elements[e].name) == e)
        bind(n, n->elements[e].name, NET_NONE);
}

uint32_t net_element(struct net *n, const char *name, const char *class_name,
                     const char *config, struct place at)
{
    uint32_t e = net_find(n, name);

    if (e != NET_NONE)
        return e;
    if (n->n_freed) {
        e = n->freed[--n->n_freed];
    } else {
        n->elements = grow(n->arena, n->elements, n->n_elements, &n->room_elements,
                           sizeof *n->elements);
        e = n->n_elements++;
    }
    n->n_live++;
    n->elements[e] = (struct net_element){.name = copy(n, name),
                                          .class_name = class_name,
                                          .config = copy(n, config),
                                          .at = at,
                                          .in = NET_NONE,
                                          .out = NET_NONE,
                                          .first = {NET_NONE, NET_NONE}};
    bind(n, n->elements[e].name, e);
    return e;
}

uint32_t net_element_unnamed(struct net *n, const char *class_name, struct place at)
{
    uint32_t number = n->n_live;
    const char *name;

    do
        name = net_format(n, "%s@%u", class_name, ++number);
    while (net_find(n, name) != NET_NONE);
    return net_element(n, name, class_name, "", at);
}

void net_rename(struct net *n, uint32_t e, const char *name)
{
    unbind(n, e);
    n->elements[e].name = copy(n, name);
    bind(n, n->elements[e].name, e);
}

void net_join_tunnel(struct net *n, uint32_t in, uint32_t out)
{
    n->elements[in].out = out;
    n->elements[out].in = in;
}

bool net_is(const struct net *n, uint32_t e, const char *class_name)
{
    const struct net_element *x = &n->elements[e];

    return !x->dead && x->class_name && strcmp(x->class_name, class_name) == 0;
}

/* --- connections ---------------------------------------------------------------------------- */

bool net_connected(const struct net *n, struct net_port from, struct net_port to)
{
    for (uint32_t c = net_first(n, from, NET_FROM); c != NET_NONE;
         c = net_next(n, c, NET_FROM))
        if (net_port_same(n->connections[c].end[NET_TO], to))
            return true;
    return false;
}

/* Hang connection `c` in front of those at its end. */
static void hang(struct net *n, uint32_t c, enum net_end end)
{
    struct net_port p = n->connections[c].end[end];
    struct net_element *e = &n->elements[p.element];

    n->connections[c].next[end] = e->first[end];
    e->first[end] = c;
    if (e->n_ports[end] <= p.port)
        e->n_ports[end] = p.port + 1;
}

static void unhang(struct net *n, uint32_t c, enum net_end end)
{
    struct net_port p = n->connections[c].end[end];
    struct net_element *e = &n->elements[p.element];
    uint32_t *at = &e->first[end];

    while (*at != c)
        at = &n->connections[*at].next[end];
    *at = n->connections[c].next[end];
    if (e->n_ports[end] != p.port + 1)
        return;
    e->n_ports[end] = 0;
    for (uint32_t i = e->first[end]; i != NET_NONE; i = n->connections[i].next[end])
        if (n->connections[i].end[end].port >= e->n_ports[end])
            e->n_ports[end] = n->connections[i].end[end].port + 1;
}

void net_connect(struct net *n, struct net_port from, struct net_port to)
{
    uint32_t c = n->n_connections;

    if (from.port < n->elements[from.element].n_ports[NET_FROM] &&
        to.port < n->elements[to.element].n_ports[NET_TO] && net_connected(n, from, to))
        return;
    if (c >= LANG_MAX_CONNECTIONS)
        errx(1, "configuration has more than %d connections", LANG_MAX_CONNECTIONS);
    n->connections = grow(n->arena, n->connections, c, &n->room_connections,
                          sizeof *n->connections);
    n->n_connections++;
    n->connections[c] = (struct net_connection){
        .end = {[NET_FROM] = from, [NET_TO] = to},
        .before = n->tail,
        .after = NET_NONE};
    *(n->tail == NET_NONE ? &n->head : &n->connections[n->tail].after) = c;
    n->tail = c;
    hang(n, c, NET_FROM);
    hang(n, c, NET_TO);
}

void net_change(struct net *n, uint32_t c, enum net_end end, struct net_port to)
{
    unhang(n, c, end);
    n->connections[c].end[end] = to;
    hang(n, c, end);
    n->changed = true;
}

static void forget(struct net *n, uint32_t c)
{
    struct net_connection *k = &n->connections[c];

    *(k->before == NET_NONE ? &n->head : &n->connections[k->before].after) = k->after;
    *(k->after == NET_NONE ? &n->tail : &n->connections[k->after].before) = k->before;
    k->dead = true;
}

void net_disconnect(struct net *n, uint32_t c)
{
    unhang(n, c, NET_FROM);
    unhang(n, c, NET_TO);
    forget(n, c);
}

static uint32_t at_port(const struct net *n, uint32_t c, uint32_t port,
                        enum net_end end)
{
    while (c != NET_NONE && n->connections[c].end[end].port != port)
        c = n->connections[c].next[end];
    return c;
}

uint32_t net_first(const struct net *n, struct net_port p, enum net_end end)
{
    return at_port(n, n->elements[p.element].first[end], p.port, end);
}

uint32_t net_next(const struct net *n, uint32_t c, enum net_end end)
{
    return at_port(n, n->connections[c].next[end], n->connections[c].end[end].port,
                   end);
}

uint32_t net_sole(const struct net *n, struct net_port p, enum net_end end)
{
    uint32_t c = net_first(n, p, end);

    return c != NET_NONE && net_next(n, c, end) == NET_NONE ? c : NET_NONE;
}

void net_move(struct net *n, struct net_port from, struct net_port to, enum net_end end)
{
    uint32_t c = net_first(n, from, end), next;

    for (; c != NET_NONE; c = next) {
        next = net_next(n, c, end);
        net_change(n, c, end, to);
    }
}

static void insert(struct net *n, struct net_port inserted, struct net_port p,
                   enum net_end end)
{
    uint32_t c = net_first(n, p, end), next;

    for (; c != NET_NONE; c = next) {
        next = net_next(n, c, end);
        if (!net_port_same(n->connections[c].end[!end], inserted))
            net_change(n, c, end, inserted);
    }
}

void net_insert_before(struct net *n, struct net_port inserted, struct net_port p)
{
    net_connect(n, inserted, p);
    insert(n, inserted, p, NET_TO);
}

void net_insert_after(struct net *n, struct net_port inserted, struct net_port p)
{
    net_connect(n, p, inserted);
    insert(n, inserted, p, NET_FROM);
}

bool net_splice(struct net *n, uint32_t element)
{
    struct net_port p = {element, 0};
    uint32_t in = net_sole(n, p, NET_TO), out = net_sole(n, p, NET_FROM);

    if (in != NET_NONE)
        net_move(n, p, n->connections[in].end[NET_FROM], NET_FROM);
    else if (out != NET_NONE)
        net_move(n, p, n->connections[out].end[NET_TO], NET_TO);
    else if (net_first(n, p, NET_TO) != NET_NONE &&
             net_first(n, p, NET_FROM) != NET_NONE)
        return false;
    n->elements[element].dead = true;
    return true;
}

/* --- the end of elements --------------------------------------------------------------------- */

static void keep_number(struct net *n, uint32_t e)
{
    unbind(n, e);
    n->elements[e].dead = n->elements[e].freed = true;
    n->freed = grow(n->arena, n->freed, n->n_freed, &n->room_freed, sizeof *n->freed);
    n->freed[n->n_freed++] = e;
    n->n_live--;
}

void net_free(struct net *n, uint32_t e)
{
    for (int end = 0; end < 2; end++)
        while (n->elements[e].first[end] != NET_NONE)
            net_disconnect(n, n->elements[e].first[end]);
    keep_number(n, e);
}

void net_drop_dead_connections(struct net *n)
{
    for (uint32_t c = n->head, next; c != NET_NONE; c = next) {
        next = n->connections[c].after;
        if (n->elements[n->connections[c].end[NET_FROM].element].dead ||
            n->elements[n->connections[c].end[NET_TO].element].dead)
            net_disconnect(n, c);
    }
}

void net_free_dead(struct net *n)
{
    net_drop_dead_connections(n);
    for (uint32_t e = 0; e < n->n_elements; e++)
        if (n->elements[e].dead && !n->elements[e].freed)
            keep_number(n, e);
}

void net_remove_dead(struct net *n)
{
    uint32_t *number = arena_alloc_aligned(n->arena, n->n_elements + 1, sizeof *number,
                                           16);
    uint32_t live = 0;

    if (!number)
        err(1, NULL);
    net_drop_dead_connections(n);
    for (uint32_t e = 0; e < n->n_elements; e++) {
        number[e] = live;
        if (n->elements[e].dead) {
            unbind(n, e);
            continue;
        }
        bind(n, n->elements[e].name, live);
        n->elements[live++] = n->elements[e];
    }
    for (uint32_t e = 0; e < live; e++) {
        struct net_element *x = &n->elements[e];

        x->in = x->in == NET_NONE ? NET_NONE : number[x->in];
        x->out = x->out == NET_NONE ? NET_NONE : number[x->out];
    }
    for (uint32_t c = n->head; c != NET_NONE; c = n->connections[c].after)
        for (int end = 0; end < 2; end++)
            n->connections[c].end[end].element =
                number[n->connections[c].end[end].element];
    n->n_elements = n->n_live = live;
    n->n_freed = 0;
}

/* --- graphs ------------------------------------------------------------------------------------ */

void net_add_graph(struct net *n, const struct lang_graph *g)
{
    uint32_t *to = arena_alloc_aligned(n->arena, g->n_elements + 1, sizeof *to, 16);

    if (!to)
        err(1, NULL);
    for (uint32_t i = 0; i < g->n_elements; i++) {
        const struct lang_element *e = &g->elements[i];

        to[i] = net_element(n, e->name, e->class_name, e->config, e->at);
    }
    for (uint32_t i = 0; i < g->n_elements; i++)
        if (g->tunnels[i].out != LANG_NO_ELEMENT)
            net_join_tunnel(n, to[i], to[g->tunnels[i].out]);
    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *c = &g->connections[i];

        net_connect(n, (struct net_port){to[c->from], c->from_port},
                    (struct net_port){to[c->to], c->to_port});
    }
}

void net_add_net(struct net *n, const struct net *from, const char *prefix)
{
    uint32_t *to = arena_alloc_aligned(n->arena, from->n_elements + 1, sizeof *to, 16);

    if (!to)
        err(1, NULL);
    for (uint32_t i = 0; i < from->n_elements; i++) {
        const struct net_element *e = &from->elements[i];

        if (!e->dead)
            to[i] = net_element(n, net_format(n, "%s%s", prefix, e->name),
                                e->class_name, e->config, e->at);
    }
    for (uint32_t c = from->head; c != NET_NONE; c = from->connections[c].after) {
        const struct net_connection *k = &from->connections[c];
        struct net_port a = k->end[NET_FROM], b = k->end[NET_TO];

        net_connect(n, (struct net_port){to[a.element], a.port},
                    (struct net_port){to[b.element], b.port});
    }
}
