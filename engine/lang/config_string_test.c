// SPDX-License-Identifier: BSD-3-Clause
#include "base/arena.h"
#include "engine/lang/lang.h"
#include "tests/test.h"

#include <stdio.h>
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

/* The parts in brackets: "[a][b c]". */
static const char *show(int n, const char *const *v)
{
    static char text[1000];
    size_t at = 0;

    text[0] = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "[%s]", v[i]);
    return text;
}

static const char *args(const char *config)
{
    const char *const *v = NULL;
    int n = lang_split_args(a, config, &v);

    return n < 0 ? "failed" : show(n, v);
}

static const char *words(const char *arg)
{
    const char *const *v = NULL;
    int n = lang_split_words(a, arg, &v);

    return n < 0 ? "failed" : show(n, v);
}

static const char *unquote(const char *text)
{
    return lang_unquote(a, text, NULL);
}

TEST(arguments_stand_between_commas)
{
    EXPECT_STR(args(""), "");
    EXPECT_STR(args("  \n"), "");
    EXPECT_STR(args("a"), "[a]");
    EXPECT_STR(args(" a , b c ,d"), "[a][b c][d]");
    EXPECT_STR(args(",a"), "[][a]");
    EXPECT_STR(args("a,,b"), "[a][][b]");
}

TEST(a_last_empty_argument_is_none)
{
    EXPECT_STR(args("1, "), "[1]");
    EXPECT_STR(args("1, /* none */"), "[1]");
    EXPECT_STR(args("1,,"), "[1][]");
}

TEST(comments_become_one_blank)
{
    EXPECT_STR(args("a /*x*/  b"), "[a b]");
    EXPECT_STR(args("a/**/b"), "[a b]");
    EXPECT_STR(args("/* , */ a // end, of line\n, b // last"), "[a][b]");
    EXPECT_STR(args("a   b"), "[a   b]");
    EXPECT_STR(args("a /* open"), "[a]");
}

TEST(quotes_protect_and_stay)
{
    EXPECT_STR(args("\"a, b\", 'c, \\', d"), "[\"a, b\"]['c, \\'][d]");
    EXPECT_STR(args("\"\\\",\", x"), "[\"\\\",\"][x]");
    EXPECT_STR(args("\"/* no */\""), "[\"/* no */\"]");
    EXPECT_STR(args("\\<61,62>, x"), "[\\<61,62>][x]");
    EXPECT_STR(args("\"open, "), "[\"open, ]");
}

TEST(words_stand_between_blanks)
{
    EXPECT_STR(words("ip src host 1.2.3.4"), "[ip][src][host][1.2.3.4]");
    EXPECT_STR(words("  a\t\"b c\"d 'e f'\n"), "[a][\"b c\"d]['e f']");
    EXPECT_STR(words("a/*x*/b"), "[a][b]");
    EXPECT_STR(words("\\<61 62> c"), "[\\<61 62>][c]");
    EXPECT_STR(words(""), "");
}

TEST(unquoting_takes_one_level_away)
{
    EXPECT_STR(unquote("  a b "), "a b");
    EXPECT_STR(unquote("\"a\\tb\""), "a\tb");
    EXPECT_STR(unquote("'a\\tb'"), "a\\tb");
    EXPECT_STR(unquote("a\"b\"'c'"), "abc");
    EXPECT_STR(unquote("\"it's\""), "it's");
    EXPECT_STR(unquote("\"\\n\" abc /* 123 */ '/* def */'"), "\n abc /* def */");
    EXPECT_STR(unquote("a\\b"), "a\\b");
}

TEST(escapes_are_carried_out_between_double_quotes)
{
    EXPECT_STR(unquote("\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\$\\q\""),
               "\a\b\f\n\r\t\v\\\"$q");
    EXPECT_STR(unquote("\"\\101\\1012\\x41\\x141\""), "AA2AA");
    EXPECT_STR(unquote("\"a\\\nb\\\r\nc\""), "abc");
    EXPECT_STR(unquote("\"\\<48 65 6c /* c */ 6C 6f>\""), "Hello");
    EXPECT_STR(unquote("\\<48 65 6>x"), "Hex");
}

TEST(the_length_counts_nul_bytes)
{
    size_t len;
    char *text = lang_unquote(a, "\"a\\0b\"", &len);

    EXPECT_EQ(len, 3);
    EXPECT_MEM(text, "a\0b", 4);
}

TEST(quoting_is_undone_by_unquoting)
{
    char bytes[256], *quoted, *back;
    size_t len;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    quoted = lang_quote(a, bytes, sizeof bytes);
    back = lang_unquote(a, quoted, &len);
    EXPECT_EQ(len, sizeof bytes);
    EXPECT_MEM(back, bytes, sizeof bytes);
}

TEST(quotes_are_added_only_where_needed)
{
    EXPECT_STR(lang_quote(a, "eth0", 4), "eth0");
    EXPECT_STR(lang_quote(a, "", 0), "\"\"");
    EXPECT_STR(lang_quote(a, "a b", 3), "\"a b\"");
    EXPECT_STR(lang_quote(a, "a//b", 4), "\"a//b\"");
    EXPECT_STR(lang_quote(a, "$x\n", 3), "\"\\$x\\n\"");
}
