// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_routes_distill.c -- from routes to ranges of addresses: see ip_routes.h
 *
 * The routes are sorted by address and prefix length, so that each network stands before
 * those inside it. One sweep with a stack of open networks yields the ranges.
 */

#include "engine/ip_routes.h"

#include <stdlib.h>

enum {
    SMALL_RANGES =
        128, /* up to here one list, without chunks: fits a few cache lines */
    MAX_HOPS = 65536,
    INDEX_BITS = 26,
    SORT_BITS = 10, /* of the 38 bits of address and length, a pass */
};

/* While distilling. */
struct sweep {
    uint64_t *keys; /* address 32, prefix length 6, route 26 bits */
    uint32_t n_keys;
    uint32_t *starts;
    uint16_t *hops;
    uint32_t n;          /* ranges */
    uint16_t *hop_slots; /* hash of hops; 0: free */
    uint32_t n_hop_slots;
};

/* Least significant digit first; the order within equal keys does not matter. */
static int sort_keys(struct sweep *s)
{
    uint64_t *from = s->keys, *to = malloc(s->n_keys * sizeof *to);
    uint32_t count[1 << SORT_BITS];

    if (!to)
        return -1;
    for (unsigned shift = INDEX_BITS; shift < 64; shift += SORT_BITS) {
        uint32_t sum = 0;
        uint64_t *swap = from;
        memset(count, 0, sizeof count);
        for (uint32_t i = 0; i < s->n_keys; i++)
            count[from[i] >> shift & ((1 << SORT_BITS) - 1)]++;
        for (uint32_t i = 0; i < 1 << SORT_BITS; i++) {
            uint32_t c = count[i];
            count[i] = sum;
            sum += c;
        }
        for (uint32_t i = 0; i < s->n_keys; i++)
            to[count[from[i] >> shift & ((1 << SORT_BITS) - 1)]++] = from[i];
        from = to;
        to = swap;
    }
    s->keys = from;
    free(to);
    return 0;
}

static void make_keys(const struct ip_routes *t, struct sweep *s)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const struct ip_route *r = &t->route[i];
        if (r->port >= 0)
            s->keys[s->n_keys++] =
                ((uint64_t)be32(r->addr) << 6 | (unsigned)__builtin_popcount(r->mask))
                    << INDEX_BITS |
                i;
    }
}

/* The number of the next hop of a route; -1 when there are too many. */
static int hop_of(struct ip_routes *t, struct sweep *s, const struct ip_route *r)
{
    uint32_t h = (r->gw ^ (uint32_t)r->port * 0x85ebca6bu) * 0x9e3779b1u;
    uint32_t mask = s->n_hop_slots - 1;

    for (h = (h >> 15) & mask; s->hop_slots[h]; h = (h + 1) & mask) {
        const struct ip_hop *hop = &t->hops[s->hop_slots[h]];
        if (hop->gw == r->gw && hop->port == r->port)
            return s->hop_slots[h];
    }
    if (t->n_hops == MAX_HOPS)
        return -1;
    if (t->n_hops == t->hop_room) {
        uint32_t room = 2 * t->hop_room;
        struct ip_hop *more = realloc(t->hops, room * sizeof *more);
        if (!more)
            return -1;
        t->hops = more;
        t->hop_room = room;
    }
    t->hops[t->n_hops] = (struct ip_hop){r->gw, r->port};
    s->hop_slots[h] = (uint16_t)t->n_hops;
    return (int)t->n_hops++;
}

/* From `start` on, addresses go to `hop`. */
static void emit(struct sweep *s, uint32_t start, uint16_t hop)
{
    if (s->n && s->starts[s->n - 1] == start)
        s->n--;
    if (s->n && s->hops[s->n - 1] == hop)
        return;
    s->starts[s->n] = start;
    s->hops[s->n++] = hop;
}

