// SPDX-License-Identifier: BSD-3-Clause
/* Which records lie in the window; what is done then is tested with files: tests/dumps.sh. */

#include "engine/os/trace_window.h"
#include "tests/test.h"

static struct trace_window w;
static struct diag d;

SETUP()
{
    w = (struct trace_window){.active = true};
    d = DIAG_INIT;
}

TEARDOWN()
{
    trace_window_fini(&w);
    diag_fini(&d);
}

static void configure(void)
{
    EXPECT_EQ(trace_window_configure(&w, &d), 0);
}

static void refused(const char *why)
{
    EXPECT_EQ(trace_window_configure(&w, &d), -1);
    EXPECT(strstr(diag_text(&d), why) != NULL);
}

TEST(without_arguments_everything_lies_inside)
{
    configure();
    EXPECT_EQ(trace_window_place(&w, INT64_MIN), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, INT64_MAX), TRACE_IN);
    EXPECT(trace_window_is_open(&w));
}

TEST(the_start_belongs_to_the_window_and_the_end_does_not)
{
    w.start_arg = 100;
    w.end_arg = 200;
    configure();
    EXPECT_EQ(trace_window_place(&w, 99), TRACE_BEFORE);
    EXPECT_EQ(trace_window_place(&w, 100), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 199), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 200), TRACE_AFTER);
}

TEST(what_comes_late_is_not_held_back_again)
{
    w.start_arg = 100;
    configure();
    EXPECT(!trace_window_is_open(&w));
    EXPECT_EQ(trace_window_place(&w, 100), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 50), TRACE_IN);
    EXPECT(trace_window_is_open(&w));
}

TEST(the_end_comes_once)
{
    w.end_arg = 200;
    configure();
    EXPECT_EQ(trace_window_place(&w, 200), TRACE_AFTER);
    EXPECT_EQ(trace_window_place(&w, 200), TRACE_IN);
}

TEST(start_after_and_end_after_count_from_the_first_record)
{
    w.start_after = 10;
    w.end_after = 30;
    configure();
    EXPECT_EQ(trace_window_place(&w, 1000), TRACE_BEFORE);
    EXPECT_EQ(trace_window_place(&w, 1010), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 1029), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 1030), TRACE_AFTER);
}

TEST(an_interval_counts_from_the_start)
{
    w.start_after = 10;
    w.interval = 30;
    configure();
    EXPECT_EQ(trace_window_place(&w, 1000), TRACE_BEFORE);
    EXPECT_EQ(trace_window_place(&w, 1039), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 1040), TRACE_AFTER);
}

TEST(an_interval_counts_from_an_absolute_start)
{
    w.start_arg = 100;
    w.interval = 30;
    configure();
    EXPECT_EQ(trace_window_place(&w, 20), TRACE_BEFORE);
    EXPECT_EQ(trace_window_place(&w, 129), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 130), TRACE_AFTER);
}

TEST(the_end_can_be_moved_and_comes_again)
{
    w.end_after = 30;
    configure();
    EXPECT_EQ(trace_window_place(&w, 0), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 30), TRACE_AFTER);
    EXPECT(trace_window_extend(&w, 20));
    EXPECT_EQ(trace_window_place(&w, 49), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 50), TRACE_AFTER);
}

TEST(where_nothing_happens_at_the_end_none_is_made_by_moving_it)
{
    configure();
    EXPECT(!trace_window_extend(&w, 20));
    EXPECT_EQ(trace_window_place(&w, 1000), TRACE_IN);
}

TEST(sums_of_times_stop_at_the_latest_one)
{
    w.start_after = INT64_MAX - 5;
    w.end_after = INT64_MAX;
    configure();
    EXPECT_EQ(trace_window_place(&w, 6), TRACE_BEFORE);
    EXPECT_EQ(trace_window_place(&w, INT64_MAX - 1), TRACE_BEFORE);
    EXPECT_EQ(trace_window_place(&w, INT64_MAX), TRACE_AFTER);
    EXPECT(trace_window_extend(&w, INT64_MAX));
    EXPECT_EQ(w.end, INT64_MAX);
}

TEST(times_that_are_known_stay_after_a_reset)
{
    w.start_after = 10;
    w.end_after = 30;
    configure();
    EXPECT_EQ(trace_window_place(&w, 1000), TRACE_BEFORE);
    trace_window_reset(&w);
    EXPECT(!w.have_times);
    EXPECT_EQ(trace_window_place(&w, 1009), TRACE_BEFORE);
    EXPECT_EQ(trace_window_place(&w, 1010), TRACE_IN);
    EXPECT_EQ(trace_window_place(&w, 1030), TRACE_AFTER);
}

TEST(what_happens_at_the_end_follows_from_the_arguments)
{
    configure();
    EXPECT_EQ(w.at_end, TRACE_END_NOTHING);
    w.end_arg = 1;
    configure();
    EXPECT_EQ(w.at_end, TRACE_END_INACTIVE);
    w.stop = true;
    configure();
    EXPECT_EQ(w.at_end, TRACE_END_STOP);
    w.stop = false;
    w.end_call = (struct text){"stop", 4};
    configure();
    EXPECT_EQ(w.at_end, TRACE_END_CALL);
}

TEST(two_starts_are_refused)
{
    w.start_arg = w.start_after = 1;
    refused("START and START_AFTER are mutually exclusive");
}

TEST(two_ends_are_refused)
{
    w.end_after = w.interval = 1;
    refused("END, END_AFTER, and INTERVAL are mutually exclusive");
}

TEST(a_call_and_a_stop_at_the_end_are_refused)
{
    w.stop = true;
    w.end_call = (struct text){"stop", 4};
    refused("END_CALL and STOP are mutually exclusive");
}
