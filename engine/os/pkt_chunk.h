// SPDX-License-Identifier: BSD-3-Clause
/*
 * pkt_chunk.h -- memory that holds many packets one behind the other
 *
 * A source that reads a file reads a chunk, and makes packets of what lies in it without a
 * copy. Each has a buffer (struct buf) of its own, a stretch of the chunk, so it is written
 * in place like any other packet; a chunk is idle, and may be filled again, when all of them
 * have been freed. How many packets wait somewhere is not known to the source, and one may
 * hold a whole chunk: whoever uses chunks bounds their number and goes on with copies.
 *
 *      chunk        head   data      data + len
 *        v           v      v            v
 *        [ other ... ][ 16 ][ a packet   ][ 16 ][ the next ...
 *
 * Threads: those of the pool.
 * Memory:  packets outlive the chunk's owner, so the pool keeps what is still in use.
 */

#ifndef ENGINE_OS_PKT_CHUNK_H
#define ENGINE_OS_PKT_CHUNK_H

#include "engine/pkt.h"

struct pkt_chunk;

/* A chunk of so many bytes, not initialised. NULL when memory ran out. */
struct pkt_chunk *pkt_chunk_new(struct pkt_pool *pool, size_t bytes);

/* The owner needs it no longer; packets may. Accepts NULL. */
void pkt_chunk_free(struct pkt_chunk *c);

/* Its bytes, for whoever fills it. */
uint8_t *pkt_chunk_bytes(struct pkt_chunk *c);

/* Whether no packet lies in it; then all of its bytes may be written. */
bool pkt_chunk_idle(struct pkt_chunk *c);

/* Have `n` buffers wait in the chunk, whose `head`, `room` and `low` are not set: for those
 * who make the packets (capture_batch.c). False: it has too many packets already. */
bool pkt_chunk_reserve(struct pkt_chunk *c, uint32_t n);

#endif
