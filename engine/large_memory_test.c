// SPDX-License-Identifier: BSD-3-Clause
#include "engine/large_memory.h"
#include "tests/test.h"

#include <stdlib.h>

static struct {
    void *at;
    size_t n;
    int calls;
} told;

static void tell(void *ctx, void *at, size_t n)
{
    EXPECT(ctx == &told);
    told.at = at;
    told.n = n;
    told.calls++;
}

SETUP()
{
    told.calls = 0;
}

TEST(a_small_table_stands_on_a_line_and_nobody_is_told)
{
    struct platform p = {.ctx = &told, .large_pages = tell};
    void *memory, *at = large_alloc(&p, LARGE_PAGE - 1, &memory);

    EXPECT(at && (uintptr_t)at % 64 == 0);
    memset(at, 1, LARGE_PAGE - 1);
    EXPECT_EQ(told.calls, 0);
    free(memory);
}

TEST(a_large_one_stands_on_large_pages_of_its_own)
{
    struct platform p = {.ctx = &told, .large_pages = tell};
    void *memory, *at = large_alloc(&p, LARGE_PAGE + 1, &memory);

    EXPECT(at && (uintptr_t)at % LARGE_PAGE == 0);
    EXPECT_EQ(told.calls, 1);
    EXPECT(told.at == at);
    EXPECT_EQ(told.n, 2 * LARGE_PAGE);
    memset(at, 1, told.n);
    free(memory);
}

TEST(without_a_platform_or_its_help_there_is_memory_too)
{
    struct platform p = {.ctx = &told};
    void *memory[2], *at[2];

    at[0] = large_alloc(NULL, LARGE_PAGE, &memory[0]);
    at[1] = large_alloc(&p, LARGE_PAGE, &memory[1]);
    for (int i = 0; i < 2; i++) {
        EXPECT(at[i] && (uintptr_t)at[i] % 64 == 0);
        memset(at[i], 1, LARGE_PAGE);
        free(memory[i]);
    }
}

TEST(too_much_is_refused)
{
    void *memory;

    EXPECT(!large_alloc(NULL, SIZE_MAX - 1, &memory));
#ifndef __SANITIZE_ADDRESS__ /* whose malloc() ends the program */
    EXPECT(!large_alloc(NULL, SIZE_MAX / 2, &memory));
#endif
}
