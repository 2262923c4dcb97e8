// SPDX-License-Identifier: BSD-3-Clause
/* bare_ring.c -- the limit of every path through the switch: see bare_ring.h */

#include "bench/bare_ring.h"

#include "abi/netmem.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64 };
#define WINDOW_S 0.02

struct bare {
    struct netmem_ring ring;
    _Atomic bool stop;
    uint32_t size;
    uint8_t *buffers; /* owned: one a slot */
    alignas(64) uint8_t copies[BATCH][NETMEM_BUFFER];
};

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint8_t *buffer(struct bare *b, uint32_t slot)
{
    return b->buffers + (size_t)(slot % NETMEM_SLOTS) * NETMEM_BUFFER;
}

/* The common size is one of the compiler's own copies. */
static void copy(uint8_t *to, const uint8_t *from, uint32_t size)
{
    if (size == 64)
        memcpy(to, from, 64);
    else
        memcpy(to, from, size);
}

static void *consume(void *arg)
{
    struct bare *b = arg;
    uint32_t next = 0;

    while (!atomic_load_explicit(&b->stop, memory_order_relaxed)) {
        uint32_t offered = atomic_load_explicit(&b->ring.offered, memory_order_acquire);
        unsigned n = offered - next < BATCH ? offered - next : BATCH;

        for (unsigned i = 0; i < n; i++)
            copy(b->copies[i],
                 buffer(b, b->ring.slots[(next + i) % NETMEM_SLOTS].buffer), b->size);
        /* The copies must really be made. */
        __asm__ volatile("" : : "r"(b->copies) : "memory");
        next += n;
        if (n)
            atomic_store_explicit(&b->ring.done, next, memory_order_release);
    }
    return NULL;
}

static void produce(struct bare *b, const uint8_t *frame, uint32_t *at)
{
    for (int turn = 0; turn < 50; turn++) {
        uint32_t done = atomic_load_explicit(&b->ring.done, memory_order_acquire);
        uint32_t room = NETMEM_SLOTS - (*at - done), n = room < BATCH ? room : BATCH;

        for (uint32_t i = 0; i < n; i++, ++*at) {
            struct netmem_slot *s = &b->ring.slots[*at % NETMEM_SLOTS];

            copy(buffer(b, *at), frame, b->size);
            *s = (struct netmem_slot){.buffer = *at % NETMEM_SLOTS,
                                      .len = (uint16_t)b->size};
        }
        if (n)
            atomic_store_explicit(&b->ring.offered, *at, memory_order_release);
    }
}

/* `*at` counts what was put in, which is a ring ahead of what was taken at most. */
static void produce_windows(struct bare *b, double seconds, double *mean, double *best)
{
    static const uint8_t frame[NETMEM_BUFFER] = {2};
    double start = now_s(), window = start, now = start;
    uint32_t at = 0, at_window = 0;

    while (now < start + seconds) {
        produce(b, frame, &at);
        now = now_s();
        if (now - window >= WINDOW_S) {
            double mpps = (at - at_window) / (now - window) / 1e6;

            *best = mpps > *best ? mpps : *best;
            at_window = at;
            window = now;
        }
    }
    *mean = at / (now - start) / 1e6;
    if (*mean > *best) /* what is left of the time is no whole window */
        *best = *mean;
}

/* The scheduler likes to put two threads that never sleep on one processor of a busy
 * machine, where they pass one ring a time slice. Give them one each, of those we may
 * use: number `which`, counted from 0. */
static void take_processor(pthread_t thread, const cpu_set_t *allowed, int which)
{
    cpu_set_t one;

    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, allowed) || which-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        pthread_setaffinity_np(thread, sizeof one, &one);
        return;
    }
}

void bare_ring_run(uint32_t size, double seconds, double *mean, double *best)
{
    struct bare *b = aligned_alloc(64, (sizeof *b + 63) & ~(size_t)63);
    pthread_t thread;
    cpu_set_t allowed;

    *mean = *best = 0;
    if (!b)
        return;
    memset(b, 0, sizeof *b);
    b->size = size;
    b->buffers = aligned_alloc(4096, (size_t)NETMEM_SLOTS * NETMEM_BUFFER);
    if (b->buffers && pthread_create(&thread, NULL, consume, b) == 0) {
        if (pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed) != 0)
            CPU_ZERO(&allowed);
        take_processor(thread, &allowed, 1);
        take_processor(pthread_self(), &allowed, 0);
        produce_windows(b, seconds, mean, best);
        if (CPU_COUNT(&allowed) > 0)
            pthread_setaffinity_np(pthread_self(), sizeof allowed, &allowed);
        atomic_store(&b->stop, true);
        pthread_join(thread, NULL);
    }
    free(b->buffers);
    free(b);
}
