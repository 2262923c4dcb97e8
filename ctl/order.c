// SPDX-License-Identifier: BSD-3-Clause
/* order.c -- things in the order of their names: see order.h */

#include "ctl/order.h"

#include "base/strmap.h"

#include <stddef.h>
#include <string.h>

/* Cut the tree at `t` in two: what comes before the name, and what comes behind it. */
static void split(struct order_node *t, const char *name, struct order_node **before,
                  struct order_node **behind)
{
    while (t) {
        if (strcmp(t->name, name) < 0) {
            *before = t;
            before = &t->right;
            t = t->right;
        } else {
            *behind = t;
            behind = &t->left;
            t = t->left;
        }
    }
    *before = *behind = NULL;
}

void order_add(struct order *o, struct order_node *n, const char *name)
{
    struct order_node **at = &o->root;

    n->name = name;
    n->rank = strmap_hash(o->seed, name, strlen(name));
    while (*at && (*at)->rank >= n->rank)
        at = strcmp((*at)->name, name) < 0 ? &(*at)->right : &(*at)->left;
    split(*at, name, &n->left, &n->right);
    *at = n;
}

void order_remove(struct order *o, const struct order_node *n)
{
    struct order_node **at = &o->root, *before = n->left, *behind = n->right;

    while (*at != n)
        at = strcmp((*at)->name, n->name) < 0 ? &(*at)->right : &(*at)->left;
    while (before && behind) {
        if (before->rank >= behind->rank) {
            *at = before;
            at = &before->right;
            before = before->right;
        } else {
            *at = behind;
            at = &behind->left;
            behind = behind->left;
        }
    }
    *at = before ? before : behind;
}

struct order_node *order_next(const struct order *o, const char *name)
{
    struct order_node *t = o->root, *found = NULL;

    while (t) {
        if (strcmp(t->name, name) > 0) {
            found = t;
            t = t->left;
        } else {
            t = t->right;
        }
    }
    return found;
}
