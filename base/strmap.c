// SPDX-License-Identifier: BSD-3-Clause
/* strmap.c -- hash map from strings to whatever the caller keeps: see strmap.h */

#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>

/*
 * Open addressing with linear probing over 4-byte slots that point into an array of
 * entries: a miss touches little memory, and the array keeps the order of insertion.
 * Removed entries stay in both as tombstones until the next rebuild.
 */
enum { FIRST_SLOTS = 16 };

void strmap_fini(struct strmap *m)
{
    if (!m)
        return;
    free(m->entries);
    free(m->slots);
    *m = (struct strmap){.seed = m->seed};
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;

    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Eight bytes a step, folded by a 64x64->128 multiplication as wyhash does. */
uint64_t strmap_hash(uint64_t seed, const char *key, size_t len)
{
    const uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xd6e8feb86659fd93u;
    uint64_t h = seed ^ mix(len ^ k0, k1), word;

    for (; len >= sizeof word; key += sizeof word, len -= sizeof word) {
        memcpy(&word, key, sizeof word);
        h = mix(h ^ word ^ k0, k1 ^ seed);
    }
    word = 0;
    if (len)
        memcpy(&word, key, len);
    return mix(h ^ word ^ k1, k0 ^ seed);
}

static bool entry_is(const struct strmap_entry *e, uint64_t hash, const char *key,
                     size_t len)
{
    return e->key && e->hash == hash && e->len == len &&
           (len == 0 || memcmp(e->key, key, len) == 0);
}

static struct strmap_entry *find(const struct strmap *m, const char *key, size_t len)
{
    uint64_t hash;

    if (!m->count)
        return NULL;
    hash = strmap_hash(m->seed, key, len);
    for (size_t i = hash & (m->n_slots - 1); m->slots[i];
         i = (i + 1) & (m->n_slots - 1))
        if (entry_is(&m->entries[m->slots[i] - 1], hash, key, len))
            return &m->entries[m->slots[i] - 1];
    return NULL;
}

void *strmap_get(const struct strmap *m, const char *key, size_t len)
{
    const struct strmap_entry *e = find(m, key, len);

    return e ? e->value : NULL;
}

void *strmap_gets(const struct strmap *m, const char *key)
{
    return strmap_get(m, key, strlen(key));
}

bool strmap_has(const struct strmap *m, const char *key, size_t len)
{
    return find(m, key, len) != NULL;
}

static void slot_fill(struct strmap *m, uint64_t hash, size_t entry)
{
    size_t i = hash & (m->n_slots - 1);

    while (m->slots[i])
        i = (i + 1) & (m->n_slots - 1);
    m->slots[i] = (uint32_t)entry + 1;
}

/* Make room for one entry more, and leave the tombstones behind. */
static int rebuild(struct strmap *m)
{
    struct strmap old = *m;
    size_t n_slots = FIRST_SLOTS, room, at = 0;

    while (n_slots / 2 <= old.count)
        n_slots *= 2;
    n_slots *= 2;
    room = n_slots / 2;
    if (room >= UINT32_MAX)
        return -1;
    m->slots = calloc(n_slots, sizeof *m->slots);
    m->entries = calloc(room, sizeof *m->entries);
    if (!m->slots || !m->entries) {
        free(m->slots);
        free(m->entries);
        *m = old;
        return -1;
    }
    m->n_slots = n_slots;
    m->room = room;
    m->n_entries = 0;
    for (struct strmap_entry *e; (e = strmap_next(&old, &at));) {
        slot_fill(m, e->hash, m->n_entries);
        m->entries[m->n_entries++] = *e;
    }
    free(old.slots);
    free(old.entries);
    return 0;
}

int strmap_put(struct strmap *m, const char *key, size_t len, void *value)
{
    struct strmap_entry *e = find(m, key, len);

    if (e) {
        e->value = value;
        return 0;
    }
    if (m->n_entries == m->room && rebuild(m) < 0)
        return -1;
    e = &m->entries[m->n_entries];
    *e = (struct strmap_entry){key, len, value, strmap_hash(m->seed, key, len)};
    slot_fill(m, e->hash, m->n_entries++);
    m->count++;
    return 0;
}

int strmap_puts(struct strmap *m, const char *key, void *value)
{
    return strmap_put(m, key, strlen(key), value);
}

void *strmap_remove(struct strmap *m, const char *key, size_t len)
{
    struct strmap_entry *e = find(m, key, len);
    void *value;

    if (!e)
        return NULL;
    value = e->value;
    e->key = NULL;
    m->count--;
    return value;
}

struct strmap_entry *strmap_next(const struct strmap *m, size_t *at)
{
    while (*at < m->n_entries)
        if (m->entries[(*at)++].key)
            return &m->entries[*at - 1];
    return NULL;
}
