// SPDX-License-Identifier: BSD-3-Clause
/* memory.c -- memory of a VM, from /proc: see memory.h */

#include "ctl/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi/layout.h"

enum { PAGE = 4096, PAGE_KIB = PAGE / 1024, AT_ONCE = 1024 };
#define PRESENT (1ull << 63)

/* KiB of [from, to) that are there; -1 if that cannot be read. */
static long present_kib(int pagemap, uint64_t from, uint64_t to)
{
    uint64_t entries[AT_ONCE];
    long kib = 0;

    for (uint64_t page = from / PAGE; page < to / PAGE;) {
        uint64_t want = to / PAGE - page < AT_ONCE ? to / PAGE - page : AT_ONCE;
        ssize_t n = pread(pagemap, entries, want * sizeof entries[0],
                          (off_t)(page * sizeof entries[0]));

        if (n <= 0)
            return -1;
        n /= (ssize_t)sizeof entries[0];
        for (ssize_t i = 0; i < n; i++)
            kib += entries[i] & PRESENT ? PAGE_KIB : 0;
        page += (uint64_t)n;
    }
    return kib;
}

/* The sum of the lines "KEY   NUMBER kB" of /proc/PID/FILE whose key begins with `key`. */
static long sum_kib(pid_t pid, const char *file, const char *key)
{
    char path[64], line[256];
    long kib = 0, n;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');

        if (colon && !strncmp(line, key, strlen(key)) &&
            sscanf(colon + 1, "%ld", &n) == 1)
            kib += n;
    }
    if (f)
        fclose(f);
    return kib;
}

json_t *memory_of(pid_t pid)
{
    const uint64_t heap_at = LAYOUT_BASE + LAYOUT_HEAP_PHYS;
    long image, guest, heap, packets, private_kib, tables, monitor;
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return NULL;
    guest = present_kib(fd, LAYOUT_BASE, heap_at);
    heap = present_kib(fd, heap_at, heap_at + LAYOUT_HEAP_FIRST);
    image = present_kib(fd, LAYOUT_TEXT, LAYOUT_NETMEM);
    packets = present_kib(fd, LAYOUT_NETMEM, LAYOUT_NETMEM + LAYOUT_NETMEM_MAX);
    close(fd);
    private_kib = sum_kib(pid, "smaps_rollup", "Private_");
    tables = sum_kib(pid, "status", "VmPTE");
    if (guest < 0 || heap < 0 || image < 0 || packets < 0 || private_kib == 0)
        return NULL;
    /* Packet memory is the switch's as well, and so in nobody's private pages. */
    monitor = private_kib > guest + heap ? private_kib - guest - heap : 0;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "image", (json_int_t)image,
                     "guest", (json_int_t)guest, "heap", (json_int_t)heap, "packets",
                     (json_int_t)packets, "monitor", (json_int_t)monitor, "tables",
                     (json_int_t)tables, "own",
                     (json_int_t)(guest + heap + packets + monitor + tables));
}
