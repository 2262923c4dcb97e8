// SPDX-License-Identifier: BSD-3-Clause
#include "ctl/details.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static json_t *list;

static json_t *from_text(const char *text)
{
    json_decref(list);
    list = details_from_text(text, strlen(text));
    return json_array_get(list, 0);
}

static const char *str(const json_t *detail, const char *key)
{
    return json_string_value(json_object_get(detail, key));
}

static int num(const json_t *detail, const char *key)
{
    return (int)json_integer_value(json_object_get(detail, key));
}

TEARDOWN()
{
    json_decref(list);
    list = NULL;
}

TEST(a_line_is_taken_apart)
{
    json_t *e = from_text("fw.click:3:12: no such thing\n    did you mean 'x'?\n");

    EXPECT_EQ(json_array_size(list), 1);
    EXPECT_STR(str(e, "file"), "fw.click");
    EXPECT_EQ(num(e, "line"), 3);
    EXPECT_EQ(num(e, "column"), 12);
    EXPECT_STR(str(e, "message"), "no such thing");
    EXPECT_STR(str(e, "level"), "error");
    EXPECT_STR(str(e, "hint"), "did you mean 'x'?");
}

TEST(a_place_may_lack_its_column_or_all)
{
    json_t *e = from_text("fw.click:3: no\n");

    EXPECT_EQ(num(e, "line"), 3);
    EXPECT(!json_object_get(e, "column"));
    e = from_text("out of memory");
    EXPECT(!json_object_get(e, "line"));
    EXPECT_STR(str(e, "message"), "out of memory");
}

TEST(warnings_and_headings_are_no_errors)
{
    from_text("a:1:1: While configuring 'q :: Queue':\na:1:1:   bad\n"
              "a:2:1: warning: odd\na:3:   N_1: warning: old\n");
    EXPECT_EQ(json_array_size(list), 4);
    EXPECT_STR(str(json_array_get(list, 3), "level"), "warning");
    EXPECT_STR(str(json_array_get(list, 3), "message"), "N_1: old");
    EXPECT_STR(str(json_array_get(list, 0), "level"), "note");
    EXPECT_STR(str(json_array_get(list, 1), "message"), "  bad");
    EXPECT_STR(str(json_array_get(list, 2), "level"), "warning");
    EXPECT_EQ(details_errors(list), 1);
}

TEST(a_file_name_may_hold_colons)
{
    json_t *e = from_text("a:b:3:4: x");

    EXPECT_STR(str(e, "file"), "a:b");
    EXPECT_EQ(num(e, "column"), 4);
}

TEST(hostile_text_becomes_a_bounded_list)
{
    size_t len = 3 * DETAILS_MAX;
    char *text = malloc(len);

    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? '\n' : '\xff';
    json_decref(list);
    list = details_from_text(text, len);
    free(text);
    EXPECT_EQ(json_array_size(list), DETAILS_MAX + 1);
    EXPECT_STR(str(json_array_get(list, 0), "message"), "?");
    EXPECT_STR(str(json_array_get(list, DETAILS_MAX), "message"), "500 more lines");
}

TEST(a_diag_gives_the_same_as_its_text)
{
    struct diag d = DIAG_INIT;
    json_t *other;

    diag_err_at(&d, (struct place){"f", 2, 7}, "unknown class '%s'", "Queu");
    diag_hint(&d, "did you mean 'Queue'?");
    diag_warn_at(&d, (struct place){"f", 3, 1}, "odd");
    from_text(diag_text_columns(&d));
    other = details_from_diag(&d);
    EXPECT(json_equal(list, other));
    json_decref(other);
    diag_fini(&d);
}
