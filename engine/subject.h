// SPDX-License-Identifier: BSD-3-Clause
/* subject.h -- what a packet is about: its own IP header, or the one in an ICMP error */

#ifndef ENGINE_SUBJECT_H
#define ENGINE_SUBJECT_H

#include "engine/net_headers.h"

struct subject {
    const struct ip4_hdr *h;
    uint32_t n;    /* bytes from there on */
    uint8_t paint; /* 2 for errors */
};

/* What `p` is about; with `icmp_errors` those are about what they quote. False: it is not
 * TCP or UDP between hosts, or too short. */
bool subject_find(const struct pkt *p, bool icmp_errors, struct subject *out);

#endif
