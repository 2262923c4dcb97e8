// SPDX-License-Identifier: BSD-3-Clause
/*
 * Page tables and fault pages of a KVM guest; see paging.h.
 *
 * Accessed and dirty bits are set from the start: KVM's shadow paging then maps the
 * neighbours of a page that is touched along with it, and never has to write here.
 */

#include "vmm/paging.h"

#include <string.h>

#include "abi/boot.h"
#include "abi/control.h"
#include "abi/layout.h"

enum {
    P = 1 << 0,
    W = 1 << 1,
    U = 1 << 2,
    A = 1 << 5,
    D = 1 << 6,
    HUGE = 1 << 7,
};
#define NX (1ull << 63)

enum { PAGE = 4096, HUGE_PAGE = 2 << 20 };

static uint64_t *table(uint8_t *mem, uint32_t at)
{
    return (uint64_t *)(mem + at);
}

/* Map [start, start + size) to `phys` with 2 MiB pages; both are multiples of 2 MiB. The
 * rest of the last one is mapped, too: where there is no memory behind it KVM reports an
 * access to the monitor, which ends the VM as it does for a page fault. */
static void map_huge(uint8_t *mem, uint64_t start, uint64_t size, uint64_t phys,
                     uint64_t flags)
{
    uint64_t *pd = table(mem, PAGING_PD);

    for (uint64_t at = 0; at < size; at += HUGE_PAGE)
        pd[(start - LAYOUT_BASE + at) / HUGE_PAGE] = (phys + at) | flags | HUGE | P |
                                                     A | D;
}

static void map_pages(uint8_t *mem, uint64_t start, uint64_t size, uint64_t flags)
{
    uint64_t *pt = table(mem, PAGING_PT);

    for (uint64_t at = start - LAYOUT_BASE; at < start - LAYOUT_BASE + size; at += PAGE)
        pt[at / PAGE] = at | flags | P | A | D;
}

_Static_assert(LAYOUT_CONTROL - LAYOUT_BASE + CONTROL_SIZE <= LAYOUT_HEAP_PHYS,
               "the heap begins behind control memory");

static void build_tables(uint8_t *mem, const struct paging_spec *s)
{
    const uint64_t data = U | W | NX;

    table(mem, PAGING_PML4)[0] = PAGING_PDPT | P | W | U | A;
    table(mem, PAGING_PDPT)[LAYOUT_BASE >> 30] = PAGING_PD | P | W | U | A;
    table(mem, PAGING_PD)[0] = PAGING_PT | P | W | U | A;
    map_pages(mem, LAYOUT_BASE + PAGING_CODE, PAGE, 0);
    map_pages(mem, LAYOUT_BASE + PAGING_TASK, PAGE, W | NX);
    map_pages(mem, LAYOUT_BOOT, PAGE, U | NX);
    map_pages(mem, LAYOUT_WAIT, PAGE, data);
    map_pages(mem, LAYOUT_DATA, s->data_mem, data);
    map_pages(mem, LAYOUT_STACK, LAYOUT_STACK_SIZE, data);
    map_huge(mem, LAYOUT_CONTROL, CONTROL_SIZE, LAYOUT_CONTROL - LAYOUT_BASE, data);
    map_huge(mem, LAYOUT_TEXT, s->text_size, LAYOUT_TEXT - LAYOUT_BASE, U);
    map_huge(mem, LAYOUT_RODATA, s->rodata_size, LAYOUT_RODATA - LAYOUT_BASE, U | NX);
    map_huge(mem, LAYOUT_NETMEM, s->netmem_size, LAYOUT_NETMEM - LAYOUT_BASE, data);
    map_huge(mem, LAYOUT_HEAP, LAYOUT_HEAP_FIRST, LAYOUT_HEAP_PHYS, data);
    if (s->heap_size > LAYOUT_HEAP_FIRST)
        map_huge(mem, LAYOUT_HEAP + LAYOUT_HEAP_FIRST, s->heap_size - LAYOUT_HEAP_FIRST,
                 LAYOUT_HEAP - LAYOUT_BASE + LAYOUT_HEAP_FIRST, data);
}

