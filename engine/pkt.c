// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt.c -- packets, their buffers and the pool both come from: see pkt.h
 *
 * A record and a buffer meet when a packet is made and part when it is freed. Free ones of
 * either kind are stacks, the hottest on top, and the stacks are arrays: a batch of records
 * is taken with one copy of pointers, without a chain of loads. Records are copied with
 * vectors, buffers from the first byte that was ever written to the end of the data.
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
    ROOM = 2048, /* bytes of an ordinary heap buffer */
    LINE = 64,   /* bytes of a cache line */
    STEP = 32,   /* bytes that are copied at once; divides LINE and PKT_HEADROOM - 2 */
    SLAB_RECORDS = 31, /* records that are allocated at once: with the header, a page */
};
_Static_assert(sizeof(struct buf) <= LINE, "stands on the line before its bytes");

/* What SSE moves at once; records are aligned to more. */
typedef long long vec __attribute__((vector_size(16), may_alias));
typedef vec vec_u __attribute__((aligned(1)));

/* The contents of a struct pkt in registers. Spelled out, since compilers turn loops and
 * assignments of this size into `rep movs`, which takes several times as long. */
struct record {
    vec v[8];
};
_Static_assert(sizeof(struct record) == sizeof(struct pkt), "all of it");

#define RECORD_OF(p)                                                                   \
    {                                                                                  \
        ((const vec *)(p))[0], ((const vec *)(p))[1], ((const vec *)(p))[2],           \
            ((const vec *)(p))[3], ((const vec *)(p))[4], ((const vec *)(p))[5],       \
            ((const vec *)(p))[6], ((const vec *)(p))[7]                               \
    }

static inline void record_fill(struct pkt *p, const struct record *r)
{
    vec *to = (vec *)p;

    to[0] = r->v[0], to[1] = r->v[1], to[2] = r->v[2], to[3] = r->v[3];
    to[4] = r->v[4], to[5] = r->v[5], to[6] = r->v[6], to[7] = r->v[7];
}

struct slab { /* stands behind its records, which are aligned to cache lines */
    struct slab *next;
    void *memory;        /* what malloc() gave */
    struct pkt *records; /* [SLAB_RECORDS] */
};

