// SPDX-License-Identifier: BSD-3-Clause
/*
 * net_tunnel.c -- tunnels are bridged: see net.h
 *
 * For each port of a tunnel that something leaves from, what comes to it at the other end
 * is found once, through further tunnels; the connections that leave it are then doubled
 * from there, in their order.
 */

#include "driver/tools/net.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

enum state { NEW, OPEN, DONE };

enum { MAX_CHAIN = 20000 }; /* tunnels in a row */

/* A port that a tunnel's connections leave from. */
struct port {
    enum state state;
    struct net_port *sources; /* what feeds it */
    uint32_t n, room;
};

struct bridge {
    struct net *n;
    struct port **ports; /* by element; NULL: not a tunnel's end */
    unsigned depth;
};

static void *need(struct net *n, size_t count, size_t size)
{
    void *p = arena_alloc_aligned(n->arena, count + 1, size, 16);

    if (!p)
        err(1, NULL);
    return p;
}

static void add_source(struct bridge *b, struct port *p, struct net_port from)
{
    if (p->n == p->room) {
        struct net_port *bigger = need(b->n, 2 * (size_t)p->room + 4, sizeof *bigger);

        if (p->n)
            memcpy(bigger, p->sources, p->n * sizeof *bigger);
        p->sources = bigger;
        p->room = 2 * p->room + 4;
    }
    if (p->n >= LANG_MAX_CONNECTIONS)
        errx(1, "configuration has more than %d connections", LANG_MAX_CONNECTIONS);
    p->sources[p->n++] = from;
}

static struct port *leaving(const struct bridge *b, struct net_port p)
{
    return b->ports[p.element] ? &b->ports[p.element][p.port] : NULL;
}

static void find_sources(struct bridge *b, struct net_port at)
{
    struct port *p = leaving(b, at);
    struct net_port in = {b->n->elements[at.element].in, at.port};

    if (p->state != NEW)
        return;
    if (++b->depth > MAX_CHAIN)
        errx(1, "compound elements connected more than %d in a row", MAX_CHAIN);
    p->state = OPEN;
    for (uint32_t c = net_first(b->n, in, NET_TO); c != NET_NONE;
         c = net_next(b->n, c, NET_TO)) {
        struct net_port from = b->n->connections[c].end[NET_FROM];
        struct port *inner = leaving(b, from);

        if (!inner) {
            add_source(b, p, from);
            continue;
        }
        find_sources(b, from);
        for (uint32_t i = 0; inner != p && i < inner->n; i++)
            add_source(b, p, inner->sources[i]);
    }
    p->state = DONE;
    b->depth--;
}

static bool is_tunnel(const struct net *n, uint32_t e)
{
    return !n->elements[e].class_name && !n->elements[e].dead;
}

/* Of connections that say the same the newest stays. */
static void remove_doubles(struct net *n)
{
    for (uint32_t e = 0; n->changed && e < n->n_elements; e++)
        for (uint32_t c = n->elements[e].first[NET_FROM], next; c != NET_NONE;
             c = next) {
            const struct net_port *end = n->connections[c].end;
            uint32_t newer = net_first(n, end[NET_FROM], NET_FROM);

            next = n->connections[c].next[NET_FROM];
            while (newer != c &&
                   !net_port_same(n->connections[newer].end[NET_TO], end[NET_TO]))
                newer = net_next(n, newer, NET_FROM);
            if (newer != c)
                net_disconnect(n, c);
        }
    n->changed = false;
}

void net_remove_tunnels(struct net *n)
{
    struct bridge b = {.n = n};
    uint32_t last = n->tail;

    b.ports = need(n, n->n_elements, sizeof *b.ports);
    for (uint32_t e = 0; e < n->n_elements; e++)
        if (is_tunnel(n, e) && n->elements[e].in != NET_NONE)
            b.ports[e] = need(n, n->elements[e].n_ports[NET_FROM], sizeof **b.ports);
    for (uint32_t c = n->head; c != NET_NONE; c = n->connections[c].after) {
        struct net_port from = n->connections[c].end[NET_FROM];
        struct net_port to = n->connections[c].end[NET_TO];
        struct port *p = leaving(&b, from);

        if (p && !is_tunnel(n, to.element)) {
            find_sources(&b, from);
            for (uint32_t i = 0; i < p->n; i++)
                net_connect(n, p->sources[i], to);
        }
        if (c == last)
            break;
    }
    for (uint32_t e = 0; e < n->n_elements; e++)
        if (is_tunnel(n, e) &&
            (n->elements[e].in != NET_NONE || n->elements[e].out != NET_NONE))
            n->elements[e].dead = true;
    remove_doubles(n);
    net_free_dead(n);
}

void net_flatten(struct net *n)
{
    net_remove_tunnels(n);
    net_remove_dead(n);
}
