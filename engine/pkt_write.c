// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt_write.c -- what gives a packet a buffer of its own, or a larger one: see pkt.h
 */

#include "engine/pkt.h"

#include "engine/pkt_pool.h"

static inline uint8_t *moved(uint8_t *at, ptrdiff_t by)
{
    return at ? at + by : NULL;
}

/* Point `p` at `data` in `fresh`, where its bytes now are. */
static INLINE void buffer_change(struct pkt *p, struct buf *fresh, uint8_t *data)
{
    ptrdiff_t by = (intptr_t)data - (intptr_t)p->data;

    p->buf = fresh;
    p->mac = moved(p->mac, by);
    p->network = moved(p->network, by);
    p->transport = moved(p->transport, by);
    p->data = data;
}

/* Exchange the buffer of `p` for a fresh one with `headroom` bytes before the data. All
 * bytes before the data come along, as far as they fit: a stripped header can be put back. */
static int rebuffer(struct pkt *p, uint32_t headroom, uint32_t tailroom)
{
    uint32_t before = pkt_headroom(p) - p->buf->low, keep;
    struct buf *fresh, *old = p->buf;

    if (headroom > PKT_MAX_LEN || tailroom > PKT_MAX_LEN || p->len > PKT_MAX_LEN)
        return -1;
    if (headroom + p->len + tailroom > ROOM && headroom + p->len + tailroom < 4 * ROOM)
        tailroom += ROOM; /* it will not be the last time */
    fresh = pkt_buf_take(old->home->pool, headroom + p->len + tailroom);
    if (!fresh)
        return -1;
    keep = before < headroom ? before : headroom;
    fresh->low = headroom - keep;
    memcpy(fresh->head + fresh->low, p->data - keep, keep + p->len);
    buffer_change(p, fresh, fresh->head + headroom);
    buf_leave(old);
    return 0;
}

/* Copy bytes [from, to) of a buffer to the same place of another, in whole steps, which
 * both have. */
static INLINE void bytes_copy(uint8_t *dst, const uint8_t *src, uint32_t from,
                              uint32_t to, bool wide)
{
    for (uint32_t at = from / STEP * STEP; at < to; at += STEP) {
        const half *s = (const half *)(src + at);
        half *d = (half *)(dst + at), v0, v1;

        if (wide) {
            *(vec_u *)(dst + at) = *(const vec_u *)(src + at);
            continue;
        }
        v0 = s[0], v1 = s[1];
        d[0] = v0, d[1] = v1;
    }
}

/* In how many steps bytes are copied. */
static inline uint32_t steps(uint32_t from, uint32_t to)
{
    return (to + STEP - 1) / STEP - from / STEP;
}

/* The end of the steps in which the data is copied. */
static inline uint32_t copy_end(const struct pkt *p)
{
    return (pkt_headroom(p) + p->len + STEP - 1) / STEP * STEP;
}

int pkt_make_writable(struct pkt *p)
{
    struct buf *old = p->buf, *fresh;
    uint32_t end = copy_end(p);

    if (old->refs == 1)
        return 0;
    if (__builtin_expect(end > old->room, 0))
        return rebuffer(p, pkt_headroom(p), 0);
    fresh = pkt_buf_take(old->home->pool,
                         end + LINE < old->room ? end + LINE : old->room);
    if (!fresh)
        return -1;
    fresh->low = old->low;
    bytes_copy(fresh->head, old->head, old->low, end, false);
    buffer_change(p, fresh, fresh->head + pkt_headroom(p));
    old->refs--;
    return 0;
}

/* Packets that share a buffer with others and fit into fresh ones. */
struct own_run {
    uint32_t n;
    uint32_t end; /* of what is copied, from the start of the buffer */
};

/* The first of them that do, with `room` bytes a buffer: not the last that refers to it. */
static INLINE struct own_run own_run(struct pkt *const *p, uint32_t n, uint32_t room)
{
    const struct buf *old = p[0]->buf;
    const uint8_t *end = old->head, *most;
    uint32_t i;

    n = n < old->refs - 1 ? n : old->refs - 1;
    room = old->room < room - LINE ? old->room : room - LINE;
    most = old->head + room / STEP * STEP;
    for (i = 0; i < n && p[i]->buf == old; i++)
        if (__builtin_expect(p[i]->data + p[i]->len > end, 0)) {
            if (p[i]->data + p[i]->len > most)
                break;
            end = p[i]->data + p[i]->len;
        }
    return (struct own_run){i, (uint32_t)(end - old->head)};
}

