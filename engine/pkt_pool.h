// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt_pool.h -- the pool from inside: for pkt.c, where it is described, and those beside it
 */

#ifndef ENGINE_PKT_POOL_H
#define ENGINE_PKT_POOL_H

#include "engine/pkt.h"

#include "engine/pkt_record.h"

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
    ROOM = 2048, /* bytes of an ordinary heap buffer */
    LINE = 64,   /* bytes of a cache line */
};

/* A buffer from the heap, on the line before its bytes. */
struct private_buf {
    struct buf buf;
    void *memory; /* what malloc() gave */
};
_Static_assert(sizeof(struct private_buf) <= LINE,
               "stands on the line before its bytes");

#define AVX2 __attribute__((target("avx2")))

/* Free buffers of one kind, the hottest on top. */
struct stack {
    struct buf **buf; /* owned; [n] in use; NULL: what is put here goes to the heap */
    size_t n, room;
    struct pkt_pool *pool; /* borrowed */
};

/* Buffers of packet memory of one size. */
struct area {
    struct stack free;
    uint8_t *base;
    uint32_t size, n, fresh; /* fresh: the first one that was never used */
    uint32_t first, share;   /* number of the first, and how many have one together */
    struct buf *bufs;        /* [n], aligned to lines */
    void *bufs_memory;       /* owned: what calloc() gave for them */
};

enum { SLAB_RECORDS = 31 }; /* allocated at once: with the header, a page */

struct slab { /* stands behind its records, which are aligned to cache lines */
    struct slab *next;
    void *memory;        /* what malloc() gave */
    struct pkt *records; /* [SLAB_RECORDS] */
};

/* Memory for many packets: see os/pkt_chunk.h. */
enum { CHUNK_PACKETS = 4096 };

struct pkt_chunk {
    struct stack free;
    uint32_t fresh; /* the first of `bufs` that was never used */
    size_t size;
    uint8_t *bytes;         /* [size], behind this */
    struct pkt_chunk *next; /* in the pool's list, when the owner has gone */
    struct buf bufs[CHUNK_PACKETS];
    struct buf *stack[CHUNK_PACKETS];
};

struct pkt_pool {
    struct pkt *
        *bare; /* free records, owned; [n_bare] in use, bare_room >= n_records */
    size_t n_bare, bare_room;
    size_t same_from;      /* those from here on are like `pattern` */
    struct pkt pattern;    /* what was cloned last; buf is NULL, or still there */
    unsigned same;         /* ... in these parts (enum pkt_part) */
    unsigned changed;      /* parts in which clones of it have been found changed */
    unsigned keeps, kept;  /* parts that nobody writes; ... in clones of the pattern */
    struct stack ordinary; /* heap buffers of ROOM bytes */
    struct stack odd;      /* heap buffers of other sizes: none waits */
    size_t ordinary_made;
    size_t n_records, max_records;
    struct slab *slabs;
    struct pkt_chunk *chunks; /* owned; the others belong to who made them */
    bool wide;                /* see pkt_pool_set_wide() */

    struct area area[PKT_KINDS];

    void (*reclaim)(void *ctx);
    void *reclaim_ctx;
};

static inline void private_free(struct buf *b)
{
    free(((struct private_buf *)b)->memory);
}

static INLINE struct buf *buf_unpoison(struct buf *b)
{
    if (b->number == BUF_PRIVATE)
        UNPOISON(b->head, b->room);
    return b;
}

static INLINE void buf_poison(const struct buf *b)
{
    if (b->number == BUF_PRIVATE)
        POISON(b->head, b->room);
}

/* Records in use. */
static INLINE size_t records_live(const struct pkt_pool *pool)
{
    return pool->n_records - pool->n_bare;
}

/* Put back a buffer whose last user has gone; those that wait count one. */
static inline void buf_put(struct buf *b)
{
    struct stack *s = b->home;

    if (__builtin_expect(b == s->pool->pattern.buf, 0))
        s->pool->pattern.buf = NULL;
    if (__builtin_expect(!s->buf, 0)) {
        private_free(b);
        return;
    }
    buf_poison(b);
    s->buf[s->n++] = b;
}

static inline void buf_leave(struct buf *b)
{
    if (b->refs == 1)
        buf_put(b);
    else
        b->refs--;
}

/* Have `n` records wait. Returns how many of them memory allowed. */
uint32_t pkt_records_reserve(struct pkt_pool *pool, uint32_t n);

/* A buffer of `room` bytes or more with one user; `low` is not set. */
struct buf *pkt_buf_take(struct pkt_pool *pool, uint32_t room);

#endif
