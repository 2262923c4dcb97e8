// SPDX-License-Identifier: BSD-3-Clause
/*
 * arena.h -- memory that is freed all at once
 *
 * A router instance, a parsed configuration or one flow table lives in an arena; taking
 * it down is one call and cannot leak. Blocks come zeroed and aligned to 16 bytes.
 *
 * Threads: one at a time.
 * Memory:  chunks come from malloc(); the arena owns them.
 */

#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

/* A new, empty arena that may grow to `limit` bytes (0: no limit); NULL when memory ran
 * out. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *a); /* and everything in it; accepts NULL */

/* Forget every block; the arena keeps a little memory for those to come. */
void arena_reset(struct arena *a);

/* `size` zeroed bytes, or NULL when memory ran out or the limit is reached. */
void *arena_alloc(struct arena *a, size_t size);

/* The same, `n` objects of `size` bytes, on a boundary of `align` (a power of two). */
void *arena_alloc_aligned(struct arena *a, size_t n, size_t size, size_t align);

/* Copies of a string, NUL-terminated. */
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *text, size_t len);

/* Bytes taken from malloc() so far. */
size_t arena_footprint(const struct arena *a);

#endif
