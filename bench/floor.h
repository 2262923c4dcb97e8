// SPDX-License-Identifier: BSD-3-Clause
/*
 * floor.h -- the least that starting a VM can cost on this machine
 *
 * A process is forked, creates a VM with 4 MiB of memory and a virtual CPU, enters ring-3
 * code with one `out` in it, and reports the exit: what no monitor can avoid.
 */

#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdint.h>

/* Nanoseconds from the fork to the first exit, as seen by the parent; 0: no KVM. */
uint64_t floor_boot_ns(void);

#endif
