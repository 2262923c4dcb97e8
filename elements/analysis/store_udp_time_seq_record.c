// SPDX-License-Identifier: BSD-3-Clause
/*
 * StoreUDPTimeSeqRecord -- number UDP packets, and say when they passed
 *
 * Usage:    StoreUDPTimeSeqRecord(OFFSET, DELTA false)
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  where the IP header begins
 *           DELTA   false: write number and time; true: write how long ago that time is
 * Counters: drops  packets that are no UDP packets with room for the record
 * Handlers: count  (read) packets that got a record
 *           reset  (write) begin to count again at 0
 * Example:  ... -> StoreUDPTimeSeqRecord(14) -> net -> StoreUDPTimeSeqRecord(14, DELTA true)
 * See also: StoreTimestamp, FastUDPSource
 *
 * The record takes the first 20 bytes behind the UDP header, five numbers of four bytes in
 * network byte order: which packet it is, seconds and nanoseconds of the clock, and seconds
 * and nanoseconds of the difference, which only DELTA fills in. The UDP checksum follows.
 * Behind an IPv4 header of any length UDP is taken for granted; IPv6 packets must have it
 * right behind their header.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/platform.h"

enum { RECORD = 20, DELTA_AT = 12, NS_PER_S = 1000000000 };

struct store_udp_time_seq_record {
    uint32_t offset, count;
    bool delta;
};

static const struct arg_spec store_udp_time_seq_record_args[] = {
    ARG_U32(store_udp_time_seq_record, offset, "OFFSET", ARG_M, NULL,
            "where the IP header begins"),
    ARG_BOOL(store_udp_time_seq_record, delta, "DELTA", ARG_KEY, "false",
             "write the difference"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec store_udp_time_seq_record_counters[] = {
    [C_DROPS] = {"drops", "packets without room for the record"},
    {NULL, NULL},
};

/* Where the UDP header is; 0: nowhere, or without a whole record behind it. */
static uint32_t record_udp(struct element *e, const struct pkt *p)
{
    const struct store_udp_time_seq_record *s = element_state(e);
    const uint8_t *ip = p->data + s->offset;
    uint32_t left, header;

    if (p->len < 8 || s->offset > p->len - 8)
        return 0;
    left = p->len - s->offset;
    if (ip[0] >> 4 == 4) {
        header = (ip[0] & 15u) * 4;
    } else if (ip[0] >> 4 == 6) {
        header = ip[6] == IP_PROTO_UDP ? (uint32_t)sizeof(struct ip6_hdr) : left;
    } else {
        if (element_platform(e)->has_os)
            element_say(e, "Unknown IP version!\n");
        return 0;
    }
    return left >= header + sizeof(struct udp_hdr) + RECORD ? s->offset + header : 0;
}

static void put_time(uint8_t *at, int64_t ns)
{
    int64_t s = ns / NS_PER_S;

    s -= ns % NS_PER_S < 0;
    store32(at, be32((uint32_t)s));
    store32(at + 4, be32((uint32_t)(ns - s * NS_PER_S)));
}

static int64_t get_time(const uint8_t *at)
{
    return (int64_t)be32(load32(at)) * NS_PER_S + be32(load32(at + 4));
}

static inline verdict_t store_udp_time_seq_record_one(struct element *e, struct pkt *p)
{
    struct store_udp_time_seq_record *s = element_state(e);
    uint32_t at = record_udp(e, p), sum;
    uint8_t *udp, *record;

    if (!at || pkt_writable(p) < 0)
        return drop(e, C_DROPS);
    udp = p->data + at;
    record = udp + sizeof(struct udp_hdr);
    sum = load16(udp + 6);
    s->count++;
    if (s->delta) {
        put_time(record + DELTA_AT, element_wall_now(e) - get_time(record + 4));
        sum += csum(record + DELTA_AT, RECORD - DELTA_AT);
    } else {
        sum -= csum(record, RECORD);
        store32(record, be32(s->count));
        put_time(record + 4, element_wall_now(e));
        memset(record + DELTA_AT, 0, RECORD - DELTA_AT);
        sum += csum(record, RECORD);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    store16(udp + 6, sum == 0xffff ? 0 : (uint16_t)sum);
    return 0;
}
ELEMENT_LOOP(store_udp_time_seq_record)

static int store_udp_time_seq_record_reset(struct element *e,
                                           const struct handler_spec *h,
                                           const char *value, size_t len,
                                           struct diag *d)
{
    ((struct store_udp_time_seq_record *)element_state(e))->count = 0;
    return 0;
}

static const struct handler_spec store_udp_time_seq_record_handlers[] = {
    HANDLER_VALUE(store_udp_time_seq_record, count, ARG_KIND_U32, HANDLER_READ, "count",
                  "packets that got a record"),
    {.name = "reset",
     .help = "begin to count again at 0",
     .flags = HANDLER_WRITE,
     .write = store_udp_time_seq_record_reset},
    HANDLER_END,
};

ELEMENT(StoreUDPTimeSeqRecord) = {
    .name = "StoreUDPTimeSeqRecord",
    .state_size = sizeof(struct store_udp_time_seq_record),
    .ports = "1/1",
    .args = store_udp_time_seq_record_args,
    .counters = store_udp_time_seq_record_counters,
    .handlers = store_udp_time_seq_record_handlers,
    .push = store_udp_time_seq_record_push,
    .pull = store_udp_time_seq_record_pull,
};
