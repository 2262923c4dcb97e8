// SPDX-License-Identifier: BSD-3-Clause
/* aqm_test.c -- the average of queue lengths */

#include "engine/aqm.h"

#include "tests/test.h"

/* Everything from far above the lengths to far below them, and each stability. */
TEST(an_average_climbs_as_by_single_lengths)
{
    uint64_t random = 1;

    for (unsigned stability = 1; stability <= 16; stability++)
        for (int round = 0; round < 200; round++) {
            struct aqm_average one = {random >> (34 + round % 20), stability};
            struct aqm_average all = one;
            uint32_t length = (uint32_t)(random >> 8) % 2000, n = round % 70;

            random = random * 6364136223846793005ull + 1442695040888963407ull;
            for (uint32_t i = 0; i < n; i++)
                aqm_average_add(&one, length + i);
            aqm_average_climb(&all, length, n);
            EXPECT_EQ(all.scaled, one.scaled);
        }
}