static int has_error_code(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 ||
           vector == 21 || vector == 29 || vector == 30;
}

/* [push $0]; push $vector; mov $PORT_FAULT,%edx; out %al,(%dx); hlt */
static void build_stub(uint8_t *code, unsigned vector)
{
    size_t n = 0;

    if (!has_error_code(vector)) {
        code[n++] = 0x6a;
        code[n++] = 0;
    }
    code[n++] = 0x6a;
    code[n++] = (uint8_t)vector;
    code[n++] = 0xba;
    code[n++] = PORT_FAULT & 0xff;
    code[n++] = PORT_FAULT >> 8;
    code[n++] = 0;
    code[n++] = 0;
    code[n++] = 0xee;
    code[n++] = 0xf4;
}

static void build_idt(uint8_t *mem)
{
    for (unsigned v = 0; v < 32; v++) {
        uint64_t at = LAYOUT_BASE + PAGING_CODE + v * 16;
        uint64_t *gate = (uint64_t *)(mem + PAGING_IDT + v * 16);

        build_stub(mem + PAGING_CODE + v * 16, v);
        gate[0] = (at & 0xffff) | (uint64_t)SEL_KERNEL_CODE << 16 | 0x8eull << 40 |
                  (at >> 16 & 0xffff) << 48;
        gate[1] = at >> 32;
    }
}

static void allow_port(uint8_t *bitmap, unsigned port)
{
    bitmap[port / 8] &= (uint8_t) ~(1u << (port % 8));
}

static void build_task(uint8_t *mem, const struct paging_spec *s)
{
    uint64_t *gdt = (uint64_t *)(mem + PAGING_GDT);
    uint8_t *tss = mem + PAGING_TSS, *bitmap = tss + 0x68;
    const uint64_t base = LAYOUT_BASE + PAGING_TSS,
                   stack = LAYOUT_BASE + PAGING_TASK + PAGE;
    const uint16_t bitmap_at = 0x68;

    gdt[1] = 0x00af9b000000ffffull;
    gdt[2] = 0x00cf93000000ffffull;
    gdt[5] = 0x00cff3000000ffffull;
    gdt[6] = 0x00affb000000ffffull;
    gdt[8] = (PAGING_TSS_SIZE - 1) | (base & 0xffffff) << 16 | 0x8bull << 40 |
             (base >> 24 & 0xff) << 56;
    gdt[9] = base >> 32;
    memcpy(tss + 4, &stack, sizeof stack);
    memcpy(tss + 0x66, &bitmap_at, sizeof bitmap_at);
    memset(bitmap, 0xff, PAGING_TSS_SIZE - 0x68);
    for (unsigned i = 0; i < s->n_ifs; i++)
        allow_port(bitmap, PORT_NET_DOORBELL + i);
    allow_port(bitmap, PORT_CONTROL_DOORBELL);
    allow_port(bitmap, PORT_WAIT);
    allow_port(bitmap, PORT_PANIC);
    allow_port(bitmap, PORT_HEAP);
    allow_port(bitmap, PORT_CHECKPOINT);
}

void paging_build(uint8_t *mem, const struct paging_spec *s)
{
    build_tables(mem, s);
    build_idt(mem);
    build_task(mem, s);
}

const struct fault_frame *paging_frame(const uint8_t *mem, uint64_t rsp)
{
    uint64_t first = LAYOUT_BASE + PAGING_TSS + PAGING_TSS_SIZE;
    uint64_t last = LAYOUT_BASE + PAGING_TASK + PAGE - sizeof(struct fault_frame);

    if (rsp < first || rsp > last || rsp % 8)
        return NULL;
    return (const struct fault_frame *)(mem + (rsp - LAYOUT_BASE));
}
