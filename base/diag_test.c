// SPDX-License-Identifier: BSD-3-Clause
#include "base/diag.h"
#include "tests/test.h"

static struct diag d;

SETUP()
{
    d = DIAG_INIT;
}

TEARDOWN()
{
    diag_fini(&d);
}

TEST(an_error_names_its_place)
{
    EXPECT_EQ(diag_err_at(&d, (struct place){"a.click", 3, 7}, "no class '%s'", "Quue"),
              -1);
    diag_hint(&d, "did you mean '%s'?", "Queue");
    EXPECT_STR(diag_text(&d), "a.click:3: no class 'Quue'\n");
    EXPECT_STR(diag_text_columns(&d),
               "a.click:3:7: no class 'Quue'\n    did you mean 'Queue'?\n");
    EXPECT_EQ(d.n_errors, 1);
}

TEST(a_context_is_shown_once_above_its_messages)
{
    diag_enter(&d, (struct place){"a.click", 2, 1}, "While configuring '%s'",
               "q :: Queue");
    diag_err(&d, "one");
    diag_err(&d, "two");
    diag_leave(&d);
    diag_err(&d, "three");
    EXPECT_STR(diag_text(&d), "a.click:2: While configuring 'q :: Queue':\n"
                              "a.click:2:   one\n"
                              "a.click:2:   two\n"
                              "three\n");
}

static unsigned asked;

static const char *name_of(const void *what)
{
    asked++;
    return what;
}

TEST(a_context_is_named_only_for_a_message)
{
    asked = 0;
    diag_enter_with(&d, NO_PLACE, "While configuring", name_of, "q :: Queue");
    diag_leave(&d);
    EXPECT_EQ(asked, 0);
    diag_enter_with(&d, (struct place){"a.click", 2, 1}, "While configuring", name_of,
                    "q :: Queue");
    diag_err(&d, "one");
    diag_err(&d, "two");
    diag_leave(&d);
    EXPECT_EQ(asked, 1);
    EXPECT_STR(diag_text(&d), "a.click:2: While configuring 'q :: Queue':\n"
                              "a.click:2:   one\n"
                              "a.click:2:   two\n");
}

TEST(a_context_without_messages_says_nothing)
{
    diag_enter(&d, NO_PLACE, "While doing nothing");
    diag_leave(&d);
    EXPECT_STR(diag_text(&d), "");
}

TEST(a_warning_is_not_an_error)
{
    diag_warn(&d, "odd");
    EXPECT_STR(diag_text(&d), "warning: odd\n");
    EXPECT_EQ(d.n_errors, 0);
}

TEST(each_line_of_a_text_has_its_place)
{
    diag_enter(&d, (struct place){"a.click", 2, 1}, "While configuring '%s'", "q");
    diag_err(&d, "one\ntwo\n");
    diag_warn(&d, "three\n\nfour");
    diag_note(&d, "five");
    EXPECT_STR(diag_text(&d), "a.click:2: While configuring 'q':\n"
                              "a.click:2:   one\n"
                              "a.click:2:   two\n"
                              "a.click:2:   warning: three\n"
                              "a.click:2:   warning: \n"
                              "a.click:2:   warning: four\n"
                              "a.click:2:   five\n");
}

TEST(nobody_needs_to_listen)
{
    EXPECT_EQ(diag_err(NULL, "lost"), -1);
    diag_enter(NULL, NO_PLACE, "x");
    diag_leave(NULL);
    EXPECT_STR(diag_text(NULL), "");
}
