// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt.c -- packets, their buffers and the pool both come from: see pkt.h
 *
 * A record and a buffer meet when a packet is made and part when it is freed; a buffer that
 * waits in a receive ring has none, so that the few records in use stay in the caches. Free
 * ones of either kind are stacks, the hottest on top, and the stacks are arrays: a batch of
 * records is taken with one copy of pointers, without a chain of loads. Records are copied
 * with vectors, buffers from the first byte that was ever written to the end of the data.
 *
 * A source makes clones of one packet again and again, and what comes back to the pool is
 * much as it went out. The pool knows what was cloned last (`pattern`); clones of that wait
 * on top of the stack when they are freed, and only those parts of them are written when
 * they are handed out again that have changed. Which those are is known without a look where
 * all elements promise not to write a part (`kept`), or where it has been found changed
 * before; the others are compared when they are freed: reading is twice as quick as writing.
 * A promise is about what elements do to clones, so it is worth nothing for clones of
 * another pattern that share the buffer: then all parts are looked at.
 *
 * What writes whole batches of records or bytes is limited by how much a store moves: it is
 * compiled twice, for x86-64-v2 and with AVX2, and the pool knows which to call. (A store
 * of 64 bytes, with AVX-512, took longer than two of 32.)
 *
 * Under AddressSanitizer free records and buffers are poisoned.
 */

#include "engine/pkt.h"

#include "engine/pkt_pool.h"

#include <assert.h>
#include <stdlib.h>

/* --- records ---------------------------------------------------------------------------- */

/* Put back `n` records that are like the pattern in those parts. */
static INLINE void bare_put_same(struct pkt_pool *pool, struct pkt *const *p,
                                 uint32_t n, unsigned parts)
{
    if (pool->same_from >= pool->n_bare) {
        pool->same_from = pool->n_bare; /* some have been taken */
        pool->same = parts;
    }
    pool->same &= parts;
    pkts_copy(pool->bare + pool->n_bare, p, n);
    pool->n_bare += n;
    for (uint32_t i = 0; i < n; i++)
        POISON(p[i], sizeof *p[i]);
}

