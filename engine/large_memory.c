// SPDX-License-Identifier: BSD-3-Clause
/* large_memory.c -- memory for tables that are read at random: see large_memory.h */

#include "engine/large_memory.h"

#include <stdlib.h>

enum { LINE = 64 };

static void *aligned(void *p, uintptr_t to)
{
    return (uint8_t *)p + (-(uintptr_t)p & (to - 1));
}

void *large_alloc(const struct platform *p, size_t n, void **memory)
{
    bool large = p && p->large_pages && n >= LARGE_PAGE;
    size_t align = large ? LARGE_PAGE : LINE, room;
    void *at;

    if (__builtin_add_overflow(n, 2 * align, &room))
        return NULL;
    n = (n + align - 1) & ~(align - 1);
    *memory = malloc(n + align - 1);
    if (!*memory)
        return NULL;
    at = aligned(*memory, align);
    if (large)
        p->large_pages(p->ctx, at, n);
    return at;
}
