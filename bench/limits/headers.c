// SPDX-License-Identifier: BSD-3-Clause
/* headers.c -- limits of what reads and writes headers: see limits.h */

#include "bench/limits/headers.h"

#include <string.h>

void limit_strip_check(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        limit_discard(l, b, limit_strip(b));
    }
}

void limit_ether_mirror(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        for (unsigned i = 0; i < LIMIT_BATCH; i++) {
            uint8_t mac[6];

            limit_own(l, &b[i]);
            memcpy(mac, b[i].data, 6);
            memcpy(b[i].data, b[i].data + 6, 6);
            memcpy(b[i].data + 6, mac, 6);
        }
        limit_discard(l, b, LIMIT_BATCH);
    }
}

/* Twenty values of the 16 bits at offset 12; the packet's is the last. */
void limit_classifier20(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH], out[21][LIMIT_BATCH];
    unsigned n_out[21];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b);
        memset(n_out, 0, sizeof n_out);
        for (unsigned i = 0; i < LIMIT_BATCH; i++) {
            unsigned type = __builtin_bswap16(load16(b[i].data + 12));
            unsigned which = type == 0x0800       ? 19
                             : type - 0x0900 < 19 ? type - 0x0900
                                                  : 20;

            out[which][n_out[which]++] = b[i];
        }
        for (unsigned i = 0; i < 21; i++)
            if (n_out[i])
                limit_discard(l, out[i], n_out[i]);
    }
}
