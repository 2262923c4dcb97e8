// SPDX-License-Identifier: BSD-3-Clause
/* mac_table.c -- which address is behind which port: see mac_table.h */

#include "switch/mac_table.h"

#include <stdlib.h>
#include <sys/mman.h>

#define relaxed    memory_order_relaxed
#define PAGE_LINES 64u /* of 4 KiB */

int mac_table_init(struct mac_table *t, uint32_t max, uint64_t seed)
{
    uint64_t n = 16;

    /* On average half as many addresses to a line as crowd it. */
    while (n * 2 < max)
        n *= 2;
    memset(t, 0, sizeof *t);
    t->lines = mmap(NULL, n * sizeof *t->lines, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    t->used = calloc(1, n / PAGE_LINES + 1);
    if (t->lines == MAP_FAILED || !t->used) {
        if (t->lines != MAP_FAILED)
            munmap(t->lines, n * sizeof *t->lines);
        free(t->used);
        t->lines = NULL;
        t->used = NULL;
        return -1;
    }
    t->n_lines = n;
    t->seed = seed & 0xffffffffffffull;
    t->max = max;
    atomic_flag_clear(&t->lock);
    return 0;
}

void mac_table_fini(struct mac_table *t)
{
    if (t->lines)
        munmap(t->lines, t->n_lines * sizeof *t->lines);
    free(t->used);
    t->lines = NULL;
    t->used = NULL;
}

static void lock(struct mac_table *t)
{
    while (atomic_flag_test_and_set_explicit(&t->lock, memory_order_acquire))
        __builtin_ia32_pause();
}

static void unlock(struct mac_table *t)
{
    atomic_flag_clear_explicit(&t->lock, memory_order_release);
}

static struct mac_line *second(const struct mac_table *t, uint64_t mac)
{
    return &t->lines[mac_hash_second(t, mac)];
}

static int way_of(const struct mac_line *l, uint64_t mac)
{
    for (unsigned i = 0; i < MAC_WAYS; i++)
        if (atomic_load_explicit(&l->key[i], relaxed) >> 16 == mac &&
            atomic_load_explicit(&l->key[i], relaxed) != 0)
            return (int)i;
    return -1;
}

static uint32_t find_in(const struct mac_line *l, uint64_t mac, uint32_t oldest)
{
    for (unsigned i = 0; i < MAC_WAYS; i++) {
        uint64_t key = atomic_load_explicit(&l->key[i], relaxed);

        if (key >> 16 == mac && key != 0 &&
            atomic_load_explicit(&l->stamp[i], relaxed) >= oldest)
            return key & 0xffff;
    }
    return 0;
}

uint32_t mac_table_find(const struct mac_table *t, uint64_t mac, uint64_t hash,
                        uint32_t oldest)
{
    const struct mac_line *l = &t->lines[hash];
    uint32_t port = find_in(l, mac, oldest);

    if (!port && atomic_load_explicit(&l->spilled, relaxed))
        port = find_in(second(t, mac), mac, oldest);
    return port;
}

/* The place of an address, in either line. */
static struct mac_line *place_of(const struct mac_table *t, uint64_t mac, uint64_t hash,
                                 int *way)
{
    struct mac_line *l = &t->lines[hash];

    if ((*way = way_of(l, mac)) >= 0)
        return l;
    if (atomic_load_explicit(&l->spilled, relaxed) &&
        (*way = way_of(second(t, mac), mac)) >= 0)
        return second(t, mac);
    return NULL;
}

static void set(struct mac_line *l, int way, uint64_t mac, uint32_t port,
                uint32_t stamp)
{
    /* A reader between the two sees the new port with the old age, which is harmless. */
    atomic_store_explicit(&l->key[way], mac << 16 | port, relaxed);
    atomic_store_explicit(&l->stamp[way], stamp, relaxed);
}

static void clear(struct mac_table *t, struct mac_line *l, int way)
{
    uint64_t mac = atomic_load_explicit(&l->key[way], relaxed) >> 16;
    struct mac_line *home = &t->lines[mac_hash(t, mac)];

    atomic_store_explicit(&l->key[way], 0, relaxed);
    if (home != l)
        atomic_fetch_sub_explicit(&home->spilled, 1, relaxed);
    atomic_fetch_sub_explicit(&t->count, 1, relaxed);
}

/* The learned entry that was not heard of for longest, or -1 among static ones. */
static int oldest_way(const struct mac_line *l)
{
    uint32_t least = MAC_FIXED;
    int way = -1;

    for (unsigned i = 0; i < MAC_WAYS; i++) {
        uint32_t stamp = atomic_load_explicit(&l->stamp[i], relaxed);

        if (stamp < least) {
            least = stamp;
            way = (int)i;
        }
    }
    return way;
}

static int free_way(const struct mac_line *l)
{
    for (unsigned i = 0; i < MAC_WAYS; i++)
        if (atomic_load_explicit(&l->key[i], relaxed) == 0)
            return (int)i;
    return -1;
}

/* Make a place in a full line: move one of its entries to the entry's other line. Readers
 * find it in one of the two at any moment. */
static int move_one(struct mac_table *t, struct mac_line *l)
{
    for (int w = 0; w < (int)MAC_WAYS; w++) {
        uint64_t key = atomic_load_explicit(&l->key[w], relaxed), mac = key >> 16;
        struct mac_line *home = &t->lines[mac_hash(t, mac)];
        struct mac_line *to = home == l ? second(t, mac) : home;
        int free = free_way(to);

        if (to == l || free < 0)
            continue;
        if (home == l)
            atomic_fetch_add_explicit(&home->spilled, 1, relaxed);
        set(to, free, mac, key & 0xffff, atomic_load_explicit(&l->stamp[w], relaxed));
        t->used[(size_t)(to - t->lines) / PAGE_LINES] = 1;
        atomic_store_explicit(&l->key[w], 0, relaxed);
        if (home != l)
            atomic_fetch_sub_explicit(&home->spilled, 1, relaxed);
        return w;
    }
    return -1;
}

/* A free place for a new address in one of its lines, by moving another if need be, or by
 * eviction. */
static struct mac_line *make_place(struct mac_table *t, uint64_t mac, uint64_t hash,
                                   int *way, uint32_t *evicted)
{
    struct mac_line *l = &t->lines[hash];

    if ((*way = free_way(l)) >= 0)
        return l;
    if ((*way = free_way(second(t, mac))) >= 0)
        return second(t, mac);
    if ((*way = move_one(t, l)) >= 0)
        return l;
    if ((*way = oldest_way(l)) < 0)
        return NULL;
    *evicted = atomic_load_explicit(&l->key[*way], relaxed) & 0xffff;
    atomic_fetch_add_explicit(&t->evicted, 1, relaxed);
    clear(t, l, *way);
    return l;
}

static bool insert(struct mac_table *t, uint64_t mac, uint64_t hash, uint32_t port,
                   uint32_t stamp, uint32_t *evicted)
{
    int way;
    struct mac_line *l = make_place(t, mac, hash, &way, evicted);

    if (!l)
        return false;
    set(l, way, mac, port, stamp);
    t->used[(size_t)(l - t->lines) / PAGE_LINES] = 1;
    if (l != &t->lines[hash])
        atomic_fetch_add_explicit(&t->lines[hash].spilled, 1, relaxed);
    atomic_fetch_add_explicit(&t->count, 1, relaxed);
    return true;
}

/* An address that is there: refresh it or move it. */
static enum mac_learned relearn(struct mac_line *l, int way, uint64_t mac,
                                uint32_t port, uint32_t now, uint32_t *before)
{
    uint32_t had = atomic_load_explicit(&l->key[way], relaxed) & 0xffff;

    if (atomic_load_explicit(&l->stamp[way], relaxed) == MAC_FIXED)
        return had == port ? MAC_KNOWN : MAC_REFUSED;
    set(l, way, mac, port, now);
    *before = had;
    return had == port ? MAC_KNOWN : MAC_MOVED;
}

enum mac_learned mac_table_learn(struct mac_table *t, uint64_t mac, uint64_t hash,
                                 uint32_t port, uint32_t now, bool may_add,
                                 uint32_t *before, uint32_t *evicted)
{
    enum mac_learned r = MAC_REFUSED;
    struct mac_line *l;
    int way;

    *before = *evicted = 0;
    lock(t);
    l = place_of(t, mac, hash, &way);
    if (l)
        r = relearn(l, way, mac, port, now, before);
    else if (may_add && atomic_load_explicit(&t->count, relaxed) < t->max &&
             insert(t, mac, hash, port, now, evicted))
        r = MAC_NEW;
    unlock(t);
    return r;
}

int mac_table_fix(struct mac_table *t, uint64_t mac, uint32_t port, uint32_t *evicted)
{
    uint64_t hash = mac_hash(t, mac);
    struct mac_line *l;
    int way, had = 0;

    *evicted = 0;
    lock(t);
    l = place_of(t, mac, hash, &way);
    if (l) {
        if (atomic_load_explicit(&l->stamp[way], relaxed) != MAC_FIXED)
            had = atomic_load_explicit(&l->key[way], relaxed) & 0xffff;
        set(l, way, mac, port, MAC_FIXED);
    } else if (!insert(t, mac, hash, port, MAC_FIXED, evicted)) {
        had = -1;
    }
    unlock(t);
    return had;
}

uint32_t mac_table_fixed_at(struct mac_table *t, uint64_t mac)
{
    uint32_t port = 0;
    struct mac_line *l;
    int way;

    lock(t);
    l = place_of(t, mac, mac_hash(t, mac), &way);
    if (l && atomic_load_explicit(&l->stamp[way], relaxed) == MAC_FIXED)
        port = atomic_load_explicit(&l->key[way], relaxed) & 0xffff;
    unlock(t);
    return port;
}

uint32_t mac_table_remove(struct mac_table *t, uint64_t mac, bool *fixed)
{
    uint32_t port = 0;
    struct mac_line *l;
    int way;

    lock(t);
    l = place_of(t, mac, mac_hash(t, mac), &way);
    if (l) {
        port = atomic_load_explicit(&l->key[way], relaxed) & 0xffff;
        *fixed = atomic_load_explicit(&l->stamp[way], relaxed) == MAC_FIXED;
        clear(t, l, way);
    }
    unlock(t);
    return port;
}

void mac_table_sweep(struct mac_table *t,
                     bool (*drop)(void *ctx, uint64_t mac, uint32_t port,
                                  uint32_t stamp),
                     void *ctx)
{
    lock(t);
    for (uint64_t i = 0; i < t->n_lines; i++) {
        if (!t->used[i / PAGE_LINES]) {
            i |= PAGE_LINES - 1;
            continue;
        }
        for (int w = 0; w < (int)MAC_WAYS; w++) {
            uint64_t key = atomic_load_explicit(&t->lines[i].key[w], relaxed);

            if (key != 0 && drop(ctx, key >> 16, key & 0xffff,
                                 atomic_load_explicit(&t->lines[i].stamp[w], relaxed)))
                clear(t, &t->lines[i], w);
        }
    }
    unlock(t);
}
