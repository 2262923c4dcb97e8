// SPDX-License-Identifier: BSD-3-Clause
/* basic.c -- limits of sources, queues and counters: see limits.h */

#include "bench/limits/limits.h"

#include <stdlib.h>
#include <string.h>

int limit_init(struct limit *l, const uint8_t *template, uint32_t len)
{
    memset(l, 0, sizeof *l);
    l->template = template;
    l->template_len = len;
    l->room = malloc((size_t)LIMIT_POOL * LIMIT_ROOM);
    for (uint32_t i = 0; i < LIMIT_POOL; i++)
        l->free[l->n_free++] = LIMIT_POOL - 1 - i;
    return l->room ? 0 : -1;
}

void limit_fini(struct limit *l)
{
    free(l->room);
    l->room = NULL;
}

void limit_source_discard(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b, LIMIT_BATCH);
        limit_discard(l, b, LIMIT_BATCH);
    }
}

/* Into a ring of 1024 and out of it again, a batch each. */
void limit_queue(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];
    unsigned head = 0, tail = 0;

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b, LIMIT_BATCH);
        memcpy(&l->queue[head], b, sizeof b);
        head = (head + LIMIT_BATCH) % 1024;
        __asm__ volatile("" : : : "memory");
        memcpy(b, &l->queue[tail], sizeof b);
        tail = (tail + LIMIT_BATCH) % 1024;
        limit_discard(l, b, LIMIT_BATCH);
    }
}

static inline void count(struct limit *l, const struct limit_pkt *b)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < LIMIT_BATCH; i++)
        bytes += b[i].len;
    l->packets += LIMIT_BATCH;
    l->bytes += bytes;
    __asm__ volatile("" : : : "memory");
}

void limit_counter(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b, LIMIT_BATCH);
        count(l, b);
        limit_discard(l, b, LIMIT_BATCH);
    }
}

void limit_counters10(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b, LIMIT_BATCH);
        for (unsigned i = 0; i < 10; i++)
            count(l, b);
        limit_discard(l, b, LIMIT_BATCH);
    }
}
