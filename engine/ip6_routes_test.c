// SPDX-License-Identifier: BSD-3-Clause
#include "engine/ip6_routes.h"
#include "tests/test.h"

#include <string.h>

static uint64_t state = 88172645463325252u;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static bool covers(const struct ip6_route *r, const struct ip6_addr *a)
{
    for (uint32_t i = 0; i < r->len; i++)
        if ((r->addr.b[i / 8] ^ a->b[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

static const struct ip6_route *search(const struct ip6_routes *t,
                                      const struct ip6_addr *a)
{
    const struct ip6_route *best = NULL;

    for (uint32_t i = 0; i < t->n; i++)
        if (covers(&t->route[i], a) && (!best || t->route[i].len > best->len))
            best = &t->route[i];
    return best;
}

/* Addresses with few different bytes share prefixes often. */
static struct ip6_addr some_address(void)
{
    struct ip6_addr a;

    for (int i = 0; i < 16; i++)
        a.b[i] = (uint8_t)(next_random() % 3 * 0x55);
    return a;
}

TEST(the_trie_agrees_with_a_search_of_all_routes)
{
    struct ip6_routes t = {0};

    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 20; i++) {
            struct ip6_route r = {.addr = some_address(), .port = next_random() % 8};

            r.len = next_random() % 129;
            EXPECT_EQ(ip6_routes_add(&t, &r), 0);
        }
        for (int i = 0; i < 4; i++) {
            struct ip6_route r = t.route[next_random() % t.n];

            EXPECT_EQ(ip6_routes_remove(&t, &r.addr, r.len), true);
            EXPECT_EQ(ip6_routes_remove(&t, &r.addr, r.len), false);
        }
        for (int i = 0; i < 200; i++) {
            struct ip6_addr a = some_address();

            if (i % 2)
                a = t.route[next_random() % t.n].addr;
            EXPECT_EQ(ip6_routes_lookup(&t, &a) == search(&t, &a), 1);
        }
    }
    ip6_routes_fini(&t);
}

TEST(an_empty_table_has_no_route)
{
    struct ip6_routes t = {0};
    struct ip6_addr a = {{0}};

    EXPECT_EQ(ip6_routes_lookup(&t, &a) == NULL, 1);
    ip6_routes_fini(&t);
}
