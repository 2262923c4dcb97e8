// SPDX-License-Identifier: BSD-3-Clause
#include "engine/flow_table.h"

#include "tests/test.h"

static struct flow_table t;

SETUP()
{
    flow_table_init(&t, 12345, 0);
}

TEARDOWN()
{
    flow_table_fini(&t);
}

/* Flow number `i`, translated to port `i` of one address. */
static struct flow flow_number(uint32_t i, uint32_t expiry_ms)
{
    struct flow f = {.proto = IP_PROTO_UDP, .expiry_ms = expiry_ms};

    f.id[0] = (struct flow_id){be32(0x0a000000 + i / 60000), be32(0x01020304),
                               be16((uint16_t)(i % 60000)), 53};
    f.id[1] = (struct flow_id){be32(0x01020304), be32(0x0b000000 + i / 60000), 53,
                               be16((uint16_t)(i % 60000))};
    return f;
}

static bool has(uint32_t i)
{
    struct flow f = flow_number(i, 0);
    flow_ref a = flow_lookup(&t, &f.id[0], f.proto);
    flow_ref b = flow_lookup(&t, &f.id[1], f.proto);

    if (a) {
        EXPECT_EQ(flow_ref_direction(a), 0);
        EXPECT_EQ(flow_ref_direction(b), 1);
        EXPECT(flow_ref_flow(&t, a) == flow_ref_flow(&t, b));
    } else {
        EXPECT_EQ(b, 0);
    }
    return a != 0;
}

static void insert(uint32_t i, uint32_t expiry_ms)
{
    struct flow f = flow_number(i, expiry_ms);

    EXPECT(flow_insert(&t, &f) != 0);
}

TEST(an_empty_table_finds_nothing)
{
    EXPECT(!has(1));
    EXPECT_EQ(flow_reap(&t, 5000), 0);
    EXPECT(flow_victim(&t, 5000) == NULL);
}

TEST(flows_are_found_in_both_directions_however_many_there_are)
{
    for (uint32_t i = 0; i < 100000; i++)
        insert(i, 1000);
    EXPECT_EQ(t.count, 100000);
    for (uint32_t i = 0; i < 100000; i++)
        EXPECT(has(i));
    EXPECT(!has(100000));
}

TEST(protocols_are_kept_apart)
{
    struct flow f = flow_number(1, 0);

    insert(1, 0);
    EXPECT(flow_lookup(&t, &f.id[0], IP_PROTO_UDP) != 0);
    EXPECT_EQ(flow_lookup(&t, &f.id[0], IP_PROTO_TCP), 0);
}

TEST(removed_flows_leave_the_others_alone)
{
    for (uint32_t i = 0; i < 5000; i++)
        insert(i, 1000);
    for (uint32_t i = 0; i < 5000; i += 2) {
        struct flow f = flow_number(i, 0);
        flow_remove(&t, flow_ref_flow(&t, flow_lookup(&t, &f.id[0], f.proto)));
    }
    EXPECT_EQ(t.count, 2500);
    for (uint32_t i = 0; i < 5000; i++)
        EXPECT_EQ(has(i), i % 2);
}

TEST(flows_expire_at_their_time_and_not_before)
{
    insert(1, 1000);
    insert(2, 700000);
    insert(3, 86400000);
    EXPECT_EQ(flow_reap(&t, 999), 0);
    EXPECT_EQ(flow_reap(&t, 1000), 1);
    EXPECT(!has(1));
    EXPECT_EQ(flow_reap(&t, 699999), 0);
    EXPECT_EQ(flow_reap(&t, 700001), 1);
    EXPECT(has(3));
    EXPECT_EQ(flow_reap(&t, 86400000), 1);
    EXPECT_EQ(t.count, 0);
}

TEST(a_deadline_that_was_put_off_counts_from_then)
{
    struct flow f = flow_number(1, 0);

    insert(1, 1000);
    flow_ref_flow(&t, flow_lookup(&t, &f.id[0], f.proto))->expiry_ms = 9000;
    EXPECT_EQ(flow_reap(&t, 5000), 0);
    EXPECT_EQ(flow_reap(&t, 9000), 1);
}

