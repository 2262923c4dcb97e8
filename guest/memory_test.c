// SPDX-License-Identifier: BSD-3-Clause
/* The guest's memcpy() and its family, compiled under other names. */

#include <string.h>

#define memcpy  guest_memcpy
#define memmove guest_memmove
#define memset  guest_memset
#define memcmp  guest_memcmp
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#include "guest/memory.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#include "tests/test.h"

enum { SIZE = 1024, LONGEST = 420 };

static uint8_t is[SIZE], want[SIZE], other[SIZE];

SETUP()
{
    for (unsigned i = 0; i < SIZE; i++) {
        is[i] = want[i] = (uint8_t)(i * 7 + i / 256);
        other[i] = (uint8_t)~is[i];
    }
}

static void move_by_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        other[i] = from[i];
    for (size_t i = 0; i < n; i++)
        to[i] = other[i];
}

TEST(a_copy_is_all_of_it_and_nothing_else)
{
    for (size_t n = 0; n < LONGEST; n++)
        for (size_t at = 0; at < 3; at++) {
            move_by_bytes(want + at, is + 500 + n % 5, n);
            EXPECT(guest_memcpy(is + at, is + 500 + n % 5, n) == is + at);
            EXPECT_MEM(is, want, SIZE);
        }
}

TEST(areas_may_overlap_in_a_move)
{
    static const int by[] = {-300, -64, -17, -16, -1, 0, 1, 15, 16, 63, 64, 100, 300};

    for (size_t n = 0; n < LONGEST; n++)
        for (size_t k = 0; k < sizeof by / sizeof by[0]; k++) {
            uint8_t *to = is + 300 + by[k];

            move_by_bytes(want + 300 + by[k], want + 300, n);
            EXPECT(guest_memmove(to, is + 300, n) == to);
            EXPECT_MEM(is, want, SIZE);
        }
}

TEST(a_byte_fills_all_of_it_and_nothing_else)
{
    for (size_t n = 0; n < LONGEST; n++) {
        for (size_t i = 0; i < n; i++)
            want[5 + i] = (uint8_t)(n | 0x80);
        EXPECT(guest_memset(is + 5, (int)(n | 0x180), n) == is + 5);
        EXPECT_MEM(is, want, SIZE);
    }
}

TEST(the_first_byte_that_differs_decides)
{
    for (size_t n = 0; n < 40; n++) {
        memcpy(other, is, n);
        other[n] = (uint8_t)~is[n]; /* behind the end */
        EXPECT_EQ(guest_memcmp(is, other, n), 0);
        for (size_t i = 0; i < n; i++) {
            memset(other, 0, n);
            memset(want, 255, n);
            memcpy(other, is, i);
            memcpy(want, is, i);
            other[i] = 0x7f;
            want[i] = 0x80;
            EXPECT(guest_memcmp(other, want, n) < 0);
            EXPECT(guest_memcmp(want, other, n) > 0);
        }
    }
}
