// SPDX-License-Identifier: BSD-3-Clause
/*
 * memory.c -- memcpy() and its family
 *
 * The C library's own are string instructions, which take dozens of cycles to begin, and loops
 * over single bytes. Elements copy addresses, headers and short packets.
 *
 * Up to 128 bytes all are loaded before any is stored, in pieces that overlap in the middle:
 * no loop, and it does not matter how the two areas lie. Of more, the end is loaded first and
 * stored last.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t u16 __attribute__((may_alias, aligned(1)));
typedef uint32_t u32 __attribute__((may_alias, aligned(1)));
typedef uint64_t u64 __attribute__((may_alias, aligned(1)));
typedef char vec __attribute__((vector_size(16), may_alias, aligned(1)));

enum { STEP = sizeof(vec), BLOCK = 4 * STEP };

/* In a loop: keeps the compiler from making a call of one of these functions of it. */
#define KEEP_LOOP __asm__ volatile("")

struct block {
    vec v[4];
};

static inline struct block load(const uint8_t *p)
{
    const vec *v = (const vec *)p;

    return (struct block){{v[0], v[1], v[2], v[3]}};
}

static inline void store(uint8_t *p, struct block b)
{
    vec *v = (vec *)p;

    v[0] = b.v[0], v[1] = b.v[1], v[2] = b.v[2], v[3] = b.v[3];
}

/* `n` bytes, as the first and the last of a type that is not longer. */
#define COPY_ENDS(type, to, from, n)                                                   \
    do {                                                                               \
        type first_ = *(const type *)(from);                                           \
        type last_ = *(const type *)((from) + (n) - sizeof(type));                     \
        *(type *)(to) = first_;                                                        \
        *(type *)((to) + (n) - sizeof(type)) = last_;                                  \
    } while (0)

static inline void copy_to_16(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= 8)
        COPY_ENDS(u64, to, from, n);
    else if (n >= 4)
        COPY_ENDS(u32, to, from, n);
    else if (n >= 2)
        COPY_ENDS(u16, to, from, n);
    else if (n)
        *to = *from;
}

/* More than STEP, at most 2 * BLOCK. */
static inline void copy_to_128(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n <= 2 * STEP) {
        COPY_ENDS(vec, to, from, n);
    } else if (n <= BLOCK) {
        const vec *f = (const vec *)from, *g = (const vec *)(from + n - 2 * STEP);
        vec a = f[0], b = f[1], c = g[0], d = g[1];
        vec *t = (vec *)to, *u = (vec *)(to + n - 2 * STEP);

        t[0] = a, t[1] = b, u[0] = c, u[1] = d;
    } else {
        struct block a = load(from), b = load(from + n - BLOCK);

        store(to, a);
        store(to + n - BLOCK, b);
    }
}

static void copy_up(uint8_t *to, const uint8_t *from, size_t n)
{
    const struct block last = load(from + n - BLOCK);
    uint8_t *end = to + n - BLOCK;

    for (; to < end; to += BLOCK, from += BLOCK) {
        store(to, load(from));
        KEEP_LOOP;
    }
    store(end, last);
}

static void copy_down(uint8_t *to, const uint8_t *from, size_t n)
{
    const struct block first = load(from);

    for (; n > BLOCK; n -= BLOCK) {
        store(to + n - BLOCK, load(from + n - BLOCK));
        KEEP_LOOP;
    }
    store(to, first);
}

/* Not if `to` lies inside of what is moved, and that is more than two blocks. */
static inline void *move_up(void *to, const void *from, size_t n)
{
    if (n <= STEP)
        copy_to_16(to, from, n);
    else if (n <= 2 * BLOCK)
        copy_to_128(to, from, n);
    else
        copy_up(to, from, n);
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    return move_up(to, from, n);
}

/* Without memcpy(): its `restrict`, inlined here, would let loads pass stores. */
void *memmove(void *to, const void *from, size_t n)
{
    if (n <= 2 * BLOCK || (uintptr_t)to - (uintptr_t)from >= n)
        return move_up(to, from, n);
    copy_down(to, from, n);
    return to;
}

#define FILL_ENDS(type, to, value, n)                                                  \
    (*(type *)(to) = (value), *(type *)((to) + (n) - sizeof(type)) = (value))

void *memset(void *to, int byte, size_t n)
{
    const uint64_t word = 0x0101010101010101u * (uint8_t)byte;
    const vec v = (vec)(__attribute__((vector_size(16))) uint64_t){word, word};
    uint8_t *p = to;

    if (n >= STEP) {
        for (uint8_t *end = p + n - STEP; p < end; p += STEP) {
            *(vec *)p = v;
            KEEP_LOOP;
        }
        *(vec *)((uint8_t *)to + n - STEP) = v;
    } else if (n >= 8) {
        FILL_ENDS(u64, p, word, n);
    } else if (n >= 4) {
        FILL_ENDS(u32, p, (uint32_t)word, n);
    } else if (n >= 2) {
        FILL_ENDS(u16, p, (uint16_t)word, n);
    } else if (n) {
        *p = (uint8_t)byte;
    }
    return to;
}

/* Of the first byte in which they differ. */
static int order_of(uint64_t a, uint64_t b)
{
    a = __builtin_bswap64(a);
    b = __builtin_bswap64(b);
    return (a > b) - (a < b);
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;
    uint64_t v, w;

    for (; n >= 8; n -= 8, p += 8, q += 8) {
        v = *(const u64 *)p;
        w = *(const u64 *)q;
        if (v != w)
            return order_of(v, w);
    }
    for (v = w = 0; n; n--) {
        v = v << 8 | *p++;
        w = w << 8 | *q++;
        KEEP_LOOP;
    }
    return (v > w) - (v < w);
}
