// SPDX-License-Identifier: BSD-3-Clause
/* Text out: the console ring of abi/control.h. A guest that prints faster than it is read
 * loses text and never waits. */

#include "guest/guest.h"

#include <string.h>

static struct {
    uint32_t in;   /* bytes ever written; our own index */
    uint32_t told; /* of those, what the monitor was told of */
} console;

void console_write(const char *text, size_t len)
{
    struct control_head *h = GUEST_CONTROL;
    uint8_t *ring = (uint8_t *)h + CONTROL_CONSOLE_AT;
    uint32_t out = atomic_load_explicit(&h->console_out, memory_order_acquire);
    uint32_t room = CONTROL_CONSOLE - (console.in - out), at, first;

    if (len > room) {
        atomic_store_explicit(&h->console_lost,
                              h->console_lost + (uint32_t)(len - room),
                              memory_order_relaxed);
        len = room;
    }
    at = console.in % CONTROL_CONSOLE;
    first = CONTROL_CONSOLE - at < len ? CONTROL_CONSOLE - at : (uint32_t)len;
    memcpy(ring + at, text, first);
    memcpy(ring, text + first, len - first);
    console.in += (uint32_t)len;
    atomic_store_explicit(&h->console_in, console.in, memory_order_release);
}

void console_flush(void)
{
    if (console.told == console.in)
        return;
    console.told = console.in;
    guest_ring_control();
}
