// SPDX-License-Identifier: BSD-3-Clause
/*
 * mac_table.h -- which address is behind which port
 *
 * A hash table of lines of one cache line each. A line holds five addresses; one that
 * does not fit goes into a second line, found by another hash, and a count in the first
 * says so: nearly every look-up costs one cache miss, which mac_table_prefetch() takes
 * beforehand. When both are full and nobody in the first can move to another line, the
 * oldest learned address gives way: a flood of addresses costs the flooder's neighbours
 * some flooding, never memory.
 *
 * Addresses are 48-bit numbers as mac_load() makes them; ports are numbers above 0.
 *
 * Threads: look-ups by any number of threads beside one writer; writers take turns by
 *          themselves. A look-up beside a write may miss, or find the port of a moment
 *          ago: the caller must check that a port is what it takes it for.
 * Memory:  the lines are mapped at once and touched as they are used.
 */

#ifndef SWITCH_MAC_TABLE_H
#define SWITCH_MAC_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/prefetch.h"

#define MAC_WAYS 5u

struct mac_line {
    _Atomic uint64_t key[MAC_WAYS];   /* address << 16 | port; 0: free */
    _Atomic uint32_t stamp[MAC_WAYS]; /* second it was heard of; MAC_FIXED: static */
    _Atomic uint32_t spilled;         /* entries that went to their second line */
};
_Static_assert(sizeof(struct mac_line) == 64, "one cache line");

#define MAC_FIXED UINT32_MAX

struct mac_table {
    struct mac_line *lines; /* owned */
    uint64_t n_lines;       /* power of two */
    uint8_t *used; /* owned; a byte a page of lines, 1 once something was written there:
                    * a sweep need not touch the others */
    uint64_t seed;
    atomic_flag lock; /* writers */
    _Atomic uint32_t count;
    uint32_t max;
    _Atomic uint64_t evicted;
};

/* Room for about `max` addresses. Returns 0, or -1 when there is no memory. */
int mac_table_init(struct mac_table *t, uint32_t max, uint64_t seed);
void mac_table_fini(struct mac_table *t);

/* The six bytes at `p`, of which eight must be readable. */
static inline uint64_t mac_load(const void *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v & 0xffffffffffffull;
}

#define MAC_BROADCAST UINT64_C(0xffffffffffff)

static inline bool mac_is_group(uint64_t mac)
{
    return mac & 1;
}

static inline uint64_t mac_hash(const struct mac_table *t, uint64_t mac)
{
    uint64_t h = (mac ^ t->seed) * 0x9e3779b97f4a7c15ull;

    h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ull;
    return (h ^ (h >> 32)) & (t->n_lines - 1);
}

/* The second line for an address. */
static inline uint64_t mac_hash_second(const struct mac_table *t, uint64_t mac)
{
    return mac_hash(t, mac ^ 0x5bd1e995a5a7ull);
}

static inline void mac_table_prefetch(const struct mac_table *t, uint64_t hash)
{
    prefetch(&t->lines[hash]);
}

/* Port number, or 0. Entries older than `oldest` seconds are not found. */
uint32_t mac_table_find(const struct mac_table *t, uint64_t mac, uint64_t hash,
                        uint32_t oldest);

enum mac_learned { MAC_KNOWN, MAC_NEW, MAC_MOVED, MAC_REFUSED };

/* `mac` was heard at `port` in second `now`. A fixed entry is refused to other ports; a
 * new one when `may_add` is false. *before: the port that had it (MAC_MOVED), *evicted:
 * the port that lost another address for it, or 0. */
enum mac_learned mac_table_learn(struct mac_table *t, uint64_t mac, uint64_t hash,
                                 uint32_t port, uint32_t now, bool may_add,
                                 uint32_t *before, uint32_t *evicted);

/* Enter or change a static address. Returns the port that had it learned or 0; -1 when
 * both lines are full of static ones. */
int mac_table_fix(struct mac_table *t, uint64_t mac, uint32_t port, uint32_t *evicted);

/* The port that a static address is bound to, or 0. */
uint32_t mac_table_fixed_at(struct mac_table *t, uint64_t mac);

/* Take out an address; returns the port that had it or 0; *fixed tells what it was. */
uint32_t mac_table_remove(struct mac_table *t, uint64_t mac, bool *fixed);

/* Take out entries for which `drop` is true; calls it for each entry. */
void mac_table_sweep(struct mac_table *t,
                     bool (*drop)(void *ctx, uint64_t mac, uint32_t port,
                                  uint32_t stamp),
                     void *ctx);

#endif
