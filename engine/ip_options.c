// SPDX-License-Identifier: BSD-3-Clause
/* ip_options.c -- Record Route and Timestamp, RFC 791 and RFC 1812, 5.2.4: see
 * ip_options.h */

#include "engine/ip_options.h"

#include "engine/checksum.h"

/* Milliseconds since midnight, network byte order. */
static uint32_t day_ms(struct element *e)
{
    int64_t ms = element_wall_now(e) / 1000000;

    return be32((uint32_t)(ms % 86400000));
}

/* Each works on an option of `len` bytes, at least 3 and writable, and returns the place
 * in it where it is bad, or 0. The pointers in the packet count from 1. */
static uint32_t record_route(const struct ip_options *o, uint8_t *at, uint32_t len)
{
    uint32_t place = at[2] - 1u;

    if (place >= 3 && place + 4 <= len && at[2]) {
        store32(at + place, o->addr);
        at[2] = (uint8_t)(at[2] + 4);
        return 0;
    }
    return place == len ? 0 : 2;
}

static uint32_t overflow(uint8_t *at)
{
    if (at[3] >> 4 == 15)
        return 3;
    at[3] = (uint8_t)(at[3] + 0x10);
    return 0;
}

static uint32_t timestamp(struct element *e, const struct ip_options *o, uint8_t *at,
                          uint32_t len)
{
    uint32_t place = at[2] - 1u, flag;

    if (len < 4 || at[2] < 5)
        return 2;
    flag = at[3] & 15u;
    if (flag == 0) {
        if (place + 4 > len)
            return overflow(at);
        store32(at + place, day_ms(e));
        at[2] = (uint8_t)(at[2] + 4);
        return 0;
    }
    if (flag == 1) {
        if (place + 8 > len)
            return overflow(at);
        store32(at + place, o->addr);
        store32(at + place + 4, day_ms(e));
        at[2] = (uint8_t)(at[2] + 8);
        return 0;
    }
    if (flag != 3 || place + 8 > len)
        return 3;
    uint32_t whose = load32(at + place);
    if (whose == o->addr || ip_list_has(&o->others, whose)) {
        store32(at + place + 4, day_ms(e));
        at[2] = (uint8_t)(at[2] + 8);
    }
    return 0;
}

static int problem(struct pkt *p, uint32_t at)
{
    p->anno[ANNO_ICMP_PARAMPROB] = (uint8_t)at;
    return -1;
}

int ip_options_process(struct element *e, const struct ip_options *o, struct pkt *p)
{
    uint32_t hlen = ip4_hlen(pkt_ip4(p)), len, bad;
    bool changed = false;

    for (uint32_t at = sizeof(struct ip4_hdr); at < hlen; at += len) {
        uint8_t type = p->network[at];

        len = 1;
        if (type == IPOPT_NOP)
            continue;
        if (type == IPOPT_EOL)
            break;
        len = at + 1 < hlen ? p->network[at + 1] : 0;
        if (len < 2 || at + len > hlen)
            return problem(p, at + 1);
        if (type != IPOPT_RR && type != IPOPT_TS)
            continue;
        if (len < 3)
            return problem(p, at + 1);
        if (pkt_writable(p) < 0)
            return -2;
        changed = true;
        bad = type == IPOPT_RR ? record_route(o, p->network + at, len)
                               : timestamp(e, o, p->network + at, len);
        if (bad)
            return problem(p, at + bad);
    }
    if (changed) {
        pkt_ip4(p)->sum = 0;
        pkt_ip4(p)->sum = csum(p->network, hlen);
    }
    return 0;
}
