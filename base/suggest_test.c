// SPDX-License-Identifier: BSD-3-Clause
#include "base/suggest.h"
#include "tests/test.h"

#include <string.h>

static const char *const names[] = {"Classifier", "Counter", "Discard", "IPClassifier",
                                    "Queue",      "Tee",     "ToDevice"};

static const char *nearest(const char *wanted)
{
    const char *got = suggest_nearest(wanted, names, sizeof names / sizeof names[0]);

    return got ? got : "(none)";
}

TEST(a_slip_of_the_finger_finds_the_name)
{
    EXPECT_STR(nearest("Queu"), "Queue");
    EXPECT_STR(nearest("Quuee"), "Queue");
    EXPECT_STR(nearest("queue"), "Queue");
    EXPECT_STR(nearest("TODEVICE"), "ToDevice");
    EXPECT_STR(nearest("Clasifier"), "Classifier");
    EXPECT_STR(nearest("IPClasifer"), "IPClassifier");
    EXPECT_STR(nearest("Dsicard"), "Discard");
}

TEST(a_word_of_its_own_finds_nothing)
{
    EXPECT_STR(nearest("Firewall"), "(none)");
    EXPECT_STR(nearest("X"), "(none)");
    EXPECT_STR(nearest(""), "(none)");
}

TEST(distances_count_steps)
{
    EXPECT_EQ(suggest_distance("abc", "abc", 99), 0);
    EXPECT_EQ(suggest_distance("abc", "aBc", 99), 1);
    EXPECT_EQ(suggest_distance("abc", "axc", 99), 8);
    EXPECT_EQ(suggest_distance("abc", "abcd", 99), 8);
    EXPECT_EQ(suggest_distance("abcd", "acbd", 99), 8);
    EXPECT_EQ(suggest_distance("abc", "xyz", 99), 24);
    EXPECT_EQ(suggest_distance("abc", "xyz", 9), 10);
    EXPECT_EQ(suggest_distance("", "ab", 99), 16);
}

TEST(names_beyond_the_bound_are_left_alone)
{
    char longer[SUGGEST_MAX_LEN + 2];

    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = 0;
    EXPECT_EQ(suggest_distance(longer, longer, 5), 6);
}
