// SPDX-License-Identifier: BSD-3-Clause
#include "engine/classify/match.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

/* A classifier is right when it gives what a walk over the trees gives, rule by rule. */

enum { RULES_MAX = 600, PACKET_MAX = 60 };

static struct arena *arena;
static struct expr *rules[RULES_MAX];
static uint32_t n_rules;
static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

SETUP()
{
    arena = arena_new(0);
    seed = 1;
    n_rules = 0;
}

TEARDOWN()
{
    arena_free(arena);
}

static int naive(const struct expr_view *v)
{
    for (uint32_t i = 0; i < n_rules; i++)
        if (expr_eval(rules[i], v))
            return (int)i;
    return CLASSIFY_NONE;
}

static struct classify *build(void)
{
    struct classify_builder *b = classify_builder_new();

    for (uint32_t i = 0; i < n_rules; i++)
        EXPECT_EQ(classify_add(b, rules[i], (int)i), 0);
    return classify_build(b);
}

/* --- random trees and packets of few values, so that they meet -------------------- */

static struct expr *field(uint8_t base, uint16_t offset, uint32_t mask, uint32_t value)
{
    return expr_test(arena, (struct expr_test){.base = base,
                                               .offset = offset,
                                               .mask = mask,
                                               .value = value & mask});
}

static struct expr *random_test(void)
{
    static const struct {
        uint8_t base;
        uint16_t offset;
        uint32_t mask;
    } fields[] = {
        {BASE_NET, 12, 0xFFFFFFFF},    {BASE_NET, 16, 0xFFFFFFFF},
        {BASE_NET, 12, 0xFFFFFF00},    {BASE_NET, 16, 0xFFFF0000},
        {BASE_NET, 8, 0x00FF0000},     {BASE_NET, 4, 0x00001FFF},
        {BASE_TRANSP, 0, 0xFFFF0000},  {BASE_TRANSP, 0, 0x0000FFFF},
        {BASE_TRANSP, 12, 0x00020000}, {BASE_NET, 0, 0x00FF0000},
        {BASE_NET, 4, 0xFFFF0000},     {BASE_NET, 8, 0xFF000000},
        {BASE_DATA, 12, 0xFFFF0000},   {BASE_MAC, 0, 0x0000FFFF},
        {BASE_NET, 0, 0x0000FFFF},     {BASE_NET, 8, 0x0000FFFF},
        {BASE_NET, 20, 0x0000000F},    {BASE_NET, 12, 0x0F0F0F0F},
        {BASE_TRANSP, 4, 0xFFFFFFFF},  {BASE_TRANSP, 8, 0xFF00FF00},
    };
    uint32_t i = rnd(rnd(2) ? 8 : sizeof fields / sizeof *fields);
    uint32_t low = fields[i].mask & -fields[i].mask;
    struct expr_test t = {.base = fields[i].base,
                          .offset = fields[i].offset,
                          .mask = fields[i].mask,
                          .value = low * rnd(5) & fields[i].mask,
                          .op = rnd(4) ? EXPR_EQ : EXPR_GT,
                          .negated = rnd(5) == 0};

    if (rnd(8) == 0)
        t.mask = t.value = 0;
    else if (rnd(4) == 0)
        t.value = t.mask & (0x01010101u * rnd(4));
    return expr_test(arena, t);
}

static struct expr *random_tree(unsigned depth)
{
    uint32_t n = 1 + rnd(4);
    struct expr *x;

    switch (depth ? rnd(7) : 6) {
    case 0:
        return expr_not(arena, random_tree(depth - 1));
    case 1:
        return expr_if(arena, random_tree(depth - 1), random_tree(depth - 1),
                       random_tree(depth - 1));
    case 2:
        x = expr_list(arena, EXPR_OR);
        break;
    case 3:
    case 4:
    case 5:
        x = expr_list(arena, EXPR_AND);
        break;
    default:
        return rnd(30) ? random_test() : expr_true(arena);
    }
    for (uint32_t i = 0; i < n; i++)
        expr_add(arena, &x, random_tree(depth - 1));
    return x;
}

struct random_packet {
    uint8_t bytes[PACKET_MAX];
    struct expr_view view;
};

