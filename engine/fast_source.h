// SPDX-License-Identifier: BSD-3-Clause
/*
 * fast_source.h -- what FastUDPSource, FastUDPFlows and FastTCPFlows have in common
 *
 * They make packets with Ethernet, IPv4 and transport headers for measurements: at a rate
 * or as fast as they are pulled, up to a limit. What leaves them are clones of packets
 * that they keep. Their state begins with, or holds, a struct fast_source.
 *
 * Memory: the packets belong to the element that has asked for them.
 */

#ifndef ENGINE_FAST_SOURCE_H
#define ENGINE_FAST_SOURCE_H

#include "engine/checksum.h"
#include "engine/element.h"

enum {
    FAST_SOURCE_ETH = sizeof(struct eth_hdr),
    FAST_SOURCE_HEADERS = FAST_SOURCE_ETH + sizeof(struct ip4_hdr),
    FAST_SOURCE_MIN = 60,
    FAST_SOURCE_MAX = 65535 + FAST_SOURCE_ETH,
};

struct fast_source {
    uint32_t rate, length;
    int32_t limit;
    struct ether_addr src_eth, dst_eth;
    uint32_t src_ip, dst_ip;
    bool active, stop;
    uint64_t count;
    int64_t first_ns, last_ns; /* of the first and the last packet; 0: not yet */
    int64_t base_ns;           /* the rate is kept from here on */
    uint64_t base_count;
};

#define FAST_SOURCE_RATE_ARGS(state, member)                                           \
    ARG_U32(state, member.rate, "RATE", ARG_M, NULL, "packets a second"),              \
        ARG_I32(state, member.limit, "LIMIT", ARG_M, NULL,                             \
                "packets in all; negative: no end"),                                   \
    {                                                                                  \
        .name = "LENGTH", .kind = ARG_KIND_U32, .flags = ARG_M,                        \
        .max = FAST_SOURCE_MAX, .help = "bytes a packet",                              \
        .offset = offsetof(struct state, member.length)                                \
    }
#define FAST_SOURCE_SRC_ARGS(state, member)                                            \
    ARG_ETHER(state, member.src_eth, "SRCETH", ARG_M, NULL, "source address"),         \
        ARG_IP(state, member.src_ip, "SRCIP", ARG_M, NULL, "source address")
#define FAST_SOURCE_DST_ARGS(state, member)                                            \
    ARG_ETHER(state, member.dst_eth, "DSTETH", ARG_M, NULL, "destination address"),    \
        ARG_IP(state, member.dst_ip, "DSTIP", ARG_M, NULL, "destination address")
#define FAST_SOURCE_FLOW_ARG(state, member, name_, help_)                              \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_U32, .flags = ARG_M, .min = 1, .max = 1 << 20, \
        .help = help_, .offset = offsetof(struct state, member)                        \
    }

/* The most that the packets an element keeps may take: they are made before anything runs,
 * and a number in a configuration must not be able to fill a machine. */
enum { FAST_SOURCE_MEMORY = 256 << 20 };

/* Raise LENGTH to what fits a frame, aloud. */
void fast_source_check_length(struct element *e, struct fast_source *s);

/* Whether `n` packets a flow for so many flows are within bounds; -1 with a message. */
int fast_source_check_memory(const struct fast_source *s, uint32_t n_flows, unsigned n,
                             struct diag *d);

/* How many packets may go now, at most `max`; those that limit and rate allow. */
uint32_t fast_source_due(struct element *e, const struct fast_source *s, uint32_t max);
/* The same without the limit. */
uint32_t fast_source_paced(struct element *e, const struct fast_source *s,
                           uint32_t max);
/* Count packets that went, and stop the driver after the last if that is wanted. */
void fast_source_sent(struct element *e, struct fast_source *s, uint32_t n);
void fast_source_restart(struct fast_source *s);

static inline bool fast_source_done(const struct fast_source *s)
{
    return s->limit >= 0 && s->count >= (uint64_t)s->limit;
}

/* A packet with Ethernet and IP headers and zeros behind them; NULL without memory. */
struct pkt *fast_source_packet(struct element *e, const struct fast_source *s,
                               uint8_t proto);
/* The checksum of the transport header and its data, whose own field is 0. */
uint16_t fast_source_sum(const struct pkt *p);

#define FAST_SOURCE_HANDLER_(state, member, name_, help_, flags_, fn_)                 \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_WRITE | (flags_),               \
        .offset = offsetof(struct state, member), .write = fn_                         \
    }
#define FAST_SOURCE_HANDLERS(state, member)                                            \
    HANDLER_VALUE(state, member.count, ARG_KIND_U64, HANDLER_READ, "count",            \
                  "packets sent"),                                                     \
        {.name = "rate",                                                               \
         .help = "packets a second, once all have been sent",                          \
         .flags = HANDLER_READ | HANDLER_WRITE,                                        \
         .offset = offsetof(struct state, member),                                     \
         .read = fast_source_read_rate,                                                \
         .write = fast_source_write_rate},                                             \
        FAST_SOURCE_HANDLER_(state, member, "reset", "begin anew", HANDLER_BUTTON,     \
                             fast_source_write_reset),                                 \
        FAST_SOURCE_HANDLER_(state, member, "active", "begin anew, or stop",           \
                             HANDLER_CHECKBOX, fast_source_write_active),              \
        FAST_SOURCE_HANDLER_(state, member, "limit", "packets in all", 0,              \
                             fast_source_write_limit)

int fast_source_read_rate(struct element *e, const struct handler_spec *h,
                          const char *param, struct sbuf *out, struct diag *d);
int fast_source_write_rate(struct element *e, const struct handler_spec *h,
                           const char *value, size_t len, struct diag *d);
int fast_source_write_reset(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d);
int fast_source_write_active(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d);
int fast_source_write_limit(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d);

#endif
