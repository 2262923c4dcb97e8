// SPDX-License-Identifier: BSD-3-Clause
#include "switch/plane.h"
#include "tests/test.h"

#include <sys/resource.h>

static struct backplane bp;
static struct worker w;

SETUP()
{
    w = (struct worker){.bp = &bp};
    bp.config.n_workers = 1;
    priority_init(&w);
    if (!w.priority.possible)
        SKIP("one processor, or already at the highest priority");
}

TEARDOWN()
{
    priority_lower(&w);
}

/* Whether it is raised after the next judgement of so many packets. */
static bool judge(uint32_t moved, uint32_t waiting, uint32_t full)
{
    w.priority.moved = moved;
    w.priority.waiting = waiting;
    w.priority.full = full;
    w.now_ns = w.priority.judge_ns;
    priority_judge(&w);
    return getpriority(PRIO_PROCESS, 0) < w.priority.normal;
}

static void need_privilege(void)
{
    if (!judge(10000, 10000, 0))
        SKIP("the priority may not be raised");
    EXPECT_EQ(judge(10000, 0, 0), false);
}

TEST(who_serves_guests_is_as_nice_as_before)
{
    EXPECT_EQ(judge(0, 0, 0), false);
    EXPECT_EQ(judge(20000, 0, 0), false);
    EXPECT_EQ(judge(20000, 10000, 0), false);
    EXPECT_EQ(judge(1000, 1000, 0), false);
}

TEST(who_has_too_many_packets_of_others_hurries_until_they_are_gone)
{
    need_privilege();
    EXPECT_EQ(judge(20000, 20000, 4000), true);
    EXPECT_EQ(judge(20000, 20000, 4000), true);
    EXPECT_EQ(judge(20000, 0, 0), false);
    EXPECT_EQ(judge(20000, 20000, 0), true);
    priority_lower(&w);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), w.priority.normal);
}

TEST(late_receivers_get_their_time_back_for_longer_and_longer)
{
    uint64_t since, first;

    need_privilege();
    EXPECT_EQ(judge(20000, 20000, 9000), false);
    EXPECT_EQ(judge(20000, 20000, 0), true);
    EXPECT_EQ(judge(20000, 20000, 9000), false);
    since = w.now_ns;
    while (!judge(20000, 20000, 0))
        ;
    first = w.now_ns - since;
    EXPECT_EQ(first >= 20000000, true);
    EXPECT_EQ(judge(20000, 20000, 9000), false);
    since = w.now_ns;
    while (!judge(20000, 20000, 0))
        ;
    EXPECT_EQ(w.now_ns - since >= 2 * first - 4000000, true);
}
