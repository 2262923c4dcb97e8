// SPDX-License-Identifier: BSD-3-Clause
/* checksum.c -- the sum over many bytes; what is short is inline in checksum.h */

#include "engine/checksum.h"

/* Both halves of a 64-bit word; the sum of 2^31 of them still fits into 64 bits. */
static uint64_t halves(uint64_t x)
{
    return (x & 0xffffffffu) + (x >> 32);
}

uint64_t csum_add(uint64_t sum, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    uint64_t s1 = 0, s2 = 0, s3 = 0;

    /* Four independent sums: the adds of one round need not wait for each other. */
    for (; n >= 32; n -= 32, b += 32) {
        sum += halves(load64(b));
        s1 += halves(load64(b + 8));
        s2 += halves(load64(b + 16));
        s3 += halves(load64(b + 24));
    }
    for (; n >= 8; n -= 8, b += 8)
        s1 += halves(load64(b));
    if (n & 4) {
        s2 += load32(b);
        b += 4;
    }
    if (n & 2) {
        s3 += load16(b);
        b += 2;
    }
    if (n & 1)
        s3 += BE16((uint16_t)(*b << 8));
    return sum + s1 + s2 + s3;
}
