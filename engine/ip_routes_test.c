// SPDX-License-Identifier: BSD-3-Clause
#include "engine/ip_routes.h"

#include "tests/test.h"

static struct ip_routes t;
static uint32_t seed;

SETUP()
{
    t = (struct ip_routes){.stale = true};
    seed = 1;
}

TEARDOWN()
{
    ip_routes_fini(&t);
}

static uint32_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}

static struct ip_route route(uint32_t host, unsigned len, int port)
{
    uint32_t mask = len ? ~0u << (32 - len) : 0;

    return (struct ip_route){
        .addr = be32(host & mask), .mask = be32(mask), .port = port};
}

static int add(uint32_t host, unsigned len, int port)
{
    struct ip_route r = route(host, len, port);

    return ip_routes_add(&t, &r, false, NULL);
}

static int port_of(uint32_t host)
{
    if (t.stale)
        ip_routes_distill(&t);
    return ip_routes_find(&t, be32(host)).port;
}

TEST(an_empty_table_has_no_route)
{
    EXPECT_EQ(port_of(0), -1);
    EXPECT_EQ(port_of(0xffffffff), -1);
}

TEST(the_longest_prefix_wins)
{
    EXPECT_EQ(add(0, 0, 0), 0);
    EXPECT_EQ(add(0x0a000000, 8, 1), 0);
    EXPECT_EQ(add(0x0a010000, 16, 2), 0);
    EXPECT_EQ(add(0x0a010203, 32, 3), 0);
    EXPECT_EQ(port_of(0x01020304), 0);
    EXPECT_EQ(port_of(0x0a020304), 1);
    EXPECT_EQ(port_of(0x0a010202), 2);
    EXPECT_EQ(port_of(0x0a010203), 3);
    EXPECT_EQ(port_of(0x0a010204), 2);
    EXPECT_EQ(port_of(0x0affffff), 1);
    EXPECT_EQ(port_of(0xffffffff), 0);
}

TEST(a_second_route_to_a_network_needs_leave_to_replace)
{
    struct ip_route r = route(0x0a000000, 8, 5), old;

    EXPECT_EQ(add(0x0a000000, 8, 1), 0);
    EXPECT_EQ(ip_routes_add(&t, &r, false, &old), ROUTES_EXIST);
    EXPECT_EQ(old.port, 1);
    EXPECT_EQ(port_of(0x0a000001), 1);
    EXPECT_EQ(ip_routes_add(&t, &r, true, &old), 0);
    EXPECT_EQ(port_of(0x0a000001), 5);
}

TEST(a_removed_route_uncovers_the_one_around_it)
{
    struct ip_route r = route(0x0a010000, 16, 7);

    EXPECT_EQ(add(0x0a000000, 8, 1), 0);
    EXPECT_EQ(add(0x0a010000, 16, 2), 0);
    EXPECT_EQ(ip_routes_remove(&t, &r, NULL), ROUTES_MISSING);
    r.port = -1;
    EXPECT_EQ(ip_routes_remove(&t, &r, NULL), 0);
    EXPECT_EQ(port_of(0x0a010001), 1);
    EXPECT_EQ(ip_routes_remove(&t, &r, NULL), ROUTES_MISSING);
}

TEST(masks_that_are_no_prefixes_match_as_well)
{
    struct ip_route odd = {
        .addr = be32(0x00000001), .mask = be32(0x000000ff), .port = 4};

    EXPECT_EQ(add(0, 0, 0), 0);
    EXPECT_EQ(ip_routes_add(&t, &odd, false, NULL), 0);
    EXPECT_EQ(port_of(0x05060701), 4);
    EXPECT_EQ(port_of(0x05060702), 0);
}

/* Random nested networks, looked up at and around their edges the fast and the slow way. */
static void compare_with_linear(unsigned n, unsigned removals)
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t host = rnd() & (i % 3 ? 0xffffffffu : 0x0a0fffffu);
        (void)add(host, i % 50 ? rnd() % 33 : 8, (int)(rnd() % 20));
    }
    for (unsigned i = 0; i < removals; i++) {
        struct ip_route r = t.route[rnd() % t.n];
        if (r.port >= 0)
            EXPECT_EQ(ip_routes_remove(&t, &r, NULL), 0);
    }
    ip_routes_distill(&t);
    EXPECT(!t.linear);
    for (unsigned i = 0; i < 4 * n; i++) {
        const struct ip_route *r = &t.route[i % t.n];
        uint32_t at = i & 1 ? be32(r->addr) : be32(r->addr | ~r->mask);
        at += rnd() % 3 - 1;
        EXPECT_EQ(ip_routes_find(&t, be32(at)).port,
                  ip_routes_find_linear(&t, be32(at)).port);
    }
}

TEST(a_small_table_agrees_with_the_list)
{
    compare_with_linear(40, 5);
    EXPECT(t.chunks == NULL);
}

TEST(a_large_table_agrees_with_the_list)
{
    compare_with_linear(3000, 500);
    EXPECT(t.chunks != NULL);
}

TEST(many_routes_stay_within_a_few_bytes_each)
{
    for (unsigned i = 0; i < 200000; i++)
        (void)add(rnd(), 16 + rnd() % 9, (int)(rnd() % 64));
    ip_routes_distill(&t);
    EXPECT(ip_routes_lookup_bytes(&t) < 4u << 20);
}
