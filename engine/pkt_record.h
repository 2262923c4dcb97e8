// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt_record.h -- the records of packets as vectors: inside pkt.c
 *
 * A record is two cache lines, which are written, copied and compared in four vectors. The
 * functions are inline, so that callers that were compiled for AVX2 get them for AVX2.
 */

#ifndef ENGINE_PKT_RECORD_H
#define ENGINE_PKT_RECORD_H

#include "engine/pkt.h"

#define INLINE inline __attribute__((always_inline))

enum { STEP = 32 }; /* bytes that are copied at once; divides a cache line */

/* What AVX2 moves at once, and SSE in two steps; records are aligned to more. */
typedef long long vec __attribute__((vector_size(STEP), may_alias));
typedef long long half __attribute__((vector_size(STEP / 2), may_alias, aligned(1)));
typedef vec vec_u __attribute__((aligned(1)));

/* A record with all that a new packet in `b` has. Halves of the first vector: putting that
 * together takes longer than a store. */
static INLINE void record_write_new(struct pkt *to, const struct buf *b,
                                    uint32_t headroom, uint32_t len)
{
    const half first = {*(const long long *)&b->head, 0};
    const vec zero = {0};
    half *h = (half *)to;
    vec *t = (vec *)to;

    h[0] = first + (half){headroom, len};
    h[1] = (half){(intptr_t)b, 0};
    t[1] = zero, t[2] = zero, t[3] = zero;
}

/* Spelled out, since compilers turn loops and assignments of this size into `rep movs`,
 * which takes several times as long. */
static INLINE void record_write(struct pkt *to, const vec v[4])
{
    vec_u *t = (vec_u *)to;

    t[0] = v[0], t[1] = v[1], t[2] = v[2], t[3] = v[3];
}

static INLINE void record_copy(struct pkt *to, const struct pkt *from)
{
    const half *f = (const half *)from;
    half *t = (half *)to;

    /* Line by line: there are registers for one. */
    for (unsigned i = 0; i < 8; i += 4) {
        const half a = f[i], b = f[i + 1], c = f[i + 2], d = f[i + 3];

        t[i] = a, t[i + 1] = b, t[i + 2] = c, t[i + 3] = d;
    }
}
_Static_assert(sizeof(struct pkt) == 4 * sizeof(vec), "all of it");
_Static_assert(sizeof(struct pkt) == 8 * sizeof(half), "all of it");

static INLINE bool any_bit(const vec *bits)
{
    const vec b = *bits;

    return (b[0] | b[1] | b[2] | b[3]) != 0;
}

/* Set in `bits` those in which the record differs from `v`. */
static INLINE void record_differs(vec bits[4], const struct pkt *p, const vec v[4])
{
    const vec *f = (const vec *)p;

    bits[0] |= f[0] ^ v[0], bits[1] |= f[1] ^ v[1];
    bits[2] |= f[2] ^ v[2], bits[3] |= f[3] ^ v[3];
}

static INLINE bool record_same(const struct pkt *p, const struct pkt *other)
{
    const vec_u *f = (const vec_u *)other;
    const vec v[4] = {f[0], f[1], f[2], f[3]};
    vec bits[4] = {{0}};

    record_differs(bits, p, v);
    bits[0] |= bits[1] | bits[2] | bits[3];
    return !any_bit(&bits[0]);
}

/* Whether all records refer to `buf`. */
static INLINE bool records_refer(struct pkt *const *p, uint32_t n,
                                 const struct buf *buf)
{
    uintptr_t bits = 0;

#pragma GCC unroll 4
    for (uint32_t i = 0; i < n; i++)
        bits |= (uintptr_t)p[i]->buf ^ (uintptr_t)buf;
    return !bits;
}

/* Write the first `n_parts` quarters of `v` into the records. */
static INLINE void records_write_first(struct pkt *const *p, uint32_t n, const vec v[4],
                                       unsigned n_parts)
{
#pragma GCC unroll 2
    for (uint32_t i = 0; i < n; i++) {
        vec_u *t = (vec_u *)p[i];

        t[0] = v[0];
        if (n_parts > 1)
            t[1] = v[1];
        if (n_parts > 2)
            t[2] = v[2];
        if (n_parts > 3)
            t[3] = v[3];
    }
}

/* Write at least those parts (enum pkt_part) of `v` into the records. */
static INLINE void records_write(struct pkt *const *p, uint32_t n, const vec v[4],
                                 unsigned parts)
{
    if (parts & (parts - 1)) {
        if (parts < PKT_ANNO)
            records_write_first(p, n, v, 2);
        else if (parts < PKT_STAMPS)
            records_write_first(p, n, v, 3);
        else
            records_write_first(p, n, v, 4);
        return;
    }
#pragma GCC unroll 4
    for (unsigned k = 0; k < 4; k++) {
        if (!(parts >> k & 1))
            continue;
#pragma GCC unroll 4
        for (uint32_t i = 0; i < n; i++)
            ((vec *)p[i])[k] = v[k];
    }
}

/* In which parts, of those to look at, a record is unlike the pattern; -1 when one refers
 * to another buffer. */
static INLINE int records_differ(struct pkt *const *p, uint32_t n,
                                 const struct pkt *pattern, unsigned look)
{
    const vec_u *f = (const vec_u *)pattern;
    const vec v[4] = {f[0], f[1], f[2], f[3]};
    vec bits[4] = {{0}};
    int parts = 0;

    if (look & (look - 1)) {
#pragma GCC unroll 4
        for (uint32_t i = 0; i < n; i++)
            record_differs(bits, p[i], v);
        if (bits[0][offsetof(struct pkt, buf) / sizeof v[0][0]])
            return -1;
    } else {
        if (!records_refer(p, n, pattern->buf))
            return -1;
#pragma GCC unroll 4
        for (unsigned k = 0; k < 4; k++)
            for (uint32_t i = 0; look >> k & 1 && i < n; i++)
                bits[k] |= ((const vec *)p[i])[k] ^ v[k];
    }
#pragma GCC unroll 4
    for (unsigned k = 0; k < 4; k++)
        parts |= any_bit(&bits[k]) << k;
    return parts & (int)look;
}

#endif
