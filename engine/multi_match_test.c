// SPDX-License-Identifier: BSD-3-Clause
#include "engine/multi_match.h"

#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct multi_match m;
static uint32_t state = 1;

TEARDOWN()
{
    multi_match_fini(&m);
}

static uint32_t rnd(uint32_t n)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % n;
}

static void build(const char *const *words, size_t n)
{
    struct multi_pattern p[16] = {{NULL, 0}};

    for (size_t i = 0; i < n; i++)
        p[i] = (struct multi_pattern){(const uint8_t *)words[i], strlen(words[i])};
    EXPECT_EQ(multi_match_build(&m, p, n), 0);
}

static bool any(const char *text)
{
    return multi_match_any(&m, (const uint8_t *)text, strlen(text));
}

TEST(without_patterns_nothing_is_found)
{
    build(NULL, 0);
    EXPECT(!any("anything"));
    EXPECT(!any(""));
}

TEST(patterns_are_found_at_both_ends_and_in_the_middle)
{
    const char *words[] = {"virus", "worm"};

    build(words, 2);
    EXPECT(any("virus"));
    EXPECT(any("a virus"));
    EXPECT(any("wormy"));
    EXPECT(any("virworm"));
    EXPECT(!any("viru"));
    EXPECT(!any("wor"));
    EXPECT(!any(""));
}

TEST(a_pattern_inside_another_ones_beginning_is_found)
{
    const char *words[] = {"abcdefgh", "cdex", "efg"};

    build(words, 3);
    EXPECT(any("abcdefgx"));
    EXPECT(any("abcdexef"));
    EXPECT(!any("abcdeyef"));
}

/* Any patterns of few letters, so that much is pending, in any text, against the obvious. */
static void compare_once(void)
{
    static uint8_t bytes[12][40], text[300];
    struct multi_pattern p[12];
    size_t n = 1 + rnd(12), len = rnd(sizeof text), min = 1 + rnd(12);
    uint32_t letters = 2 + rnd(4);
    bool want = false;

    for (size_t i = 0; i < n; i++) {
        p[i] = (struct multi_pattern){bytes[i], min + rnd(20)};
        for (size_t k = 0; k < p[i].len; k++)
            bytes[i][k] = (uint8_t)('a' + rnd(letters));
    }
    for (size_t i = 0; i < len; i++)
        text[i] = (uint8_t)('a' + rnd(letters));
    if (rnd(2) && p[0].len <= len) /* most long ones would never occur */
        memcpy(text + rnd((uint32_t)(len - p[0].len) + 1), p[0].s, p[0].len);
    for (size_t i = 0; i < n; i++)
        want |= len && memmem(text, len, p[i].s, p[i].len) != NULL;
    EXPECT_EQ(multi_match_build(&m, p, n), 0);
    EXPECT_EQ(multi_match_any(&m, text, len), want);
}

TEST(what_is_found_is_what_is_there)
{
    for (int i = 0; i < 20000; i++)
        compare_once();
}

TEST(thousands_of_patterns_with_one_beginning_do_not_matter)
{
    enum { N = 5000 };
    static char bytes[N][16], text[2000];
    static struct multi_pattern p[N];

    for (int i = 0; i < N; i++) {
        memcpy(bytes[i], "aaaaaaaaaaaaaaaa", 16);
        bytes[i][12] = (char)('A' + i % 13);
        bytes[i][13] = (char)('A' + i / 13 % 20);
        bytes[i][14] = (char)('A' + i / 260);
        p[i] = (struct multi_pattern){(const uint8_t *)bytes[i], 16};
    }
    memset(text, 'a', sizeof text);
    EXPECT_EQ(multi_match_build(&m, p, N), 0);
    EXPECT(!multi_match_any(&m, (uint8_t *)text, sizeof text));
    memcpy(text + 1900, bytes[4321], 16);
    EXPECT(multi_match_any(&m, (uint8_t *)text, sizeof text));
}
