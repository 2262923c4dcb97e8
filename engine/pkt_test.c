// SPDX-License-Identifier: BSD-3-Clause
#include "engine/pkt.h"
#include "tests/test.h"

static struct pkt_pool *pool;

SETUP()
{
    pool = pkt_pool_new(0);
}

TEARDOWN()
{
    EXPECT_EQ(pkt_pool_free(pool), 0);
}

TEST(a_new_packet_has_its_bytes_and_no_annotations)
{
    struct pkt *p = pkt_new(pool, 20, "hello", 5, 7);

    EXPECT_EQ(p->len, 5);
    EXPECT_MEM(p->data, "hello", 5);
    EXPECT_EQ(pkt_headroom(p), 20);
    EXPECT(pkt_tailroom(p) >= 7);
    EXPECT_EQ(p->timestamp, 0);
    EXPECT(p->network == NULL);
    for (int i = 0; i < PKT_ANNO_SIZE; i++)
        EXPECT_EQ(p->anno[i], 0);
    pkt_free(p);
}

TEST(a_clone_shares_bytes_until_one_side_writes)
{
    struct pkt *p = pkt_new(pool, 20, "hello", 5, 0), *c;

    p->network = p->data + 1;
    c = pkt_clone(p);
    EXPECT(c->data == p->data);
    EXPECT_EQ(pkt_writable(c), 0);
    c->data[0] = 'j';
    EXPECT_MEM(p->data, "hello", 5);
    EXPECT_MEM(c->data, "jello", 5);
    EXPECT(c->network == c->data + 1);
    EXPECT_EQ(pkt_shared(p), 0);
    pkt_free(p);
    EXPECT_MEM(c->data, "jello", 5);
    pkt_free(c);
}

TEST(pushing_beyond_the_headroom_moves_the_packet)
{
    struct pkt *p = pkt_new(pool, 2, "hello", 5, 0);

    p->mac = p->data;
    EXPECT(pkt_push(p, 300) == p->data);
    EXPECT_EQ(p->len, 305);
    EXPECT(p->mac == p->data + 300);
    EXPECT_MEM(p->data + 300, "hello", 5);
    EXPECT(pkt_put(p, 4000) == p->data + 305);
    EXPECT_MEM(p->data + 300, "hello", 5);
    pkt_free(p);
}

TEST(pulled_bytes_can_be_put_back_even_by_a_copy)
{
    struct pkt *p = pkt_new(pool, 0, "header+body", 11, 0), *c;

    pkt_pull(p, 7);
    c = pkt_clone(p);
    EXPECT_EQ(pkt_make_writable(c), 0);
    EXPECT_EQ(pkt_unpull(c, 7), 0);
    EXPECT_MEM(c->data, "header+body", 11);
    EXPECT_EQ(pkt_unpull(c, 7), -1);
    pkt_free(p);
    pkt_free(c);
}

TEST(pulling_too_much_leaves_nothing)
{
    struct pkt *p = pkt_new(pool, 0, "abc", 3, 0);

    pkt_pull(p, 9);
    EXPECT_EQ(p->len, 0);
    pkt_take(p, 9);
    EXPECT_EQ(p->len, 0);
    pkt_free(p);
}

TEST(numbered_buffers_come_first_and_come_back)
{
    static uint8_t memory[4 * 2048];
    struct pkt *p[5];

    EXPECT_EQ(pkt_pool_add_buffers(pool, memory, 2048, 4), 0);
    for (int i = 0; i < 5; i++)
        p[i] = pkt_new(pool, PKT_HEADROOM, "x", 1, 0);
    for (int i = 0; i < 4; i++)
        EXPECT_EQ(p[i]->buf->number, i);
    EXPECT_EQ(p[4]->buf->number, BUF_PRIVATE);
    EXPECT(pkt_new_numbered(pool) == NULL);
    pkt_free(p[2]);
    p[2] = pkt_new_numbered(pool);
    EXPECT_EQ(p[2]->buf->number, 2);
    for (int i = 0; i < 5; i++)
        pkt_free(p[i]);
}

