// SPDX-License-Identifier: BSD-3-Clause
#include "ctl/order.h"

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 5000 };

struct thing {
    char name[16];
    struct order_node node;
    int there;
};

static struct thing things[MANY];
static struct order order;

SETUP()
{
    order = (struct order){.seed = 7};
    memset(things, 0, sizeof things);
}

static void add(int i)
{
    snprintf(things[i].name, sizeof things[i].name, "t%05d", i);
    things[i].there = 1;
    order_add(&order, &things[i].node, things[i].name);
}

/* All that are there, in order, and nothing else. */
static void check_all(void)
{
    const struct order_node *n = order_next(&order, "");

    for (int i = 0; i < MANY; i++) {
        if (!things[i].there)
            continue;
        EXPECT(n == &things[i].node);
        n = order_next(&order, things[i].name);
    }
    EXPECT(n == NULL);
}

TEST(names_come_in_their_order)
{
    EXPECT(order_next(&order, "") == NULL);
    for (int i = 0; i < MANY; i++)
        add(i * 2003 % MANY);
    check_all();
}

TEST(what_is_removed_is_gone_and_its_name_still_has_a_place)
{
    for (int i = 0; i < MANY; i++)
        add(i);
    for (int i = 0; i < MANY; i++) {
        int at = i * 1009 % MANY;

        if (at % 3 == 0)
            continue;
        order_remove(&order, &things[at].node);
        things[at].there = 0;
    }
    check_all();
    EXPECT(order_next(&order, "t00001") == &things[3].node);
    EXPECT(order_next(&order, "t0000") == &things[0].node);
    EXPECT(order_next(&order, things[MANY - 2].name) == NULL);
}

TEST(names_in_a_row_make_no_deep_tree)
{
    struct {
        const struct order_node *node;
        int depth;
    } stack[MANY];
    int n = 0, deepest = 0;

    for (int i = 0; i < MANY; i++)
        add(i);
    stack[n].node = order.root;
    stack[n++].depth = 1;
    while (n) {
        const struct order_node *at = stack[--n].node;
        int depth = stack[n].depth;

        if (!at)
            continue;
        deepest = depth > deepest ? depth : deepest;
        stack[n].node = at->left;
        stack[n++].depth = depth + 1;
        stack[n].node = at->right;
        stack[n++].depth = depth + 1;
    }
    EXPECT(deepest < 60);
}
