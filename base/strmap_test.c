// SPDX-License-Identifier: BSD-3-Clause
#include "base/strmap.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct strmap m;

SETUP()
{
    m = STRMAP_INIT;
}

TEARDOWN()
{
    strmap_fini(&m);
}

TEST(an_empty_map_finds_nothing)
{
    size_t at = 0;

    EXPECT(strmap_gets(&m, "x") == NULL);
    EXPECT(!strmap_has(&m, "", 0));
    EXPECT(strmap_remove(&m, "x", 1) == NULL);
    EXPECT(strmap_next(&m, &at) == NULL);
}

TEST(what_was_put_is_found_and_can_be_replaced)
{
    int one, two;

    EXPECT_EQ(strmap_puts(&m, "a", &one), 0);
    EXPECT(strmap_gets(&m, "a") == &one);
    EXPECT_EQ(strmap_puts(&m, "a", &two), 0);
    EXPECT(strmap_gets(&m, "a") == &two);
    EXPECT_EQ(m.count, 1);
}

TEST(keys_are_bytes_with_a_length)
{
    int a, b, none;

    strmap_put(&m, "x\0y", 3, &a);
    strmap_put(&m, "x\0z", 3, &b);
    strmap_put(&m, "", 0, &none);
    EXPECT(strmap_get(&m, "x\0y", 3) == &a);
    EXPECT(strmap_get(&m, "x\0z", 3) == &b);
    EXPECT(strmap_get(&m, "", 0) == &none);
    EXPECT(strmap_get(&m, "x", 1) == NULL);
}

TEST(a_null_value_is_an_entry)
{
    strmap_puts(&m, "flag", NULL);
    EXPECT(strmap_has(&m, "flag", 4));
    EXPECT_EQ(m.count, 1);
}

TEST(many_entries_stay_apart_and_in_order)
{
    enum { N = 20000 };
    static char keys[N][12];
    size_t at = 0, i = 0;

    for (size_t k = 0; k < N; k++) {
        snprintf(keys[k], sizeof keys[k], "k%zu", k);
        EXPECT_EQ(strmap_puts(&m, keys[k], keys[k]), 0);
    }
    for (size_t k = 0; k < N; k++)
        EXPECT(strmap_gets(&m, keys[k]) == keys[k]);
    for (struct strmap_entry *e; (e = strmap_next(&m, &at)); i++)
        EXPECT(e->value == keys[i]);
    EXPECT_EQ(i, N);
}

TEST(removed_entries_are_gone_and_their_room_is_used_again)
{
    char key[12];
    size_t room;

    for (int i = 0; i < 100000; i++) {
        strmap_put(&m, "here", 4, key);
        EXPECT(strmap_remove(&m, "here", 4) == key);
        EXPECT(!strmap_has(&m, "here", 4));
    }
    room = m.room;
    EXPECT_EQ(m.count, 0);
    EXPECT(room <= 64);
}

TEST(the_seed_changes_the_hash)
{
    EXPECT(strmap_hash(1, "name", 4) != strmap_hash(2, "name", 4));
    EXPECT(strmap_hash(1, "name", 4) != strmap_hash(1, "nam", 3));
}
