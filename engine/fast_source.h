// SPDX-License-Identifier: BSD-3-Clause
/*
 * fast_source.h -- what FastUDPSource(IP6), FastUDPFlows and FastTCPFlows have in common
 *
 * They make packets with Ethernet, IPv4 and transport headers for measurements: at a rate
 * or as fast as they are pulled, up to a limit. Their state begins with, or holds, a struct
 * fast_source.
 *
 * Those with many flows keep the first bytes of each, one cache line, in a struct
 * fast_frames; the bytes behind are 0. Short packets are written anew into buffers that are
 * near, long ones are clones of packets that are kept. Which flow is next is drawn some
 * packets ahead, so that its line is there when it is needed.
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
    FAST_SOURCE_SHORT = 512, /* to write so many bytes is quicker than to share them */
    FAST_SOURCE_AHEAD = BATCH_MAX,
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
#define FAST_SOURCE_FLOWS_ARG(state, member)                                           \
    {                                                                                  \
        .name = "FLOWS", .kind = ARG_KIND_U32, .flags = ARG_M, .min = 1,               \
        .max = FAST_SOURCE_MEMORY / sizeof(struct fast_frame),                         \
        .help = "flows at once", .offset = offsetof(struct state, member)              \
    }

/* The most that the packets an element keeps may take: they are made before anything runs,
 * and a number in a configuration must not be able to fill a machine. */
enum { FAST_SOURCE_MEMORY = 256 << 20 };

/* Raise LENGTH to what fits a frame, aloud. */
void fast_source_check_length(struct element *e, struct fast_source *s);

/* Whether what is kept of `n` packets a flow for so many flows is within bounds; -1 with a
 * message. */
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

/* Say where a packet's headers are, and where it goes. */
static inline void fast_source_set_pointers(const struct fast_source *s, struct pkt *p)
{
    pkt_set_ip4(p, p->data + FAST_SOURCE_ETH, sizeof(struct ip4_hdr));
    pkt_set_dst_ip(p, s->dst_ip);
}

/* A packet with Ethernet and IP headers and zeros behind them; NULL without memory. */
struct pkt *fast_source_packet(struct element *e, const struct fast_source *s,
                               uint8_t proto);
/* The checksum of the transport header and its data in a packet that begins so; its own
 * field is 0. */
uint16_t fast_source_sum(const struct fast_source *s, const uint8_t *packet);

/* What FastUDPSource and FastUDPSourceIP6 share: clones of one packet, whose ports go up by
 * one after every INTERVAL of them. Their state begins with it. */
struct fast_udp {
    struct fast_source s;
    uint16_t sport, dport; /* host byte order */
    uint32_t interval;     /* packets; 0: the ports stay */
    bool checksum;
    struct pkt *p; /* owned; whole but for ports and checksum at fast_udp_start() */
    uint16_t (*sum)(const struct fast_udp *f); /* of `p`, whose own checksum is 0 */
};

#define FAST_UDP_PORT(state, member, name_, help_)                                     \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_UDP, .flags = ARG_M, .help = help_,       \
        .offset = offsetof(struct state, member)                                       \
    }
#define FAST_UDP_ARGS(state, member)                                                   \
    ARG_BOOL(state, member.checksum, "CHECKSUM", ARG_POS, "true",                      \
             "compute the UDP checksum"),                                              \
        ARG_U32(state, member.interval, "INTERVAL", ARG_POS, "0",                      \
                "packets after which the ports change"),                               \
        ARG_BOOL(state, member.s.active, "ACTIVE", ARG_POS, "true", "send")

/* Give `p` the first ports. */
void fast_udp_start(struct fast_udp *f);

/* Members of struct element_class. */
uint32_t fast_udp_pull(struct element *e, unsigned port, struct batch *b, uint32_t max);
void fast_udp_cleanup(struct element *e);

struct fast_frame {
    alignas(64) uint8_t bytes[FAST_SOURCE_MIN];
    uint32_t sent; /* the owner's: packets of the flow that went */
};
_Static_assert(sizeof(struct fast_frame) == 64, "one cache line");

struct fast_frames {
    struct fast_frame *frame; /* [n_flows * kinds], in `memory` */
    void *memory;             /* owned */
    struct pkt **kept; /* so many, owned, in the arena; NULL: packets are short */
    uint32_t n_flows, kinds;
    uint32_t next[FAST_SOURCE_AHEAD]; /* flows, from `at` on, around the end */
    uint32_t at;
};

/* For so many flows and kinds of packets of each; Ethernet and IP headers are written. -1
 * without memory; fast_frames_fini() is wanted in any case. */
int fast_frames_init(struct element *e, struct fast_frames *f,
                     const struct fast_source *s, uint32_t n_flows, uint32_t kinds,
                     uint8_t proto);
void fast_frames_fini(struct fast_frames *f);

/* The first of the frames of flow `i`. */
static inline struct fast_frame *fast_frames_of(const struct fast_frames *f, uint32_t i)
{
    return &f->frame[i * f->kinds];
}

/* After a frame has been changed: so are the packets to come. -1 without memory. */
int fast_frames_changed(struct fast_frames *f, const struct fast_frame *frame);

/* The flows of the next `n` packets, at most BATCH_MAX; draws as many more. */
void fast_frames_draw(struct element *e, struct fast_frames *f, uint32_t *flows,
                      uint32_t n);

/* Append up to `n` packets, which are all made by fast_frames_put(); returns how many memory
 * allowed for. */
uint32_t fast_frames_begin(struct element *e, const struct fast_frames *f,
                           const struct fast_source *s, struct batch *b, uint32_t n);
/* For fast_frames_put(): append a clone; and fill a packet with zeros behind the frame. */
bool fast_frames_clone(const struct fast_frames *f, struct batch *b,
                       const struct fast_frame *frame);
void fast_frames_fill(struct pkt *p);

/* Packet `at` of the batch, each in its turn, has these first bytes. False without memory:
 * the packets end before it. */
static inline bool fast_frames_put(const struct fast_frames *f,
                                   const struct fast_source *s, struct batch *b,
                                   uint32_t at, const struct fast_frame *frame)
{
    struct pkt *p;

    if (__builtin_expect(f->kept != NULL, 0))
        return fast_frames_clone(f, b, frame);
    p = b->p[at];
    memcpy(p->data, frame->bytes, sizeof frame->bytes);
    if (p->len > FAST_SOURCE_MIN)
        fast_frames_fill(p);
    fast_source_set_pointers(s, p);
    return true;
}

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
