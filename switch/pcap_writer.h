// SPDX-License-Identifier: BSD-3-Clause
/*
 * pcap_writer.h -- a pcap stream that is written in large pieces
 *
 * Records are gathered in memory and written when it is full or when the owner says so.
 * A reader that is slow (a full pipe) costs the packets that do not fit; an error ends
 * the writing for good, and leaves a regular file with whole records.
 *
 * Threads: one at a time.
 */

#ifndef SWITCH_PCAP_WRITER_H
#define SWITCH_PCAP_WRITER_H

#include "switch/port.h"

struct pcap_writer {
    int fd;            /* owned */
    uint8_t *room;     /* owned */
    size_t used, sent; /* bytes in room, those of them that are written */
    uint32_t snaplen;
    uint64_t offset;                   /* bytes written in all, whole pieces */
    uint64_t held_packets, held_bytes; /* in room, not yet certain */
    int error;                         /* errno that ended it; 0: none */
};

/* Takes the fd over, on failure too. Writes the file's head. */
int pcap_writer_init(struct pcap_writer *w, int fd, uint32_t snaplen, struct diag *d);
void pcap_writer_fini(struct pcap_writer *w);

/* Add a packet with its wall-clock time. False: no room, or an error. */
bool pcap_writer_add(struct pcap_writer *w, const struct frame *f, uint64_t wall_ns);

/* Write what is held. What has been written since the last call is added to *packets and
 * *bytes, what an error lost to *lost. Each may be NULL. */
void pcap_writer_flush(struct pcap_writer *w, _Atomic uint64_t *packets,
                       _Atomic uint64_t *bytes, _Atomic uint64_t *lost);

#endif
