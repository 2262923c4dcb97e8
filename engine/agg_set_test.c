// SPDX-License-Identifier: BSD-3-Clause
#include "engine/agg_set.h"
#include "tests/test.h"

#include <stdbool.h>
#include <stdlib.h>

TEST(entries_survive_the_removal_of_others)
{
    struct agg_set s = {0};
    size_t n;

    EXPECT_EQ(agg_set_get(&s, 7) == NULL, true);
    agg_set_remove(&s, 7);
    for (uint32_t i = 0; i < 5000; i++)
        agg_set_put(&s, i * 2654435761u)->value = i + 1;
    for (uint32_t i = 0; i < 5000; i += 3)
        agg_set_remove(&s, i * 2654435761u);
    for (uint32_t i = 0; i < 5000; i++) {
        struct agg_value *v = agg_set_get(&s, i * 2654435761u);

        EXPECT_EQ(v != NULL, i % 3 != 0);
        if (v)
            EXPECT_EQ(v->value, i + 1);
    }
    struct agg_value *all = agg_set_sorted(&s, &n);
    EXPECT_EQ(n, 5000 - 1667);
    for (size_t i = 1; i < n; i++)
        EXPECT_EQ(all[i - 1].agg < all[i].agg, true);
    free(all);
    agg_set_fini(&s);
}
