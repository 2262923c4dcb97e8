// SPDX-License-Identifier: BSD-3-Clause
#include "vmm/paging.h"

#include <stdlib.h>
#include <string.h>

#include "abi/boot.h"
#include "abi/layout.h"
#include "tests/test.h"

enum { P = 1, W = 2, U = 4, HUGE = 0x80 };
#define NX    (1ull << 63)
#define FRAME 0xffffffffff000ull

static uint8_t *memory;
static const struct paging_spec spec = {.text_size = 0x20000,
                                        .rodata_size = 0x3000,
                                        .data_mem = 0x5000,
                                        .netmem_size = 0x203000,
                                        .heap_size = 64 << 20,
                                        .n_ifs = 2};

SETUP()
{
    memory = calloc(1, 1 << 16);
    paging_build(memory, &spec);
}

TEARDOWN()
{
    free(memory);
}

/* What the processor would find: the last entry, with the rights of all levels. 0: not
 * mapped. `*phys`: where. */
static uint64_t walk(uint64_t address, uint64_t *phys)
{
    uint64_t table = PAGING_PML4, rights = W | U;

    for (int shift = 39; shift >= 12; shift -= 9) {
        uint64_t e = ((uint64_t *)(memory + table))[address >> shift & 511];

        if (!(e & P))
            return 0;
        rights &= e;
        if (shift == 12 || e & HUGE) {
            *phys = (e & FRAME) | (address & ((1ull << shift) - 1));
            return P | (e & NX) | rights;
        }
        table = e & FRAME;
    }
    return 0;
}

static uint64_t rights(uint64_t address)
{
    uint64_t phys;

    return walk(address, &phys);
}

TEST(every_region_has_its_rights)
{
    EXPECT(rights(LAYOUT_TEXT) == (P | U));
    EXPECT(rights(LAYOUT_RODATA) == (P | U | NX));
    EXPECT(rights(LAYOUT_BOOT) == (P | U | NX));
    EXPECT(rights(LAYOUT_WAIT) == (P | U | W | NX));
    EXPECT(rights(LAYOUT_DATA) == (P | U | W | NX));
    EXPECT(rights(LAYOUT_CONTROL) == (P | U | W | NX));
    EXPECT(rights(LAYOUT_NETMEM) == (P | U | W | NX));
    EXPECT(rights(LAYOUT_HEAP) == (P | U | W | NX));
}

TEST(nothing_is_writable_and_executable_and_no_table_is_the_guests)
{
    for (uint64_t a = 0; a < 2ull << 30; a += 4096) {
        uint64_t phys = 0, r = walk(a, &phys);

        EXPECT(!(r & W) || r & NX);
        if (r & U)
            EXPECT(phys >= 0x10000);
    }
}

TEST(what_surrounds_the_stack_is_not_mapped)
{
    EXPECT(rights(0) == 0);
    EXPECT(rights(LAYOUT_STACK - 1) == 0);
    EXPECT(rights(LAYOUT_STACK) != 0);
    EXPECT(rights(LAYOUT_STACK + LAYOUT_STACK_SIZE - 1) != 0);
    EXPECT(rights(LAYOUT_STACK + LAYOUT_STACK_SIZE) == 0);
    EXPECT(rights(LAYOUT_DATA + spec.data_mem) == 0);
}

TEST(the_heap_is_in_one_piece_though_its_memory_is_not)
{
    uint64_t phys = 0;

    EXPECT(walk(LAYOUT_HEAP + LAYOUT_HEAP_FIRST - 1, &phys) != 0);
    EXPECT_EQ(phys, LAYOUT_HEAP_PHYS + LAYOUT_HEAP_FIRST - 1);
    EXPECT(walk(LAYOUT_HEAP + LAYOUT_HEAP_FIRST, &phys) != 0);
    EXPECT_EQ(phys, LAYOUT_HEAP - LAYOUT_BASE + LAYOUT_HEAP_FIRST);
    EXPECT(rights(LAYOUT_HEAP + spec.heap_size) == 0);
}

TEST(only_the_guests_ports_are_open)
{
    const uint8_t *bitmap = memory + PAGING_TSS + 0x68;
    unsigned n = 0;

    for (unsigned port = 0; port < (PAGING_TSS_SIZE - 0x68) * 8; port++)
        n += !(bitmap[port / 8] >> port % 8 & 1);
    EXPECT_EQ(n, spec.n_ifs + 5);
    EXPECT(bitmap[PORT_FAULT / 8] >> PORT_FAULT % 8 & 1);
}

TEST(a_frame_is_only_believed_inside_the_task_page)
{
    uint64_t page = LAYOUT_BASE + PAGING_TASK;

    EXPECT(paging_frame(memory, page + 4096 - sizeof(struct fault_frame)) != NULL);
    EXPECT(paging_frame(memory, page + 4096 - 8) == NULL);
    EXPECT(paging_frame(memory, page) == NULL);
    EXPECT(paging_frame(memory, LAYOUT_STACK) == NULL);
}
