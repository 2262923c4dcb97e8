// SPDX-License-Identifier: BSD-3-Clause
/* memory.h -- what a VM takes of the machine's memory, by what it is for */

#ifndef CTL_MEMORY_H
#define CTL_MEMORY_H

#include <jansson.h>
#include <sys/types.h>

/* KiB of the VM whose monitor is `pid`: "image" (shared by all VMs), "guest" (page tables,
 * data, stack, control memory), "heap", "packets" (buffers and rings that were touched),
 * "monitor" (the process around it), "tables" (its page tables) and "own", the sum of all
 * but the image. What KVM keeps for itself is in no process's account. NULL when the
 * process is gone or not ours to look at. */
json_t *memory_of(pid_t pid);

#endif