struct pkt_pool {
    struct pkt *
        *bare; /* free records, owned; [n_bare] in use, bare_room >= n_records */
    size_t n_bare, bare_room;
    struct buf **ordinary; /* free heap buffers of ROOM bytes, owned; likewise */
    size_t n_ordinary, ordinary_room, ordinary_made;
    struct buf **numbered; /* free buffers of packet memory, owned; [n_numbered] */
    uint32_t numbered_free;
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

size_t pkt_pool_free(struct pkt_pool *pool)
{
    struct slab *s, *next;
    size_t live;

    if (!pool)
        return 0;
    live = pool->live;
    for (size_t i = 0; i < pool->n_ordinary; i++) {
        UNPOISON(pool->ordinary[i]->head, ROOM);
        free(pool->ordinary[i]->memory);
    }
    for (s = pool->slabs; s; s = next) {
        next = s->next;
        UNPOISON(s->records, SLAB_RECORDS * sizeof(struct pkt));
        free(s->memory);
    }
    free(pool->bare);
    free(pool->ordinary);
    free(pool->numbered);
    free(pool->by_number);
    free(pool->bufs);
    free(pool);
    return live;
}

int pkt_pool_add_buffers(struct pkt_pool *pool, uint8_t *base, uint32_t size,
                         uint32_t n)
{
    struct buf *bufs = calloc(n, sizeof *bufs);
    struct buf **numbered = calloc(n, sizeof(struct buf *));
    struct pkt **by_number = calloc(n, sizeof(struct pkt *));

    if (!bufs || !numbered || !by_number) {
        free(bufs);
        free(numbered);
        free(by_number);
        return -1;
    }
    pool->bufs = bufs;
    pool->numbered = numbered;
    pool->by_number = by_number;
    pool->base = base;
    pool->size = size;
    pool->n_numbered = n;
    pool->numbered_free = pool->fresh = 0;
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

void pkt_pool_each_free(const struct pkt_pool *pool,
                        void (*each)(void *ctx, uint32_t number), void *ctx)
{
    for (uint32_t i = 0; i < pool->numbered_free; i++)
        each(ctx, pool->numbered[i]->number);
}

void pkt_pool_on_empty(struct pkt_pool *pool, void (*reclaim)(void *ctx), void *ctx)
{
    pool->reclaim = reclaim;
    pool->reclaim_ctx = ctx;
}

/* --- records ---------------------------------------------------------------------------- */

/* Put `n` records back. */
static inline void bare_put(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    pkts_copy(pool->bare + pool->n_bare, p, n);
    pool->n_bare += n;
    for (uint32_t i = 0; i < n; i++)
        POISON(p[i], sizeof *p[i]);
}

/* Make the array have room for `made` entries and `more`. */
static int reserve(void *array, size_t *room, size_t made, size_t more)
{
    size_t want = *room ? 2 * *room : 4 * SLAB_RECORDS;
    void *old, *grown;

    if (made + more <= *room)
        return 0;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, want * sizeof(void *));
    if (!grown)
        return -1;
    memcpy(array, &grown, sizeof grown);
    *room = want;
    return 0;
}

static int slab_add(struct pkt_pool *pool)
{
    size_t bytes = SLAB_RECORDS * sizeof(struct pkt);
    struct slab *s;
    uint8_t *memory;

    if (pool->n_records >= pool->max_records ||
        reserve(&pool->bare, &pool->bare_room, pool->n_records, SLAB_RECORDS) < 0)
        return -1;
    memory = malloc(bytes + sizeof *s + LINE - 1);
    if (!memory)
        return -1;
    s = (void *)(memory + (-(uintptr_t)memory & (LINE - 1)) + bytes);
    s->memory = memory;
    s->records = (void *)((uint8_t *)s - bytes);
    s->next = pool->slabs;
    pool->slabs = s;
    pool->n_records += SLAB_RECORDS;
    for (unsigned i = SLAB_RECORDS; i-- > 0;)
        bare_put(pool, &(struct pkt *){&s->records[i]}, 1);
    return 0;
}

/* Take up to `n` records; fewer when memory ran out. */
static inline uint32_t bare_take(struct pkt_pool *pool, struct pkt **p, uint32_t n)
{
    while (__builtin_expect(pool->n_bare < n, 0))
        if (slab_add(pool) < 0) {
            n = (uint32_t)pool->n_bare;
            break;
        }
    pool->n_bare -= n;
    pkts_copy(p, pool->bare + pool->n_bare, n);
    for (uint32_t i = 0; i < n; i++)
        UNPOISON(p[i], sizeof *p[i]);
    return n;
}

static inline struct pkt *bare_one(struct pkt_pool *pool)
{
    struct pkt *p;

    if (__builtin_expect(!pool->n_bare, 0) && slab_add(pool) < 0)
        return NULL;
    p = pool->bare[--pool->n_bare];
    UNPOISON(p, sizeof *p);
    return p;
}

/* --- buffers ---------------------------------------------------------------------------- */

/* A heap buffer of `room` bytes. */
static struct buf *private_fresh(struct pkt_pool *pool, uint32_t room)
{
    uint8_t *memory;
    struct buf *b;

    if (room == ROOM &&
        reserve(&pool->ordinary, &pool->ordinary_room, pool->ordinary_made, 1) < 0)
        return NULL;
    memory = malloc(LINE - 1 + LINE + room);
    if (!memory)
        return NULL;
    b = (void *)(memory + (-(uintptr_t)memory & (LINE - 1)));
    *b = (struct buf){.head = (uint8_t *)b + LINE,
                      .room = room,
                      .pool = pool,
                      .memory = memory,
                      .number = BUF_PRIVATE};
    pool->ordinary_made += room == ROOM;
    return b;
}

static struct buf *numbered_take(struct pkt_pool *pool)
{
    struct buf *b;