TEST(time_may_wrap_around)
{
    flow_table_fini(&t);
    flow_table_init(&t, 1, 0xfffff000u);
    insert(1, 0xfffff000u + 3000);
    insert(2, 0xfffff000u + 9000);
    EXPECT_EQ(flow_reap(&t, 0xfffffff0u), 1);
    EXPECT_EQ(flow_reap(&t, 100), 0);
    EXPECT_EQ(flow_reap(&t, 0xfffff000u + 9001), 1);
}

TEST(the_victim_is_the_next_to_expire_without_a_guarantee)
{
    struct flow f = flow_number(4, 500);

    insert(1, 300000);
    insert(2, 60000);
    insert(3, 61000);
    f.guarantee_ms = 5000;
    EXPECT(flow_insert(&t, &f) != 0);
    f = flow_number(2, 0);
    EXPECT_MEM(&flow_victim(&t, 100)->id[0], &f.id[0], sizeof f.id[0]);
    f = flow_number(4, 0);
    EXPECT_MEM(&flow_victim(&t, 6000)->id[0], &f.id[0], sizeof f.id[0]);
}

static void insert_safe(uint32_t i, uint32_t expiry_ms, uint32_t guarantee_ms)
{
    struct flow f = flow_number(i, expiry_ms);

    f.guarantee_ms = guarantee_ms;
    EXPECT(flow_insert(&t, &f) != 0);
}

TEST(the_victim_is_found_behind_many_with_a_guarantee)
{
    struct flow f = flow_number(0, 0);

    insert(0, 300000);
    for (uint32_t i = 1; i <= 400; i++)
        insert_safe(i, 300000, 5000);
    EXPECT_MEM(&flow_victim(&t, 100)->id[0], &f.id[0], sizeof f.id[0]);
    flow_remove(&t, flow_ref_flow(&t, flow_lookup(&t, &f.id[0], f.proto)));
    EXPECT(flow_victim(&t, 4999) == NULL);
    EXPECT(flow_victim(&t, 5000) != NULL);
}

TEST(a_search_that_gives_up_is_gone_on_with)
{
    struct flow f = flow_number(0, 0), *victim = NULL;
    unsigned searches = 0;

    insert(0, 300000);
    for (uint32_t i = 1; i <= 5000; i++)
        insert_safe(i, 300000, 5000);
    while (!victim && searches++ < 20)
        victim = flow_victim(&t, 100);
    EXPECT(searches > 1);
    EXPECT(victim != NULL);
    EXPECT_MEM(&victim->id[0], &f.id[0], sizeof f.id[0]);
}

TEST(the_order_of_expiry_survives_a_long_time_without_a_reaper)
{
    /* all are farther than the wheel reaches from where it stood in the beginning */
    for (uint32_t i = 0; i < 400; i++)
        insert(i, 600000 + 100 * (i * 7 % 400));
    for (uint32_t i = 0; i < 400; i++) {
        struct flow *f = flow_victim(&t, 590000);
        EXPECT(f != NULL);
        EXPECT_EQ(f->expiry_ms, 600000 + 100 * i);
        flow_remove(&t, f);
    }
    EXPECT_EQ(t.count, 0);
}

TEST(flows_that_are_held_back_expire_all_the_same)
{
    insert_safe(1, 3000, 9000);
    insert_safe(2, 700000, 5000);
    EXPECT(flow_victim(&t, 100) == NULL);
    EXPECT_EQ(flow_reap(&t, 10000), 1);
    EXPECT(!has(1));
    EXPECT(has(2));
    EXPECT_EQ(flow_reap(&t, 700000), 1);
    EXPECT_EQ(t.count, 0);
}

TEST(a_reply_id_that_is_taken_goes_to_the_new_flow)
{
    struct flow f = flow_number(1, 1000), g = flow_number(2, 1000);

    insert(1, 1000);
    g.id[1] = f.id[1];
    EXPECT(flow_insert(&t, &g) != 0);
    EXPECT_EQ(t.count, 1);
    EXPECT_EQ(flow_lookup(&t, &f.id[0], f.proto), 0);
}

TEST(flows_are_found_while_the_table_grows)
{
    for (uint32_t i = 0; i < 3000; i++) {
        insert(i, 1000);
        for (uint32_t j = i > 60 ? i - 40 : i / 3 + 1; j <= i; j++)
            EXPECT(has(j));
        if (i % 3 == 0) {
            struct flow f = flow_number(i / 3, 0);
            flow_remove(&t, flow_ref_flow(&t, flow_lookup(&t, &f.id[0], f.proto)));
        }
    }
    EXPECT_EQ(t.count, 2000);
    for (uint32_t i = 0; i < 3000; i++)
        EXPECT_EQ(has(i), i >= 1000);
}

