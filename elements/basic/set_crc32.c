// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetCRC32 -- append a CRC to packets
 *
 * Usage:    SetCRC32
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets for which memory ran out
 * Handlers: none
 * Example:  ... -> SetCRC32 -> ToSocket(UDP, 10.0.0.1, 4000);
 * See also: CheckCRC32
 *
 * The four bytes are in the order of the machine.
 */

#include "engine/crc32.h"
#include "engine/element.h"

enum { C_DROPS };
static const struct counter_spec set_crc32_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static inline verdict_t set_crc32_one(struct element *e, struct pkt *p)
{
    uint32_t crc = crc32_update(CRC32_START, p->data, p->len);
    uint8_t *end = pkt_put(p, sizeof crc);

    if (!end)
        return drop(e, C_DROPS);
    memcpy(end, &crc, sizeof crc);
    return 0;
}

ELEMENT_LOOP(set_crc32)

ELEMENT(SetCRC32) = {
    .name = "SetCRC32",
    .ports = "1/1",
    .counters = set_crc32_counters,
    .push = set_crc32_push,
    .pull = set_crc32_pull,
};