    if (pool->numbered_free)
        return pool->numbered[--pool->numbered_free];
    if (pool->fresh == pool->n_numbered)
        return NULL;
    b = &pool->bufs[pool->fresh];
    *b = (struct buf){.head = pool->base + (size_t)pool->fresh * pool->size,
                      .room = pool->size,
                      .pool = pool,
                      .number = pool->fresh};
    pool->fresh++;
    return b;
}

static inline struct buf *buf_try(struct pkt_pool *pool, uint32_t room)
{
    struct buf *b;

    if (room <= pool->size && (b = numbered_take(pool)))
        return b;
    if (room > ROOM)
        return private_fresh(pool, room);
    if (pool->n_ordinary) {
        b = pool->ordinary[--pool->n_ordinary];
        UNPOISON(b->head, ROOM);
        return b;
    }
    return private_fresh(pool, ROOM);
}

/* A buffer of `room` bytes or more with one user; `low` is not set. */
static inline struct buf *buf_take(struct pkt_pool *pool, uint32_t room)
{
    struct buf *b = buf_try(pool, room);

    if (__builtin_expect(!b && pool->reclaim, 0)) {
        pool->reclaim(pool->reclaim_ctx);
        b = buf_try(pool, room);
    }
    if (b)
        b->refs = 1;
    return b;
}

/* Put back a buffer without users. */
static inline void buf_put(struct pkt_pool *pool, struct buf *b)
{
    if (b->number != BUF_PRIVATE) {
        pool->numbered[pool->numbered_free++] = b;
    } else if (b->room == ROOM) {
        POISON(b->head, ROOM);
        pool->ordinary[pool->n_ordinary++] = b;
    } else {
        free(b->memory);
    }
}

/* --- packets ---------------------------------------------------------------------------- */

/* A new packet in `b`, which it takes over, also when there is no record for it. */
static inline struct pkt *packet_in(struct pkt_pool *pool, struct buf *b,
                                    uint32_t headroom, uint32_t len)
{
    struct pkt *p = bare_one(pool);

    if (!p) {
        buf_put(pool, b);
        return NULL;
    }
    record_fill(p, &(struct record){.v = {{0}}});
    p->buf = b;
    p->data = b->head + headroom;
    p->len = len;
    b->low = headroom;
    pool->live++;
    return p;
}

struct pkt *pkt_new(struct pkt_pool *pool, uint32_t headroom, const void *data,
                    uint32_t len, uint32_t tailroom)
{
    struct pkt *p;
    struct buf *b;

    if (len > PKT_MAX_LEN || headroom > PKT_MAX_LEN || tailroom > PKT_MAX_LEN)
        return NULL;
    b = buf_take(pool, headroom + len + tailroom);
    p = b ? packet_in(pool, b, headroom, len) : NULL;
    if (p && data && len)
        memcpy(p->data, data, len);
    return p;
}

struct pkt *pkt_new_numbered(struct pkt_pool *pool)
{
    struct buf *b = numbered_take(pool);
    struct pkt *p;

    if (!b)
        return NULL;
    b->refs = 1;
    p = packet_in(pool, b, PKT_HEADROOM, 0);
    if (p)
        pool->by_number[b->number] = p;
    return p;
}

void pkt_free(struct pkt *p)
{
    struct pkt_pool *pool;

    if (!p)
        return;
    pool = p->buf->pool;
    pool->live--;
    if (!--p->buf->refs)
        buf_put(pool, p->buf);
    bare_put(pool, &p, 1);
}

void batch_free(struct batch *b)
{
    uint32_t i = 0, n = b->n;
    struct pkt_pool *pool;

    if (!n)
        return;
    pool = b->p[0]->buf->pool;
    while (i < n) {
        struct buf *buf = b->p[i]->buf;
        uint32_t first = i;

        while (++i < n && b->p[i]->buf == buf)
            ;
        buf->refs -= i - first;
        if (!buf->refs)
            buf_put(pool, buf);
    }
    bare_put(pool, b->p, n);
    pool->live -= n;
    b->n = 0;
}

struct pkt *pkt_clone(struct pkt *p)
{
    struct pkt_pool *pool = p->buf->pool;
    struct pkt *c = bare_one(pool);

