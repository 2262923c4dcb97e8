// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckCRC32 -- check and remove the CRC at the end of packets
 *
 * Usage:    CheckCRC32
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets whose CRC is wrong or missing
 * Handlers: none
 * Example:  FromSocket(UDP, 0.0.0.0, 4000) -> CheckCRC32 -> ...
 * See also: SetCRC32
 *
 * Each packet that fails is also noted on the console.
 */

#include "engine/crc32.h"
#include "engine/element.h"

enum { C_DROPS };
static const struct counter_spec check_crc32_counters[] = {
    [C_DROPS] = {"drops", "packets whose CRC is wrong or missing"},
    {NULL, NULL},
};

static inline verdict_t check_crc32_one(struct element *e, struct pkt *p)
{
    uint32_t crc;

    if (p->len >= sizeof crc) {
        memcpy(&crc, p->data + p->len - sizeof crc, sizeof crc);
        if (crc == crc32_update(CRC32_START, p->data, p->len - sizeof crc)) {
            pkt_take(p, sizeof crc);
            return 0;
        }
    }
    element_say(e, "CRC32 failed, len %u\n", p->len);
    return drop(e, C_DROPS);
}

ELEMENT_LOOP(check_crc32)

ELEMENT(CheckCRC32) = {
    .name = "CheckCRC32",
    .ports = "1/1",
    .counters = check_crc32_counters,
    .push = check_crc32_push,
    .pull = check_crc32_pull,
};
