// SPDX-License-Identifier: BSD-3-Clause
/* trace.c -- limit of reading a trace: see limits.h; the file is mapped, not copied */

#include "bench/limits/headers.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_HEADER = 24, PACKET_HEADER = 16 };

static inline unsigned read_batch(struct limit_pkt *b, uint8_t **at, const uint8_t *end)
{
    unsigned n = 0;

    while (n < LIMIT_BATCH && end - *at >= PACKET_HEADER) {
        uint32_t len = load32(*at + 8);

        if (len > (size_t)(end - *at) - PACKET_HEADER)
            break;
        b[n++] = (struct limit_pkt){*at + PACKET_HEADER, len, 1};
        *at += PACKET_HEADER + len;
        __builtin_prefetch(*at + 512);
    }
    return n;
}

void limit_trace(struct limit *l, uint64_t n)
{
    int fd = open(l->trace, O_RDONLY | O_CLOEXEC);
    struct limit_pkt b[LIMIT_BATCH];
    struct stat st;
    uint8_t *map, *at;

    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return;
    at = map + FILE_HEADER;
    while (n && read_batch(b, &at, map + st.st_size) == LIMIT_BATCH) {
        unsigned good = limit_strip(b);

        for (unsigned i = 0; i < good; i++)
            l->bytes += b[i].len;
        l->packets += good;
        limit_discard(l, b, good);
        n -= LIMIT_BATCH;
    }
    munmap(map, (size_t)st.st_size);
}
