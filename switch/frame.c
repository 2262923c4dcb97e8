// SPDX-License-Identifier: BSD-3-Clause
/* frame.c -- putting packets together: see port.h */

#include "switch/port.h"

void frame_gather(uint8_t *to, const struct frame *f)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < f->parts; i++) {
        memcpy(to + at, f[i].data, f[i].len);
        at += f[i].len;
    }
    if (f->head)
        memcpy(to, f->head, at < FRAME_HEAD ? at : FRAME_HEAD);
}

void frame_finish_checksum(uint8_t *to, const struct frame *f)
{
    uint32_t start = f->csum_start, at = start + f->csum_offset, sum = 0;

    /* Nonsense goes out as it is: it is the sender's packet. */
    if (at + 2 > f->total)
        return;
    /* The field holds the pseudo header's sum, as the sender was asked to leave it. */
    for (uint32_t i = start; i + 1 < f->total; i += 2)
        sum += (uint32_t)to[i] << 8 | to[i + 1];
    if ((f->total - start) & 1)
        sum += (uint32_t)to[f->total - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    sum = ~sum & 0xffff;
    if (sum == 0 && f->csum_offset == 6)
        sum = 0xffff; /* UDP: zero means "none" */
    to[at] = (uint8_t)(sum >> 8);
    to[at + 1] = (uint8_t)sum;
}