TEST(a_posted_buffer_becomes_a_packet_when_one_arrives)
{
    static uint8_t memory[4 * 2048];
    uint32_t posted[6];
    struct pkt_arrival a[2] = {{.offset = 128, .len = 60}, {.offset = 4, .len = 2044}};
    struct batch b = {.n = 0};

    EXPECT_EQ(pkt_pool_add_buffers(pool, memory, 2048, 4), 0);
    EXPECT_EQ(pkt_post(pool, PKT_WHOLE, posted, 6), 4);
    EXPECT_EQ(pkt_pool_live(pool), 0);
    EXPECT(pkt_new_numbered(pool) == NULL);
    a[0].number = posted[3];
    a[1].number = posted[1];
    EXPECT_EQ(batch_arrive(pool, &b, a, 2), 2);
    EXPECT_EQ(pkt_pool_live(pool), 2);
    EXPECT(b.p[0]->data == memory + posted[3] * 2048 + 128);
    EXPECT_EQ(b.p[0]->len, 60);
    EXPECT_EQ(pkt_headroom(b.p[1]), 4);
    EXPECT_EQ(b.p[1]->buf->low, 4);
    EXPECT_EQ(pkt_tailroom(b.p[1]), 0);
    batch_free(&b);
    pkt_unpost(pool, PKT_WHOLE, (uint32_t[]){posted[0], posted[2]}, 2);
    EXPECT_EQ(pkt_post(pool, PKT_WHOLE, posted, 6), 4);
    pkt_unpost(pool, PKT_WHOLE, posted, 4);
}

TEST(short_buffers_are_for_arrivals_only_and_share_numbers)
{
    static uint8_t memory[4 * 2048];
    uint32_t posted[17];
    struct pkt_arrival a = {.offset = 128, .len = 60, .kind = PKT_SHORT};
    struct batch b = {.n = 0};
    struct pkt *p;

    EXPECT_EQ(pkt_pool_add_buffers(pool, memory, 2048, 2), 0);
    EXPECT_EQ(pkt_pool_add_short(pool, memory + 2 * 2048, 256, 16, 2, 8), 0);
    EXPECT_EQ(pkt_post(pool, PKT_SHORT, posted, 17), 16);
    for (int i = 0; i < 3; i++) { /* what is made here lies elsewhere */
        p = pkt_new(pool, 0, "x", 1, 0);
        EXPECT(p->buf->number < 2 || p->buf->number == BUF_PRIVATE);
        batch_add(&b, p);
    }
    batch_free(&b);
    a.number = posted[9];
    EXPECT_EQ(batch_arrive(pool, &b, &a, 1), 1);
    p = b.p[0];
    EXPECT(p->data == memory + 2 * 2048 + posted[9] * 256 + 128);
    EXPECT_EQ(p->buf->number, 2 + posted[9] / 8);
    EXPECT_EQ(pkt_headroom(p), 128);
    EXPECT_EQ(pkt_tailroom(p), 68);
    EXPECT(pkt_put(p, 69) != NULL); /* moves it to one with more room */
    EXPECT_EQ(p->len, 129);
    EXPECT(p->buf->room > 256);
    batch_free(&b);
    EXPECT_EQ(pkt_post(pool, PKT_SHORT, posted + 9, 2), 1);
    pkt_unpost(pool, PKT_SHORT, posted, 16);
}

TEST(arrivals_beyond_the_memory_for_records_are_left_to_the_port)
{
    static uint8_t memory[64 * 2048];
    struct pkt_pool *few = pkt_pool_new(20); /* and made by the slab: 31 */
    struct pkt_arrival a[64] = {{0}};
    uint32_t posted[64];
    struct batch b = {.n = 0};

    EXPECT_EQ(pkt_pool_add_buffers(few, memory, 2048, 64), 0);
    EXPECT_EQ(pkt_post(few, PKT_WHOLE, posted, 64), 64);
    for (uint32_t i = 0; i < 64; i++)
        a[i].number = posted[i];
    EXPECT_EQ(batch_arrive(few, &b, a, 64), 31);
    EXPECT_EQ(b.n, 31);
    pkt_unpost(few, PKT_WHOLE, posted + 31, 64 - 31);
    batch_free(&b);
    EXPECT_EQ(pkt_post(few, PKT_WHOLE, posted, 64), 64);
    pkt_unpost(few, PKT_WHOLE, posted, 64);
    EXPECT_EQ(pkt_pool_free(few), 0);
}

TEST(a_batch_of_clones_counts_every_one)
{
    struct batch b = {.n = 0};
    struct pkt *p = pkt_new(pool, 0, "abc", 3, 0);

    EXPECT_EQ(batch_clone(&b, p, BATCH_MAX), BATCH_MAX);
    EXPECT_EQ(pkt_pool_live(pool), BATCH_MAX + 1);
    batch_free(&b);
    EXPECT_EQ(pkt_pool_live(pool), 1);
    EXPECT_EQ(pkt_shared(p), 0);
    pkt_free(p);
}

