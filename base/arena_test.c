// SPDX-License-Identifier: BSD-3-Clause
#include "base/arena.h"
#include "tests/test.h"

#include <string.h>

static struct arena *a;

SETUP()
{
    a = arena_new(0);
}

TEARDOWN()
{
    arena_free(a);
}

TEST(blocks_are_zeroed_aligned_and_apart)
{
    uint8_t *last = NULL;

    for (size_t size = 1; size < 5000; size += 7) {
        uint8_t *p = arena_alloc(a, size);

        EXPECT(p != NULL);
        EXPECT_EQ((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            EXPECT_EQ(p[i], 0);
        memset(p, 0xff, size);
        EXPECT(p != last);
        last = p;
    }
}

TEST(alignment_is_what_was_asked_for)
{
    arena_alloc(a, 1);
    EXPECT_EQ((uintptr_t)arena_alloc_aligned(a, 3, 64, 64) % 64, 0);
    EXPECT_EQ((uintptr_t)arena_alloc_aligned(a, 1, 8192, 4096) % 4096, 0);
}

TEST(a_size_that_overflows_is_refused)
{
    EXPECT(arena_alloc_aligned(a, SIZE_MAX / 2, 3, 16) == NULL);
    EXPECT(arena_alloc(a, SIZE_MAX) == NULL);
}

TEST(a_limited_arena_stops_at_its_limit)
{
    struct arena *small = arena_new(10000);
    int n = 0;

    while (arena_alloc(small, 1000))
        n++;
    EXPECT(n >= 3 && n < 10);
    EXPECT(arena_footprint(small) <= 10000);
    arena_free(small);
}

TEST(a_reset_arena_gives_zeroed_memory_again)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            uint8_t *p = arena_alloc(a, 300);

            EXPECT_EQ(p[0] | p[299], 0);
            memset(p, 0xff, 300);
        }
        arena_reset(a);
        EXPECT(arena_footprint(a) < 10000);
    }
}
