// SPDX-License-Identifier: BSD-3-Clause
/*
 * A packet of any bytes meets the check of source addresses. It must stay within the head
 * that it was given, and nothing may pass that plainly has another's address.
 *
 * The first byte of the input says which lists there are, and how long prefixes are; the
 * packet follows.
 */

#include "switch/plane.h"

#include <stdlib.h>
#include <string.h>

static const struct port_allow all = {
    .n_macs = 1,
    .macs = {{2, 0, 0, 0, 0, 1}},
    .n_ip4 = 1,
    .ip4 = {0x0a000001},
    .n_ip6 = 1,
    .ip6 = {{0x20, 1, 0x0d, 0xb8, [15] = 1}},
};

/* The whole bytes of the address that are not free. */
static bool is_other(const uint8_t *p, const void *ours, uint32_t len, uint32_t n_free)
{
    return memcmp(p, ours, len - (n_free + 7) / 8) != 0;
}

/* Without tags and the like, what a receiver sees at its place. */
static bool plainly_wrong(const struct port_allow *a, const uint8_t *p, uint32_t len)
{
    static const uint8_t none[16];
    uint32_t type = (uint32_t)p[12] << 8 | p[13];

    if (a->n_macs && memcmp(p + 6, a->macs[0], 6) != 0)
        return true;
    if (a->n_ip4 && type == 0x0800 && len >= 34)
        return is_other(p + 26, "\x0a\0\0\1", 4, a->ip4_free[0]);
    if (a->n_ip4 && type == 0x0806 && len >= 42)
        return is_other(p + 28, "\x0a\0\0\1", 4, a->ip4_free[0]) &&
               memcmp(p + 28, none, 4) != 0;
    if (!a->n_ip6 || a->n_macs || type != 0x86dd || len < 54)
        return false;
    if (is_other(p + 22, a->ip6[0], 16, a->ip6_free[0]) &&
        memcmp(p + 22, none, 16) != 0)
        return true;
    /* A neighbour advertisement, for somebody else. */
    if (len >= 78 && p[20] == 58 && p[21] == 255 && p[54] == 136)
        return is_other(p + 62, a->ip6[0], 16, a->ip6_free[0]);
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct port_allow a = all;
    uint32_t total, len;
    uint8_t *head;

    if (size < 15 || size > 2048)
        return 0;
    a.n_macs = data[0] & 1;
    a.n_ip4 = data[0] >> 1 & 1;
    a.n_ip6 = data[0] >> 2 & 1;
    a.other_family_refused = data[0] & 8;
    a.ip4_free[0] = (uint8_t)((data[0] & 0x10 ? 8 : 0) + (data[0] & 0x40 ? 3 : 0));
    a.ip6_free[0] = (uint8_t)((data[0] & 0x20 ? 64 : 0) + (data[0] & 0x80 ? 13 : 0));
    total = (uint32_t)size - 1;
    len = total < FRAME_HEAD ? total : FRAME_HEAD;
    head = malloc(len); /* of just that size, for the sanitizer */
    if (!head)
        return 0;
    memcpy(head, data + 1, len);
    if (spoof_allowed(&a, head, len, total) && plainly_wrong(&a, head, len))
        __builtin_trap();
    free(head);
    return 0;
}
