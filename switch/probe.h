// SPDX-License-Identifier: BSD-3-Clause
/*
 * probe.h -- what a generator writes behind the UDP header and a sink reads there
 *
 * 22 bytes, so that it fits into a frame of 64 bytes. Generator and sink share a clock:
 * the numbers are in the machine's byte order.
 */

#ifndef SWITCH_PROBE_H
#define SWITCH_PROBE_H

#include <stdint.h>

#define PROBE_MAGIC 0xc11cu
#define PROBE_AT    42u /* Ethernet, IPv4 without options, UDP */

struct probe {
    uint16_t magic, stream, flow;
    uint64_t sequence; /* of the flow, from 0 */
    uint64_t sent_ns;  /* steady clock */
} __attribute__((packed));
_Static_assert(sizeof(struct probe) == 22, "fits into 64 bytes");

#endif