TEST(a_limited_pool_says_no)
{
    struct pkt_pool *small = pkt_pool_new(10);
    struct pkt *list = NULL, *p;
    unsigned n = 0;

    while ((p = pkt_new(small, 0, NULL, 10, 0))) {
        p->next = list;
        list = p;
        n++;
    }
    EXPECT(n >= 10 && n < 100);
    while ((p = list)) {
        list = p->next;
        pkt_free(p);
    }
    EXPECT_EQ(pkt_pool_free(small), 0);
}

static void expect_fill(const struct pkt *p, uint8_t byte)
{
    for (uint32_t i = 0; i < p->len; i++)
        EXPECT_EQ(p->data[i], byte);
}

/* Lengths around the steps of copies, with one pool that has AVX2 and one that has not. */
static void check_batches(uint32_t len)
{
    struct batch b = {.n = 0};
    struct pkt *p;

    EXPECT_EQ(batch_new(pool, &b, 0, 130, len), 0); /* of a pool that has nothing yet */
    EXPECT_EQ(batch_new(pool, &b, 5, 130, len), 5);
    p = b.p[0];
    EXPECT_EQ(p->len, len);
    EXPECT_EQ(pkt_headroom(p), 130);
    EXPECT_EQ(p->timestamp, 0);
    EXPECT_EQ(p->anno_u64[0], 0);
    memset(p->data, 7, len);
    p->network = p->data + 3;
    p->anno[5] = 9;
    EXPECT_EQ(batch_clone(&b, p, 6), 6);
    EXPECT_EQ(b.n, 11);
    EXPECT(b.p[10]->data == p->data);
    EXPECT_EQ(b.p[10]->anno[5], 9);
    batch_make_writable(&b, 6);
    for (uint32_t i = 6; i < b.n; i++) {
        EXPECT(!pkt_shared(b.p[i]));
        EXPECT(b.p[i]->network == b.p[i]->data + 3);
        expect_fill(b.p[i], 7);
        memset(b.p[i]->data, (int)i, len);
    }
    EXPECT(pkt_shared(b.p[5]));
    expect_fill(p, 7);
    expect_fill(b.p[7], 7);
    expect_fill(b.p[8], 8);
    batch_free(&b);
    EXPECT_EQ(pkt_pool_live(pool), 0);
}

TEST(batches_are_made_cloned_and_copied_at_any_length)
{
    const uint32_t lens[] = {0, 1, 30, 31, 32, 60, 62, 63, 1500, 1918, 2000, 5000};

    for (unsigned wide = 0; wide < 2; wide++) {
        pkt_pool_set_wide(pool, wide && __builtin_cpu_supports("avx2"));
        for (unsigned i = 0; i < 2 * sizeof lens / sizeof lens[0]; i++)
            check_batches(lens[i / 2]); /* twice: with buffers that were used before */
    }
}

TEST(batches_of_packet_memory_are_private_and_come_back)
{
    static uint8_t room[24 * 2048];
    struct batch b = {.n = 0};

    pkt_pool_add_buffers(pool, room, 2048, 24);
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(batch_new(pool, &b, 20, 130, 60), 20); /* fresh, then used before */
        EXPECT_EQ(batch_clone(&b, b.p[0], 10), 10);      /* more than there are */
        memset(b.p[0]->data, 3, 60);
        batch_make_writable(&b, 0);
        for (uint32_t i = 0; i < b.n; i++) {
            EXPECT(!pkt_shared(b.p[i]));
            if (i >= 20)
                expect_fill(b.p[i], 3);
        }
        batch_free(&b);
    }
    EXPECT_EQ(pkt_pool_live(pool), 0);
}

/* Clones of `p` that come from a pool where others were freed before. */
static void expect_clones(struct batch *b, struct pkt *p, uint32_t n)
{
    EXPECT_EQ(batch_clone(b, p, n), n);
    for (uint32_t i = 0; i < n; i++)
        EXPECT_MEM(b->p[i], p, sizeof *p);
}

