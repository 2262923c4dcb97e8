// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt.c -- packets, their buffers and the pool both come from: see pkt.h
 *
 * Free records are kept in three stacks, the hottest on top: with a numbered buffer, with
 * a heap buffer, and bare. A record keeps its buffer while it is free, so that the common
 * life of a packet, new and free, moves one pointer. The bare ones, which clones are made
 * of, are an array, so that a batch of them is taken without a chain of loads.
 *
 * Under AddressSanitizer free records and buffers are poisoned.
 */

#include "engine/pkt.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(at, n)   ASAN_POISON_MEMORY_REGION(at, n)
#define UNPOISON(at, n) ASAN_UNPOISON_MEMORY_REGION(at, n)
#else
#define POISON(at, n)   ((void)0)
#define UNPOISON(at, n) ((void)0)
#endif

enum {
    ROOM = 2048,       /* bytes of an ordinary heap buffer */
    SLAB_RECORDS = 31, /* records that are allocated at once: with the header, a page */
};

struct slab { /* stands behind its records, which are aligned to cache lines */
    struct slab *next;
    void *memory;        /* what malloc() gave */
    struct pkt *records; /* [SLAB_RECORDS] */
};

struct pkt_pool {
    struct pkt *numbered, *ordinary; /* stacks of free records */
    struct pkt **bare; /* owned; [n_bare] in use, bare_room >= n_records */
    size_t n_bare, bare_room;
    size_t live, n_records, max_records;
    struct slab *slabs;

    /* Numbered buffers: `fresh` is the first one that was never used. */
    uint8_t *base;
    uint32_t size, n_numbered, fresh;
    struct buf *bufs;       /* [n_numbered], owned */
    struct pkt **by_number; /* [n_numbered], owned */

    void (*reclaim)(void *ctx);
    void *reclaim_ctx;
};

struct pkt_pool *pkt_pool_new(size_t max_packets)
{
    struct pkt_pool *pool = calloc(1, sizeof *pool);

    if (pool)
        pool->max_records = max_packets ? max_packets : SIZE_MAX;
    return pool;
}

static struct pkt *stack_pop(struct pkt **stack)
{
    struct pkt *p = *stack;

    if (p) {
        UNPOISON(p, sizeof *p);
        *stack = p->next;
    }
    return p;
}

static void stack_push(struct pkt **stack, struct pkt *p)
{
    p->next = *stack;
    *stack = p;
    POISON(p, sizeof *p);
}

static void buf_release(struct buf *b)
{
    if (b->number == BUF_PRIVATE) {
        UNPOISON(b->head, b->room);
        free(b);
    }
}

size_t pkt_pool_free(struct pkt_pool *pool)
{
    struct pkt *p;
    struct slab *s, *next;
    size_t live;

    if (!pool)
        return 0;
    live = pool->live;
    while ((p = stack_pop(&pool->ordinary)))
        buf_release(p->buf);
    for (s = pool->slabs; s; s = next) {
        next = s->next;
        UNPOISON(s->records, SLAB_RECORDS * sizeof(struct pkt));
        free(s->memory);
    }
    free(pool->bare);
    free(pool->by_number);
    free(pool->bufs);
    free(pool);
    return live;
}

int pkt_pool_add_buffers(struct pkt_pool *pool, uint8_t *base, uint32_t size,
                         uint32_t n)
{
    struct buf *bufs = calloc(n, sizeof *bufs);
    struct pkt **by_number = calloc(n, sizeof(struct pkt *));

    if (!bufs || !by_number) {
        free(bufs);
        free(by_number);
        return -1;
    }
    pool->bufs = bufs;
    pool->by_number = by_number;
    pool->base = base;
    pool->size = size;
    pool->n_numbered = n;
    pool->fresh = 0;
    return 0;
}

struct pkt *pkt_pool_by_number(struct pkt_pool *pool, uint32_t number)
{
    return number < pool->n_numbered ? pool->by_number[number] : NULL;
}

size_t pkt_pool_live(const struct pkt_pool *pool)
{
    return pool->live;
}

void pkt_pool_on_empty(struct pkt_pool *pool, void (*reclaim)(void *ctx), void *ctx)
{
    pool->reclaim = reclaim;
    pool->reclaim_ctx = ctx;
}

static void bare_push(struct pkt_pool *pool, struct pkt *p)
{
    pool->bare[pool->n_bare++] = p;
    POISON(p, sizeof *p);
}

