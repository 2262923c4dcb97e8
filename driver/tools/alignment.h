// SPDX-License-Identifier: BSD-3-Clause
/*
 * alignment.h -- what is known about the addresses of packets: 2 more than a multiple of 4
 *
 * Kinds besides a modulus and an offset: EMPTY, nothing is known yet; UNIVERSAL, no packet
 * comes at all, so that any demand is met; BAD, demands that contradict each other. A
 * modulus of 1 says nothing.
 */

#ifndef DRIVER_TOOLS_ALIGNMENT_H
#define DRIVER_TOOLS_ALIGNMENT_H

#include <stdbool.h>
#include <stdint.h>

enum { ALIGNMENT_EMPTY = 0, ALIGNMENT_BAD = -1, ALIGNMENT_UNIVERSAL = -2 };
enum { ALIGNMENT_MAX = 65536 }; /* largest modulus: what is above becomes BAD */

struct alignment {
    int32_t modulus, offset;
};

static inline bool alignment_same(struct alignment a, struct alignment b)
{
    return a.modulus == b.modulus && a.offset == b.offset;
}

/* For people: 1 where there is none. */
static inline int alignment_modulus(struct alignment a)
{
    return a.modulus > 1 ? a.modulus : 1;
}

/* What is aligned so meets the demand. */
bool alignment_meets(struct alignment a, struct alignment demand);

/* `n` bytes further on (back, if it is negative). */
struct alignment alignment_shift(struct alignment a, int32_t n);

/* What holds for packets of either kind; what both demands come to. */
struct alignment alignment_either(struct alignment a, struct alignment b);
struct alignment alignment_both(struct alignment a, struct alignment b);

#endif
