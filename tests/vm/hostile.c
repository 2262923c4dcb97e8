// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest that does what it is told, and that is never anything good.
 *
 * An image of its own, with the same entry and the same services as the real one but
 * without an engine: CONTROL_READ of a handler carries out the deed of that name. What
 * the deed leads to is checked by vm_crash.c. None of this is in the production image.
 */

#include <stdint.h>
#include <string.h>

#include "guest/guest.h"
#include "tests/vm/hostile_net.h"

void guest_main(void);

static uint8_t some_data[64] = {0xc3};
static const uint8_t some_constant = 7;

typedef void void_fn(void);

static volatile uintptr_t null_address;

static void read_null(void)
{
    *(volatile uint8_t *)null_address;
}

/* In a function of the C library, for which there are no unwinding tables. */
static void length_of_null(void)
{
    null_address = strlen((const char *)null_address);
    GUEST_WAIT->until_ns = null_address;
}

static void write_null(void)
{
    *(volatile uint8_t *)(null_address + 8) = 1;
}

static void write_text(void)
{
    *(volatile uint8_t *)(uintptr_t)LAYOUT_TEXT = 0x90;
}

static void write_constant(void)
{
    *(volatile uint8_t *)(uintptr_t)&some_constant = 8;
}

static void write_boot(void)
{
    *(volatile uint8_t *)(uintptr_t)LAYOUT_BOOT = 0;
}

static void write_tables(void)
{
    *(volatile uint64_t *)(uintptr_t)(LAYOUT_BASE + 0x3000) = 0x87;
}

static void write_idt(void)
{
    *(volatile uint64_t *)(uintptr_t)(LAYOUT_BASE + 0x5400) = 0;
}

static void read_task(void)
{
    *(volatile uint64_t *)(uintptr_t)(LAYOUT_BASE + 0x6000);
}

static void jump_to_data(void)
{
    ((void_fn *)(uintptr_t)some_data)();
}

static void call_null(void)
{
    ((void_fn *)null_address)();
}

static void high_memory(void)
{
    *(volatile uint64_t *)(uintptr_t)0xffffffff81000000;
}

static void beyond_heap(void)
{
    *(volatile uint8_t *)((uintptr_t)LAYOUT_HEAP + GUEST_BOOT->heap_size +
                          (8u << 20)) = 1;
}

static void beyond_netmem(void)
{
    *(volatile uint8_t *)((uintptr_t)LAYOUT_NETMEM + LAYOUT_NETMEM_MAX - 4096) = 1;
}

#if __GNUC__ >= 12 && !defined(__clang__)
#pragma GCC diagnostic ignored "-Winfinite-recursion"
#endif
__attribute__((noinline)) static uint64_t recurse(uint64_t depth)
{
    volatile uint8_t frame[1024];

    frame[depth % sizeof frame] = (uint8_t)depth;
    return recurse(depth + 1) + frame[depth % sizeof frame];
}

static void overflow_stack(void)
{
    recurse(null_address);
}

static void divide(void)
{
    __asm__ volatile("xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tdivl %%ecx"
                     :
                     :
                     : "eax", "ecx", "edx");
}

