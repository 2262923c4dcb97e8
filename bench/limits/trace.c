// SPDX-License-Identifier: BSD-3-Clause
/* trace.c -- limit of reading a trace: see limits.h; the file is mapped, not copied */

#include "bench/limits/headers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_HEADER = 24, PACKET_HEADER = 16 };

static inline unsigned read_batch(struct limit *l, struct limit_pkt *b, uint8_t **at,
                                  const uint8_t *end)
{
    unsigned n = 0;

    limit_mark(l);
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

struct trace {
    uint8_t *map, *at, *end;
};

static int trace_open(struct trace *t, const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    t->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd,
                  0);
    close(fd);
    t->at = t->map + FILE_HEADER;
    t->end = t->map + st.st_size;
    return t->map == MAP_FAILED ? -1 : 0;
}

void limit_trace(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];
    struct trace t;

    if (trace_open(&t, l->trace) < 0)
        return;
    for (; n && read_batch(l, b, &t.at, t.end) == LIMIT_BATCH; n -= LIMIT_BATCH) {
        unsigned good = limit_strip(b);

        for (unsigned i = 0; i < good; i++)
            l->bytes += b[i].len;
        l->packets += good;
        limit_discard(l, b, good);
    }
    munmap(t.map, (size_t)(t.end - t.map));
}

struct flow {
    struct tuple t;
    uint32_t number; /* 0: free place */
    uint32_t last_s, first_s;
    uint32_t packets;
};

/* The number of a flow, a new one the first time; when it was seen is kept. */
static inline uint32_t flow_number(struct flow *table, uint32_t mask, uint32_t at,
                                   const uint8_t *tuple, uint32_t *n_flows)
{
    while (table[at].number && memcmp(&table[at].t, tuple, sizeof table[at].t))
        at = (at + 1) & mask;
    if (!table[at].number) {
        memcpy(&table[at].t, tuple, sizeof table[at].t);
        table[at].number = ++*n_flows;
    }
    table[at].last_s++;
    return table[at].number;
}

void limit_trace_flows(struct limit *l, uint64_t n)
{
    uint32_t mask = 2 * l->size, n_flows = 0, at[LIMIT_BATCH];
    struct limit_pkt b[LIMIT_BATCH];
    struct flow *table;
    struct trace t;

    mask = (1u << (32 - __builtin_clz(mask))) - 1;
    l->table = table = calloc(mask + 1, sizeof *table);
    if (!table || trace_open(&t, l->trace) < 0)
        return;
    for (; n && read_batch(l, b, &t.at, t.end) == LIMIT_BATCH; n -= LIMIT_BATCH) {
        unsigned good = limit_strip(b);

        for (unsigned i = 0; i < good; i++) {
            uint64_t h;

            memcpy(&h, b[i].data + 12, sizeof h);
            h ^= (uint64_t)load32(b[i].data + 20) << 32 ^ load32(b[i].data + 20);

            at[i] = (uint32_t)(h * 0x9e3779b97f4a7c15ull >> 32) & mask;
            __builtin_prefetch(&table[at[i]]);
        }
        for (unsigned i = 0; i < good; i++)
            l->bytes += flow_number(table, mask, at[i], b[i].data + 12, &n_flows);
        limit_discard(l, b, good);
    }
    munmap(t.map, (size_t)(t.end - t.map));
}
