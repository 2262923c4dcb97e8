// SPDX-License-Identifier: BSD-3-Clause
#include "base/confhead.h"
#include "tests/test.h"

#include <string.h>

static struct confhead_reader r;
static struct confhead_item item;

static void open_text(const char *text)
{
    confhead_open(&r, text, strlen(text));
}

TEST(what_is_written_is_read_back)
{
    struct sbuf s = SBUF_INIT;

    confhead_start(&s, "fw.click");
    confhead_define(&s, "PORT", "80");
    confhead_define(&s, "RULE", "a=b c");
    confhead_end(&s);
    sbuf_puts(&s, "Idle;");
    confhead_open(&r, s.data, s.len);
    EXPECT(confhead_next(&r, &item));
    EXPECT(item.is_file);
    EXPECT_EQ(item.value_len, 8);
    EXPECT_MEM(item.value, "fw.click", 8);
    EXPECT(confhead_next(&r, &item));
    EXPECT_MEM(item.name, "PORT", 4);
    EXPECT_EQ(item.name_len, 4);
    EXPECT_MEM(item.value, "80", 2);
    EXPECT(confhead_next(&r, &item));
    EXPECT_EQ(item.value_len, 5);
    EXPECT_MEM(item.value, "a=b c", 5);
    EXPECT(!confhead_next(&r, &item));
    EXPECT_EQ(r.end - r.at, 5);
    EXPECT_STR(r.at, "Idle;");
    sbuf_fini(&s);
}

TEST(a_text_without_a_head_is_left_whole)
{
    const char *texts[] = {
        "",           "Idle;",        "// a comment\nIdle;",
        "//!clickos", "//!clickos\n", "//!clickos\n//!define A=1\nIdle;\n//!end\n"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        open_text(texts[i]);
        EXPECT(!confhead_next(&r, &item));
        EXPECT_STR(r.at, texts[i]);
    }
}

TEST(lines_of_the_head_that_mean_nothing_are_skipped)
{
    open_text("//!clickos\n//!define\n//!define NOVALUE\n//!other x\n//!end\nX");
    EXPECT(!confhead_next(&r, &item));
    EXPECT_STR(r.at, "X");
}
