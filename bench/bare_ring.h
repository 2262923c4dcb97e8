// SPDX-License-Identifier: BSD-3-Clause
/*
 * bare_ring.h -- the limit of every path through the switch
 *
 * One producer and one consumer, a thread each, on one ring with the layout of
 * abi/netmem.h. The producer writes each packet, the consumer copies it: what nobody who
 * moves packets between two that do not trust each other can avoid.
 */

#ifndef BENCH_BARE_RING_H
#define BENCH_BARE_RING_H

#include <stdint.h>

/* Million packets of `size` bytes (14 to 1900) a second: over the whole time, and in the
 * best of windows of about 20 ms. Two threads that spin share the machine badly with
 * others; the best window is the one in which both had a processor. Both are 0 when the
 * system refuses. */
void bare_ring_run(uint32_t size, double seconds, double *mean, double *best);

#endif
