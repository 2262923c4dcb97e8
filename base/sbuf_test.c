// SPDX-License-Identifier: BSD-3-Clause
#include "base/sbuf.h"
#include "tests/test.h"

#include <stdlib.h>

TEST(an_empty_sbuf_is_an_empty_string)
{
    struct sbuf s = SBUF_INIT;

    EXPECT_STR(sbuf_text(&s), "");
    sbuf_fini(&s);
}

TEST(text_grows_piece_by_piece)
{
    struct sbuf s = SBUF_INIT;

    for (int i = 0; i < 1000; i++)
        sbuf_printf(&s, "%d,", i);
    EXPECT_EQ(s.len, 3890);
    EXPECT_EQ(s.failed, 0);
    sbuf_reset(&s);
    sbuf_puts(&s, "x");
    sbuf_putc(&s, 'y');
    EXPECT_STR(sbuf_text(&s), "xy");
    sbuf_fini(&s);
}

TEST(a_string_that_was_taken_belongs_to_the_caller)
{
    struct sbuf s = SBUF_INIT;
    char *text;

    sbuf_puts(&s, "mine");
    text = sbuf_take(&s);
    EXPECT_STR(text, "mine");
    EXPECT_STR(sbuf_text(&s), "");
    free(text);
}
