// SPDX-License-Identifier: BSD-3-Clause
/* single.c -- limits of those that get packets one by one: see limits.h */

#include "bench/limits/limits.h"

#include <string.h>

void limit_one_discard(struct limit *l, uint64_t n)
{
    struct limit_pkt p;

    for (; n; n--) {
        limit_source_one(l, &p, n);
        limit_discard(l, &p, 1);
    }
}

/* Into the ring and out of it again. */
void limit_one_queue(struct limit *l, uint64_t n)
{
    struct limit_pkt p;

    for (; n; n--) {
        limit_source_one(l, &p, n);
        limit_put(l, &p, 1);
        limit_discard(l, &p, limit_get_one(l, &p));
    }
}

void limit_one_mirror(struct limit *l, uint64_t n)
{
    struct limit_pkt p;

    for (; n; n--) {
        uint8_t mac[6];

        limit_source_one(l, &p, n);
        limit_own(l, &p);
        memcpy(mac, p.data, 6);
        memcpy(p.data, p.data + 6, 6);
        memcpy(p.data + 6, mac, 6);
        limit_discard(l, &p, 1);
    }
}
