// SPDX-License-Identifier: BSD-3-Clause
/*
 * heap.c -- malloc() and its family over the boot heap
 *
 * Blocks up to SMALL_MAX come in size classes (eight up to 128 bytes in steps of 16, then
 * four to a doubling) and are kept in a list a class when freed. Larger ones are kept in
 * one list in order of their addresses, joined with free neighbours, and given back to
 * the untouched rest of the heap when they border on it. New blocks are cut from that
 * rest, one after the other, those up to TINY_MAX from a chunk of it: what lies between
 * them would often be a table that is hardly touched, and a young VM is to touch few pages,
 * which are neighbours.
 *
 *     heap                     end        touched              heap_have      size
 *      [ blocks, used and free ][ free again ][ never used: zero ][ not there yet ]
 *
 * Each block has a header of 16 bytes before it. Memory that was never used is known to
 * be zero, so calloc() touches none of it.
 */

#include "guest/guest.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGN = 16,
    HEADER = 16,
    SMALL_MAX = 32768,
    LINEAR_MAX = 128,
    N_CLASSES = LINEAR_MAX / ALIGN + 4 * 8,
    TINY_MAX = 16384,
    CHUNK = 128 << 10,
    GROW = 1 << 20, /* bytes that are asked for at least when there are too few */
};

struct block {
    uint64_t size;      /* bytes with the header */
    struct block *next; /* while free; else small_class + 1, or 0 for large */
};

static struct {
    uint64_t end, touched; /* bytes from the start */
    uint64_t used;
    uint64_t chunk, chunk_end; /* what is left of the chunk */
    bool chunk_fresh;
    struct block *small[N_CLASSES];
    struct block *large; /* by address */
} heap;

static uint8_t *start(void)
{
    return (uint8_t *)(uintptr_t)LAYOUT_HEAP;
}

/* Class of blocks with room for `n` <= SMALL_MAX bytes, and their room. */
static unsigned class_of(size_t n, size_t *room)
{
    unsigned shift, quarter;
    size_t step;

    if (n <= LINEAR_MAX) {
        unsigned c = n ? (unsigned)(n - 1) / ALIGN : 0;

        *room = (size_t)(c + 1) * ALIGN;
        return c;
    }
    shift = 63 - (unsigned)__builtin_clzll(n - 1); /* 2^shift < n <= 2^(shift + 1) */
    step = (size_t)1 << (shift - 2);
    quarter = (unsigned)((n - 1 - ((size_t)1 << shift)) / step);
    *room = ((size_t)1 << shift) + (quarter + 1) * step;
    return LINEAR_MAX / ALIGN + (shift - 7) * 4 + quarter;
}

/* Take `size` bytes from the rest: where they are, or UINT64_MAX. `*fresh`: they were never
 * used. */
static uint64_t take(uint64_t size, bool *fresh)
{
    const uint64_t all = GUEST_BOOT->heap_size;

    if (size > all - heap.end)
        return UINT64_MAX;
    if (heap.end + size > GUEST_WAIT->heap_have) {
        uint64_t want = heap.end + size + GROW;

        guest_grow_heap(want < all ? want : all);
        if (heap.end + size > GUEST_WAIT->heap_have)
            return UINT64_MAX;
    }
    *fresh = heap.end >= heap.touched;
    heap.end += size;
    if (heap.end > heap.touched)
        heap.touched = heap.end;
    return heap.end - size;
}

/* The same from the chunk, or from a new one; what the old one had left is given up. */
static uint64_t take_tiny(uint64_t size, bool *fresh)
{
    if (size > heap.chunk_end - heap.chunk) {
        uint64_t at = take(CHUNK, &heap.chunk_fresh);

        if (at == UINT64_MAX)
            return take(size, fresh);
        heap.chunk = at;
        heap.chunk_end = at + CHUNK;
    }
    *fresh = heap.chunk_fresh;
    heap.chunk += size;
    return heap.chunk - size;
}

static struct block *cut(uint64_t size, bool *fresh)
{
    uint64_t at = size <= TINY_MAX ? take_tiny(size, fresh) : take(size, fresh);
    struct block *b;

    if (at == UINT64_MAX)
        return NULL;
    b = (struct block *)(start() + at);
    b->size = size;
    return b;
}

