// SPDX-License-Identifier: BSD-3-Clause
/* ip_routes.c -- the list of routes: see ip_routes.h. What look-ups go through is made in
 * ip_routes_distill.c. */

#include "engine/ip_routes.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

static uint32_t hash(const struct ip_routes *t, uint32_t addr, uint32_t mask)
{
    uint64_t h = ((uint64_t)addr << 32 | mask) * 0x9e3779b97f4a7c15ull;

    return (uint32_t)(h >> 32) & (t->n_slots - 1);
}

/* The slot that holds addr/mask, or the free one where it would go. */
static uint32_t slot_of(const struct ip_routes *t, uint32_t addr, uint32_t mask)
{
    uint32_t s = hash(t, addr, mask);

    while (t->slots[s]) {
        const struct ip_route *r = &t->route[t->slots[s] - 1];
        if (r->addr == addr && r->mask == mask)
            break;
        s = (s + 1) & (t->n_slots - 1);
    }
    return s;
}

static bool is_odd(uint32_t mask)
{
    uint32_t inverse = ~be32(mask);

    return (inverse & (inverse + 1)) != 0;
}

/* Room for one more route and its slot. */
static int reserve(struct ip_routes *t)
{
    if (t->n == t->room) {
        uint32_t room = t->room ? 2 * t->room : 16;
        struct ip_route *more = realloc(t->route, room * sizeof *more);
        if (!more)
            return -1;
        t->route = more;
        t->room = room;
    }
    if (2 * (t->n + 1) > t->n_slots) {
        uint32_t n = t->n_slots ? 2 * t->n_slots : FIRST_SLOTS;
        uint32_t *slots = calloc(n, sizeof *slots);
        if (!slots)
            return -1;
        free(t->slots);
        t->slots = slots;
        t->n_slots = n;
        for (uint32_t i = 0; i < t->n; i++)
            if (t->route[i].port >= 0)
                slots[slot_of(t, t->route[i].addr, t->route[i].mask)] = i + 1;
    }
    return 0;
}

/* A hole in the list, or its end. */
static uint32_t free_place(struct ip_routes *t)
{
    uint32_t i;

    if (!t->n_holes)
        return t->n++;
    t->n_holes--;
    if (t->newest_hole) {
        i = t->last_hole - 1;
        t->last_hole = t->route[i].addr;
        return i;
    }
    for (i = 0; t->route[i].port >= 0; i++)
        ;
    return i;
}

static void make_hole(struct ip_routes *t, struct ip_route *r)
{
    r->port = -1;
    r->addr = t->last_hole;
    t->last_hole = (uint32_t)(r - t->route) + 1;
    t->n_holes++;
}

static void put(struct ip_routes *t, uint32_t s, const struct ip_route *r)
{
    uint32_t i = free_place(t);

    t->route[i] = *r;
    t->route[i].seq = ++t->next_seq & 0x7fffffff;
    t->slots[s] = i + 1;
}

int ip_routes_add(struct ip_routes *t, const struct ip_route *r, bool replace,
                  struct ip_route *old)
{
    uint32_t s;

    if (old)
        old->port = -1;
    if (reserve(t) < 0)
        return ROUTES_NO_MEMORY;
    s = slot_of(t, r->addr, r->mask);
    if (t->slots[s]) {
        struct ip_route *was = &t->route[t->slots[s] - 1];
        if (old)
            *old = *was;
        if (!replace)
            return ROUTES_EXIST;
        if (t->newest_hole) {
            put(t, s, r);
            make_hole(t, was);
        } else {
            uint32_t seq = was->seq;
            *was = *r;
            was->seq = seq & 0x7fffffff;
        }
    } else {
        put(t, s, r);
        t->n_odd += is_odd(r->mask);
    }
    t->stale = true;
    return 0;
}

/* Take a slot out, moving up those that had to go past it. */
static void slot_free(struct ip_routes *t, uint32_t s)
{
    uint32_t mask = t->n_slots - 1, next = s;

    t->slots[s] = 0;
    for (;;) {
        next = (next + 1) & mask;
        if (!t->slots[next])
            return;
        const struct ip_route *r = &t->route[t->slots[next] - 1];
        uint32_t home = hash(t, r->addr, r->mask);
        if (((next - home) & mask) >= ((next - s) & mask)) {
            t->slots[s] = t->slots[next];
            t->slots[next] = 0;
            s = next;
        }
    }
}

int ip_routes_remove(struct ip_routes *t, const struct ip_route *r,
                     struct ip_route *old)
{
    struct ip_route *found;
    uint32_t s;

    if (!t->n_slots)
        return ROUTES_MISSING;
    s = slot_of(t, r->addr, r->mask);
    if (!t->slots[s])
        return ROUTES_MISSING;
    found = &t->route[t->slots[s] - 1];
    if (r->port >= 0 && (found->gw != r->gw || found->port != r->port))
        return ROUTES_MISSING;
    if (old)
        *old = *found;
    slot_free(t, s);
    make_hole(t, found);
    t->n_odd -= is_odd(r->mask);
    t->stale = true;
    return 0;
}

const struct ip_route *ip_routes_get(const struct ip_routes *t, uint32_t addr,
                                     uint32_t mask)
{
    uint32_t i = t->n_slots ? t->slots[slot_of(t, addr, mask)] : 0;

    return i ? &t->route[i - 1] : NULL;
}

struct ip_hop ip_routes_find_linear(const struct ip_routes *t, uint32_t addr)
{
    const struct ip_route *best = NULL;

    for (uint32_t i = 0; i < t->n; i++) {
        const struct ip_route *r = &t->route[i];
        if (r->port >= 0 && (addr & r->mask) == r->addr &&
            (!best || (r->mask & best->mask) == best->mask))
            best = r;
    }
    return best ? (struct ip_hop){best->gw, best->port} : (struct ip_hop){0, -1};
}

size_t ip_routes_lookup_bytes(const struct ip_routes *t)
{
    return t->n_hops * sizeof *t->hops + (t->chunks ? (65536 + t->n_starts) * 4ul : 0) +
           (t->chunks ? 0 : t->n_starts * 6ul);
}

void ip_routes_fini(struct ip_routes *t)
{
    free(t->chunks);
    free(t->ranges);
    free(t->starts);
    free(t->start_hops);
    free(t->hops);
    free(t->route);
    free(t->slots);
    *t = (struct ip_routes){0};
}
