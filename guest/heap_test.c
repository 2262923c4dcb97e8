// SPDX-License-Identifier: BSD-3-Clause
/* The guest's allocator, compiled under other names, on a heap at the guest's address. */

#define malloc  heap_malloc
#define calloc  heap_calloc
#define realloc heap_realloc
#define free    heap_free
#include <stdlib.h>
#include "guest/heap.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

#include <stdbool.h>
#include <sys/mman.h>

#include "tests/test.h"

enum { SIZE = 16 << 20, FIRST = 4 << 20 };

static unsigned grown;

void guest_grow_heap(uint64_t bytes)
{
    grown++;
    if (bytes <= SIZE)
        GUEST_WAIT->heap_have = bytes;
}

_Noreturn void guest_panic(const char *why)
{
    fail_msg("%s", why);
    abort();
}

/* Not a constant, or the compiler refuses to try. */
static volatile size_t too_much = SIZE_MAX;

static void map(uint64_t at, size_t size)
{
    munmap((void *)at, size);
    EXPECT(mmap((void *)at, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                0) != MAP_FAILED);
}

SETUP()
{
    union {
        const struct boot_info *in;
        struct boot_info *out;
    } boot = {GUEST_BOOT};

    map(LAYOUT_BOOT, 8192);
    map(LAYOUT_HEAP, SIZE);
    memset(&heap, 0, sizeof heap);
    boot.out->heap_size = SIZE;
    GUEST_WAIT->heap_have = FIRST;
    grown = 0;
}

TEST(blocks_are_aligned_and_do_not_overlap)
{
    enum { N = 500 };
    uint8_t *p[N];

    for (unsigned i = 0; i < N; i++) {
        p[i] = heap_malloc(i * 7);
        EXPECT(p[i] && (uintptr_t)p[i] % 16 == 0);
        memset(p[i], (int)i, i * 7);
    }
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < i * 7; j++)
            EXPECT(p[i][j] == (uint8_t)i);
    for (unsigned i = 0; i < N; i++)
        heap_free(p[i]);
    EXPECT_EQ(heap.used, 0);
}

TEST(every_size_gets_room_enough)
{
    for (size_t n = 1; n <= SMALL_MAX; n++) {
        size_t room = 0;

        EXPECT(class_of(n, &room) < N_CLASSES);
        EXPECT(room >= n && room % 16 == 0 && room <= n + n / 4 + 16);
    }
}

TEST(a_freed_block_is_used_again)
{
    void *a = heap_malloc(100), *b;

    heap_free(a);
    b = heap_malloc(100);
    EXPECT(a == b);
    heap_free(b);
}

TEST(calloc_clears_what_was_used_before)
{
    uint8_t *p = heap_malloc(1000);

    memset(p, 0xff, 1000);
    heap_free(p);
    p = heap_calloc(1, 1000);
    for (unsigned i = 0; i < 1000; i++)
        EXPECT(p[i] == 0);
    heap_free(p);
    p = heap_malloc(100000);
    memset(p, 0xff, 100000);
    heap_free(p);
    p = heap_calloc(1000, 100);
    for (unsigned i = 0; i < 100000; i++)
        EXPECT(p[i] == 0);
    EXPECT(heap_calloc(too_much / 2, 3) == NULL);
}

TEST(large_neighbours_are_joined_and_given_back)
{
    void *a = heap_malloc(100000), *b = heap_malloc(100000), *c = heap_malloc(100000);
    uint64_t end = heap.end;

    heap_free(a);
    heap_free(b);
    EXPECT(heap_malloc(150000) == a);
    heap_free(a);
    heap_free(c);
    EXPECT(heap.end < end - 250000);
    EXPECT(heap.large == NULL);
}

TEST(tiny_blocks_lie_together_whatever_is_made_between_them)
{
    uint8_t *first = heap_malloc(100), *last = NULL;

    for (unsigned i = 0; i < 20; i++) {
        heap_malloc(30000);
        last = heap_malloc(100);
    }
    EXPECT(last > first && last - first < 4096);
    EXPECT(heap.end > 20 * 30000);
}

TEST(a_chunk_of_used_memory_is_cleared_for_calloc)
{
    uint8_t *large = heap_malloc(CHUNK), *p;

    memset(large, 0xff, CHUNK);
    heap_free(large);
    EXPECT_EQ(heap.end, 0);
    p = heap_calloc(1, TINY_MAX - 96);
    for (unsigned i = 0; i < TINY_MAX - 96; i++)
        EXPECT(p[i] == 0);
}

TEST(tiny_blocks_fill_a_heap_that_has_no_room_for_a_chunk)
{
    unsigned n = 0;

    EXPECT(heap_malloc(SIZE - CHUNK / 2) != NULL);
    while (heap_malloc(1000))
        n++;
    EXPECT(n > CHUNK / 2 / 1200 && n <= CHUNK / 2 / 1000);
}

TEST(realloc_keeps_the_bytes)
{
    uint8_t *p = heap_malloc(10);

    memcpy(p, "123456789", 10);
    p = heap_realloc(p, 100000);
    EXPECT_STR((char *)p, "123456789");
    p = heap_realloc(p, 20);
    EXPECT_STR((char *)p, "123456789");
    heap_free(p);
}

TEST(more_is_asked_for_and_its_end_is_an_answer)
{
    void *p[20] = {NULL};
    unsigned n = 0;

    while (n < 20 && (p[n] = heap_malloc(1 << 20)))
        n++;
    EXPECT(n == 15);
    EXPECT(grown > 0);
    EXPECT(heap_malloc(SIZE) == NULL);
    EXPECT(heap_malloc(too_much) == NULL);
    while (n)
        heap_free(p[--n]);
    EXPECT_EQ(heap.used, 0);
    EXPECT(heap_malloc(8 << 20) != NULL);
}
