// SPDX-License-Identifier: BSD-3-Clause
/*
 * capture.h -- records of a capture file: pcap as it is, pcapng through libpcap
 *
 * pcap in both byte orders, with micro- or nanoseconds, the old versions whose records have
 * their lengths exchanged, and the one with longer record headers that once was common on
 * Linux. libpcap is loaded only for pcapng: its own libraries take more time to start than
 * all the rest of the program.
 */

#ifndef ENGINE_OS_CAPTURE_H
#define ENGINE_OS_CAPTURE_H

#include "engine/os/trace_file.h"

struct capture_ng;

enum { CAPTURE_LONGEST = 65535 }; /* bytes of a packet */

struct capture {
    struct trace_file file;
    bool swapped, nano;
    uint32_t more;         /* bytes that record headers have more than usual */
    int minor;             /* version of the format */
    int link_type;         /* enum link_type, or another number */
    struct capture_ng *ng; /* owned; NULL: it is pcap */
    uint32_t batch_last;   /* bytes of the last record that capture_batch() took */
};

struct capture_record {
    int64_t when;         /* ns since 1970 */
    uint32_t caplen, len; /* bytes in the file, bytes there were */
    uint32_t skip;        /* bytes behind them that belong to nothing */
    int64_t pos;          /* in the file, where the record begins */
    const uint8_t *ng_bytes;
};

/* Open the file and read its header. `c` is zeroed; close it also on failure. */
int capture_open(struct capture *c, struct element *e, const char *name,
                 struct diag *d);
void capture_close(struct capture *c);

/* Read a record's head, then either its bytes, valid until the next call, or pass over
 * them. False at the end of the file. NULL: the file ends in between. */
bool capture_next(struct capture *c, struct capture_record *r);
const uint8_t *capture_bytes(struct capture *c, const struct capture_record *r);
void capture_pass(struct capture *c, const struct capture_record *r);

/* A record as it lies in a file of our byte order. */
struct capture_plain {
    uint32_t s, fraction, caplen, len;
    uint8_t bytes[];
} __attribute__((packed));

static inline int64_t capture_plain_when(const struct capture_plain *r, int64_t unit)
{
    return (int64_t)(int32_t)r->s * 1000000000 + (int64_t)(int32_t)r->fraction * unit;
}

/* Whether all records lie in memory as struct capture_plain. */
static inline bool capture_is_plain(const struct capture *c)
{
    return !c->ng && !c->swapped && !c->more && c->minor > 3;
}

/* Append packets, up to `max`, of the next records that lie whole in memory and that
 * capture_next() would pass on as they are. Returns how many; 0 may also mean that the first
 * of them takes capture_next(). b->n + max must not exceed BATCH_MAX. */
uint32_t capture_batch(struct capture *c, struct batch *b, uint32_t max);

#endif
