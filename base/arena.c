// SPDX-License-Identifier: BSD-3-Clause
/* arena.c -- memory that is freed all at once: see arena.h */

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first chunk is small, since the first touch of a page is dear in a young VM. */
enum { CHUNK_FIRST = 4096, CHUNK_MAX = 256 * 1024 };

struct chunk {
    struct chunk *next;
    size_t size; /* bytes, this header included */
};

struct arena {
    struct chunk *chunks;
    uint8_t *free, *end; /* what is left of the newest ordinary chunk */
    size_t footprint, limit;
    size_t next_size;
};

struct arena *arena_new(size_t limit)
{
    struct arena *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->limit = limit;
    a->next_size = CHUNK_FIRST;
    return a;
}

void arena_free(struct arena *a)
{
    struct chunk *c, *next;

    if (!a)
        return;
    for (c = a->chunks; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

void arena_reset(struct arena *a)
{
    struct chunk *c, *next, *keep = NULL;
    bool only = a->chunks && !a->chunks->next;
    uint8_t *used = a->free;

    for (c = a->chunks; c; c = next) {
        next = c->next;
        if (next) {
            a->footprint -= c->size;
            free(c);
        } else {
            keep = c; /* the oldest, which is small */
        }
    }
    a->chunks = keep;
    a->free = a->end = NULL;
    a->next_size = CHUNK_FIRST;
    if (keep) {
        a->free = (uint8_t *)(keep + 1);
        a->end = (uint8_t *)keep + keep->size;
        /* What was not handed out is zero already, if it is known how much that is. */
        memset(a->free, 0, (size_t)((only ? used : a->end) - a->free));
    }
}

/* A zeroed chunk with room for `need` bytes behind its header. */
static struct chunk *chunk_new(struct arena *a, size_t need)
{
    struct chunk *c;
    size_t size;

    if (__builtin_add_overflow(need, sizeof *c, &size))
        return NULL;
    if (size < a->next_size)
        size = a->next_size;
    if (a->limit && (size > a->limit || a->footprint > a->limit - size))
        return NULL;
    c = calloc(1, size);
    if (!c)
        return NULL;
    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    a->footprint += size;
    if (a->next_size < CHUNK_MAX)
        a->next_size *= 2;
    return c;
}

static uint8_t *align_up(uint8_t *p, size_t align)
{
    return p + (-(uintptr_t)p & (align - 1));
}

void *arena_alloc_aligned(struct arena *a, size_t n, size_t size, size_t align)
{
    size_t bytes, need;
    struct chunk *c;
    uint8_t *p;

    if (__builtin_mul_overflow(n, size, &bytes) ||
        __builtin_add_overflow(bytes, align, &need))
        return NULL;
    p = a->free ? align_up(a->free, align) : NULL;
    if (p && p <= a->end && (size_t)(a->end - p) >= bytes) {
        a->free = p + bytes;
        return p;
    }
    c = chunk_new(a, need);
    if (!c)
        return NULL;
    p = align_up((uint8_t *)(c + 1), align);
    /* Go on in whichever chunk has more left. */
    if (!a->free || (uint8_t *)c + c->size - (p + bytes) > a->end - a->free) {
        a->free = p + bytes;
        a->end = (uint8_t *)c + c->size;
    }
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return arena_alloc_aligned(a, 1, size, 16);
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc_aligned(a, 1, len + 1, 1);

    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return arena_strndup(a, text, strlen(text));
}

size_t arena_footprint(const struct arena *a)
{
    return a->footprint;
}
