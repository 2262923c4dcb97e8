// SPDX-License-Identifier: BSD-3-Clause
/*
 * prefetch.h -- ask for a cache line before it is needed
 *
 * gcc takes a function that does nothing but __builtin_prefetch() for one without effect,
 * and leaves out the calls of it (seen with 12.2). An instruction of our own stays where it
 * is. Any address may be asked for, also one where nothing is.
 */

#ifndef BASE_PREFETCH_H
#define BASE_PREFETCH_H

#if defined(__x86_64__)
#define PREFETCH(instruction, at)                                                      \
    __asm__ volatile(instruction " (%0)" : : "r"((const void *)(at)))
#else
#define PREFETCH(instruction, at) __builtin_prefetch(at)
#endif

static inline __attribute__((always_inline)) void prefetch(const void *at)
{
    PREFETCH("prefetcht0", at);
}

/* For writing: takes the line away from other processors, too. */
static inline __attribute__((always_inline)) void prefetch_to_write(const void *at)
{
    PREFETCH("prefetchw", at);
}

#endif
