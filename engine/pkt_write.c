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

/* The end of the data, and of the steps in which it is copied. */
static inline uint32_t copy_end(const struct pkt *p)
{
    return (pkt_headroom(p) + p->len + STEP - 1) / STEP * STEP;
}

/* Give `p`, which shares its buffer, the buffer `fresh`; the old one still counts it. */
static INLINE void own(struct pkt *p, struct buf *fresh, bool wide)
{
    const struct buf *old = p->buf;
    uint32_t headroom = pkt_headroom(p);

    fresh->low = old->low;
    bytes_copy(fresh->head, old->head, old->low, headroom + p->len, wide);
    buffer_change(p, fresh, fresh->head + headroom);
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
    own(p, fresh, false);
    old->refs--;
    return 0;
}

/* How many of the first packets share a buffer with others and fit into a fresh one of
 * `room` bytes: of one buffer, and not the last that refers to it. */
static inline uint32_t own_run(struct pkt *const *p, uint32_t n, uint32_t room)
{
    const struct buf *old = p[0]->buf;
    uint32_t i = 0;

    n = n < old->refs - 1 ? n : old->refs - 1;
    room = old->room < room - LINE ? old->room : room - LINE;
    while (i < n && p[i]->buf == old && copy_end(p[i]) <= room)
        i++;
    return i;
}

static INLINE void own_body(struct pkt *const *p, uint32_t n, struct stack *s,
                            uint32_t room, bool wide)
{
    for (uint32_t i = 0, run; i < n; i += run) {
        struct buf **top = s->buf + s->n, *old = p[i]->buf;

        run = 1;
        if (old->refs == 1)
            continue;
        run = own_run(p + i, n - i < s->n ? n - i : (uint32_t)s->n, room);
        for (uint32_t k = 0; k < run; k++)
            own(p[i + k], buf_unpoison(*--top), wide);
        s->n -= run;
        old->refs -= run;
        if (__builtin_expect(run, 1))
            continue;
        pkt_make_writable(p[i]); /* whoever writes asks again */
        run = 1;
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
