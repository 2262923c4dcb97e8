// SPDX-License-Identifier: BSD-3-Clause
/*
 * net.h -- a configuration that can be changed
 *
 * What the tools transform: elements and connections, as Click's tools keep them. Scripts
 * compare the text that comes out, so orders matter and are defined here:
 *
 *   elements     by number; the number of one that was freed is used again, the one freed
 *                last first
 *   connections  in the order in which they were added; changing an end keeps the place
 *   at a port    the connection that came there last is first
 *
 * A tunnel is an element without a class: what enters it at a port leaves from that port
 * of another one. Compound elements and groups are tunnels until net_flatten().
 *
 * Memory: all of it is in the arena. When it runs out the program ends.
 * Trust:  configurations are hostile; what bridging tunnels could multiply is bounded.
 */

#ifndef DRIVER_TOOLS_NET_H
#define DRIVER_TOOLS_NET_H

#include "base/arena.h"
#include "base/sbuf.h"
#include "base/strmap.h"
#include "engine/lang/lang.h"

#include <stdbool.h>

enum { NET_NONE = UINT32_MAX };
enum net_end { NET_TO, NET_FROM }; /* of a connection; of an element: inputs, outputs */

struct net_port {
    uint32_t element, port;
};

struct net_element {
    const char *name;
    const char *class_name; /* NULL: a tunnel */
    const char *config;
    struct place at;
    bool dead, freed;
    uint32_t in, out;    /* of a tunnel: see struct lang_tunnel */
    uint32_t n_ports[2]; /* inputs, outputs: highest in use plus one */
    uint32_t first[2];   /* newest connection that goes there, that comes from there */
    uint32_t mark;       /* for the tool */
};

struct net_connection {
    struct net_port end[2];
    uint32_t next[2];       /* the one before it at that element */
    uint32_t before, after; /* of all */
    bool dead;
};

struct net {
    struct arena *arena; /* borrowed */
    struct strmap names; /* number + 1 */
    struct net_element *elements;
    uint32_t n_elements, room_elements, n_live;
    struct net_connection *connections;
    uint32_t n_connections, room_connections;
    uint32_t head, tail; /* of the connections that are there */
    bool changed;        /* an end was: some may be there twice */
    uint32_t *freed;     /* numbers of elements, to be used again from the end */
    uint32_t n_freed, room_freed;
    struct lang_requirement *requirements; /* borrowed, as are the defines */
    uint32_t n_requirements;
    const struct lang_define *defines;
    uint32_t n_defines;
};

void net_init(struct net *n, struct arena *a);
void net_fini(struct net *n);

/* Add what a raw graph consists of. */
void net_add_graph(struct net *n, const struct lang_graph *g);

/* Add what another net, without tunnels that are joined, consists of, with `prefix` before
 * all names. An element whose name is taken is not added: the one there is meant. */
void net_add_net(struct net *n, const struct net *from, const char *prefix);

/* The element of that name, or a new one. `class_name` NULL: a tunnel. */
uint32_t net_element(struct net *n, const char *name, const char *class_name,
                     const char *config, struct place at);
/* "Idle@7" */
uint32_t net_element_unnamed(struct net *n, const char *class_name, struct place at);
uint32_t net_find(const struct net *n, const char *name); /* NET_NONE: there is none */
void net_rename(struct net *n, uint32_t element, const char *name);
void net_join_tunnel(struct net *n, uint32_t in, uint32_t out);
bool net_is(const struct net *n, uint32_t element, const char *class_name); /* lives */

/* A connection that is there is not added again. */
void net_connect(struct net *n, struct net_port from, struct net_port to);
bool net_connected(const struct net *n, struct net_port from, struct net_port to);
void net_change(struct net *n, uint32_t connection, enum net_end end,
                struct net_port to);
void net_disconnect(struct net *n, uint32_t connection);

/* Go through the connections that come from a port (NET_FROM), or go there (NET_TO). */
uint32_t net_first(const struct net *n, struct net_port p, enum net_end end);
uint32_t net_next(const struct net *n, uint32_t connection, enum net_end end);
/* The only one, NET_NONE if there is none or another. */
uint32_t net_sole(const struct net *n, struct net_port p, enum net_end end);

/* Let all that went to (came from) `p` go to (come from) `inserted`, and connect that. */
void net_insert_before(struct net *n, struct net_port inserted, struct net_port p);
void net_insert_after(struct net *n, struct net_port inserted, struct net_port p);

/* Let all that goes to `from` (comes from it) go to (come from) `to`. */
void net_move(struct net *n, struct net_port from, struct net_port to,
              enum net_end end);

/* Take out an element with one input and one output: what came to it goes where it led.
 * False: several connections on both sides; nothing has changed. The element is dead
 * when it was taken out. */
bool net_splice(struct net *n, uint32_t element);

/* The element is gone, with its connections; its number may be used again. */
void net_free(struct net *n, uint32_t element);
void net_free_dead(struct net *n);   /* all that are marked as dead */
void net_remove_dead(struct net *n); /* the same, and the others get new numbers */
void net_drop_dead_connections(struct net *n);

void net_remove_tunnels(struct net *n); /* that are joined */
void net_flatten(struct net *n);

/* As a configuration, with the place of each element in front of it. */
void net_unparse(const struct net *n, struct sbuf *out);

/* --- configuration strings --- */

/* The arguments, joined. */
const char *net_join_args(struct net *n, const char *const *args, int n_args);
__attribute__((format(printf, 2, 3))) const char *net_format(struct net *n,
                                                             const char *fmt, ...);

static inline bool net_port_same(struct net_port a, struct net_port b)
{
    return a.element == b.element && a.port == b.port;
}

#endif
