// SPDX-License-Identifier: BSD-3-Clause
/* ip6_routes.c -- longest matching prefix among IPv6 routes */

#include "engine/ip6_routes.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 6, WAYS = 64, ADDR_BITS = 128 };

void ip6_routes_fini(struct ip6_routes *t)
{
    free(t->route);
    free(t->node);
    free(t->leaf);
    free(t->taken);
    *t = (struct ip6_routes){0};
}

/* The STEP bits of an address from bit `at` on; zeros behind its end. */
static inline unsigned bits_at(const struct ip6_addr *a, unsigned at)
{
    unsigned byte = at / 8;
    unsigned v = byte < 16 ? (unsigned)a->b[byte] << 8 : 0;

    v |= byte + 1 < 16 ? a->b[byte + 1] : 0;
    return v >> (16 - STEP - at % 8) & (WAYS - 1);
}

static void clear_tail(struct ip6_addr *a, uint32_t len)
{
    for (uint32_t i = 0; i < 16; i++)
        if (len < 8 * (i + 1))
            a->b[i] &= (uint8_t)(len > 8 * i ? 0xff00u >> (len - 8 * i) : 0);
}

static int compare(const struct ip6_route *r, const struct ip6_addr *addr, uint32_t len)
{
    int c = memcmp(r->addr.b, addr->b, 16);

    return c ? c : (r->len > len) - (r->len < len);
}

