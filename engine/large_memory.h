// SPDX-License-Identifier: BSD-3-Clause
/*
 * large_memory.h -- memory for tables that are read at random
 *
 * With pages of 4 KiB the processor forgets where the pages of some MiB are, and looks that
 * up again with nearly every access, in a VM twice. Tables from LARGE_PAGE on stand on
 * pages of that size where the platform can have them.
 */

#ifndef ENGINE_LARGE_MEMORY_H
#define ENGINE_LARGE_MEMORY_H

#include "engine/platform.h"

enum { LARGE_PAGE = 2 << 20 };

/* `n` bytes, which are not initialised, on the boundary of a cache line. `*memory` becomes
 * what is given to free(). NULL when memory ran out. `p` may be NULL. */
void *large_alloc(const struct platform *p, size_t n, void **memory);

#endif
