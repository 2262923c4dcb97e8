// SPDX-License-Identifier: BSD-3-Clause
#include "engine/unparse.h"

#include "engine/parse.h"
#include "tests/test.h"

static char buf[UNPARSE_ROOM];

TEST(timestamps_have_six_digits_or_nine_where_six_are_not_exact)
{
    EXPECT_STR(unparse_timestamp(0, buf), "0.000000");
    EXPECT_STR(unparse_timestamp(1500000000, buf), "1.500000");
    EXPECT_STR(unparse_timestamp(1500000001, buf), "1.500000001");
    EXPECT_STR(unparse_timestamp(-250000000, buf), "-0.250000");
    EXPECT_STR(unparse_timestamp(INT64_MIN, buf), "-9223372036.854775808");
}

TEST(fixed_point_numbers_show_the_digits_that_matter)
{
    EXPECT_STR(unparse_fixed(0, 8, buf), "0");
    EXPECT_STR(unparse_fixed(107, 8, buf), "0.418");
    EXPECT_STR(unparse_fixed(106, 8, buf), "0.414");
    EXPECT_STR(unparse_fixed(19661, 16, buf), "0.3");
    EXPECT_STR(unparse_fixed(32767, 16, buf), "0.49998");
    EXPECT_STR(unparse_fixed(32768, 16, buf), "0.5");
    EXPECT_STR(unparse_fixed(65536, 16, buf), "1");
    EXPECT_STR(unparse_fixed(65535, 16, buf), "0.99998");
    EXPECT_STR(unparse_fixed(5, 0, buf), "5");
    EXPECT_STR(unparse_fixed(1, 4, buf), "0.06");
}

TEST(intervals_are_milliseconds_or_whole_timestamps)
{
    EXPECT_STR(unparse_time(0, buf), "0ms");
    EXPECT_STR(unparse_time(5000000, buf), "5ms");
    EXPECT_STR(unparse_time(5001000, buf), "5001us");
    EXPECT_STR(unparse_time(7, buf), "7ns");
    EXPECT_STR(unparse_time(1500000000, buf), "1.500000s");
    EXPECT_STR(unparse_time(-500000000, buf), "-0.500000s");
}

TEST(bandwidths_beyond_four_gigabits_are_in_bytes)
{
    EXPECT_STR(unparse_bandwidth(48000, buf), "384kbps");
    EXPECT_STR(unparse_bandwidth(125000000, buf), "1Gbps");
    EXPECT_STR(unparse_bandwidth(0x20000000, buf), "536.870912MBps");
}
