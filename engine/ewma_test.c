// SPDX-License-Identifier: BSD-3-Clause
#include "engine/ewma.h"
#include "tests/test.h"

enum { MS = 1000000 };

static struct ewma r;

SETUP()
{
    ewma_init(&r, EWMA_PACKET_BITS);
}

TEST(a_steady_stream_approaches_its_rate)
{
    for (int64_t t = 0; t < 1000; t++)
        ewma_update(&r, t * MS, 5);
    EXPECT(ewma_rate(&r) >= 4990 && ewma_rate(&r) <= 5010);
}

TEST(silence_brings_the_rate_down_to_zero)
{
    for (int64_t t = 0; t < 100; t++)
        ewma_update(&r, t * MS, 5);
    EXPECT(ewma_rate(&r) > 0);
    ewma_update(&r, 500 * (int64_t)MS, 0);
    EXPECT_EQ(ewma_rate(&r), 0);
    EXPECT_EQ(ewma_rate_fixed(&r), 0);
}

TEST(events_inside_one_period_do_not_count_before_it_is_over)
{
    ewma_update(&r, 0, 100);
    EXPECT_EQ(ewma_rate(&r), 0);
    ewma_update(&r, MS, 0);
    EXPECT_EQ(ewma_rate(&r), 6250);
}
