// SPDX-License-Identifier: BSD-3-Clause
/* pkt_pool.c -- a pool as a whole: made, given memory, asked and freed; see pkt.h */

#include "engine/pkt.h"

#include "engine/pkt_pool.h"

struct pkt_pool *pkt_pool_new(size_t max_packets)
{
    struct pkt_pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pool->max_records = max_packets ? max_packets : SIZE_MAX;
    pool->ordinary.pool = pool->odd.pool = pool;
    for (int i = 0; i < PKT_KINDS; i++)
        pool->area[i].free.pool = pool;
    return pool;
}

void pkt_pool_set_wide(struct pkt_pool *pool, bool wide)
{
    pool->wide = wide;
}

bool pkt_pool_wide(const struct pkt_pool *pool)
{
    return pool->wide;
}

unsigned pkt_pool_set_keeps(struct pkt_pool *pool, unsigned parts)
{
    unsigned was = pool->keeps;

    pool->pattern.buf = NULL; /* those that did write may still have clones */
    pool->keeps = parts;
    return was;
}

size_t pkt_pool_free(struct pkt_pool *pool)
{
    struct slab *s, *next;
    size_t live;

    if (!pool)
        return 0;
    live = pkt_pool_live(pool);
    for (size_t i = 0; i < pool->ordinary.n; i++) {
        UNPOISON(pool->ordinary.buf[i]->head, ROOM);
        private_free(pool->ordinary.buf[i]);
    }
    for (s = pool->slabs; s; s = next) {
        next = s->next;
        UNPOISON(s->records, SLAB_RECORDS * sizeof(struct pkt));
        free(s->memory);
    }
    while (pool->chunks) {
        struct pkt_chunk *c = pool->chunks;

        pool->chunks = c->next;
        free(c);
    }
    free(pool->bare);
    free(pool->ordinary.buf);
    for (int i = 0; i < PKT_KINDS; i++) {
        free(pool->area[i].free.buf);
        free(pool->area[i].bufs_memory);
    }
    free(pool);
    return live;
}

static int area_add(struct area *a, uint8_t *base, uint32_t size, uint32_t n)
{
    uint8_t *bufs;
    struct buf **free_bufs;

    if (!n)
        return 0;
    bufs = calloc(1, (size_t)n * sizeof(struct buf) + LINE - 1);
    free_bufs = calloc(n, sizeof(struct buf *));
    if (!bufs || !free_bufs) {
        free(bufs);
        free(free_bufs);
        return -1;
    }
    a->bufs_memory = bufs;
    a->bufs = (void *)(bufs + (-(uintptr_t)bufs & (LINE - 1)));
    a->free.buf = free_bufs;
    a->free.room = n;
    a->base = base;
    a->size = size;
    a->n = n;
    return 0;
}

int pkt_pool_add_buffers(struct pkt_pool *pool, uint8_t *base, uint32_t size,
                         uint32_t n)
{
    pool->area[PKT_WHOLE].share = 1;
    return area_add(&pool->area[PKT_WHOLE], base, size, n);
}

int pkt_pool_add_short(struct pkt_pool *pool, uint8_t *base, uint32_t size, uint32_t n,
                       uint32_t first, uint32_t share)
{
    pool->area[PKT_SHORT].first = first;
    pool->area[PKT_SHORT].share = share;
    return area_add(&pool->area[PKT_SHORT], base, size, n);
}

size_t pkt_pool_live(const struct pkt_pool *pool)
{
    return records_live(pool);
}

void pkt_pool_each_free(const struct pkt_pool *pool,
                        void (*each)(void *ctx, uint32_t number), void *ctx)
{
    const struct stack *s = &pool->area[PKT_WHOLE].free;

    for (uint32_t i = 0; i < s->n; i++)
        each(ctx, s->buf[i]->number);
}

void pkt_pool_on_empty(struct pkt_pool *pool, void (*reclaim)(void *ctx), void *ctx)
{
    pool->reclaim = reclaim;
    pool->reclaim_ctx = ctx;
}
