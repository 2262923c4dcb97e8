// SPDX-License-Identifier: BSD-3-Clause
#include "engine/token_bucket.h"
#include "tests/test.h"

enum { MS = 1000000 };

static struct token_bucket t;

TEST(tokens_come_at_their_rate_and_not_a_nanosecond_early)
{
    int64_t wait;

    token_bucket_init(&t, 3, 10, 0, 0);
    EXPECT(!token_bucket_take(&t, 1));
    wait = token_bucket_wait(&t, 1);
    EXPECT_EQ(wait, 333333334);
    token_bucket_refill(&t, wait - 1);
    EXPECT(!token_bucket_has(&t, 1));
    token_bucket_refill(&t, wait);
    EXPECT(token_bucket_take(&t, 1));
}

TEST(nothing_is_lost_to_rounding)
{
    uint64_t taken = 0;

    token_bucket_init(&t, 7, 2, 0, 0);
    for (int64_t now = 0; now <= 100000 * (int64_t)MS; now += 13 * MS + 7) {
        token_bucket_refill(&t, now);
        taken += token_bucket_take(&t, 1);
    }
    EXPECT_EQ(taken, 699);
}

TEST(a_bucket_stays_as_full_as_it_was_in_another_size)
{
    token_bucket_init(&t, 10, 8, 6, 0);
    token_bucket_rescale(&t, 20, 80, 0);
    EXPECT_EQ(token_bucket_count(&t), 60);
    token_bucket_rescale(&t, 20, UINT64_C(1) << 34, 0);
    EXPECT_EQ(token_bucket_count(&t), UINT64_C(3) << 32);
    token_bucket_rescale(&t, 0, 4, 0);
    EXPECT_EQ(token_bucket_count(&t), 3);
}

TEST(a_bucket_holds_no_more_than_its_capacity)
{
    token_bucket_init(&t, 1000, 5, 0, 0);
    token_bucket_refill(&t, INT64_MAX);
    EXPECT_EQ(token_bucket_count(&t), 5);
    EXPECT_EQ(token_bucket_wait(&t, 6), INT64_MAX);
}

TEST(a_bucket_without_a_limit_never_runs_dry)
{
    token_bucket_init(&t, TOKEN_UNLIMITED, 1, 0, 0);
    for (int i = 0; i < 100; i++)
        EXPECT(token_bucket_take(&t, 1000));
}

TEST(a_change_of_rate_keeps_what_is_there)
{
    token_bucket_init(&t, 10, 8, 8, 0);
    token_bucket_change(&t, 20, 4, 0);
    EXPECT_EQ(token_bucket_count(&t), 4);
    token_bucket_drain(&t, 9);
    EXPECT_EQ(token_bucket_count(&t), 0);
    EXPECT_EQ(token_bucket_wait(&t, 1), 50 * MS);
}