static void random_packet(struct random_packet *p)
{
    uint32_t len = rnd(3) ? PACKET_MAX : rnd(PACKET_MAX), net = 14, transp = 34;

    memset(p, 0, sizeof *p);
    for (uint32_t i = 0; i < PACKET_MAX; i++)
        p->bytes[i] = (uint8_t)(rnd(3) ? 0 : rnd(4));
    for (int b = 0; b < N_BASES; b++)
        p->view.base[b] = p->bytes;
    p->view.len[BASE_DATA] = len;
    p->view.len[BASE_MAC] = rnd(4) ? len : 0;
    p->view.base[BASE_NET] = p->bytes + net;
    p->view.len[BASE_NET] = len > net && rnd(20) ? len - net : 0;
    p->view.base[BASE_TRANSP] = p->bytes + transp;
    if (p->view.len[BASE_NET] > transp - net)
        p->view.len[BASE_TRANSP] = p->view.len[BASE_NET] - (transp - net);
}

static void compare(const struct classify *c, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++) {
        struct random_packet p;

        random_packet(&p);
        EXPECT_EQ(classify_match(c, &p.view), naive(&p.view));
    }
}

static void random_round(uint32_t max_rules, unsigned depth, unsigned packets)
{
    struct classify *c;

    arena_free(arena);
    arena = arena_new(0);
    n_rules = rnd(max_rules + 1);
    for (uint32_t i = 0; i < n_rules; i++)
        rules[i] = random_tree(rnd(depth + 1));
    c = build();
    EXPECT(c != NULL);
    compare(c, packets);
    classify_free(c);
}

TEST(any_trees_match_as_a_walk_over_them_does)
{
    for (unsigned round = 0; round < 2000; round++)
        random_round(12, 4, 60);
}

TEST(many_trees_match_as_a_walk_over_them_does)
{
    for (unsigned round = 0; round < 30; round++)
        random_round(RULES_MAX, 2, 300);
}

/* Terms of five fields, each of them wide, narrow or a range. The protocol is asked for in
 * the word that one vector load brings, or in another. */
static struct expr *random_five_tuple(bool core)
{
    struct expr *x = expr_list(arena, EXPR_AND);
    uint32_t bits = rnd(33), mask = bits ? UINT32_MAX << (32 - bits) : 0;

    if (rnd(4))
        expr_add(arena, &x,
                 field(BASE_NET, 12, mask, rnd(4) << 24 | rnd(4) << 8 | rnd(8)));
    if (rnd(4))
        expr_add(arena, &x, field(BASE_NET, 16, UINT32_MAX, rnd(4) << 24 | rnd(4)));
    if (rnd(3))
        expr_add(arena, &x,
                 core ? field(BASE_NET, 6, 0xFF, rnd(3))
                      : field(BASE_NET, 8, 0xFF0000, rnd(3) << 16));
    if (rnd(2))
        expr_add(arena, &x, field(BASE_TRANSP, 0, 0xFFFF, rnd(5)));
    if (rnd(2))
        expr_add(arena, &x,
                 expr_test(arena, (struct expr_test){.base = BASE_TRANSP,
                                                     .op = EXPR_GT,
                                                     .negated = rnd(2),
                                                     .mask = 0xFFFF0000,
                                                     .value = rnd(1000) << 16}));
    return x;
}

TEST(five_tuple_rules_match_as_a_walk_over_them_does)
{
    for (unsigned round = 0; round < 60; round++) {
        struct classify *c;

        arena_free(arena);
        arena = arena_new(0);
        n_rules = 1 + rnd(RULES_MAX - 1);
        for (uint32_t i = 0; i < n_rules; i++)
            rules[i] = random_five_tuple(round % 2);
        c = build();
        compare(c, 400);
        classify_free(c);
    }
}

/* --- batches ---------------------------------------------------------------------- */

