// SPDX-License-Identifier: BSD-3-Clause
/*
 * paging.h -- page tables and fault pages of a KVM guest
 *
 * Builds, in the first 64 KiB of a VM's memory, what no guest-virtual address maps for
 * the guest: four page-table pages, a supervisor page with IDT, GDT and one stub a
 * vector, and a supervisor page with TSS, I/O bitmap and the stack the stubs run on.
 *
 * A stub pushes its vector and writes to PORT_FAULT; the monitor then reads
 * struct fault_frame from the stack. It never returns to the guest.
 */

#ifndef VMM_PAGING_H
#define VMM_PAGING_H

#include <stddef.h>
#include <stdint.h>

/* Guest-physical places, all below 64 KiB. */
#define PAGING_PML4 0x1000u
#define PAGING_PDPT 0x2000u
#define PAGING_PD   0x3000u
#define PAGING_PT   0x4000u
#define PAGING_CODE 0x5000u /* IDT, GDT, stubs */
#define PAGING_TASK 0x6000u /* TSS, I/O bitmap; the stack grows down from its end */

#define PAGING_IDT      (PAGING_CODE + 0x400u)
#define PAGING_IDT_SIZE (32u * 16u)
#define PAGING_GDT      (PAGING_CODE + 0x800u)
#define PAGING_GDT_SIZE 0x50u
#define PAGING_TSS      PAGING_TASK
#define PAGING_TSS_SIZE 0x130u /* with the bitmap up to port 0x637 */

enum {
    SEL_KERNEL_CODE = 0x08,
    SEL_USER_DATA = 0x2b,
    SEL_USER_CODE = 0x33,
    SEL_TSS = 0x40
};

struct paging_spec {
    uint64_t text_size, rodata_size; /* bytes, from the image */
    uint64_t data_mem;               /* bytes of .data and .bss */
    uint64_t netmem_size;            /* bytes */
    uint64_t heap_size;              /* bytes, the most it can grow to */
    unsigned n_ifs;
};

/* What a stub leaves on the stack, lowest address first. */
struct fault_frame {
    uint64_t vector, error_code, rip, cs, rflags, rsp, ss;
};

/* `mem` is guest-physical 0, zeroed, at least 64 KiB. */
void paging_build(uint8_t *mem, const struct paging_spec *s);

/* The frame a stub left, if `rsp` (as the vCPU has it) points to one; else NULL. */
const struct fault_frame *paging_frame(const uint8_t *mem, uint64_t rsp);

#endif