/* Put back `n` records whatever they hold. */
static inline void bare_put(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    bare_put_same(pool, p, n, 0);
    pool->same_from = pool->n_bare;
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

uint32_t pkt_records_reserve(struct pkt_pool *pool, uint32_t n)
{
    while (pool->n_bare < n)
        if (slab_add(pool) < 0)
            return (uint32_t)pool->n_bare;
    return n;
}

/* Take up to `n` records; fewer when memory ran out. */
static INLINE uint32_t bare_take(struct pkt_pool *pool, struct pkt **p, uint32_t n)
{
    if (__builtin_expect(pool->n_bare < n, 0))
        n = pkt_records_reserve(pool, n);
    pool->n_bare -= n;
    pkts_copy(p, pool->bare + pool->n_bare, n);
    for (uint32_t i = 0; i < n; i++)
        UNPOISON(p[i], sizeof *p[i]);
    return n;
}

/* One of those that there are. */
static INLINE struct pkt *bare_top(struct pkt_pool *pool)
{
    struct pkt *p = pool->bare[--pool->n_bare];

    UNPOISON(p, sizeof *p);
    return p;
}

static inline struct pkt *bare_one(struct pkt_pool *pool)
{
    if (__builtin_expect(!pool->n_bare, 0) && slab_add(pool) < 0)
        return NULL;
    return bare_top(pool);
}

/* --- buffers ---------------------------------------------------------------------------- */

/* A heap buffer of `room` bytes. */
static struct buf *private_fresh(struct pkt_pool *pool, uint32_t room)
{
    uint8_t *memory;
    struct buf *b;

    if (room == ROOM &&
        reserve(&pool->ordinary.buf, &pool->ordinary.room, pool->ordinary_made, 1) < 0)
        return NULL;
    memory = malloc(LINE - 1 + LINE + room);
    if (!memory)
        return NULL;
    b = (void *)(memory + (-(uintptr_t)memory & (LINE - 1)));
    *b = (struct buf){.head = (uint8_t *)b + LINE,
                      .room = room,
                      .refs = 1,
                      .home = room == ROOM ? &pool->ordinary : &pool->odd,
                      .number = BUF_PRIVATE};
    ((struct private_buf *)b)->memory = memory;
    pool->ordinary_made += room == ROOM;
    return b;
}

static INLINE struct buf *stack_take(struct stack *s)
{
    return buf_unpoison(s->buf[--s->n]);
}

static struct buf *area_take(struct area *a)
{
    struct buf *b;

    if (a->free.n)
        return stack_take(&a->free);
    if (a->fresh == a->n)
        return NULL;
    b = &a->bufs[a->fresh];
    *b = (struct buf){.head = a->base + (size_t)a->fresh * a->size,
                      .room = a->size,
                      .refs = 1,
                      .home = &a->free,
                      .number = a->first + a->fresh / a->share};
    a->fresh++;
    return b;
}

static struct buf *buf_try(struct pkt_pool *pool, uint32_t room)
{
    struct area *a = &pool->area[PKT_WHOLE];
    struct buf *b;

    if (room <= a->size && (b = area_take(a)))
        return b;
    if (room > ROOM)
        return private_fresh(pool, room);
    return pool->ordinary.n ? stack_take(&pool->ordinary) : private_fresh(pool, ROOM);
}

struct buf *pkt_buf_take(struct pkt_pool *pool, uint32_t room)
{
    struct buf *b = buf_try(pool, room);

    if (__builtin_expect(!b && pool->reclaim, 0)) {
        pool->reclaim(pool->reclaim_ctx);
        b = buf_try(pool, room);
    }
    return b;
}

/* The stack that pkt_buf_take() would take `n` buffers of `room` bytes from; NULL when it is
 * not as simple as that. */
static INLINE struct stack *stack_for(struct pkt_pool *pool, uint64_t room, uint32_t n)
{
    struct area *a = &pool->area[PKT_WHOLE];

    if (room <= a->size && a->free.n)
        return a->free.n >= n ? &a->free : NULL;
    if (room <= a->size && a->fresh < a->n)
        return NULL;
    return room <= ROOM && pool->ordinary.n >= n ? &pool->ordinary : NULL;
}

/* --- packets ---------------------------------------------------------------------------- */

static INLINE void packet_init(struct pkt *p, struct buf *b, uint32_t headroom,
                               uint32_t len)
{
    record_write_new(p, b, headroom, len);
    if (b->low != headroom) /* saves a store most of the time */
        b->low = headroom;
}

/* A new packet in `b`, which it takes over, also when there is no record for it. */
static inline struct pkt *packet_in(struct pkt_pool *pool, struct buf *b,
                                    uint32_t headroom, uint32_t len)
{
    struct pkt *p = bare_one(pool);

    if (!p) {
        buf_put(b);
        return NULL;
    }
    packet_init(p, b, headroom, len);
    return p;
}

struct pkt *pkt_new(struct pkt_pool *pool, uint32_t headroom, const void *data,
                    uint32_t len, uint32_t tailroom)
{
    struct pkt *p;
    struct buf *b;

    if (len > PKT_MAX_LEN || headroom > PKT_MAX_LEN || tailroom > PKT_MAX_LEN)
        return NULL;
    b = pkt_buf_take(pool, headroom + len + tailroom);
    p = b ? packet_in(pool, b, headroom, len) : NULL;
    if (p && data && len)
        memcpy(p->data, data, len);
    return p;
}

static INLINE uint32_t new_body(struct pkt_pool *pool, struct pkt **p, struct stack *s,
                                uint32_t n, uint32_t headroom, uint32_t len)
{
    struct buf *const *bufs = s->buf + (s->n -= n);

    bare_take(pool, p, n);
#pragma GCC unroll 2
    for (uint32_t i = 0; i < n; i++)
        packet_init(p[i], buf_unpoison(bufs[i]), headroom, len);
    return n;
}

static AVX2 uint32_t new_avx2(struct pkt_pool *pool, struct pkt **p, struct stack *s,
                              uint32_t n, uint32_t headroom, uint32_t len)
{
    return new_body(pool, p, s, n, headroom, len);
}

static uint32_t new_v2(struct pkt_pool *pool, struct pkt **p, struct stack *s,
                       uint32_t n, uint32_t headroom, uint32_t len)
{
    return new_body(pool, p, s, n, headroom, len);
}

/* From wherever memory is found. */
static __attribute__((noinline)) uint32_t new_each(struct pkt_pool *pool,
                                                   struct batch *b, uint32_t n,
                                                   uint32_t headroom, uint32_t len)
{
    uint32_t made = 0;
    struct pkt *p;

    for (; made < n && (p = pkt_new(pool, headroom, NULL, len, 0)); made++)
        batch_add(b, p);
    return made;
}

static __attribute__((noinline)) uint32_t new_many(struct pkt_pool *pool,
                                                   struct batch *b, uint32_t n,
                                                   uint32_t headroom, uint32_t len)
{
    struct stack *s = n ? stack_for(pool, (uint64_t)headroom + len, n) : NULL;
    struct pkt **p = b->p + b->n;

    if (__builtin_expect(!s || pool->n_bare < n, 0))
        return new_each(pool, b, n, headroom, len);
    b->n += n;
    return (pool->wide ? new_avx2 : new_v2)(pool, p, s, n, headroom, len);
}

/* What is common for a single packet is done here without a call, so that registers need not
 * be saved; batch_arrive() and batch_free() do it the same way. */
uint32_t batch_new(struct pkt_pool *pool, struct batch *b, uint32_t n,
                   uint32_t headroom, uint32_t len)
{
    struct stack *s;
    struct pkt *p;

    if (n != 1)
        return new_many(pool, b, n, headroom, len);
    s = stack_for(pool, (uint64_t)headroom + len, 1);
    if (__builtin_expect(!s || !pool->n_bare, 0))
        return new_each(pool, b, 1, headroom, len);
    p = bare_top(pool);
    packet_init(p, stack_take(s), headroom, len);
    batch_add(b, p);
    return 1;
}

struct pkt *pkt_new_numbered(struct pkt_pool *pool)
{
    struct buf *b = area_take(&pool->area[PKT_WHOLE]);

    return b ? packet_in(pool, b, PKT_HEADROOM, 0) : NULL;
}

/* --- receiving ---------------------------------------------------------------------- */

uint32_t pkt_post(struct pkt_pool *pool, enum pkt_kind kind, uint32_t *numbers,
                  uint32_t n)
{
    struct area *a = &pool->area[kind];

    for (uint32_t i = 0; i < n; i++) {
        struct buf *b = area_take(a);

        if (!b)
            return i;
        numbers[i] = (uint32_t)(b - a->bufs);
    }
    return n;
}

void pkt_unpost(struct pkt_pool *pool, enum pkt_kind kind, const uint32_t *numbers,
                uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        buf_put(&pool->area[kind].bufs[numbers[i]]);
}

const struct buf *pkt_pool_bufs(const struct pkt_pool *pool, enum pkt_kind kind)
{
    return pool->area[kind].bufs;
}

static INLINE void arrive_one(struct pkt_pool *pool, struct pkt *p,
                              const struct pkt_arrival *a)
{
    packet_init(p, &pool->area[a->kind].bufs[a->number], a->offset, a->len);
}

static INLINE uint32_t arrive_body(struct pkt_pool *pool, struct pkt **p,
                                   const struct pkt_arrival *a, uint32_t n)
{
    n = bare_take(pool, p, n);
    for (uint32_t i = 0; i < n; i++)
        arrive_one(pool, p[i], &a[i]);
    return n;
}

static AVX2 uint32_t arrive_avx2(struct pkt_pool *pool, struct pkt **p,
                                 const struct pkt_arrival *a, uint32_t n)
{
    return arrive_body(pool, p, a, n);
}

static uint32_t arrive_v2(struct pkt_pool *pool, struct pkt **p,
                          const struct pkt_arrival *a, uint32_t n)
{
    return arrive_body(pool, p, a, n);
}

uint32_t batch_arrive(struct pkt_pool *pool, struct batch *b,
                      const struct pkt_arrival *a, uint32_t n)
{
    if (n == 1 && pool->n_bare) {
        struct pkt *p = bare_top(pool);

        arrive_one(pool, p, a);
        batch_add(b, p);
        return 1;
    }
    n = (pool->wide ? arrive_avx2 : arrive_v2)(pool, b->p + b->n, a, n);
    b->n += n;
    return n;
}

/* --- the end of a packet -------------------------------------------------------------- */

static INLINE void free_one(struct pkt *p)
{
    struct buf *b = p->buf;
    struct pkt_pool *pool = b->home->pool;
    const size_t n = pool->n_bare;

    pool->bare[n] = p;
    pool->same_from = pool->n_bare = n + 1;
    POISON(p, sizeof *p);
    buf_leave(b);
}

void pkt_free(struct pkt *p)
{
    if (p)
        free_one(p);
}

/* Put back the buffers of packets that are alone with theirs, one stack's; returns how many
 * that are. The top of the stack stays in a register. */
static uint32_t leave_private(struct pkt *const *p, uint32_t n,
                              const struct buf *pattern_buf)
{
    struct stack *s = p[0]->buf->home;
    struct buf **top;
    uint32_t i;

    top = s->buf + s->n;
    for (i = 0; i < n && p[i]->buf->refs == 1 && p[i]->buf->home == s &&
                p[i]->buf != pattern_buf;
         i++) {
        buf_poison(p[i]->buf);
        *top++ = p[i]->buf;
    }
    s->n += i;
    return i;
}

/* `n` packets leave a buffer. */
static inline void buf_leave_by(struct buf *b, uint32_t n)
{
    if (b->refs > n) {
        b->refs -= n;
    } else {
        b->refs = 1;
        buf_put(b);
    }
}

/* Leave the buffer that the first packets share; returns how many do. */
static uint32_t leave_shared(struct pkt *const *p, uint32_t n)
{
    struct buf *buf = p[0]->buf;
    uint32_t i = 1;

    while (i < n && p[i]->buf == buf)
        i++;
    buf_leave_by(buf, i);
    return i;
}

#if defined(__SANITIZE_ADDRESS__)
/* Are they clones, and has an element written what it promised not to? */
static void check_kept(const struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    assert(records_differ(p, n, &pool->pattern, pool->kept) == 0);
}
#else
#define check_kept(pool, p, n) ((void)0)
#endif

/* Whether all packets that there are share the pattern's buffer, so that these do without a
 * look, and nobody needs to see what else has become of them. */
static INLINE bool only_clones(const struct pkt_pool *pool, uint32_t n)
{
    const struct buf *b = pool->pattern.buf;

    return b && b->refs == records_live(pool) && b->refs > n &&
           (pool->kept | pool->changed) == PKT_PARTS;
}

/* Whether one of the buffers, which have one user each, is what the pattern's last clone had:
 * buf_put() sees to that. */
static INLINE bool pattern_among(const struct pkt_pool *pool, struct buf *const *bufs,
                                 uint32_t n)
{
    const struct buf *b = pool->pattern.buf;
    bool among = false;

    if (!b || b->refs > 1)
        return false;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < n; i++)
        among |= bufs[i] == b;
    return among;
}