/* First fit; what is left over stays in the list. */
static struct block *take_large(uint64_t size)
{
    for (struct block **at = &heap.large; *at; at = &(*at)->next) {
        struct block *b = *at;

        if (b->size < size)
            continue;
        if (b->size - size > SMALL_MAX) {
            struct block *rest = (struct block *)((uint8_t *)b + size);

            rest->size = b->size - size;
            rest->next = b->next;
            b->size = size;
            *at = rest;
        } else {
            *at = b->next;
        }
        return b;
    }
    return NULL;
}

static void *allocate(size_t n, bool *fresh)
{
    struct block *b;
    size_t room;
    unsigned class = 0;

    *fresh = false;
    if (n <= SMALL_MAX) {
        class = class_of(n, &room);
        b = heap.small[class];
        if (b)
            heap.small[class] = b->next;
        else
            b = cut(room + HEADER, fresh);
        class ++;
    } else {
        if (n > UINT64_MAX / 2)
            return NULL;
        room = (n + HEADER + ALIGN - 1) & ~(size_t)(ALIGN - 1);
        b = take_large(room);
        if (!b)
            b = cut(room, fresh);
    }
    if (!b)
        return NULL;
    b->next = (struct block *)(uintptr_t) class;
    heap.used += b->size;
    return (uint8_t *)b + HEADER;
}

void *malloc(size_t n)
{
    bool fresh;

    return allocate(n, &fresh);
}

void *calloc(size_t n, size_t size)
{
    size_t bytes;
    bool fresh;
    void *p;

    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    p = allocate(bytes, &fresh);
    if (p && !fresh)
        memset(p, 0, bytes);
    return p;
}

static bool borders(const struct block *a, const struct block *b)
{
    return (const uint8_t *)a + a->size == (const uint8_t *)b;
}

static void free_large(struct block *b)
{
    struct block **at = &heap.large, **before = NULL;

    while (*at && *at < b) {
        before = at;
        at = &(*at)->next;
    }
    b->next = *at;
    *at = b;
    if (b->next && borders(b, b->next)) {
        b->size += b->next->size;
        b->next = b->next->next;
    }
    if (before && borders(*before, b)) {
        (*before)->size += b->size;
        (*before)->next = b->next;
        b = *before;
        at = before;
    }
    if ((uint8_t *)b + b->size == start() + heap.end) {
        *at = NULL;
        heap.end -= b->size;
    }
}

void free(void *p)
{
    struct block *b;
    uintptr_t class;

    if (!p)
        return;
    b = (struct block *)((uint8_t *)p - HEADER);
    class = (uintptr_t)b->next;
    if (class > N_CLASSES || b->size < HEADER || b->size > heap.end)
        guest_panic("free(): this is not a block of the heap, or it was overrun");
    heap.used -= b->size;
    if (!class) {
        free_large(b);
        return;
    }
    b->next = heap.small[class - 1];
    heap.small[class - 1] = b;
}

void *realloc(void *p, size_t n)
{
    struct block *b;
    size_t have;
    void *q;

    if (!p)
        return malloc(n);
    b = (struct block *)((uint8_t *)p - HEADER);
    have = b->size - HEADER;
    /* A block that shrinks stays where it is unless much would be wasted. */
    if (n <= have && n >= have / 4)
        return p;
    q = malloc(n);
    if (!q)
        return n <= have ? p : NULL;
    memcpy(q, p, n < have ? n : have);
    free(p);
    return q;
}

void heap_each_free(void (*each)(void *ctx, uint64_t from, uint64_t size), void *ctx)
{
    const uint64_t page = 4096;

    for (const struct block *b = heap.large; b; b = b->next)
        each(ctx, (uint64_t)(b + 1), b->size - sizeof *b);
    for (unsigned c = 0; c < N_CLASSES; c++)
        for (const struct block *b = heap.small[c]; b && b->size >= page; b = b->next)
            each(ctx, (uint64_t)(b + 1), b->size - sizeof *b);
    each(ctx, LAYOUT_HEAP + heap.end, heap.touched - heap.end);
}

void heap_use(struct heap_use *u)
{
    *u = (struct heap_use){
        .used = heap.used, .touched = heap.touched, .size = GUEST_BOOT->heap_size};
}
