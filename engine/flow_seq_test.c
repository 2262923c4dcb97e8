// SPDX-License-Identifier: BSD-3-Clause
#include "engine/flow_seq.h"

#include "tests/test.h"

static struct flow_seq s;

SETUP()
{
    s = (struct flow_seq){.n = {0, 0}};
}

TEST(numbers_stay_until_something_changes)
{
    EXPECT_EQ(flow_seq_new(&s, 0, 7), 7);
    EXPECT_EQ(flow_seq_new_ack(&s, 0, 7), 7);
}

TEST(a_change_counts_from_its_trigger_on_and_comes_back_in_acknowledgements)
{
    EXPECT_EQ(flow_seq_change(&s, 0, 1000, 5), 0);
    EXPECT_EQ(flow_seq_new(&s, 0, 999), 999);
    EXPECT_EQ(flow_seq_new(&s, 0, 1000), 1005);
    EXPECT_EQ(flow_seq_new_ack(&s, 1, 999), 999);
    EXPECT_EQ(flow_seq_new_ack(&s, 1, 1005), 1000);
    EXPECT_EQ(flow_seq_new(&s, 1, 1000), 1000);
    EXPECT_EQ(flow_seq_delta(&s, 0), 5);
}

TEST(changes_add_up_and_the_same_data_again_counts_once)
{
    flow_seq_change(&s, 0, 1000, 5);
    flow_seq_change(&s, 0, 2000, -2);
    flow_seq_change(&s, 0, 2000, -3);
    EXPECT_EQ(flow_seq_new(&s, 0, 1999), 2004);
    EXPECT_EQ(flow_seq_new(&s, 0, 2000), 2002);
    EXPECT_EQ(flow_seq_change(&s, 0, 1500, 9), -1);
    EXPECT_EQ(flow_seq_delta(&s, 0), 2);
}

TEST(only_the_oldest_change_is_forgotten)
{
    for (uint32_t i = 1; i <= FLOW_SEQ_CHANGES + 1; i++)
        EXPECT_EQ(flow_seq_change(&s, 0, i * 100, 1), 0);
    EXPECT_EQ(flow_seq_new(&s, 0, 50), 51);
    EXPECT_EQ(flow_seq_new(&s, 0, 200), 202);
    EXPECT_EQ(flow_seq_new(&s, 0, 500), 505);
}

TEST(numbers_may_come_round)
{
    flow_seq_change(&s, 0, 0xfffffff0u, 0x20);
    EXPECT_EQ(flow_seq_new(&s, 0, 0xfffffff0u), 0x10);
    EXPECT_EQ(flow_seq_new(&s, 0, 5), 0x25);
    EXPECT_EQ(flow_seq_new_ack(&s, 1, 0x25), 5);
    flow_seq_forget(&s, 0, 0xfffffff0u + (1u << 30));
    EXPECT_EQ(s.n[0], 0);
    EXPECT_EQ(flow_seq_new(&s, 0, 0x90000000u), 0x90000020u);
}
