// SPDX-License-Identifier: BSD-3-Clause
#include "switch/mac_table.h"
#include "tests/test.h"

static struct mac_table t;
static uint32_t before, evicted;

SETUP()
{
    assert_int_equal(mac_table_init(&t, 100000, 0x1234567890abull), 0);
}

TEARDOWN()
{
    mac_table_fini(&t);
}

static enum mac_learned learn(uint64_t mac, uint32_t port, uint32_t now)
{
    return mac_table_learn(&t, mac, mac_hash(&t, mac), port, now, true, &before,
                           &evicted);
}

static uint32_t find(uint64_t mac, uint32_t oldest)
{
    return mac_table_find(&t, mac, mac_hash(&t, mac), oldest);
}

TEST(an_address_is_found_where_it_was_heard)
{
    EXPECT_EQ(find(0xa, 0), 0);
    EXPECT_EQ(learn(0xa, 7, 100), MAC_NEW);
    EXPECT_EQ(find(0xa, 0), 7);
    EXPECT_EQ(learn(0xa, 7, 101), MAC_KNOWN);
    EXPECT_EQ(t.count, 1);
}

TEST(the_address_of_all_zeros_is_one_like_others)
{
    EXPECT_EQ(find(0, 0), 0);
    EXPECT_EQ(learn(0, 9, 1), MAC_NEW);
    EXPECT_EQ(find(0, 0), 9);
}

TEST(an_address_moves_with_its_owner)
{
    learn(0xa, 7, 100);
    EXPECT_EQ(learn(0xa, 8, 100), MAC_MOVED);
    EXPECT_EQ(before, 7);
    EXPECT_EQ(find(0xa, 0), 8);
}

TEST(an_old_address_is_not_found)
{
    learn(0xa, 7, 100);
    EXPECT_EQ(find(0xa, 100), 7);
    EXPECT_EQ(find(0xa, 101), 0);
}

TEST(a_fixed_address_neither_moves_nor_ages)
{
    EXPECT_EQ(mac_table_fix(&t, 0xa, 3, &evicted), 0);
    EXPECT_EQ(learn(0xa, 4, 100), MAC_REFUSED);
    EXPECT_EQ(find(0xa, 1000000), 3);
}

TEST(a_removed_address_is_gone)
{
    bool fixed = true;

    learn(0xa, 7, 100);
    EXPECT_EQ(mac_table_remove(&t, 0xa, &fixed), 7);
    EXPECT(!fixed);
    EXPECT_EQ(find(0xa, 0), 0);
    EXPECT_EQ(t.count, 0);
}

TEST(nothing_new_is_learned_when_it_may_not_be)
{
    EXPECT_EQ(mac_table_learn(&t, 5, mac_hash(&t, 5), 1, 1, false, &before, &evicted),
              MAC_REFUSED);
    EXPECT_EQ(find(5, 0), 0);
}

static uint64_t address(uint32_t i)
{
    return 0x020000000000ull + i * 257ull;
}

TEST(a_hundred_thousand_addresses_are_held)
{
    unsigned second_line = 0;

    for (uint32_t i = 0; i < 100000; i++)
        EXPECT_EQ(learn(address(i), 1 + i % 1000, 5), MAC_NEW);
    EXPECT_EQ(t.evicted, 0);
    for (uint32_t i = 0; i < 100000; i++) {
        const struct mac_line *l = &t.lines[mac_hash(&t, address(i))];
        unsigned in_line = 0;

        EXPECT_EQ(find(address(i), 5), 1 + i % 1000);
        for (unsigned w = 0; w < MAC_WAYS; w++)
            in_line += l->key[w] >> 16 == address(i);
        second_line += !in_line;
    }
    /* One cache line a look-up, for all but very few. */
    EXPECT(second_line < 1000);
}

TEST(above_its_limit_the_table_learns_no_more)
{
    for (uint32_t i = 0; i < 100000; i++)
        learn(address(i), 1, 5);
    EXPECT_EQ(learn(address(100000), 1, 5), MAC_REFUSED);
}

/* The next address whose first line is `line`. */
static uint64_t crowd(uint64_t line, uint64_t *from)
{
    while (mac_hash(&t, *from) != line)
        ++*from;
    return (*from)++;
}

TEST(a_crowded_line_spills_into_others)
{
    uint64_t next = 1, line = mac_hash(&t, 1), macs[20];

    for (uint32_t i = 0; i < 20; i++) {
        macs[i] = crowd(line, &next);
        EXPECT_EQ(learn(macs[i], 1 + i, 10), MAC_NEW);
    }
    EXPECT_EQ(t.evicted, 0);
    EXPECT_EQ(t.lines[line].spilled, 20 - MAC_WAYS);
    for (uint32_t i = 0; i < 20; i++)
        EXPECT_EQ(find(macs[i], 0), 1 + i);
    for (uint32_t i = 0; i < 20; i++) {
        bool fixed;

        EXPECT_EQ(mac_table_remove(&t, macs[i], &fixed), 1 + i);
    }
    EXPECT_EQ(t.lines[line].spilled, 0);
    EXPECT_EQ(t.count, 0);
}

TEST(a_table_full_to_the_brim_gives_up_the_oldest)
{
    struct mac_table small;
    uint32_t n = 0, gone = 0;

    /* 16 lines, and more addresses than they hold. */
    EXPECT_EQ(mac_table_init(&small, 32, 99), 0);
    small.max = 1000;
    for (; n < 300; n++)
        EXPECT_EQ(mac_table_learn(&small, address(n), mac_hash(&small, address(n)), 1,
                                  10 + n, true, &before, &evicted),
                  MAC_NEW);
    EXPECT(small.count <= 16 * MAC_WAYS);
    EXPECT_EQ(small.count + small.evicted, n);
    for (uint32_t i = 0; i < n; i++)
        gone += mac_table_find(&small, address(i), mac_hash(&small, address(i)), 0) ==
                0;
    EXPECT_EQ(gone, small.evicted);
    EXPECT_EQ(
        mac_table_find(&small, address(n - 1), mac_hash(&small, address(n - 1)), 0), 1);
    mac_table_fini(&small);
}

static bool odd(void *ctx, uint64_t mac, uint32_t port, uint32_t stamp)
{
    (void)mac;
    (void)stamp;
    ++*(unsigned *)ctx;
    return port % 2;
}

TEST(a_sweep_visits_all_and_takes_out_what_it_is_told_to)
{
    unsigned seen = 0;

    for (uint32_t i = 0; i < 1000; i++)
        learn(address(i), 1 + i % 2, 5);
    mac_table_sweep(&t, odd, &seen);
    EXPECT_EQ(seen, 1000);
    EXPECT_EQ(t.count, 500);
    EXPECT_EQ(find(address(0), 0), 0);
    EXPECT_EQ(find(address(1), 0), 2);
}
