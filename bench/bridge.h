// SPDX-License-Identifier: BSD-3-Clause
/*
 * bridge.h -- what a user has without us: a Linux bridge between veth pairs
 *
 * Two network namespaces joined through a bridge in a third. All three are made by
 * bridge_open() and gone after bridge_close(); nothing outside of them is touched.
 */

#ifndef BENCH_BRIDGE_H
#define BENCH_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

struct bridge {
    char left[32], right[32], middle[32]; /* names of the namespaces */
};

/* False with a reason on stderr where it cannot be made. Left is 10.99.0.1, right .2. */
bool bridge_open(struct bridge *b);
void bridge_close(struct bridge *b);

/* Send packets of `size` bytes from left to right for so long, at most `pps` a second (0:
 * as fast as AF_PACKET can). Returns million packets a second that arrived. */
double bridge_mpps(struct bridge *b, uint32_t size, double pps, double seconds);

#endif