TEST(a_record_that_was_freed_unlike_its_template_is_not_handed_out_as_a_clone)
{
    struct batch b = {.n = 0};

    for (unsigned i = 0; i < 2 * 8 * 3; i++) {
        struct pkt *p = pkt_new(pool, 130, "hello", 5, 0), *c;
        uint32_t n = 5 + i % 8;

        pkt_pool_set_wide(pool, i & 1 && __builtin_cpu_supports("avx2"));
        expect_clones(&b, p, n);
        batch_free(&b);
        EXPECT_EQ(p->buf->refs, 1);
        expect_clones(&b, p, n); /* as they came back */
        if (i / 16 == 0)
            b.p[i % n]->anno[47] = 3;
        else if (i / 16 == 1)
            EXPECT(pkt_push(b.p[i % n], 1) != NULL); /* of a buffer of its own */
        else
            p->timestamp = 1 + i; /* it is the template that changes */
        batch_free(&b);
        EXPECT_EQ(p->buf->refs, 1);
        c = pkt_clone(p);
        pkt_free(c);
        expect_clones(&b, p, n);
        pkt_free(p); /* before its clones */
        batch_free(&b);
        EXPECT_EQ(pkt_pool_live(pool), 0);
    }
}

/* Clones of different lengths, with and without pointers into them, each get their bytes and
 * pointers of their own. */
TEST(clones_become_private_each_as_it_is)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        struct batch b = {.n = 0};
        struct pkt *p = pkt_new(pool, 130, NULL, 200, 0);

        for (unsigned i = 0; i < 200; i++)
            p->data[i] = (uint8_t)i;
        pkt_pool_set_wide(pool, wide && __builtin_cpu_supports("avx2"));
        EXPECT_EQ(batch_clone(&b, p, 40), 40);
        for (uint32_t i = 0; i < b.n; i++) {
            pkt_pull(b.p[i], i % 3);
            pkt_take(b.p[i], i % 4 * 47);
            b.p[i]->mac = i & 1 ? b.p[i]->data : NULL;
            b.p[i]->transport = i & 4 ? b.p[i]->data + 20 : NULL;
            b.p[i]->network = i & 8 ? b.p[i]->data + 14 : NULL;
        }
        batch_make_writable(&b, 0);
        for (uint32_t i = 0; i < b.n; i++) {
            const struct pkt *c = b.p[i];

            EXPECT(!pkt_shared(c));
            EXPECT_EQ(c->len, 200 - i % 3 - i % 4 * 47);
            for (uint32_t k = 0; k < c->len; k++)
                EXPECT_EQ(c->data[k], (uint8_t)(i % 3 + k));
            EXPECT(c->mac == (i & 1 ? c->data : NULL));
            EXPECT(c->transport == (i & 4 ? c->data + 20 : NULL));
            EXPECT(c->network == (i & 8 ? c->data + 14 : NULL));
        }
        batch_free(&b);
        pkt_free(p);
        EXPECT_EQ(pkt_pool_live(pool), 0);
    }
}

/* Also where all packets that there are are clones of one, which nobody else has. */
TEST(a_template_may_go_before_its_clones)
{
    struct batch b = {.n = 0}, c = {.n = 0};

    pkt_pool_set_keeps(pool, PKT_PARTS);
    for (unsigned i = 0; i < 8; i++) {
        struct pkt *p = pkt_new(pool, 130, "hello", 5, 0);

        pkt_pool_set_wide(pool, i & 1 && __builtin_cpu_supports("avx2"));
        expect_clones(&b, p, 9);
        expect_clones(&c, p, 6);
        if (i & 2)
            pkt_free(p);
        batch_free(&b);
        EXPECT_EQ(c.p[0]->buf->refs, i & 2 ? 6 : 7);
        batch_free(&c);
        if (!(i & 2))
            pkt_free(p);
        EXPECT_EQ(pkt_pool_live(pool), 0);
    }
}

/* Buffers of packets with some of their own and some shared all come back once. */
TEST(a_mixed_batch_comes_back)
{
    for (unsigned i = 0; i < 24; i++) {
        struct batch b = {.n = 0}, fresh = {.n = 0};
        struct pkt *p = pkt_new(pool, 130, "hello", 5, 0);

        pkt_pool_set_wide(pool, i & 1 && __builtin_cpu_supports("avx2"));
        EXPECT_EQ(batch_new(pool, &b, 8, 130, 60), 8);
        if (i & 2)
            batch_add(&b, pkt_clone(b.p[i % 8]));
        if (i & 4)
            batch_add(&b, pkt_new(pool, 0, NULL, 9000, 0));
        if (i & 8)
            EXPECT_EQ(batch_clone(&b, p, 3), 3);
        else
            batch_add(&b, pkt_clone(p));
        pkt_free(p);
        batch_free(&b);
        EXPECT_EQ(pkt_pool_live(pool), 0);
        EXPECT_EQ(batch_new(pool, &fresh, 20, 130, 60), 20);
        for (uint32_t k = 0; k < fresh.n; k++) {
            EXPECT(!pkt_shared(fresh.p[k]));
            for (uint32_t j = 0; j < k; j++)
                EXPECT(fresh.p[j]->buf != fresh.p[k]->buf);
        }
        batch_free(&fresh);
    }
}