/* Where the prefix is or belongs. */
static uint32_t place_of(const struct ip6_routes *t, const struct ip6_addr *addr,
                         uint32_t len)
{
    uint32_t low = 0, high = t->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (compare(&t->route[mid], addr, len) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Room for one more slot; -1 when memory ran out. */
static int slot_room(struct ip6_routes *t)
{
    uint32_t room = t->slots_room ? 2 * t->slots_room : 64;
    uint8_t *more;

    if (t->n_slots < t->slots_room)
        return 0;
    more = realloc(t->taken, room);
    if (!more)
        return -1;
    t->taken = more;
    t->slots_room = room;
    return 0;
}

static uint32_t slot_take(struct ip6_routes *t)
{
    while (t->free_slot < t->n_slots && t->taken[t->free_slot])
        t->free_slot++;
    t->n_slots += t->free_slot == t->n_slots;
    t->taken[t->free_slot] = 1;
    return t->free_slot;
}

static void slot_give(struct ip6_routes *t, uint32_t slot)
{
    t->taken[slot] = 0;
    t->free_slot = slot < t->free_slot ? slot : t->free_slot;
}

int ip6_routes_add(struct ip6_routes *t, const struct ip6_route *r)
{
    struct ip6_route clean = *r;
    uint32_t at;

    clear_tail(&clean.addr, clean.len);
    at = place_of(t, &clean.addr, clean.len);
    t->dirty = true;
    if (at < t->n && !compare(&t->route[at], &clean.addr, clean.len)) {
        slot_give(t, t->route[at].slot);
        clean.slot = slot_take(t);
        t->route[at] = clean;
        return 0;
    }
    if (slot_room(t) < 0)
        return -1;
    if (t->n == t->room) {
        uint32_t room = t->room ? 2 * t->room : 16;
        struct ip6_route *more = realloc(t->route, room * sizeof *more);

        if (!more)
            return -1;
        t->route = more;
        t->room = room;
    }
    memmove(t->route + at + 1, t->route + at, (t->n - at) * sizeof *t->route);
    clean.slot = slot_take(t);
    t->route[at] = clean;
    t->n++;
    return 0;
}

bool ip6_routes_has(const struct ip6_routes *t, const struct ip6_addr *addr,
                    uint32_t len)
{
    struct ip6_addr clean = *addr;
    uint32_t at;

    clear_tail(&clean, len);
    at = place_of(t, &clean, len);
    return at < t->n && !compare(&t->route[at], &clean, len);
}

bool ip6_routes_remove(struct ip6_routes *t, const struct ip6_addr *addr, uint32_t len)
{
    struct ip6_addr clean = *addr;
    uint32_t at;

    clear_tail(&clean, len);
    at = place_of(t, &clean, len);
    if (at >= t->n || compare(&t->route[at], &clean, len))
        return false;
    slot_give(t, t->route[at].slot);
    memmove(t->route + at, t->route + at + 1, (t->n - at - 1) * sizeof *t->route);
    t->n--;
    t->dirty = true;
    return true;
}

/* --- building --------------------------------------------------------------------------- */

static int reserve(void *array, uint32_t *room, uint32_t n, size_t size)
{
    void **p = array, *more;
    uint32_t want = *room ? *room : 64;

    while (want < n)
        want *= 2;
    if (want == *room)
        return 0;
    if (!(more = realloc(*p, want * size)))
        return -1;
    *p = more;
    *room = want;
    return 0;
}

/* What the slots of a node mean: the longest prefix that covers each, and where the longer
 * ones begin. */
struct slots {
    uint32_t leaf[WAYS], best[WAYS];
    uint32_t first[WAYS + 1];
    bool child[WAYS];
};

static void find_slots(const struct ip6_routes *t, uint32_t from, uint32_t to,
                       unsigned depth, uint32_t inherited, struct slots *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < WAYS; i++)
        s->leaf[i] = inherited;
    for (uint32_t r = from; r < to; r++) {
        unsigned slot = bits_at(&t->route[r].addr, depth);
        uint32_t len = t->route[r].len;
        unsigned n = 1;

        s->first[slot + 1] = r + 1;
        if (len > depth + STEP) {
            s->child[slot] = true;
            continue;
        }
        if (len < depth) /* stands higher up already */
            continue;
        for (n <<= depth + STEP - len; n; n--, slot++)
            if (len + 1 > s->best[slot]) {
                s->best[slot] = len + 1;
                s->leaf[slot] = r + 1;
            }
    }
    s->first[0] = from;
    for (unsigned i = 1; i <= WAYS; i++)
        if (s->first[i] < s->first[i - 1])
            s->first[i] = s->first[i - 1];
}

/* Build node number `at` from the routes [from, to), which share the bits before `depth`. */
static int build(struct ip6_routes *t, uint32_t at, uint32_t from, uint32_t to,
                 unsigned depth, uint32_t inherited)
{
    struct ip6_node node = {.first_child = t->n_nodes, .first_leaf = t->n_leaves};
    struct slots s;
    uint32_t child = t->n_nodes, last = UINT32_MAX;

    find_slots(t, from, to, depth, inherited, &s);
    for (unsigned i = 0; i < WAYS; i++) {
        if (s.child[i]) {
            node.children |= 1ull << i;
            t->n_nodes++;
        } else if (s.leaf[i] != last) {
            if (reserve(&t->leaf, &t->leaves_room, t->n_leaves + 1, sizeof *t->leaf))
                return -1;
            node.leaves |= 1ull << i;
            last = t->leaf[t->n_leaves++] = s.leaf[i];
        }
    }
    if (reserve(&t->node, &t->nodes_room, t->n_nodes, sizeof *t->node) < 0)
        return -1;
    t->node[at] = node;
    for (unsigned i = 0; i < WAYS; i++)
        if (s.child[i] &&
            build(t, child++, s.first[i], s.first[i + 1], depth + STEP, s.leaf[i]) < 0)
            return -1;
    return 0;
}

static int rebuild(struct ip6_routes *t)
{
    t->n_leaves = 0;
    t->n_nodes = 1;
    if (reserve(&t->node, &t->nodes_room, 1, sizeof *t->node) < 0 ||
        build(t, 0, 0, t->n, 0, 0) < 0)
        return -1;
    t->dirty = false;
    return 0;
}

const struct ip6_route *ip6_routes_lookup(struct ip6_routes *t,
                                          const struct ip6_addr *addr)
{
    const struct ip6_node *node;
    uint32_t leaf;
    unsigned slot, depth = 0;

    if (!t->n || (__builtin_expect(t->dirty, 0) && rebuild(t) < 0))
        return NULL;
    for (node = t->node;; depth += STEP) {
        slot = bits_at(addr, depth);
        if (!(node->children >> slot & 1))
            break;
        node = &t->node[node->first_child + (uint32_t)__builtin_popcountll(
                                                node->children & ((1ull << slot) - 1))];
    }
    leaf = t->leaf[node->first_leaf - 1 +
                   (uint32_t)__builtin_popcountll(node->leaves & ((2ull << slot) - 1))];
    return leaf ? &t->route[leaf - 1] : NULL;
}
