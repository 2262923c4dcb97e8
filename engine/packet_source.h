// SPDX-License-Identifier: BSD-3-Clause
/*
 * packet_source.h -- what the elements that make packets have in common
 *
 * One packet is built from data and length and kept; what leaves the element are clones
 * of it, which cost a record each and no copy.
 *
 * Memory: data and packet belong to the source and are given back by packet_source_fini().
 */

#ifndef ENGINE_PACKET_SOURCE_H
#define ENGINE_PACKET_SOURCE_H

#include "engine/element.h"

/* What Click's sources send when they are not told otherwise; scripts know it. */
#define PACKET_SOURCE_DATA                                                             \
    "\"Random bullshit in a packet, at least 64 bytes long. Well, now it is.\""

struct packet_source {
    char *data;         /* owned */
    size_t data_len;    /* bytes of data */
    int64_t length;     /* of a packet; < 0: as long as the data */
    uint32_t headroom;  /* before the packet */
    struct pkt *packet; /* owned; what is cloned */
};

/* Take a copy of the data and build the packet. Returns 0, or -1 with a message. */
int packet_source_set_data(struct element *e, struct packet_source *s, const char *data,
                           size_t len, struct diag *d);
/* Build it anew after a change of length or headroom. */
int packet_source_build(struct element *e, struct packet_source *s, struct diag *d);
void packet_source_fini(struct packet_source *s);

/* Append up to `n` packets to `b`, stamped with `wall_ns` (0: not stamped); returns how
 * many memory allowed. b->n + n <= BATCH_MAX. */
uint32_t packet_source_emit(struct packet_source *s, struct batch *b, uint32_t n,
                            int64_t wall_ns);

/* Handlers of the state's member: data, and with length and its old name datasize. */
#define PACKET_SOURCE_DATA_HANDLER(state, member)                                      \
    {                                                                                  \
        .name = "data", .help = "contents of the packets",                             \
        .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_RAW | HANDLER_CALM,            \
        .offset = offsetof(struct state, member), .read = packet_source_read_data,     \
        .write = packet_source_write_data                                              \
    }
/* `terse`: an error is "syntax error". */
#define PACKET_SOURCE_LENGTH_HANDLER(state, member, name_, help_, terse, more_flags)   \
    {                                                                                  \
        .name = (name_), .help = (help_),                                              \
        .flags = HANDLER_READ | HANDLER_WRITE | (more_flags), .user = (terse),         \
        .offset = offsetof(struct state, member), .read = packet_source_read_length,   \
        .write = packet_source_write_length                                            \
    }
int packet_source_read_data(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d);
int packet_source_write_data(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d);
int packet_source_read_length(struct element *e, const struct handler_spec *h,
                              const char *param, struct sbuf *out, struct diag *d);
int packet_source_write_length(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d);

/* How many of `want` packets are still allowed after `count` with `limit` (< 0: none). */
static inline uint32_t packet_source_allowed(int64_t limit, uint64_t count,
                                             uint32_t want)
{
    uint64_t left;

    if (limit < 0)
        return want;
    left = count < (uint64_t)limit ? (uint64_t)limit - count : 0;
    return left < want ? (uint32_t)left : want;
}

#endif
