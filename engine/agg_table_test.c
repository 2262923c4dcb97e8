// SPDX-License-Identifier: BSD-3-Clause
#include "engine/agg_table.h"
#include "tests/test.h"

enum { N = 20000 };

static struct agg_key key(uint32_t i)
{
    return (struct agg_key){i * 7, i / 3, i, i % 2 == 1};
}

TEST(entries_are_found_until_they_are_removed)
{
    struct agg_table t;
    struct agg_slot s;

    agg_table_init(&t, 42);
    for (uint32_t i = 0; i < N; i++) {
        struct agg_key k = key(i);

        EXPECT_EQ(agg_table_get(&t, &k, &s), false);
        EXPECT_EQ(agg_table_put(&t, &k, &s), true);
        *agg_aggregate(&s) = i;
    }
    EXPECT_EQ(t.count, N);
    for (uint32_t i = 0; i < N; i += 2) {
        struct agg_key k = key(i);

        EXPECT_EQ(agg_table_get(&t, &k, &s), true);
        agg_table_remove(&t, &s);
    }
    for (uint32_t i = 0; i < N; i++) {
        struct agg_key k = key(i);

        EXPECT_EQ(agg_table_get(&t, &k, &s), i % 2 == 1);
        if (i % 2)
            EXPECT_EQ(*agg_aggregate(&s), i);
    }
    agg_table_fini(&t);
}

TEST(a_walk_meets_every_entry_once)
{
    struct agg_table t;
    struct agg_slot s;
    uint32_t at = 0, n = 0;
    uint64_t sum = 0;

    agg_table_init(&t, 1);
    EXPECT_EQ(agg_table_next(&t, &at, &s), false);
    for (uint32_t i = 0; i < 1000; i++) {
        struct agg_key k = key(i);

        agg_table_put(&t, &k, &s);
        *agg_aggregate(&s) = i;
    }
    for (at = 0; agg_table_next(&t, &at, &s); n++) {
        sum += *agg_aggregate(&s);
        agg_table_remove(&t, &s);
    }
    EXPECT_EQ(n, 1000);
    EXPECT_EQ(sum, 999 * 500);
    EXPECT_EQ(t.count, 0);
    agg_table_fini(&t);
}

TEST(protocols_are_kept_apart)
{
    struct agg_table t;
    struct agg_slot s;
    struct agg_key tcp = {1, 2, 3, false}, udp = {1, 2, 3, true};

    agg_table_init(&t, 1);
    agg_table_put(&t, &tcp, &s);
    EXPECT_EQ(agg_table_get(&t, &udp, &s), false);
    EXPECT_EQ(agg_table_get(&t, &tcp, &s), true);
    agg_table_fini(&t);
}