/* Where nobody writes records, they are handed out again without a look. */
TEST(clones_that_keep_their_records_come_back_as_they_were)
{
    struct pkt *p = pkt_new(pool, 130, "hello", 5, 0);
    struct batch b = {.n = 0};

    EXPECT_EQ(pkt_pool_set_keeps(pool, PKT_PARTS), 0);
    for (unsigned i = 0; i < 6; i++) {
        pkt_pool_set_wide(pool, i & 1 && __builtin_cpu_supports("avx2"));
        p->timestamp = i / 2; /* the template may change */
        expect_clones(&b, p, 9);
        batch_free(&b);
        EXPECT_EQ(p->buf->refs, 1);
    }
    EXPECT_EQ(pkt_pool_set_keeps(pool, 0), PKT_PARTS);
    pkt_free(p);
}

TEST(what_is_changed_in_clones_every_time_is_as_new_in_the_next)
{
    struct pkt *p = pkt_new(pool, 130, "hello", 5, 0);
    struct batch b = {.n = 0};

    for (unsigned parts = 0; parts <= PKT_PARTS; parts++) {
        p->hash = parts;
        pkt_pool_set_keeps(pool, parts);
        for (unsigned i = 0; i < 8; i++) {
            pkt_pool_set_wide(pool, i & 1 && __builtin_cpu_supports("avx2"));
            expect_clones(&b, p, 7);
            if (!(parts & PKT_PLACE))
                pkt_pull(b.p[i % 7], 2);
            if (!(parts & PKT_HEADERS))
                b.p[i % 5]->network = b.p[i % 5]->data;
            if (!(parts & PKT_ANNO) && i > 3)
                pkt_set_paint(b.p[i % 3], 5);
            if (!(parts & PKT_STAMPS) && i != 5)
                b.p[6]->timestamp = 8;
            batch_free(&b);
        }
    }
    pkt_free(p);
}

/* Clones of what a template was before are not what it is now, whoever keeps what. */
TEST(clones_of_a_former_template_are_not_taken_for_those_of_the_present_one)
{
    struct pkt *p = pkt_new(pool, 130, "hello", 5, 0);
    struct batch old = {.n = 0}, b = {.n = 0};

    pkt_pool_set_keeps(pool, PKT_PARTS);
    expect_clones(&old, p, 10);
    p->timestamp = 1;
    expect_clones(&b, p, 5);
    batch_free(&old);
    batch_free(&b);
    expect_clones(&b, p, 15);
    batch_free(&b);
    /* A single copy of what the template has become. */
    p->timestamp = 2;
    batch_add(&b, pkt_clone(p));
    batch_free(&b);
    p->timestamp = 1;
    expect_clones(&b, p, 12);
    batch_free(&b);
    pkt_free(p);
}

/* A packet in the buffer that clones shared once is not one of them. */
TEST(a_buffer_that_is_used_again_has_no_clones)
{
    struct batch b = {.n = 0};

    pkt_pool_set_keeps(pool, PKT_PARTS);
    for (unsigned i = 0; i < 4; i++) {
        struct pkt *p = pkt_new(pool, 130, "hello", 5, 0);
        const struct buf *shared = p->buf;

        expect_clones(&b, p, 6);
        if (i & 1)
            pkt_free(p);
        batch_free(&b);
        if (!(i & 1))
            pkt_free(p);
        EXPECT_EQ(batch_new(pool, &b, 1, 130, 5), 1);
        EXPECT(b.p[0]->buf == shared);
        memset(b.p[0]->anno, 7, PKT_ANNO_SIZE);
        batch_free(&b);
        p = pkt_new(pool, 130, "hello", 5, 0);
        EXPECT(p->buf == shared);
        expect_clones(&b, p, 8);
        batch_free(&b);
        pkt_free(p);
    }
}

/* What an older configuration has written is looked for under a newer one. */
TEST(clones_that_met_other_elements_are_looked_at)
{
    struct pkt *p = pkt_new(pool, 130, "hello", 5, 0);
    struct batch old = {.n = 0}, b = {.n = 0};

    expect_clones(&old, p, 10);
    pkt_pool_set_keeps(pool, PKT_PARTS);
    expect_clones(&b, p, 5);
    pkt_set_paint(old.p[4], 3);
    batch_free(&b);
    batch_free(&old);
    expect_clones(&b, p, 15);
    batch_free(&b);
    pkt_free(p);
}
