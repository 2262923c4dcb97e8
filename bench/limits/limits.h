// SPDX-License-Identifier: BSD-3-Clause
/*
 * limits.h -- hand-written loops, each for one fixed configuration: what the engine could
 * reach at best
 *
 * A limit does all the work that its configuration asks for, in batches of 32, with
 * everything known at compile time: no graph, no virtual calls, no general packets. Its
 * packets are records that refer to bytes, as the engine's are; the source hands out
 * references to one template, so whoever writes copies first.
 *
 * With a `sink` a limit passes it every packet that it would have thrown away, in order:
 * the benchmark compares that with what the engine's configuration emits.
 */

#ifndef BENCH_LIMITS_LIMITS_H
#define BENCH_LIMITS_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum { LIMIT_BATCH = 32, LIMIT_ROOM = 256, LIMIT_POOL = 4096 };

struct limit_pkt {
    uint8_t *data;
    uint32_t len;
    uint32_t shared; /* refers to the template */
};

typedef void limit_sink(void *ctx, const uint8_t *data, uint32_t len);

struct limit {
    const uint8_t *template;
    uint32_t template_len;
    limit_sink *sink; /* NULL: packets are thrown away */
    void *sink_ctx;

    /* A pool of private buffers, last in first out. */
    uint8_t (*room)[LIMIT_ROOM]; /* owned; [LIMIT_POOL] */
    uint32_t free[LIMIT_POOL], n_free;
    struct limit_pkt queue[1024]; /* for those that store packets */
    uint64_t packets, bytes;      /* for those that count */
};

int limit_init(struct limit *l, const uint8_t *template, uint32_t len);
void limit_fini(struct limit *l);

/* Fill a batch with references to the template. */
static inline void limit_source(const struct limit *l, struct limit_pkt *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        b[i] = (struct limit_pkt){(uint8_t *)(uintptr_t)l->template, l->template_len,
                                  1};
}

/* Make a packet's bytes its own, with 64 bytes before them. */
static inline void limit_own(struct limit *l, struct limit_pkt *p)
{
    uint8_t *data;

    if (!p->shared)
        return;
    data = l->room[l->free[--l->n_free]] + 64;
    __builtin_memcpy(data, p->data, p->len);
    p->data = data;
    p->shared = 0;
}

/* The end of every path. */
static inline void limit_discard(struct limit *l, struct limit_pkt *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (__builtin_expect(l->sink != NULL, 0))
            l->sink(l->sink_ctx, b[i].data, b[i].len);
        if (!b[i].shared)
            l->free[l->n_free++] = (uint32_t)((b[i].data - l->room[0]) / LIMIT_ROOM);
    }
    /* The records must have been written: the engine's are. */
    __asm__ volatile("" : : "r"(b) : "memory");
}

/* Each runs `n` packets, a multiple of LIMIT_BATCH. */
void limit_source_discard(struct limit *l, uint64_t n);
void limit_queue(struct limit *l, uint64_t n);
void limit_counter(struct limit *l, uint64_t n);
void limit_counters10(struct limit *l, uint64_t n);
void limit_strip_check(struct limit *l, uint64_t n);
void limit_ether_mirror(struct limit *l, uint64_t n);
void limit_classifier20(struct limit *l, uint64_t n);

#endif
