// SPDX-License-Identifier: BSD-3-Clause
/* net.c -- a graph that can be changed: see tool.h */

#include "driver/tools/tool.h"

#include <err.h>
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
    bigger = arena_alloc(a, *room * size);
    if (!bigger)
        err(1, NULL);
    if (n)
        memcpy(bigger, array, n * size);
    return bigger;
}

static uint32_t add_element(struct net *n, const struct lang_element *e)
{
    n->elements = grow(n->arena, n->elements, n->n_elements, &n->room_elements,
                       sizeof *n->elements);
    n->elements[n->n_elements] = (struct net_element){.e = *e};
    return n->n_elements++;
}

void net_init(struct net *n, struct arena *a, const struct lang_graph *g)
{
    *n = (struct net){.arena = a};
    for (uint32_t i = 0; i < g->n_elements; i++)
        add_element(n, &g->elements[i]);
    for (uint32_t i = 0; i < g->n_connections; i++) {
        const struct lang_connection *c = &g->connections[i];

        net_connect(n, c->from, c->from_port, c->to, c->to_port);
    }
}

uint32_t net_add_element(struct net *n, const char *name, const char *class_name,
                         const char *config)
{
    const struct lang_element e = {.name = arena_strdup(n->arena, name),
                                   .class_name = class_name,
                                   .config = arena_strdup(n->arena, config)};

    if (!e.name || !e.config)
        err(1, NULL);
    return add_element(n, &e);
}

uint32_t net_add_anonymous(struct net *n, const char *class_name)
{
    char name[128];
    uint32_t number = n->n_elements;

    do
        snprintf(name, sizeof name, "%s@%u", class_name, ++number);
    while (net_find(n, name) != UINT32_MAX);
    return net_add_element(n, name, class_name, "");
}

void net_connect(struct net *n, uint32_t from, uint32_t from_port, uint32_t to,
                 uint32_t to_port)
{
    n->connections = grow(n->arena, n->connections, n->n_connections,
                          &n->room_connections, sizeof *n->connections);
    n->connections[n->n_connections++] = (struct net_connection){
        .c = {.from = from, .to = to, .from_port = from_port, .to_port = to_port}};
}

uint32_t net_find(const struct net *n, const char *name)
{
    for (uint32_t i = 0; i < n->n_elements; i++)
        if (!n->elements[i].dead && strcmp(n->elements[i].e.name, name) == 0)
            return i;
    return UINT32_MAX;
}

void net_splice(struct net *n, uint32_t element)
{
    uint32_t end = n->n_connections;

    for (uint32_t i = 0; i < end; i++) {
        struct net_connection in = n->connections[i];

        if (in.dead || in.c.to != element || in.c.to_port != 0)
            continue;
        for (uint32_t k = 0; k < end; k++) {
            struct net_connection out = n->connections[k];

            if (!out.dead && out.c.from == element && out.c.from_port == 0)
                net_connect(n, in.c.from, in.c.from_port, out.c.to, out.c.to_port);
        }
    }
    for (uint32_t i = 0; i < end; i++)
        if (n->connections[i].c.from == element || n->connections[i].c.to == element)
            n->connections[i].dead = true;
    n->elements[element].dead = true;
}

static int compare(const void *va, const void *vb)
{
    const struct lang_connection *a = va, *b = vb;

    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    if (a->to_port != b->to_port)
        return a->to_port < b->to_port ? -1 : 1;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return (a->from_port > b->from_port) - (a->from_port < b->from_port);
}

void net_graph(const struct net *n, struct lang_graph *g)
{
    uint32_t *number = arena_alloc(n->arena, (n->n_elements + 1) * sizeof *number);

    g->elements = arena_alloc(n->arena, (n->n_elements + 1) * sizeof *g->elements);
    g->connections = arena_alloc(n->arena,
                                 (n->n_connections + 1) * sizeof *g->connections);
    if (!number || !g->elements || !g->connections)
        err(1, NULL);
    g->n_elements = g->n_connections = 0;
    for (uint32_t i = 0; i < n->n_elements; i++) {
        number[i] = g->n_elements;
        if (!n->elements[i].dead)
            g->elements[g->n_elements++] = n->elements[i].e;
    }
    for (uint32_t i = 0; i < n->n_connections; i++) {
        struct lang_connection c = n->connections[i].c;

        if (n->connections[i].dead || n->elements[c.from].dead ||
            n->elements[c.to].dead)
            continue;
        c.from = number[c.from];
        c.to = number[c.to];
        g->connections[g->n_connections++] = c;
    }
    qsort(g->connections, g->n_connections, sizeof *g->connections, compare);
}
