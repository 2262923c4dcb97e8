// SPDX-License-Identifier: BSD-3-Clause
/*
 * guest.h -- what an image needs beside the engine
 *
 *     entry.c    first instruction, and where a copied guest goes on
 *     main.c     main loop: control, scheduler, sleep
 *     service.c  the ways out: doorbells, wait, more heap, panic
 *     heap.c     malloc() and its family
 *     memory.c   memcpy() and its family
 *     libc.c     what the libc archive would make system calls for
 *     console.c  text out
 *     netfront.c packets in and out
 *     request.c  control requests
 *     checkpoint.c  standing still while the monitor copies us
 *
 * Threads: one. There are no interrupts either.
 * Trust:   the host may do with us what it likes; nothing here doubts it.
 */

#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/boot.h"
#include "abi/control.h"
#include "abi/layout.h"
#include "abi/netmem.h"

/* Fixed addresses: no pointer to them has to be kept or passed. */
#define GUEST_BOOT    ((const struct boot_info *)(uintptr_t)LAYOUT_BOOT)
#define GUEST_WAIT    ((volatile struct boot_wait *)(uintptr_t)LAYOUT_WAIT)
#define GUEST_CONTROL ((struct control_head *)(uintptr_t)LAYOUT_CONTROL)
#define GUEST_NET     ((struct netmem_head *)(uintptr_t)LAYOUT_NETMEM)

/* ---- service.c ---------------------------------------------------------------------- */

/* Steady time in ns. */
static inline uint64_t guest_now(void)
{
    const struct boot_info *b = GUEST_BOOT;
    uint64_t t = __builtin_ia32_rdtsc() - b->tsc_base;

    return (uint64_t)((unsigned __int128)t * b->tsc_mult >> 32) + b->ns_base;
}

void guest_ring_net(unsigned n);
void guest_ring_control(void);

/* Say that the main loop runs. */
void guest_ready(void);

/* Sleep until woken or until steady time `until_ns` (UINT64_MAX: no limit). */
void guest_wait(uint64_t until_ns);

/* Ask for `bytes` of heap from its start; heap_have tells what there is. */
void guest_grow_heap(uint64_t bytes);

/* Stand still while the monitor copies our memory. Returns false then, and true in every
 * VM that is made from the copy. */
bool guest_checkpoint(void);

/* entry.c */
__attribute__((returns_twice)) int guest_save(void);

/* The end, with a reason. */
_Noreturn void guest_panic(const char *why);

/* ---- console.c ---------------------------------------------------------------------- */

void console_write(const char *text, size_t len);

/* Tell the monitor of text that it has not been told of. */
void console_flush(void);

/* ---- heap.c ------------------------------------------------------------------------- */

struct heap_use {
    uint64_t used;    /* bytes in blocks that are allocated, with their headers */
    uint64_t touched; /* bytes from the start of the heap that were ever used */
    uint64_t size;    /* bytes it can grow to */
};

void heap_use(struct heap_use *u);

/* Bytes whose contents nobody will read; in pieces of a page or more. */
void heap_each_free(void (*each)(void *ctx, uint64_t from, uint64_t size), void *ctx);

#endif
