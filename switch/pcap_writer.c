// SPDX-License-Identifier: BSD-3-Clause
/* pcap_writer.c -- a pcap stream that is written in large pieces: see pcap_writer.h */

#include "switch/pcap_writer.h"

#include "switch/pcap_format.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROOM = 512 * 1024 };

int pcap_writer_init(struct pcap_writer *w, int fd, uint32_t snaplen, struct diag *d)
{
    struct pcap_head h;

    *w = (struct pcap_writer){.fd = fd};
    w->snaplen = snaplen && snaplen < PCAP_SNAPLEN ? snaplen : PCAP_SNAPLEN;
    w->room = malloc(ROOM);
    if (!w->room) {
        pcap_writer_fini(w);
        return diag_err(d, "out of memory");
    }
    h = pcap_head_nano(w->snaplen);
    memcpy(w->room, &h, sizeof h);
    w->used = sizeof h;
    return 0;
}

void pcap_writer_fini(struct pcap_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    free(w->room);
    *w = (struct pcap_writer){.fd = -1};
}

/* Whole records in the first `n` bytes of the room; a file begins with its head. */
static size_t whole_records(const struct pcap_writer *w, size_t n, uint64_t *records)
{
    size_t at = w->offset == 0 ? sizeof(struct pcap_head) : 0;

    *records = 0;
    while (at + sizeof(struct pcap_record) <= n) {
        struct pcap_record r;

        memcpy(&r, w->room + at, sizeof r);
        if (at + sizeof r + r.kept > n)
            break;
        at += sizeof r + r.kept;
        ++*records;
    }
    return at <= n ? at : 0;
}

/* The rest cannot be written. Take back a part of a record where that is possible. */
static void give_up(struct pcap_writer *w, _Atomic uint64_t *packets,
                    _Atomic uint64_t *lost)
{
    uint64_t records;
    size_t whole = whole_records(w, w->sent, &records);

    /* Of a pipe or socket nothing can be taken back; its reader sees the end. */
    if (ftruncate(w->fd, (off_t)(w->offset + whole)) < 0 && records > 0)
        records--;
    if (packets)
        count_add(packets, records);
    if (lost && w->held_packets > records)
        count_add(lost, w->held_packets - records);
    w->used = w->sent = 0;
    w->held_packets = w->held_bytes = 0;
}

void pcap_writer_flush(struct pcap_writer *w, _Atomic uint64_t *packets,
                       _Atomic uint64_t *bytes, _Atomic uint64_t *lost)
{
    while (w->sent < w->used && !w->error) {
        ssize_t n = write(w->fd, w->room + w->sent, w->used - w->sent);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            w->error = errno;
        else
            w->sent += (size_t)n;
    }
    if (w->error) {
        give_up(w, packets, lost);
        return;
    }
    w->offset += w->used;
    if (packets)
        count_add(packets, w->held_packets);
    if (bytes)
        count_add(bytes, w->held_bytes);
    w->used = w->sent = 0;
    w->held_packets = w->held_bytes = 0;
}

static void add_bytes(struct pcap_writer *w, const uint8_t *bytes, uint32_t len)
{
    memcpy(w->room + w->used, bytes, len);
    w->used += len;
}

bool pcap_writer_add(struct pcap_writer *w, const struct frame *f, uint64_t wall_ns)
{
    uint32_t kept = f->total < w->snaplen ? f->total : w->snaplen, left = kept;
    struct pcap_record r = {(uint32_t)(wall_ns / 1000000000u),
                            (uint32_t)(wall_ns % 1000000000u), kept, f->total};
    size_t data;

    if (w->error || ROOM - w->used < sizeof r + kept)
        return false;
    memcpy(w->room + w->used, &r, sizeof r);
    w->used += sizeof r;
    data = w->used;
    for (unsigned i = 0; i < f->parts && left > 0; i++) {
        uint32_t n = f[i].len < left ? f[i].len : left;

        add_bytes(w, f[i].data, n);
        left -= n;
    }
    if (f->head)
        memcpy(w->room + data, f->head, kept < FRAME_HEAD ? kept : FRAME_HEAD);
    w->held_packets++;
    w->held_bytes += f->total;
    return true;
}