TEST(a_batch_of_packets_gets_what_each_of_them_gets)
{
    struct pkt_pool *pool = pkt_pool_new(0);
    struct pkt *p[BATCH_MAX];
    int out[BATCH_MAX];

    for (unsigned round = 0; round < 200; round++) {
        struct classify *c;
        uint32_t n = 1 + rnd(BATCH_MAX);

        arena_free(arena);
        arena = arena_new(0);
        n_rules = rnd(round % 4 ? 40 : RULES_MAX);
        for (uint32_t i = 0; i < n_rules; i++)
            rules[i] = rnd(8) ? random_five_tuple(round & 8) : random_tree(2);
        c = build();
        for (uint32_t i = 0; i < n; i++) {
            struct random_packet r;

            random_packet(&r);
            p[i] = pkt_new(pool, PKT_HEADROOM, r.bytes, r.view.len[BASE_DATA], 64);
            if (rnd(4))
                p[i]->mac = p[i]->data;
            if (rnd(20))
                p[i]->network = p[i]->data + 14;
            if (rnd(20))
                p[i]->transport = p[i]->data + 34;
        }
        if (classify_match_batch(c, p, n, out))
            for (uint32_t i = 1; i < n; i++)
                out[i] = out[0];
        for (uint32_t i = 0; i < n; i++) {
            struct expr_view v;

            expr_view_pkt(&v, p[i]);
            EXPECT_EQ(out[i], naive(&v));
            pkt_free(p[i]);
        }
        classify_free(c);
    }
    EXPECT_EQ(pkt_pool_free(pool), 0);
}

/* One or two words of the data decide; a batch of one kind, and with strays in it. */
TEST(a_batch_of_one_kind_is_known_by_its_first_packet)
{
    struct pkt_pool *pool = pkt_pool_new(0);
    struct pkt *p[BATCH_MAX];
    int out[BATCH_MAX];
    bool one_kind = false;

    for (unsigned round = 0; round < 400; round++) {
        struct classify *c;
        uint32_t n = 1 + rnd(BATCH_MAX), stray = rnd(2) ? rnd(n) : n, two = rnd(2);
        bool same;

        arena_free(arena);
        arena = arena_new(0);
        n_rules = 1 + rnd(6);
        for (uint32_t i = 0; i < n_rules; i++)
            rules[i] = field(BASE_DATA, two && i % 2 ? 20 : 12, 0xffff0000, i << 16);
        c = build();
        for (uint32_t i = 0; i < n; i++) {
            p[i] = pkt_new(pool, PKT_HEADROOM, NULL, i == stray ? rnd(30) : 30, 64);
            for (uint32_t at = 0; at < p[i]->len; at++)
                p[i]->data[at] = (uint8_t)(at == 13 || at == 21 ? 1
                                           : at > 13            ? rnd(9)
                                                                : 0);
            if (p[i]->len > 20)
                p[i]->data[20] = 0;
            if (i == stray && p[i]->len > 13)
                p[i]->data[13] = (uint8_t)rnd(7);
        }
        same = classify_match_batch(c, p, n, out);
        one_kind |= same && n > 1;
        for (uint32_t i = 0; i < n; i++) {
            struct expr_view v;

            expr_view_pkt(&v, p[i]);
            EXPECT_EQ(out[same ? 0 : i], naive(&v));
            pkt_free(p[i]);
        }
        classify_free(c);
    }
    EXPECT(one_kind);
    EXPECT_EQ(pkt_pool_free(pool), 0);
}

/* Fields of a train's packets that five-tuple rules look at, and a byte they do not. */
static struct pkt *train_packet(struct pkt_pool *pool, bool stray)
{
    uint32_t len = stray && rnd(3) == 0 ? rnd(40) : 40;
    struct pkt *p = pkt_new(pool, PKT_HEADROOM, NULL, len, 64);

    memset(p->data, 0, len);
    p->network = p->data + 14;
    p->transport = p->data + 34;
    if (len > 22)
        p->data[22] = (uint8_t)rnd(256); /* TTL */
    if (len > 33)
        p->data[14 + 19] = (uint8_t)(stray ? rnd(4) : 1);
    return p;
}

