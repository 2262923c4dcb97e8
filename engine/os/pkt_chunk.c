// SPDX-License-Identifier: BSD-3-Clause
/* pkt_chunk.c -- memory that holds many packets: see pkt_chunk.h */

#include "engine/os/pkt_chunk.h"

#include "engine/pkt_pool.h"

#include <stdlib.h>

static void unlink_idle(struct pkt_pool *pool)
{
    for (struct pkt_chunk **at = &pool->chunks, *c; (c = *at);)
        if (pkt_chunk_idle(c)) {
            *at = c->next;
            free(c);
        } else {
            at = &c->next;
        }
}

struct pkt_chunk *pkt_chunk_new(struct pkt_pool *pool, size_t bytes)
{
    struct pkt_chunk *c;

    unlink_idle(pool);
    if (bytes > SIZE_MAX - sizeof *c || !(c = malloc(sizeof *c + bytes)))
        return NULL;
    c->free = (struct stack){.buf = c->stack, .room = CHUNK_PACKETS, .pool = pool};
    c->fresh = 0;
    c->size = bytes;
    c->bytes = (uint8_t *)(c + 1);
    return c;
}

void pkt_chunk_free(struct pkt_chunk *c)
{
    if (!c)
        return;
    if (pkt_chunk_idle(c)) {
        free(c);
        return;
    }
    c->next = c->free.pool->chunks;
    c->free.pool->chunks = c;
}

uint8_t *pkt_chunk_bytes(struct pkt_chunk *c)
{
    return c->bytes;
}

bool pkt_chunk_idle(struct pkt_chunk *c)
{
    if (c->free.n < c->fresh)
        return false;
    UNPOISON(c->bytes, c->size);
    return true;
}

bool pkt_chunk_reserve(struct pkt_chunk *c, uint32_t n)
{
    while (c->free.n < n) {
        struct buf *b = &c->bufs[c->fresh];

        if (c->fresh == CHUNK_PACKETS)
            return false;
        *b = (struct buf){.refs = 1, .home = &c->free, .number = BUF_PRIVATE};
        c->stack[c->free.n++] = b;
        c->fresh++;
    }
    return true;
}