static void count_gone(void *ctx, const struct flow *f)
{
    (void)f;
    ++*(uint32_t *)ctx;
}

TEST(expired_flows_can_be_removed_in_slices)
{
    uint32_t gone = 0, slices = 1;
    struct flow f = flow_number(2999, 0);

    for (uint32_t i = 0; i < 3000; i++)
        insert(i, i % 2 ? 1000000 : 1000 + i);
    flow_reap_begin(&t, 600000);
    while (flow_reap_some(&t, 600000, 100, count_gone, &gone)) {
        slices++;
        if (slices == 5) { /* others come and go meanwhile */
            insert(5000, 1000000);
            flow_remove(&t, flow_ref_flow(&t, flow_lookup(&t, &f.id[0], f.proto)));
        }
    }
    EXPECT(slices >= 30);
    EXPECT_EQ(gone, 1500);
    EXPECT_EQ(t.count, 1500);
    EXPECT(has(5000));
    EXPECT_EQ(flow_reap(&t, 1000000), 1500);
}

TEST(changes_of_sequence_numbers_go_with_their_flow)
{
    struct flow *f;
    struct flow g = flow_number(1, 0);

    insert(1, 1000);
    f = flow_ref_flow(&t, flow_lookup(&t, &g.id[0], g.proto));
    EXPECT(flow_seq_of(&t, f) == NULL);
    EXPECT_EQ(flow_seq_change(flow_seq_make(&t, f), 0, 7, 3), 0);
    EXPECT_EQ(flow_seq_new(flow_seq_of(&t, f), 0, 7), 10);
    flow_remove(&t, f);
    insert(1, 1000);
    f = flow_ref_flow(&t, flow_lookup(&t, &g.id[0], g.proto));
    EXPECT(flow_seq_of(&t, f) == NULL);
    EXPECT_EQ(flow_seq_new(flow_seq_make(&t, f), 0, 7), 7);
    EXPECT_EQ(t.n_seqs, 1);
}

/* Whether a guess, which need not be right, is right about flow `i`. */
static bool guessed(uint32_t i, unsigned direction)
{
    struct flow f = flow_number(i, 0);
    struct flow_key k = flow_key(&f.id[direction], f.proto);
    uint64_t hash = flow_hash(&t, k);
    flow_mark mark;

    flow_guess(&t, &hash, 1, &mark);
    if (!mark || !flow_is(mark, k))
        return false;
    EXPECT(mark == flow_mark_of(&t, flow_lookup(&t, &f.id[direction], f.proto)));
    return true;
}

TEST(guesses_are_good_with_few_flows_with_many_and_in_between)
{
    enum { STEPS = 4, PER_MILLE = 900 };
    static const uint32_t sizes[STEPS] = {1000, 10000, 100000, 400000};
    uint32_t made = 0, good;

    for (int step = 0; step < STEPS; step++) {
        for (; made < sizes[step]; made++)
            insert(made, 1000);
        for (int pass = 0; pass < 2; pass++) { /* hints are of the packet before */
            good = 0;
            for (uint32_t i = 0; i < made; i++)
                good += guessed(i, i % 2);
            EXPECT(good >= made / 1000 * PER_MILLE);
        }
    }
}

TEST(a_hint_of_a_flow_that_has_gone_is_no_match)
{
    struct flow f = flow_number(7, 1000);

    for (uint32_t i = 0; i < 30000; i++)
        insert(i, 1000);
    EXPECT(t.hints != NULL);
    EXPECT(guessed(7, 0));
    flow_remove(&t, flow_ref_flow(&t, flow_lookup(&t, &f.id[0], f.proto)));
    EXPECT(!guessed(7, 0));
    insert(30000, 1000); /* in its place */
    EXPECT(!guessed(7, 0));
    EXPECT(guessed(30000, 0));
    insert(7, 1000);
    flow_hint_set(&t, flow_hash(&t, flow_key(&f.id[0], f.proto)),
                  flow_lookup(&t, &f.id[0], f.proto));
    EXPECT(guessed(7, 0));
}