/* Room for the records that there are and another slab's. */
static int bare_reserve(struct pkt_pool *pool)
{
    size_t room = pool->bare_room ? 2 * pool->bare_room : 4 * SLAB_RECORDS;
    struct pkt **bare;

    if (pool->n_records + SLAB_RECORDS <= pool->bare_room)
        return 0;
    bare = realloc(pool->bare, room * sizeof(struct pkt *));
    if (!bare)
        return -1;
    pool->bare = bare;
    pool->bare_room = room;
    return 0;
}

static int slab_add(struct pkt_pool *pool)
{
    size_t bytes = SLAB_RECORDS * sizeof(struct pkt);
    struct slab *s;
    uint8_t *memory;

    if (pool->n_records >= pool->max_records || bare_reserve(pool) < 0)
        return -1;
    memory = malloc(bytes + sizeof *s + 63);
    if (!memory)
        return -1;
    s = (void *)(memory + (-(uintptr_t)memory & 63) + bytes);
    s->memory = memory;
    s->records = (void *)((uint8_t *)s - bytes);
    s->next = pool->slabs;
    pool->slabs = s;
    pool->n_records += SLAB_RECORDS;
    for (unsigned i = SLAB_RECORDS; i-- > 0;)
        bare_push(pool, &s->records[i]);
    return 0;
}

static inline struct pkt *bare_new(struct pkt_pool *pool)
{
    struct pkt *p;

    if (__builtin_expect(!pool->n_bare, 0) && slab_add(pool) < 0)
        return NULL;
    p = pool->bare[--pool->n_bare];
    UNPOISON(p, sizeof *p);
    return p;
}

/* A record with a numbered buffer that was never used before. */
static struct pkt *numbered_fresh(struct pkt_pool *pool)
{
    struct pkt *p;
    struct buf *b;

    if (pool->fresh == pool->n_numbered)
        return NULL;
    p = bare_new(pool);
    if (!p)
        return NULL;
    b = &pool->bufs[pool->fresh];
    *b = (struct buf){.head = pool->base + (size_t)pool->fresh * pool->size,
                      .room = pool->size,
                      .pool = pool,
                      .number = pool->fresh};
    pool->fresh++;
    p->buf = b;
    return p;
}

/* A record with a heap buffer of `room` bytes. */
static struct pkt *private_fresh(struct pkt_pool *pool, uint32_t room)
{
    struct pkt *p = bare_new(pool);
    struct buf *b;

    if (!p)
        return NULL;
    b = malloc(sizeof *b + room);
    if (!b) {
        bare_push(pool, p);
        return NULL;
    }
    *b = (struct buf){
        .head = (uint8_t *)(b + 1), .room = room, .pool = pool, .number = BUF_PRIVATE};
    p->buf = b;
    return p;
}

static struct pkt *numbered_take(struct pkt_pool *pool)
{
    struct pkt *p = stack_pop(&pool->numbered);

    return p ? p : numbered_fresh(pool);
}

/* A record whose buffer has `room` bytes or more, refs not set. */
static struct pkt *full_try(struct pkt_pool *pool, uint32_t room)
{
    struct pkt *p;

    if (room <= pool->size && (p = numbered_take(pool)))
        return p;
    if (room > ROOM)
        return private_fresh(pool, room);
    if ((p = stack_pop(&pool->ordinary))) {
        UNPOISON(p->buf->head, p->buf->room);
        return p;
    }
    return private_fresh(pool, ROOM);
}

static struct pkt *full_new(struct pkt_pool *pool, uint32_t room)
{
    struct pkt *p = full_try(pool, room);

    if (!p && pool->reclaim) {
        pool->reclaim(pool->reclaim_ctx);
        p = full_try(pool, room);
    }
    return p;
}

/* Everything but the buffer as in a new packet. */
static void record_reset(struct pkt *p, uint8_t *data, uint32_t len)
{
    struct buf *b = p->buf;

    memset(p, 0, sizeof *p);
    p->buf = b;
    p->data = data;
    p->len = len;
    b->refs = 1;
}

struct pkt *pkt_new(struct pkt_pool *pool, uint32_t headroom, const void *data,
                    uint32_t len, uint32_t tailroom)
{
    struct pkt *p;

    if (len > PKT_MAX_LEN || headroom > PKT_MAX_LEN || tailroom > PKT_MAX_LEN)
        return NULL;
    p = full_new(pool, headroom + len + tailroom);
    if (!p)
        return NULL;
    record_reset(p, p->buf->head + headroom, len);
    if (data && len)
        memcpy(p->data, data, len);
    pool->live++;
    return p;
}

struct pkt *pkt_new_numbered(struct pkt_pool *pool)
{
    struct pkt *p = numbered_take(pool);

