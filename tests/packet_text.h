// SPDX-License-Identifier: BSD-3-Clause
/*
 * packet_text.h -- packets as people write them in a .test file
 *
 *     aa "a b\n" hex(0011 ff) zero(20) udp(1.2.3.4:5 > 6.7.8.9:10, ttl 3)*2 aa{paint 1}
 *
 * docs/testing.md describes the notation.
 */

#ifndef TESTS_PACKET_TEXT_H
#define TESTS_PACKET_TEXT_H

#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKET_TEXT_MAX = 70000, PACKET_MAX_ANNOS = 8 };

/* What is asked of a packet beside its bytes. */
struct packet_anno {
    enum {
        ANNO_BYTES,     /* `size` bytes at `offset` are `value`, in host byte order */
        ANNO_TIMESTAMP, /* ns */
        ANNO_TYPE,      /* enum pkt_type */
        ANNO_MAC,       /* offset of the header from the data, or none */
        ANNO_NETWORK,
        ANNO_TRANSPORT,
    } what;
    uint32_t offset, size;
    bool none; /* of a header pointer: not set */
    int64_t value;
};

struct packet_text {
    uint8_t *bytes; /* owned */
    uint8_t *mask;  /* owned; 0 for a byte that may have any value; NULL: none such */
    size_t len;
    struct packet_anno annos[PACKET_MAX_ANNOS];
    unsigned n_annos;
};

/* All packets of one line. Returns 0 and `*n` packets, the array and what is in it the
 * caller's (packet_text_free()), or -1 with a message in `d`. */
int packet_text_parse(const char *line, struct packet_text **out, size_t *n,
                      struct diag *d);
void packet_text_free(struct packet_text *p, size_t n); /* accepts NULL */

#endif