    if (!c)
        return NULL;
    record_fill(c, &(struct record){RECORD_OF(p)});
    c->next = NULL;
    p->buf->refs++;
    pool->live++;
    return c;
}

uint32_t batch_clone(struct batch *b, struct pkt *p, uint32_t n)
{
    struct pkt_pool *pool = p->buf->pool;
    struct pkt **to = b->p + b->n;
    const struct record r = {RECORD_OF(p)};

    n = bare_take(pool, to, n);
    for (uint32_t i = 0; i < n; i++)
        record_fill(to[i], &r);
    b->n += n;
    p->buf->refs += n;
    pool->live += n;
    return n;
}

static inline uint8_t *moved(const struct pkt *p, uint8_t *at, uint8_t *data)
{
    return at ? data + (at - p->data) : NULL;
}

/* Point `p` at `data`, where its bytes now are. */
static inline void headers_move(struct pkt *p, uint8_t *data)
{
    p->mac = moved(p, p->mac, data);
    p->network = moved(p, p->network, data);
    p->transport = moved(p, p->transport, data);
    p->data = data;
}

/* Copy bytes [from, to) of a buffer to the same place of another; more than that if both
 * have it, in whole steps. */
static inline void bytes_copy(const struct buf *dst, const struct buf *src,
                              uint32_t from, uint32_t to)
{
    uint32_t end = (to + STEP - 1) / STEP * STEP;

    if (__builtin_expect(end > dst->room || end > src->room, 0)) {
        memcpy(dst->head + from, src->head + from, to - from);
        return;
    }
    for (uint32_t at = from / STEP * STEP; at < end; at += STEP) {
        const vec_u *s = (const vec_u *)(src->head + at);
        vec_u *d = (vec_u *)(dst->head + at);
        vec v0 = s[0], v1 = s[1];

        d[0] = v0;
        d[1] = v1;
    }
}

/* Leave `old` for `fresh`, in which the data is at `data`. */
static inline void buffer_change(struct pkt *p, struct buf *fresh, uint8_t *data)
{
    struct buf *old = p->buf;

    p->buf = fresh;
    headers_move(p, data);
    if (!--old->refs)
        buf_put(old->pool, old);
}

/* Exchange the buffer of `p` for a fresh one with `headroom` bytes before the data. All
 * bytes before the data come along, as far as they fit: a stripped header can be put back. */
static int rebuffer(struct pkt *p, uint32_t headroom, uint32_t tailroom)
{
    uint32_t before = pkt_headroom(p) - p->buf->low, keep;
    struct buf *fresh;

    if (headroom > PKT_MAX_LEN || tailroom > PKT_MAX_LEN || p->len > PKT_MAX_LEN)
        return -1;
    if (headroom + p->len + tailroom > ROOM && headroom + p->len + tailroom < 4 * ROOM)
        tailroom += ROOM; /* it will not be the last time */
    fresh = buf_take(p->buf->pool, headroom + p->len + tailroom);
    if (!fresh)
        return -1;
    keep = before < headroom ? before : headroom;
    fresh->low = headroom - keep;
    memcpy(fresh->head + fresh->low, p->data - keep, keep + p->len);
    buffer_change(p, fresh, fresh->head + headroom);
    return 0;
}

int pkt_make_writable(struct pkt *p)
{
    const struct buf *old = p->buf;
    uint32_t headroom = pkt_headroom(p), end = headroom + p->len;
    uint32_t tail = old->room - end < LINE ? old->room - end : LINE;
    struct buf *fresh;

    if (!pkt_shared(p))
        return 0;
    fresh = buf_take(old->pool, end + tail);
    if (!fresh)
        return -1;
    fresh->low = old->low;
    bytes_copy(fresh, old, old->low, end);
    buffer_change(p, fresh, fresh->head + headroom);
    return 0;
}

int pkt_expand(struct pkt *p, uint32_t headroom, uint32_t tailroom)
{
    if (!pkt_shared(p) && pkt_headroom(p) >= headroom && pkt_tailroom(p) >= tailroom)
        return 0;
    if (headroom < pkt_headroom(p))
        headroom = pkt_headroom(p);
    return rebuffer(p, headroom, tailroom);
}
