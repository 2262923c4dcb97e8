// SPDX-License-Identifier: BSD-3-Clause
#include "ctl/logring.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct logring r;

SETUP()
{
    r = LOGRING_INIT;
}

TEARDOWN()
{
    logring_fini(&r);
}

TEST(lines_are_put_together_from_pieces)
{
    EXPECT_EQ(logring_add(&r, "one\ntw", 6), 1);
    EXPECT_EQ(logring_add(&r, "o\n", 2), 1);
    EXPECT_STR(logring_get(&r, 1)->text, "one");
    EXPECT_STR(logring_get(&r, 2)->text, "two");
    EXPECT(logring_get(&r, 3) == NULL);
    EXPECT(logring_get(&r, 0) == NULL);
}

TEST(an_open_line_is_shown_after_a_flush)
{
    logring_add(&r, "no end", 6);
    EXPECT(logring_get(&r, 1) == NULL);
    logring_flush(&r);
    EXPECT_STR(logring_get(&r, 1)->text, "no end");
    logring_flush(&r);
    EXPECT(logring_get(&r, 2) == NULL);
}

TEST(old_lines_give_way_and_numbers_go_on)
{
    for (int i = 1; i <= LOGRING_LINES + 10; i++) {
        char line[32];

        logring_add(&r, line, (size_t)snprintf(line, sizeof line, "%d\n", i));
    }
    EXPECT(logring_get(&r, 10) == NULL);
    EXPECT_STR(logring_get(&r, 11)->text, "11");
    EXPECT_EQ(r.next, LOGRING_LINES + 11);
}

TEST(a_flood_of_long_lines_stays_within_the_bound)
{
    static char flood[LOGRING_LINE];

    memset(flood, 'x', sizeof flood);
    for (int i = 0; i < 500; i++)
        logring_add(&r, flood, sizeof flood);
    EXPECT(r.bytes <= LOGRING_BYTES);
    EXPECT_EQ(logring_get(&r, r.next - 1)->len, LOGRING_LINE);
}

TEST(hostile_bytes_are_replaced_and_good_utf8_stays)
{
    const char text[] = "a\x1b[2J \xc3\xa9 \xff \xed\xa0\x80 \xc0\x80\n";

    logring_add(&r, text, sizeof text - 1);
    EXPECT_STR(logring_get(&r, 1)->text, "a?[2J \xc3\xa9 ? ??? ??");
}

TEST(a_nul_does_not_cut_a_line)
{
    logring_add(&r, "a\0b\n", 4);
    EXPECT_STR(logring_get(&r, 1)->text, "a?b");
}
