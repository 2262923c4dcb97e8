// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_routes.h -- an IPv4 routing table with longest prefix match
 *
 * Routes are kept in the order in which they were given; one that is removed leaves a hole
 * for a later one. Look-ups go through a table
 * distilled from them, after Zec, Rizzo and Mikuc, "DXR: towards a billion routing
 * lookups per second in software" (CCR 42(5), 2012): the address space falls into ranges
 * with one next hop each; 2^16 chunks of it each point to their ranges, 4 bytes a range,
 * which are searched by halving. A full Internet table takes a few MiB, most addresses
 * one or two cache lines. Small tables are one sorted list of ranges, without chunks.
 *
 * Changes only mark the distilled table as stale; the next look-up makes it anew, so that
 * thousands of changes in a row cost one distillation.
 *
 * Memory:  on the heap, owned by the struct; ip_routes_fini() frees it.
 * Threads: one at a time.
 */

#ifndef ENGINE_IP_ROUTES_H
#define ENGINE_IP_ROUTES_H

#include "engine/net_headers.h"

struct ip_route {
    uint32_t addr, mask, gw; /* network byte order */
    int32_t port;            /* < 0: none */
    uint32_t by_handler : 1; /* not by the configuration */
    uint32_t seq : 31;       /* the later it came, the higher */
};

struct ip_hop {
    uint32_t gw; /* network byte order; 0: the destination itself */
    int32_t port;
};

struct ip_routes {
    bool stale;  /* the distilled table must be made anew */
    bool linear; /* ... cannot be: odd masks, or no memory */
    uint32_t
        *chunks; /* NULL in small tables: IP_CHUNK_HOP | hop, or place in `ranges` */
    uint32_t *ranges; /* of a chunk: count << 16 | first hop, then start << 16 | hop */
    uint32_t *starts; /* of a small table: sorted, the first one 0 */
    uint16_t *start_hops;
    uint32_t n_starts;
    struct ip_hop *hops; /* hop 0: no route */
    uint32_t n_hops, hop_room;

    struct ip_route *route;  /* in order; port < 0: a hole */
    uint32_t n, room;        /* holes included */
    uint32_t n_holes, n_odd; /* odd: the mask is no prefix */
    uint32_t last_hole;      /* index + 1, as is `addr` in a hole: the one before it */
    uint32_t next_seq;
    /* A route goes where the last one that went was, not into the first hole, and one that
     * replaces another takes a place of its own. */
    bool newest_hole;
    uint32_t *slots; /* hash of addr, mask to index + 1 */
    uint32_t n_slots;
};

#define IP_CHUNK_HOP 0x80000000u

enum { ROUTES_EXIST = -2, ROUTES_MISSING = -3, ROUTES_NO_MEMORY = -4 };

void ip_routes_fini(struct ip_routes *t);

/* Add a route. One to the same network is replaced if `replace`, else ROUTES_EXIST is
 * returned; `old` (may be NULL) then gets it, port -1 if there was none. */
int ip_routes_add(struct ip_routes *t, const struct ip_route *r, bool replace,
                  struct ip_route *old);

/* Remove the route to r's network; with r->port >= 0 only if gateway and port are the same
 * too. ROUTES_MISSING if there is none. */
int ip_routes_remove(struct ip_routes *t, const struct ip_route *r,
                     struct ip_route *old);

/* The route to a network, until the table changes; NULL if there is none. */
const struct ip_route *ip_routes_get(const struct ip_routes *t, uint32_t addr,
                                     uint32_t mask);

/* Bytes that look-ups go through. */
size_t ip_routes_lookup_bytes(const struct ip_routes *t);

/* Make the distilled table anew. */
void ip_routes_distill(struct ip_routes *t);

/* The slow way, through the list. */
struct ip_hop ip_routes_find_linear(const struct ip_routes *t, uint32_t addr);

/* Among n >= 1 sorted values whose first is <= `key`: the place of the last one <= key. */
static inline uint32_t ip_routes_search(const uint32_t *v, uint32_t n, uint32_t key)
{
    const uint32_t *at = v;

    while (n > 1) { /* no branch that depends on the data */
        uint32_t half = n / 2;
        at += (at[half] <= key) ? half : 0;
        n -= half;
    }
    return (uint32_t)(at - v);
}

/* Where `addr` (network byte order) goes; port < 0: nowhere. The table is not stale. */
static inline struct ip_hop ip_routes_find(const struct ip_routes *t, uint32_t addr)
{
    uint32_t host = be32(addr), chunk, key;
    const uint32_t *r;

    if (__builtin_expect(t->linear, 0))
        return ip_routes_find_linear(t, addr);
    if (!t->chunks)
        return t->hops[t->start_hops[ip_routes_search(t->starts, t->n_starts, host)]];
    chunk = t->chunks[host >> 16];
    if (chunk & IP_CHUNK_HOP)
        return t->hops[chunk & 0xffff];
    r = t->ranges + chunk;
    key = host << 16 | 0xffff;
    if (key < r[1])
        return t->hops[r[0] & 0xffff];
    return t->hops[r[1 + ip_routes_search(r + 1, r[0] >> 16, key)] & 0xffff];
}

#endif
