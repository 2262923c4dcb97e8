// SPDX-License-Identifier: BSD-3-Clause
/*
 * strmap.h -- hash map from strings to whatever the caller keeps
 *
 *     struct strmap m = STRMAP_INIT;
 *     strmap_put(&m, "q", 1, &queue);
 *     struct queue *q = strmap_get(&m, "q", 1);
 *     strmap_fini(&m);
 *
 * Keys are bytes with a length and may contain NULs. Look-ups take constant time whatever
 * the keys: the hash is seeded, so a hostile configuration cannot prepare collisions
 * against a caller that sets `seed` before the first put.
 *
 * Order:   strmap_next() goes through the entries in the order they were first put, so
 *          that what is printed from a map does not depend on the hash.
 * Threads: one at a time.
 * Memory:  the table is on the heap; keys and values are borrowed, and a key must live
 *          as long as its entry.
 */

#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strmap_entry {
    const char *key; /* borrowed; NULL: was removed */
    size_t len;
    void *value; /* borrowed */
    uint64_t hash;
};

struct strmap {
    struct strmap_entry *entries; /* owned; in the order of their first put */
    uint32_t *slots;        /* owned; index into entries plus one, 0: never used */
    size_t n_entries, room; /* entries in use, removed ones included */
    size_t n_slots;         /* power of two or 0 */
    size_t count;           /* entries that are there */
    uint64_t seed;          /* may be set while the map is empty */
};

#define STRMAP_INIT ((struct strmap){0})

void strmap_fini(struct strmap *m);

/* The value under the key, or NULL. */
void *strmap_get(const struct strmap *m, const char *key, size_t len);
void *strmap_gets(const struct strmap *m, const char *key); /* key ends in NUL */
bool strmap_has(const struct strmap *m, const char *key, size_t len);

/* Set the value under the key; an entry that is there keeps its own key pointer. Returns
 * 0, or -1 when memory ran out and the map is as it was. */
int strmap_put(struct strmap *m, const char *key, size_t len, void *value);
int strmap_puts(struct strmap *m, const char *key, void *value);

/* Take the entry out; returns its value, NULL if there was none. */
void *strmap_remove(struct strmap *m, const char *key, size_t len);

/* Go through the entries: start with *at = 0; returns NULL after the last. Values may be
 * changed and entries removed on the way; putting new keys ends the walk's validity. */
struct strmap_entry *strmap_next(const struct strmap *m, size_t *at);

/* The hash that the map uses, for those who want the same elsewhere. */
uint64_t strmap_hash(uint64_t seed, const char *key, size_t len);

#endif