/* Put back `n` clones of the pattern. */
static INLINE void put_clones(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    check_kept(pool, p, n);
    buf_leave_by(p[0]->buf, n);
    bare_put_same(pool, p, n, PKT_PARTS & ~pool->changed);
}

/* Put back clones of the pattern; false when some are not. */
static INLINE bool free_clones(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    unsigned look = PKT_PARTS & ~(pool->kept | pool->changed);
    int changed = records_differ(p, n, &pool->pattern, look);

    if (changed < 0) {
        pool->pattern.buf = NULL; /* do not try again */
        return false;
    }
    pool->changed |= (unsigned)changed;
    put_clones(pool, p, n);
    return true;
}

/* Put back packets that are alone with their buffers, which are all of one stack and not
 * that of the pattern; false, with nothing done, when some are not. */
static INLINE bool free_private(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    const struct buf *first = p[0]->buf;
    const half like = *(const half *)&first->room;
    struct stack *s = first->home;
    struct buf **top = s->buf + s->n;
    half bits = {0};

    if (first->refs != 1 || s->room - s->n < n)
        return false;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < n; i++) {
        top[i] = p[i]->buf;
        bits |= *(const half *)&top[i]->room ^
                like; /* room, which may differ, refs, home */
    }
    if (bits[0] >> 32 | bits[1] || pattern_among(pool, top, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        buf_poison(top[i]);
    s->n += n;
    bare_put(pool, p, n);
    return true;
}

/* Put back any packets. */
static void free_mixed(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    uint32_t i = 0;

    while (i < n)
        if (p[i]->buf->refs > 1 || !p[i]->buf->home->buf ||
            p[i]->buf == pool->pattern.buf)
            i += leave_shared(p + i, n - i);
        else
            i += leave_private(p + i, n - i, pool->pattern.buf);
    bare_put(pool, p, n);
}

static INLINE void free_body(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    if (p[0]->buf == pool->pattern.buf ? !free_clones(pool, p, n)
                                       : !free_private(pool, p, n))
        free_mixed(pool, p, n);
}

static AVX2 __attribute__((noinline)) void
free_looking_avx2(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    free_body(pool, p, n);
}

/* The shortest way has a function of its own, which needs little of the stack. */
static AVX2 void free_avx2(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    if (only_clones(pool, n))
        put_clones(pool, p, n);
    else
        free_looking_avx2(pool, p, n);
}

static void free_v2(struct pkt_pool *pool, struct pkt *const *p, uint32_t n)
{
    if (only_clones(pool, n))
        put_clones(pool, p, n);
    else
        free_body(pool, p, n);
}

void batch_free(struct batch *b)
{
    const uint32_t n = b->n;

    b->n = 0;
    if (n == 1) {
        free_one(b->p[0]);
    } else if (n) {
        struct pkt_pool *pool = b->p[0]->buf->home->pool;

        (pool->wide ? free_avx2 : free_v2)(pool, b->p, n);
    }
}

static INLINE struct pkt *clone_one(struct pkt_pool *pool, struct pkt *p)
{
    struct pkt *c = bare_one(pool);

    if (!c)
        return NULL;
    record_copy(c, p);
    p->buf->refs++;
    return c;
}

struct pkt *pkt_clone(struct pkt *p)
{
    struct pkt_pool *pool = p->buf->home->pool;
    struct pkt *c = clone_one(pool, p);

    if (!c)
        return NULL;
    c->next = NULL;
    if (p->buf == pool->pattern.buf)
        pool->kept = 0; /* it may be unlike the pattern */
    return c;
}

/* Take note of what is cloned; `v` is its record. */
static INLINE void pattern_set(struct pkt_pool *pool, const struct pkt *p,
                               const vec v[4])
{
    record_write(&pool->pattern, v);
    pool->same_from = pool->n_bare;
    pool->changed = 0;
    pool->kept = p->buf->refs == 1 ? pool->keeps : 0;
}

static INLINE uint32_t clone_body(struct pkt_pool *pool, struct pkt **to, struct pkt *p,
                                  uint32_t n)
{
    const vec *f = (const vec *)p, v[4] = {f[0], f[1], f[2], f[3]};
    unsigned same = 0;

    if (!record_same(p, &pool->pattern))
        pattern_set(pool, p, v);
    else if (pool->n_bare >= pool->same_from + n)
        same = pool->same;
    n = bare_take(pool, to, n);
    if (same != PKT_PARTS)
        records_write(to, n, v, PKT_PARTS & ~same);
    return n;
}

static AVX2 uint32_t clone_avx2(struct pkt_pool *pool, struct pkt **to, struct pkt *p,
                                uint32_t n)
{
    return clone_body(pool, to, p, n);
}

static uint32_t clone_v2(struct pkt_pool *pool, struct pkt **to, struct pkt *p,
                         uint32_t n)
{
    return clone_body(pool, to, p, n);
}

static uint32_t clone_many(struct batch *b, struct pkt *p, uint32_t n)
{
    struct pkt_pool *pool = p->buf->home->pool;

    n = (pool->wide ? clone_avx2 : clone_v2)(pool, b->p + b->n, p, n);
    b->n += n;
    p->buf->refs += n;
    return n;
}

uint32_t batch_clone(struct batch *b, struct pkt *p, uint32_t n)
{
    struct pkt_pool *pool = p->buf->home->pool;
    struct pkt *c;

    if (n != 1)
        return clone_many(b, p, n);
    if (p->buf == pool->pattern.buf) /* a copy is quicker than a look at it */
        pool->pattern.buf = NULL;
    c = clone_one(pool, p);
    if (!c)
        return 0;
    batch_add(b, c);
    return 1;
}
