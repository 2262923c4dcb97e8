// SPDX-License-Identifier: BSD-3-Clause
/* alignment.c -- addresses of packets: see alignment.h */

#include "driver/tools/alignment.h"

static const struct alignment bad = {ALIGNMENT_BAD, 0};

bool alignment_meets(struct alignment a, struct alignment demand)
{
    if (a.modulus == ALIGNMENT_BAD || demand.modulus == ALIGNMENT_BAD)
        return false;
    if (a.modulus == ALIGNMENT_UNIVERSAL || demand.modulus == ALIGNMENT_UNIVERSAL)
        return a.modulus == ALIGNMENT_UNIVERSAL;
    if (demand.modulus <= 1)
        return true;
    return a.modulus > 1 && a.modulus % demand.modulus == 0 &&
           a.offset % demand.modulus == demand.offset;
}

struct alignment alignment_shift(struct alignment a, int32_t n)
{
    if (a.modulus > 1)
        a.offset = (int32_t)(((int64_t)a.offset + n % a.modulus + a.modulus) %
                             a.modulus);
    return a;
}

static int32_t common_divisor(int32_t a, int32_t b)
{
    while (b) {
        int32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

struct alignment alignment_either(struct alignment a, struct alignment b)
{
    int32_t modulus, distance;

    if (a.modulus == ALIGNMENT_EMPTY || b.modulus == ALIGNMENT_BAD ||
        (a.modulus == ALIGNMENT_UNIVERSAL && b.modulus > 0))
        return b;
    if (a.modulus <= 1 || b.modulus <= 0)
        return a;
    modulus = common_divisor(a.modulus, b.modulus);
    distance = (b.offset % modulus - a.offset % modulus + modulus) % modulus;
    if (distance > modulus / 2)
        distance = modulus - distance;
    if (distance == 0)
        return (struct alignment){modulus, a.offset % modulus};
    /* 1/4 and 3/4 are both 1/2. */
    if (modulus % distance == 0)
        return (struct alignment){distance, a.offset % modulus % distance};
    return (struct alignment){1, 0};
}

struct alignment alignment_both(struct alignment a, struct alignment b)
{
    struct alignment small = a.modulus < b.modulus ? a : b;
    struct alignment large = a.modulus < b.modulus ? b : a;
    int64_t common, offset = large.offset;

    if (a.modulus <= 0 || b.modulus <= 0) {
        bool other = a.modulus == ALIGNMENT_EMPTY || b.modulus == ALIGNMENT_BAD ||
                     (a.modulus == ALIGNMENT_UNIVERSAL && b.modulus > 0);

        return other ? b : a;
    }
    if (alignment_meets(a, b))
        return a;
    if (alignment_meets(b, a))
        return b;
    common = (int64_t)a.modulus / common_divisor(a.modulus, b.modulus) * b.modulus;
    if (a.modulus == b.modulus || common > ALIGNMENT_MAX)
        return bad;
    while (offset < common && offset % small.modulus != small.offset)
        offset += large.modulus;
    return offset < common ? (struct alignment){(int32_t)common, (int32_t)offset} : bad;
}