TEST(a_train_of_one_flow_is_known_by_its_first_packet)
{
    struct pkt_pool *pool = pkt_pool_new(0);
    struct pkt *p[BATCH_MAX];
    int out[BATCH_MAX];
    unsigned trains = 0;

    for (unsigned round = 0; round < 400; round++) {
        struct classify *c;
        uint32_t n = 1 + rnd(BATCH_MAX), stray = rnd(2) ? rnd(n) : n;
        bool same;

        arena_free(arena);
        arena = arena_new(0);
        n_rules = 1 + rnd(rnd(2) ? 10 : RULES_MAX);
        for (uint32_t i = 0; i < n_rules; i++)
            rules[i] = random_five_tuple(true);
        c = build();
        for (uint32_t i = 0; i < n; i++)
            p[i] = train_packet(pool, i == stray);
        same = classify_match_batch(c, p, n, out);
        trains += same && n > 1;
        for (uint32_t i = 0; i < n; i++) {
            struct expr_view v;

            expr_view_pkt(&v, p[i]);
            EXPECT_EQ(out[same ? 0 : i], naive(&v));
            pkt_free(p[i]);
        }
        classify_free(c);
    }
    EXPECT(trains > 100);
    EXPECT_EQ(pkt_pool_free(pool), 0);
}

/* --- size ------------------------------------------------------------------------- */

TEST(no_rules_match_nothing)
{
    struct classify *c = build();

    compare(c, 5);
    classify_free(c);
}

TEST(rules_behind_one_for_all_packets_cost_nothing)
{
    struct classify *c;

    rules[n_rules++] = expr_true(arena);
    while (n_rules < RULES_MAX)
        rules[n_rules++] = random_five_tuple(true);
    c = build();
    EXPECT_EQ(classify_stats(c).terms, 0);
    compare(c, 5);
    classify_free(c);
}

/* All in one bucket: one by one they would take as long as there are rules. */
TEST(rules_that_crowd_a_bucket_go_to_trees)
{
    struct classify *c;

    while (n_rules < RULES_MAX) {
        struct expr *x = expr_list(arena, EXPR_AND);

        expr_add(arena, &x, field(BASE_NET, 12, UINT32_MAX, 1));
        expr_add(arena, &x,
                 field(BASE_NET, 16, 0xFFFFFF00u << n_rules % 24, rnd(1 << 30)));
        expr_add(arena, &x,
                 expr_test(arena, (struct expr_test){.base = BASE_TRANSP,
                                                     .op = EXPR_GT,
                                                     .mask = 0xFFFF0000,
                                                     .value = n_rules << 16}));
        rules[n_rules++] = x;
    }
    c = build();
    EXPECT(classify_stats(c).trees > 0);
    compare(c, 1000);
    classify_free(c);
}

/* 2^40 conjunctions, if they were written out. */
TEST(a_tree_that_would_explode_stays_small)
{
    struct expr *x = expr_list(arena, EXPR_AND), *y;
    struct classify *c;

    for (uint32_t i = 0; i < 40; i++) {
        y = expr_list(arena, EXPR_OR);
        expr_add(arena, &y, field(BASE_NET, 12, 1u << (i % 32), rnd(2) << (i % 32)));
        expr_add(arena, &y, field(BASE_NET, 16, 1u << (i % 32), rnd(2) << (i % 32)));
        expr_add(arena, &x, y);
    }
    rules[n_rules++] = x;
    c = build();
    EXPECT_EQ(classify_stats(c).terms, 1);
    compare(c, 500);
    classify_free(c);
}

static uint32_t records_per_term(uint32_t n)
{
    struct classify_builder *b = classify_builder_new();
    struct classify *c;
    uint32_t ratio;

    for (uint32_t i = 0; i < n; i++) {
        struct arena *a = arena_new(0);
        struct expr *x = expr_list(a, EXPR_AND);

        for (uint16_t w = 0; w < 3; w++)
            expr_add(
                a, &x,
                expr_test(a, (struct expr_test){.base = w < 2 ? BASE_NET : BASE_TRANSP,
                                                .offset = w < 2 ? 12 + 4 * w : 0,
                                                .mask = UINT32_MAX,
                                                .value = rnd(UINT32_MAX)}));
        EXPECT_EQ(classify_add(b, x, 0), 0);
        arena_free(a);
    }
    c = classify_build(b);
    ratio = classify_stats(c).records / n;
    EXPECT_EQ(classify_stats(c).tables, 1);
    EXPECT_EQ(classify_stats(c).trees, 0);
    EXPECT(classify_stats(c).bytes < 200 * n + 4096);
    classify_free(c);
    return ratio;
}

TEST(memory_grows_with_the_rules_and_no_faster)
{
    EXPECT_EQ(records_per_term(1000), 1);
    EXPECT_EQ(records_per_term(30000), 1);
}
