// SPDX-License-Identifier: BSD-3-Clause
/*
 * The state of a VM comes from a monitor that its guest has taken over, or from a file that
 * somebody has changed: what is accepted lies within its bounds, is found where it says,
 * and no page is handed out twice.
 *
 * Input: the state; its magic, version and ABI are put right, as they are easy to guess.
 */

#include "vmm/state.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/layout.h"

struct seen {
    uint64_t next, pages, end; /* guest address; pages; bytes of the file */
};

static int look(void *ctx, uint64_t address, uint64_t bytes, uint64_t at)
{
    struct seen *s = ctx;

    if (address < s->next || address < LAYOUT_BASE || bytes % STATE_PAGE ||
        address + bytes > LAYOUT_HEAP + LAYOUT_HEAP_MAX || at % STATE_PAGE ||
        at + bytes > s->end)
        __builtin_trap();
    s->next = address + bytes;
    s->pages += bytes / STATE_PAGE;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct state_head h = {.magic = 0};
    struct state s;
    struct seen seen = {.end = size};

    if (fd < 0)
        fd = memfd_create("state", 0);
    if (size > (1 << 20) || ftruncate(fd, 0) < 0 ||
        pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    if (size >= sizeof h) {
        memcpy(&h, data, sizeof h);
        h.magic = STATE_MAGIC;
        h.version = STATE_VERSION;
        h.abi = state_abi();
        if (pwrite(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
            return 0;
    }
    if (state_open(&s, fd, NULL) < 0)
        return 0;
    if (state_size(&s) > size)
        __builtin_trap();
    state_each(&s, LAYOUT_BASE, LAYOUT_HEAP - LAYOUT_BASE + LAYOUT_HEAP_MAX, look,
               &seen);
    if (seen.pages != s.head.n_pages)
        __builtin_trap();
    state_close(&s);
    return 0;
}