static int sweep_keys(struct ip_routes *t, struct sweep *s)
{
    struct {
        uint32_t end;
        uint16_t hop;
    } open[34] = {{0xffffffffu, 0}};
    unsigned depth = 0;

    emit(s, 0, 0);
    for (uint32_t i = 0; i < s->n_keys; i++) {
        const struct ip_route *r = &t->route[s->keys[i] & ((1u << INDEX_BITS) - 1)];
        uint32_t start = be32(r->addr), end = start | ~be32(r->mask);
        int hop = hop_of(t, s, r);

        if (hop < 0)
            return -1;
        while (open[depth].end < start) {
            uint32_t closed = open[depth--].end;
            emit(s, closed + 1, open[depth].hop);
        }
        depth++;
        open[depth].end = end;
        open[depth].hop = (uint16_t)hop;
        emit(s, start, (uint16_t)hop);
    }
    for (; depth; depth--)
        if (open[depth].end != 0xffffffffu)
            emit(s, open[depth].end + 1, open[depth - 1].hop);
    return 0;
}

/* Cut the ranges into chunks of 2^16 addresses. */
static int make_chunks(struct ip_routes *t, struct sweep *s)
{
    uint32_t *chunks = malloc(65536 * sizeof *chunks), at = 0, next = 0;
    /* A chunk with more than one range takes a word more than it has starts inside. */
    uint32_t *ranges = malloc((2ul * s->n + 1) * sizeof *ranges);
    uint16_t hop = 0;

    if (!chunks || !ranges) {
        free(chunks);
        free(ranges);
        return -1;
    }
    for (uint32_t c = 0; c < 65536; c++) {
        uint32_t head = at, n = 0;
        if (next < s->n && s->starts[next] == c << 16)
            hop = s->hops[next++];
        for (; next < s->n && s->starts[next] >> 16 == c; next++)
            ranges[head + ++n] = s->starts[next] << 16 | s->hops[next];
        chunks[c] = n ? head : IP_CHUNK_HOP | hop;
        if (n) {
            ranges[head] = n << 16 | hop;
            hop = s->hops[next - 1];
            at = head + n + 1;
        }
    }
    t->chunks = chunks;
    t->ranges = realloc(ranges, (at + 1ul) * sizeof *ranges);
    if (!t->ranges)
        t->ranges = ranges;
    t->n_starts = at;
    return 0;
}

static int sweep_all(struct ip_routes *t, struct sweep *s)
{
    uint32_t live = t->n - t->n_holes;

    for (s->n_hop_slots = 16;
         s->n_hop_slots < 2 * live && s->n_hop_slots < 2 * MAX_HOPS;)
        s->n_hop_slots *= 2;
    t->hops = calloc(t->hop_room = 4, sizeof *t->hops);
    s->keys = malloc((live + 1ul) * sizeof *s->keys);
    s->starts = malloc((2ul * live + 2) * sizeof *s->starts);
    s->hops = malloc((2ul * live + 2) * sizeof *s->hops);
    s->hop_slots = calloc(s->n_hop_slots, sizeof *s->hop_slots);
    if (!t->hops || !s->keys || !s->starts || !s->hops || !s->hop_slots)
        return -1;
    t->hops[0].port = -1;
    t->n_hops = 1;
    make_keys(t, s);
    if (sort_keys(s) < 0 || sweep_keys(t, s) < 0)
        return -1;
    if (s->n > SMALL_RANGES)
        return make_chunks(t, s);
    t->starts = s->starts;
    t->start_hops = s->hops;
    t->n_starts = s->n;
    s->starts = NULL;
    s->hops = NULL;
    return 0;
}

void ip_routes_distill(struct ip_routes *t)
{
    struct sweep s = {0};

    free(t->chunks);
    free(t->ranges);
    free(t->starts);
    free(t->start_hops);
    free(t->hops);
    t->chunks = t->ranges = t->starts = NULL;
    t->start_hops = NULL;
    t->hops = NULL;
    t->n_starts = t->n_hops = 0;
    t->linear = t->n_odd || t->n >> INDEX_BITS || sweep_all(t, &s) < 0;
    t->stale = false;
    free(s.keys);
    free(s.starts);
    free(s.hops);
    free(s.hop_slots);
}
