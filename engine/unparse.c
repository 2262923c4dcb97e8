// SPDX-License-Identifier: BSD-3-Clause
/* unparse.c -- values as text, the way Click prints them: see unparse.h */

#include "engine/unparse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NS_PER_S = 1000000000, NS_PER_US = 1000 };

const char *unparse_timestamp(int64_t ns, char *buf)
{
    const char *sign = ns < 0 ? "-" : "";
    uint64_t abs_ns = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    uint64_t s = abs_ns / NS_PER_S;
    uint32_t below = (uint32_t)(abs_ns % NS_PER_S);

    if (below % NS_PER_US)
        snprintf(buf, UNPARSE_ROOM, "%s%" PRIu64 ".%09" PRIu32, sign, s, below);
    else
        snprintf(buf, UNPARSE_ROOM, "%s%" PRIu64 ".%06" PRIu32, sign, s,
                 below / NS_PER_US);
    return buf;
}

const char *unparse_fixed(uint64_t value, unsigned bits, char *buf)
{
    uint64_t one = (uint64_t)1 << bits, whole = value >> bits;
    uint64_t fraction = value & (one - 1), power = 1, shown = 0;
    unsigned digits;

    /* The shortest decimal fraction that rounds back to the same value. */
    for (digits = 0; digits < 10; digits++, power *= 10) {
        shown = (fraction * power + one / 2) >> bits;
        if ((shown * one + power / 2) / power == fraction)
            break;
    }
    if (shown >= power) {
        whole++;
        shown -= power;
    }
    snprintf(buf, UNPARSE_ROOM, "%" PRIu64, whole);
    if (digits && shown) {
        char *at = buf + strlen(buf);

        /* With a one in front, the zeros behind the point keep their places. */
        snprintf(at, UNPARSE_ROOM - 24, "%" PRIu64, power + shown);
        *at = '.';
    }
    return buf;
}