/* buffer_change() of vectors: what is set in the record moves with the data. */
static INLINE void place_change(struct pkt *p, const struct buf *old, struct buf *fresh)
{
    const long long by = fresh->head - old->head;
    const vec moves = {by, 0, (intptr_t)fresh - (intptr_t)old, by};
    vec *place = (vec *)p;

    *place += moves & (vec)(*place != 0);
    if (__builtin_expect(!p->network && !p->transport, 1))
        return;
    p->network = moved(p->network, by);
    p->transport = moved(p->transport, by);
}

/* Give the packets, which share a buffer, fresh ones from a stack with the top at `top`. */
static INLINE void own_each(struct pkt *const *p, struct own_run run,
                            struct buf *const *top, bool wide)
{
    const struct buf *old = p[0]->buf;

    for (uint32_t i = 0; i < run.n; i++) {
        struct buf *fresh = buf_unpoison(*--top);

        fresh->low = old->low;
        bytes_copy(fresh->head, old->head, old->low, run.end, wide);
        place_change(p[i], old, fresh);
    }
}

/* The same where that is two steps, as in the shortest frames: they stay in registers. */
static INLINE void own_each_short(struct pkt *const *p, struct own_run run,
                                  struct buf *const *top)
{
    const struct buf *old = p[0]->buf;
    const uint32_t low = old->low, from = low / STEP * STEP;
    const vec_u *src = (const vec_u *)(old->head + from);
    const vec v0 = src[0], v1 = src[1];

    for (uint32_t i = 0; i < run.n; i++) {
        struct buf *fresh = buf_unpoison(*--top);
        vec_u *dst = (vec_u *)(fresh->head + from);

        dst[0] = v0, dst[1] = v1;
        fresh->low = low;
        place_change(p[i], old, fresh);
    }
}

static INLINE void own_body(struct pkt *const *p, uint32_t n, struct stack *s,
                            uint32_t room, bool wide)
{
    struct own_run run;

    for (uint32_t i = 0; i < n; i += run.n) {
        struct buf **top = s->buf + s->n, *old = p[i]->buf;

        run.n = 1;
        if (old->refs == 1)
            continue;
        run = own_run(p + i, n - i < s->n ? n - i : (uint32_t)s->n, room);
        if (steps(old->low, run.end) == 2)
            own_each_short(p + i, run, top);
        else
            own_each(p + i, run, top, wide);
        s->n -= run.n;
        old->refs -= run.n;
        if (__builtin_expect(run.n, 1))
            continue;
        pkt_make_writable(p[i]); /* whoever writes asks again */
        run.n = 1;
    }
}

static AVX2 void own_avx2(struct pkt *const *p, uint32_t n, struct stack *s,
                          uint32_t room)
{
    own_body(p, n, s, room, true);
}

static void own_v2(struct pkt *const *p, uint32_t n, struct stack *s, uint32_t room)
{
    own_body(p, n, s, room, false);
}

void batch_make_writable(struct batch *b, uint32_t from)
{
    struct pkt_pool *pool;
    struct area *a;
    struct stack *s;

    while (from < b->n && !pkt_shared(b->p[from]))
        from++;
    if (b->n - from <= 1) {
        if (from < b->n)
            pkt_writable(b->p[from]); /* whoever writes asks again */
        return;
    }
    pool = b->p[from]->buf->home->pool;
    a = &pool->area[PKT_WHOLE];
    s = a->n ? &a->free : &pool->ordinary;
    (pool->wide ? own_avx2 : own_v2)(b->p + from, b->n - from, s,
                                     a->n ? a->size : ROOM);
}

int pkt_expand(struct pkt *p, uint32_t headroom, uint32_t tailroom)
{
    if (!pkt_shared(p) && pkt_headroom(p) >= headroom && pkt_tailroom(p) >= tailroom)
        return 0;
    if (headroom > pkt_headroom(p) && headroom < PKT_HEADROOM &&
        PKT_HEADROOM + p->len + tailroom <= ROOM)
        headroom = PKT_HEADROOM; /* here neither */
    else if (headroom < pkt_headroom(p))
        headroom = pkt_headroom(p);
    return rebuffer(p, headroom, tailroom);
}

void pkt_clear_unwritten(struct pkt *p)
{
    uint32_t headroom = pkt_headroom(p);

    /* Others that share the buffer have nothing there. */
    memset(p->data, 0, p->buf->low - headroom);
    p->buf->low = headroom;
}
