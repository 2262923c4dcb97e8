// SPDX-License-Identifier: BSD-3-Clause
/*
 * capture_batch.c -- batches of packets from records that lie in memory: see capture.h
 *
 * What a record is needs to be known only to find the next one, so that this is one loop
 * with as little in it as possible: most traces have short packets. Where the trace file
 * lends its memory the packets stay where they are, else they are copied.
 */

#include "engine/os/capture.h"

#include "engine/os/pkt_chunk.h"
#include "engine/pkt_pool.h"

enum {
    AHEAD_BYTES = 1024,
    ORDINARY = 1536, /* bytes of a packet that is copied */
};

/* The record at `at` if there is one before `end`, not longer than `longest`; `*next` is then
 * where the next one begins. */
static INLINE const struct capture_plain *
plain_at(const uint8_t *at, const uint8_t *end, uint32_t longest, const uint8_t **next)
{
    const struct capture_plain *r = (const void *)at;
    size_t left = (size_t)(end - at);

    if (left < sizeof *r || r->caplen > longest || r->caplen > r->len ||
        r->caplen > left - sizeof *r)
        return NULL;
    *next = r->bytes + r->caplen;
    return r;
}

/* --- where they lie --------------------------------------------------------------------- */

/* Make a packet of a record, whose head becomes its headroom. */
static INLINE void lie(struct pkt *p, struct buf *b, const struct capture_plain *r,
                       uint8_t *head, int64_t unit)
{
    const vec zero = {0};
    uint32_t len = r->caplen, more = r->len - len;
    vec_u *t = (vec_u *)p;

    t[1] = zero, t[2] = zero, t[3] = zero;
    p->data = p->mac = head + sizeof *r;
    p->len = len;
    p->hash = 0;
    p->buf = b;
    p->timestamp = capture_plain_when(r, unit);
    if (__builtin_expect(more, 0))
        p->anno_u32[ANNO_EXTRA_LENGTH / 4] = more;
    b->head = head;
    b->room = (uint32_t)sizeof *r + len;
    b->low = sizeof *r;
    buf_unpoison(b);
}
_Static_assert(offsetof(struct pkt, mac) + sizeof(void *) == sizeof(vec),
               "the first part is written by its members");

/* Where the next record begins and the bytes end, and what packets are made with: the ends of
 * stacks. */
struct lie {
    uint8_t *at;
    const uint8_t *end;
    struct pkt *const *records;
    struct buf *const *bufs;
    int64_t unit;
};

/* Returns how many packets there are. */
static INLINE uint32_t lie_body(struct lie *l, struct pkt **p, uint32_t max)
{
    const struct capture_plain *r;
    const uint8_t *next;
    uint8_t *from = l->at;
    struct pkt *const *records = l->records;
    struct buf *const *bufs = l->bufs;
    uint32_t n = 0;

    for (; n < max && (r = plain_at(from, l->end, CAPTURE_LONGEST, &next)); n++) {
        p[n] = *--records;
        UNPOISON(p[n], sizeof *p[n]);
        lie(p[n], *--bufs, r, from, l->unit);
        __builtin_prefetch(next + AHEAD_BYTES);
        from += next - from;
    }
    l->at = from;
    return n;
}

static AVX2 uint32_t lie_avx2(struct lie *l, struct pkt **p, uint32_t max)
{
    return lie_body(l, p, max);
}

static uint32_t lie_v2(struct lie *l, struct pkt **p, uint32_t max)
{
    return lie_body(l, p, max);
}

static uint32_t lend(struct capture *c, struct pkt_chunk *k, struct batch *b,
                     uint32_t max)
{
    struct trace_file *f = &c->file;
    struct pkt_pool *pool = k->free.pool;
    struct lie l = {
        .at = f->bytes + f->at, .end = f->bytes + f->have, .unit = c->nano ? 1 : 1000};
    uint32_t n;

    if (k->free.n < max && !pkt_chunk_reserve(k, max))
        return 0;
    if (pool->n_bare < max)
        max = pkt_records_reserve(pool, max);
    l.records = pool->bare + pool->n_bare;
    l.bufs = k->free.buf + k->free.n;
    n = (pool->wide ? lie_avx2 : lie_v2)(&l, b->p + b->n, max);
    pool->n_bare -= n;
    k->free.n -= n;
    b->n += n;
    f->at = (size_t)(l.at - f->bytes);
    trace_file_lend(f);
    return n;
}

/* --- copies ----------------------------------------------------------------------------- */

/* Bytes are copied in steps of a cache line: one is enough for most short packets. */
static inline void copy_packet(struct pkt *p, const struct capture_plain *r,
                               int64_t unit)
{
    typedef long long step __attribute__((vector_size(16), may_alias, aligned(1)));
    uint8_t *to = p->data;

    p->len = r->caplen;
    p->timestamp = capture_plain_when(r, unit);
    p->mac = to;
    p->anno_u32[ANNO_EXTRA_LENGTH / 4] = r->len - r->caplen;
    for (uint32_t i = 0; i < r->caplen; i += TRACE_FILE_BEHIND) {
        const step *s = (const step *)(const void *)(r->bytes + i);
        step *d = (step *)(void *)(to + i), v[4] = {s[0], s[1], s[2], s[3]};

        d[0] = v[0], d[1] = v[1], d[2] = v[2], d[3] = v[3];
    }
}

static __attribute__((noinline)) uint32_t copy(struct capture *c, struct batch *b,
                                               uint32_t max)
{
    struct trace_file *f = &c->file;
    const uint8_t *at = f->bytes + f->at, *end = f->bytes + f->have;
    const struct capture_plain *r[BATCH_MAX];
    uint32_t n = 0, first = b->n;

    while (n < max && (r[n] = plain_at(at, end, ORDINARY, &at)))
        n++;
    n = batch_new(element_pool(f->e), b, n, PKT_HEADROOM, ORDINARY + TRACE_FILE_BEHIND);
    for (uint32_t i = 0; i < n; i++)
        copy_packet(b->p[first + i], r[i], c->nano ? 1 : 1000);
    if (n)
        f->at = (size_t)(r[n - 1]->bytes - f->bytes) + r[n - 1]->caplen;
    return n;
}

uint32_t capture_batch(struct capture *c, struct batch *b, uint32_t max)
{
    struct pkt_chunk *k = trace_file_lender(&c->file);
    uint32_t n;

    if (!capture_is_plain(c))
        return 0;
    n = k ? lend(c, k, b, max) : copy(c, b, max);
    if (n)
        c->batch_last = (uint32_t)sizeof(struct capture_plain) + b->p[b->n - 1]->len;
    return n;
}
