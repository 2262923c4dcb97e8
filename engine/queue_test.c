// SPDX-License-Identifier: BSD-3-Clause
#include "engine/queue.h"
#include "tests/test.h"

static struct pkt_pool *pool;
static struct queue q;

SETUP()
{
    pool = pkt_pool_new(0);
    queue_init(&q, 100);
}

TEARDOWN()
{
    queue_fini(&q);
    EXPECT_EQ(pkt_pool_free(pool), 0);
}

static struct pkt *numbered(uint32_t number)
{
    struct pkt *p = pkt_new(pool, 0, NULL, 1, 0);

    EXPECT(p != NULL);
    p->anno_u32[0] = number;
    return p;
}

static uint32_t put(uint32_t first, uint32_t n)
{
    struct pkt *p[BATCH_MAX] = {NULL};
    uint32_t took;

    for (uint32_t i = 0; i < n; i++)
        p[i] = numbered(first + i);
    took = queue_put(&q, p, n);
    for (uint32_t i = took; i < n; i++)
        pkt_free(p[i]);
    return took;
}

static void expect(uint32_t first, uint32_t n)
{
    struct pkt *p[BATCH_MAX] = {NULL};

    EXPECT_EQ(queue_get(&q, p, n), n);
    for (uint32_t i = 0; i < n; i++) {
        EXPECT_EQ(p[i]->anno_u32[0], first + i);
        pkt_free(p[i]);
    }
}

TEST(an_empty_queue_owns_no_memory)
{
    struct pkt *p;

    EXPECT(q.ring == NULL);
    EXPECT_EQ(queue_get(&q, &p, 1), 0);
    EXPECT(queue_get_newest(&q) == NULL);
}

TEST(packets_come_out_in_the_order_they_went_in_across_the_end_of_the_ring)
{
    uint32_t in = 0, out = 0;

    EXPECT_EQ(put(in, 5), 5);
    in += 5;
    for (int round = 0; round < 50; round++) {
        EXPECT_EQ(put(in, 33), 33);
        in += 33;
        expect(out, 33);
        out += 33;
    }
    EXPECT_EQ(q.n, 5);
    EXPECT_EQ(q.size, 64);
}

TEST(the_ring_grows_while_it_is_wrapped)
{
    EXPECT_EQ(put(0, 60), 60);
    expect(0, 50);
    EXPECT_EQ(put(60, 50), 50);
    EXPECT_EQ(put(110, 40), 40);
    EXPECT_EQ(q.size, 128);
    expect(50, 60);
    expect(110, 40);
}

TEST(a_full_queue_takes_no_more_and_remembers_its_highwater)
{
    EXPECT_EQ(put(0, 64), 64);
    EXPECT_EQ(put(64, 64), 36);
    EXPECT_EQ(put(128, 1), 0);
    expect(0, 64);
    EXPECT_EQ(q.highwater, 100);
}

TEST(a_queue_without_capacity_stores_nothing)
{
    queue_set_capacity(&q, 0, false);
    EXPECT_EQ(put(0, 3), 0);
}

TEST(packets_can_be_put_in_front_and_taken_from_behind)
{
    struct pkt *p;

    EXPECT_EQ(put(1, 2), 2);
    EXPECT(queue_put_front(&q, numbered(0)));
    p = queue_get_newest(&q);
    EXPECT_EQ(p->anno_u32[0], 2);
    pkt_free(p);
    expect(0, 2);
}

TEST(a_smaller_capacity_drops_the_newest_or_the_oldest)
{
    EXPECT_EQ(put(0, 10), 10);
    EXPECT_EQ(queue_set_capacity(&q, 8, false), 2);
    EXPECT_EQ(queue_set_capacity(&q, 6, true), 2);
    expect(2, 6);
}

TEST(taking_over_keeps_the_order_and_counts_what_does_not_fit)
{
    struct queue old;
    struct pkt *p[10];

    queue_init(&old, 100);
    for (uint32_t i = 0; i < 10; i++)
        p[i] = numbered(i);
    EXPECT_EQ(queue_put(&old, p, 10), 10);
    queue_set_capacity(&q, 7, false);
    EXPECT_EQ(queue_take(&q, &old), 3);
    EXPECT_EQ(old.n, 0);
    queue_fini(&old);
    EXPECT_EQ(q.highwater, 10);
    expect(0, 7);
}
