// SPDX-License-Identifier: BSD-3-Clause
/*
 * layout.h -- where everything lies in a guest's address space
 *
 *     LAYOUT_BASE
 *     +0          page tables, supervisor pages: no user mapping
 *     +64 KiB     boot page            r--
 *     +68 KiB     struct boot_wait     rw-
 *     +72 KiB     .data and .bss       rw-   up to 512 KiB
 *     +752 KiB    stack                rw-   256 KiB, unmapped below and above
 *     +2 MiB      control memory       rw-   abi/control.h
 *     +16 MiB     text                 r-x   up to 4 MiB
 *     +20 MiB     constants            r--   up to 4 MiB
 *     +24 MiB     packet memory        rw-   abi/netmem.h
 *     +256 MiB    heap                 rw-   up to 512 MiB
 *
 * One GiB from LAYOUT_BASE holds it all, so that one page directory is enough, and the
 * guest-physical address of everything but the heap is the virtual one less LAYOUT_BASE.
 * The first LAYOUT_HEAP_FIRST bytes of the heap lie at LAYOUT_HEAP_PHYS, between control
 * memory and text, so that one slot of KVM's memory holds all that a small VM needs.
 * The addresses are free in an ordinary (position-independent) process, so the image
 * runs there unchanged.
 *
 * The heap is backed from its start, LAYOUT_HEAP_FIRST at first; the guest asks for more
 * through PORT_HEAP. What is backed costs kernel memory even when it is never touched.
 *
 * KVM maps pages in aligned groups of eight as far as they are present, up to the first
 * that is not. So the boot page, what follows it and the data are neighbours, and the stack
 * ends in the middle of a group, so that its topmost pages begin one: a fault for either.
 */

#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#define LAYOUT_BASE       0x40000000
#define LAYOUT_BOOT       0x40010000
#define LAYOUT_FS         0x40010800 /* FS base: libc's stack canary at +0x28 */
#define LAYOUT_WAIT       0x40011000
#define LAYOUT_DATA       0x40012000
#define LAYOUT_DATA_MAX   0x80000
#define LAYOUT_STACK      0x400bc000 /* lowest byte */
#define LAYOUT_STACK_SIZE 0x40000
#define LAYOUT_CONTROL    0x40200000
#define LAYOUT_TEXT       0x41000000
#define LAYOUT_TEXT_MAX   0x400000
#define LAYOUT_RODATA     0x41400000
#define LAYOUT_RODATA_MAX 0x400000
#define LAYOUT_NETMEM     0x41800000
#define LAYOUT_NETMEM_MAX 0xe800000
#define LAYOUT_HEAP       0x50000000
#define LAYOUT_HEAP_MAX   0x20000000
#define LAYOUT_HEAP_PHYS  0xc00000
#define LAYOUT_HEAP_FIRST 0x400000
#define LAYOUT_HEAP_STEPS 28 /* how often it can be enlarged */

#endif
