// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip6_routes.h -- longest matching prefix among IPv6 routes
 *
 * A trie with 64 ways a step, whose nodes are two bitmaps and two places: children and
 * equal neighbouring leaves are not stored but counted (Asai and Ohara, "Poptrie: A
 * Compressed Trie with Population Count for Fast and Scalable Software IP Routing Table
 * Lookup", SIGCOMM 2015). It is built anew after a change, at the next look-up.
 *
 * Memory: on the heap; zeroed memory is an empty table; can be moved as it is.
 */

#ifndef ENGINE_IP6_ROUTES_H
#define ENGINE_IP6_ROUTES_H

#include "engine/parse.h"

struct ip6_route {
    struct ip6_addr addr, gateway; /* gateway :: is none */
    uint32_t len;                  /* of the prefix, in bits */
    uint32_t port;
    bool by_handler; /* the owner's: it came while the configuration ran */
    uint32_t slot;   /* the table's: where Click would keep it */
};

struct ip6_node {
    uint64_t children; /* bit i: slot i has a child */
    uint64_t leaves;   /* bit i: slot i begins a new run of equal leaves */
    uint32_t first_child, first_leaf;
};

struct ip6_routes {
    struct ip6_route *route; /* owned; sorted by address, then length */
    uint32_t n, room;
    struct ip6_node *node; /* owned */
    uint32_t *leaf;        /* owned; route number plus one; 0: none */
    uint32_t n_nodes, nodes_room, n_leaves, leaves_room;
    bool dirty;
    uint8_t *taken; /* owned: [n_slots], whether a route has that slot */
    uint32_t n_slots, slots_room, free_slot; /* none below free_slot is free */
};

void ip6_routes_fini(struct ip6_routes *t);

/* Bits of the address behind the prefix are cleared. A route for the same prefix is
 * replaced. Returns -1 when memory ran out. */
int ip6_routes_add(struct ip6_routes *t, const struct ip6_route *r);

bool ip6_routes_has(const struct ip6_routes *t, const struct ip6_addr *addr,
                    uint32_t len);

/* Returns whether there was one for that prefix. */
bool ip6_routes_remove(struct ip6_routes *t, const struct ip6_addr *addr, uint32_t len);

/* NULL when no route matches. */
const struct ip6_route *ip6_routes_lookup(struct ip6_routes *t,
                                          const struct ip6_addr *addr);

#endif
