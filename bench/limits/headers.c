// SPDX-License-Identifier: BSD-3-Clause
/* headers.c -- limits of what reads and writes headers: see limits.h */

#include "bench/limits/limits.h"

#include <string.h>

static uint16_t load16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, 2);
    return v;
}

static uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

/* All that CheckIPHeader asks of a header without options. */
static inline int good_header(const uint8_t *ip, uint32_t len)
{
    uint64_t sum;
    uint32_t src = load32(ip + 12);

    if (len < 20 || ip[0] != 0x45)
        return 0;
    if (__builtin_bswap16(load16(ip + 2)) > len ||
        __builtin_bswap16(load16(ip + 2)) < 20)
        return 0;
    sum = (uint64_t)load32(ip) + load32(ip + 4) + load32(ip + 8) + src +
          load32(ip + 16);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16) == 0xffff && src != 0xffffffff;
}

void limit_strip_check(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        unsigned good = 0;

        limit_source(l, b, LIMIT_BATCH);
        __asm__ volatile("" : : : "memory"); /* the next packet might be another */
        for (unsigned i = 0; i < LIMIT_BATCH; i++) {
            struct limit_pkt p = b[i];

            p.data += 14;
            p.len -= 14;
            if (good_header(p.data, p.len)) {
                uint32_t total = __builtin_bswap16(load16(p.data + 2));

                p.len = total < p.len ? total : p.len;
                b[good++] = p;
            }
        }
        limit_discard(l, b, good);
    }
}

void limit_ether_mirror(struct limit *l, uint64_t n)
{
    struct limit_pkt b[LIMIT_BATCH];

    for (; n; n -= LIMIT_BATCH) {
        limit_source(l, b, LIMIT_BATCH);
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
        limit_source(l, b, LIMIT_BATCH);
        __asm__ volatile("" : : : "memory");
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