    if (!p)
        return NULL;
    record_reset(p, p->buf->head + PKT_HEADROOM, 0);
    pool->by_number[p->buf->number] = p;
    pool->live++;
    return p;
}

/* Put a record back whose buffer is its own. */
static void full_return(struct pkt_pool *pool, struct pkt *p)
{
    struct buf *b = p->buf;

    if (b->number != BUF_PRIVATE) {
        stack_push(&pool->numbered, p);
    } else if (b->room == ROOM) {
        POISON(b->head, b->room);
        stack_push(&pool->ordinary, p);
    } else {
        free(b);
        bare_push(pool, p);
    }
}

void pkt_free(struct pkt *p)
{
    struct pkt_pool *pool;

    if (!p)
        return;
    pool = p->buf->pool;
    pool->live--;
    if (--p->buf->refs)
        bare_push(pool, p);
    else
        full_return(pool, p);
}

/* Release `n` packets that refer to the same buffer. */
static void run_free(struct pkt **p, uint32_t n, struct buf *b)
{
    struct pkt_pool *pool = b->pool;

    pool->live -= n;
    b->refs -= n;
    if (!b->refs)
        full_return(pool, p[--n]);
    for (uint32_t i = 0; i < n; i++)
        bare_push(pool, p[i]);
}

void batch_free(struct batch *b)
{
    uint32_t i = 0;

    while (i < b->n) {
        struct buf *buf = b->p[i]->buf;
        uint32_t end = i + 1;

        while (end < b->n && b->p[end]->buf == buf)
            end++;
        run_free(&b->p[i], end - i, buf);
        i = end;
    }
    b->n = 0;
}

struct pkt *pkt_clone(struct pkt *p)
{
    struct pkt_pool *pool = p->buf->pool;
    struct pkt *c = bare_new(pool);

    if (!c)
        return NULL;
    *c = *p;
    c->next = NULL;
    p->buf->refs++;
    pool->live++;
    return c;
}

uint32_t batch_clone(struct batch *b, struct pkt *p, uint32_t n)
{
    struct pkt_pool *pool = p->buf->pool;
    const struct pkt copy = *p;
    uint32_t made;

    for (made = 0; made < n; made++) {
        struct pkt *c = bare_new(pool);

        if (!c)
            break;
        *c = copy;
        batch_add(b, c);
    }
    p->buf->refs += made;
    pool->live += made;
    return made;
}

static uint8_t *moved(const struct pkt *p, uint8_t *at, uint8_t *data)
{
    return at ? data + (at - p->data) : NULL;
}

/* Point `p` at `data`, where its bytes now are. */
static void headers_move(struct pkt *p, uint8_t *data)
{
    p->mac = moved(p, p->mac, data);
    p->network = moved(p, p->network, data);
    p->transport = moved(p, p->transport, data);
    p->data = data;
}

/* Exchange the buffer of `p` for a fresh one with `headroom` bytes before the data. All
 * bytes before the data come along, as far as they fit: a stripped header can be put back. */
static int rebuffer(struct pkt *p, uint32_t headroom, uint32_t tailroom)
{
    struct pkt_pool *pool = p->buf->pool;
    uint32_t before = pkt_headroom(p), keep;
    struct buf *old = p->buf;
    struct pkt *fresh;

    if (headroom > PKT_MAX_LEN || tailroom > PKT_MAX_LEN || p->len > PKT_MAX_LEN)
        return -1;
    if (headroom + p->len + tailroom > ROOM && headroom + p->len + tailroom < 4 * ROOM)
        tailroom += ROOM; /* it will not be the last time */
    fresh = full_new(pool, headroom + p->len + tailroom);
    if (!fresh)
        return -1;
    keep = before < headroom ? before : headroom;
    memcpy(fresh->buf->head + headroom - keep, p->data - keep, keep + p->len);
    p->buf = fresh->buf;
    p->buf->refs = 1;
    headers_move(p, p->buf->head + headroom);
    fresh->buf = old;
    if (--old->refs)
        bare_push(pool, fresh);
    else
        full_return(pool, fresh);
    return 0;
}

int pkt_make_writable(struct pkt *p)
{
    if (!pkt_shared(p))
        return 0;
    return rebuffer(p, pkt_headroom(p), pkt_tailroom(p) < 64 ? pkt_tailroom(p) : 64);
}

int pkt_expand(struct pkt *p, uint32_t headroom, uint32_t tailroom)
{
    if (!pkt_shared(p) && pkt_headroom(p) >= headroom && pkt_tailroom(p) >= tailroom)
        return 0;
    if (headroom < pkt_headroom(p))
        headroom = pkt_headroom(p);
    return rebuffer(p, headroom, tailroom);
}