static void invalid(void)
{
    __builtin_trap();
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

static void forbidden_port(void)
{
    __asm__ volatile("outb %%al, %%dx" : : "d"(0x3f8), "a"(0));
}

static void fault_port(void)
{
    __asm__ volatile("outb %%al, %%dx" : : "d"(PORT_FAULT), "a"(0));
}

static void read_port(void)
{
    __asm__ volatile("inb %%dx, %%al" : : "d"(PORT_WAIT) : "eax");
}

static void write_msr(void)
{
    __asm__ volatile("wrmsr" : : "c"(0xc0000082), "a"(0), "d"(0));
}

static void system_call(void)
{
    __asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory");
}

static void software_interrupt(void)
{
    __asm__ volatile("int $0x80" : : "a"(20) : "memory");
}

static void spin(void)
{
    for (;;)
        __asm__ volatile("pause");
}

static void panic(void)
{
    guest_panic("on request\n\x1b[31m");
}

/* Not fatal: lies that the monitor must see through. */

static void forge_console(void)
{
    GUEST_CONTROL->console_in += 0x80000000u;
    guest_ring_control();
    GUEST_CONTROL->console_in = 5;
    GUEST_CONTROL->console_out = 77;
    guest_ring_control();
}

static void forge_answers(void)
{
    struct control_head *h = GUEST_CONTROL;

    for (uint32_t i = 0; i < 64; i++) {
        h->reply.len = UINT32_MAX;
        h->reply.status = 12345;
        h->answered = h->asked + 7 * i + 2;
        h->asked = 1000 + i;
        guest_ring_control();
    }
    h->asked = 0;
}

static void long_answer(void)
{
    GUEST_CONTROL->reply.len = UINT32_MAX;
}

static void flood_console(void)
{
    static const char line[] =
        "0123456789012345678901234567890123456789012345678901234\n";

    for (int i = 0; i < 20000; i++) {
        console_write(line, sizeof line - 1);
        if (i % 8 == 0)
            guest_ring_control();
    }
}

static void flood_doorbell(void)
{
    for (int i = 0; i < 2000; i++)
        guest_ring_control();
}

static void want_heap(void)
{
    guest_grow_heap(UINT64_MAX);
    guest_grow_heap(0);
    guest_grow_heap(GUEST_BOOT->heap_size + 1);
    for (int i = 0; i < 100; i++)
        guest_grow_heap(GUEST_WAIT->heap_have + 1);
}

/* Time enough for the daemon to die first. */
static void read_null_later(void)
{
    uint64_t until = guest_now() + 1500000000u;

    while (guest_now() < until)
        guest_wait(until);
    read_null();
}

static void wait_for_nothing(void)
{
    GUEST_WAIT->until_ns = 0;
    guest_wait(0);
    guest_wait(1);
}

static const struct {
    const char *name;
    void_fn *run;
} deeds[] = {
    {"read_null", read_null},
    {"read_null_later", read_null_later},
    {"length_of_null", length_of_null},
    {"write_null", write_null},
    {"write_text", write_text},
    {"write_constant", write_constant},
    {"write_boot", write_boot},
    {"write_tables", write_tables},
    {"write_idt", write_idt},
    {"read_task", read_task},
    {"jump_to_data", jump_to_data},
    {"call_null", call_null},
    {"high_memory", high_memory},
    {"beyond_heap", beyond_heap},
    {"beyond_netmem", beyond_netmem},
    {"overflow_stack", overflow_stack},
    {"divide", divide},
    {"invalid", invalid},
    {"halt", halt},
    {"forbidden_port", forbidden_port},
    {"fault_port", fault_port},
    {"read_port", read_port},
    {"write_msr", write_msr},
    {"system_call", system_call},
    {"software_interrupt", software_interrupt},
    {"spin", spin},
    {"panic", panic},
    {"forge_console", forge_console},
    {"forge_answers", forge_answers},
    {"flood_console", flood_console},
    {"flood_doorbell", flood_doorbell},
    {"want_heap", want_heap},
    {"wait_for_nothing", wait_for_nothing},
};

static void serve(const struct control_request *q)
{
    struct control_head *h = GUEST_CONTROL;

    h->reply = (struct control_reply){.status = CONTROL_OK};
    for (size_t i = 0; q->verb == CONTROL_READ && i < sizeof deeds / sizeof deeds[0];
         i++)
        if (strcmp(q->handler, deeds[i].name) == 0)
            deeds[i].run();
    if (q->verb == CONTROL_READ)
        hostile_net(q->handler);
    if (strcmp(q->handler, "long_answer") == 0)
        long_answer();
}

void guest_main(void)
{
    struct control_head *h = GUEST_CONTROL;
    uint32_t answered = 0;

    guest_ready();
    for (;;) {
        while (atomic_load_explicit(&h->asked, memory_order_acquire) == answered)
            guest_wait(UINT64_MAX);
        serve(&h->request);
        answered++;
        atomic_store_explicit(&h->answered, answered, memory_order_release);
        guest_ring_control();
    }
}
