// SPDX-License-Identifier: BSD-3-Clause
/*
 * order.h -- things in the order of their names, which come and go while somebody reads
 *
 * Whoever goes through a hundred thousand of them a few at a time remembers a name and asks
 * for what follows it, whether or not the one of that name is still there. A search tree
 * whose shape is as random as its seed (a treap): everything takes the logarithm.
 *
 * Memory: the nodes lie in the things, the names beside them.
 */

#ifndef CTL_ORDER_H
#define CTL_ORDER_H

#include <stdint.h>

struct order_node {
    const char *name;                /* borrowed */
    struct order_node *left, *right; /* names before and behind */
    uint64_t rank;                   /* no node is above one of a higher rank */
};

struct order {
    struct order_node *root; /* borrowed */
    uint64_t seed;
};

/* The name is not there yet. */
void order_add(struct order *o, struct order_node *n, const char *name);
void order_remove(struct order *o, const struct order_node *n);

/* The first one whose name comes behind `name`, as strcmp() has it; NULL: none does. */
struct order_node *order_next(const struct order *o, const char *name);

#endif
