// SPDX-License-Identifier: BSD-3-Clause
/*
 * rewrite.h -- address translation: what IPRewriter and its kin have in common
 *
 * Each input of a rewriter has a specification that says what happens to packets of flows
 * that are not known yet: dropped, passed, or mapped to new addresses and ports by a
 * pattern or by a mapper element. A mapping works in both directions and is kept in a
 * flow table until it expires or is given up for a newer one.
 *
 * The state of all rewriter elements is a struct rewriter; they differ in what identifies
 * a flow (enum rewriter_kind) and in their timeouts.
 */

#ifndef ENGINE_REWRITE_H
#define ENGINE_REWRITE_H

#include "engine/element.h"
#include "engine/flow_table.h"

enum rewriter_kind {
    REWRITE_TCP_UDP, /* IPRewriter: addresses and ports, timeouts by protocol */
    REWRITE_TCP,     /* TCPRewriter */
    REWRITE_UDP,     /* UDPRewriter: anything with ports, treated as datagrams */
    REWRITE_ADDR,    /* IPAddrRewriter: the source address */
    REWRITE_PAIR,    /* IPAddrPairRewriter: both addresses */
    REWRITE_PING,    /* ICMPPingRewriter: addresses and echo identifier */
};

/* SADDR SPORT DADDR DPORT; zero: keep the flow's own. */
struct rewrite_pattern {
    uint32_t saddr, daddr;
    uint16_t sport, dport; /* network byte order */
    bool ports;            /* the pattern names ports; variations are of SPORT then */
    bool sequential, same_first;
    uint32_t variation_top, next_variation;
};

enum rewrite_what {
    RW_KIND_DROP,
    RW_KIND_PASS,
    RW_KIND_KEEP,
    RW_KIND_PATTERN,
    RW_KIND_MAPPER
};

struct rewriter;
struct ip_mapper;

struct rewrite_input {
    enum rewrite_what what;
    int32_t out, reply_out;
    struct rewrite_pattern *pattern; /* in the router's arena, may be shared */
    struct element *mapper;
    const struct ip_mapper *mapper_ops;
    uint32_t count; /* mappings made for it that are alive */
    uint64_t failures;
};

enum { RW_DROP = -1, RW_MAP = -2 }; /* besides output numbers */

/* What a mapper answers cast(e, "IPMapper") with. */
struct ip_mapper {
    /* Before packets come: whether the outputs exist. -1 with a message. May be NULL. */
    int (*check)(struct element *mapper, const struct element *rewriter,
                 struct diag *d);
    /* Choose what the flow `in` becomes. RW_MAP with `*out`, and the outputs of `is`, set;
     * or RW_DROP. */
    int (*map)(struct element *mapper, struct rewriter *rw, struct rewrite_input *is,
               const struct flow_id *in, uint8_t proto, struct flow_id *out);
};

/* What rewriters with one MAPPING_CAPACITY share. In the router's arena. */
struct rewrite_heap {
    int32_t capacity;
    struct rewriter *members; /* by next_member, once they run */
};

struct rewriter_timeouts {
    uint32_t first_ms;     /* without data, or a datagram in one direction only */
    uint32_t both_ms;      /* data, or datagrams, in both directions */
    uint32_t done_ms;      /* TCP: both sides have finished */
    uint32_t guarantee_ms; /* how long a mapping is safe from newer ones */
};

struct rewriter {
    struct flow_table flows;
    struct rewrite_input *inputs; /* in the router's arena */
    struct element *e;
    uint32_t n_inputs;
    enum rewriter_kind kind;
    struct rewrite_heap *heap; /* see rewriter_heap() */
    struct rewriter *next_member;
    struct handler_spec *pattern_handlers; /* [n_inputs], in the router's arena */
    struct rewriter_timeouts tcp, udp;
    bool dst_anno, have_reply_anno;
    bool reaping; /* in the midst of it */
    struct anno_ref reply_anno;
    struct timer reap;

    /* Arguments. */
    struct text capacity_text, mapping_capacity_text;
    int64_t timeout_ns, guarantee_ns, reap_ns;
    int64_t tcp_nodata_ns, tcp_done_ns, tcp_timeout_ns, tcp_guarantee_ns;
    int64_t udp_timeout_ns, udp_streaming_ns, udp_guarantee_ns;
    bool have_timeout, have_guarantee, have_tcp_timeout;
    bool have_udp_timeout, have_udp_streaming, have_udp_guarantee;
};

/* Other elements' way to it: cast(e, "IPRewriterBase"), and "TCPRewriter" for those that
 * keep sequence numbers. */

#define REWRITE_SEEN_TIME(member_, seen_, name_, def_, help_)                          \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_TIME, .def = def_, .help = help_,              \
        .offset = offsetof(struct rewriter, member_),                                  \
        .seen = 1 + offsetof(struct rewriter, seen_)                                   \
    }

/* Arguments that all of them have; `timeout_` is their default TIMEOUT. */
#define REWRITE_ARGS(timeout_)                                                         \
    ARG_WORD(rewriter, capacity_text, "CAPACITY", 0, NULL, "most mappings"),           \
        ARG_WORD(rewriter, mapping_capacity_text, "MAPPING_CAPACITY", 0, NULL,         \
                 "most mappings, or the rewriter to share them with"),                 \
        REWRITE_SEEN_TIME(timeout_ns, have_timeout, "TIMEOUT", timeout_,               \
                          "time without packets after which mappings go"),             \
        REWRITE_SEEN_TIME(guarantee_ns, have_guarantee, "GUARANTEE", "5",              \
                          "time that mappings are safe from newer ones"),              \
        ARG_TIME(rewriter, reap_ns, "REAP_INTERVAL", 0, "900",                         \
                 "how often expired mappings are removed"),                            \
        ARG_TIME(rewriter, reap_ns, "REAP_TIME", ARG_DEPRECATED, NULL,                 \
                 "old REAP_INTERVAL"),                                                 \
        ARG_BOOL(rewriter, dst_anno, "DST_ANNO", 0, "true",                            \
                 "set the destination annotation"),                                    \
    {                                                                                  \
        .name = "REPLY_ANNO", .kind = ARG_KIND_ANNO,                                   \
        .offset = offsetof(struct rewriter, reply_anno),                               \
        .seen = 1 + offsetof(struct rewriter, have_reply_anno), .max = 1,              \
        .help = "annotation that replies get from the first packet"                    \
    }
#define REWRITE_TCP_ARGS                                                               \
    ARG_TIME(rewriter, tcp_nodata_ns, "TCP_NODATA_TIMEOUT", 0, "300",                  \
             "the same for TCP before there was data both ways"),                      \
        ARG_TIME(rewriter, tcp_guarantee_ns, "TCP_GUARANTEE", 0, "5",                  \
                 "the guarantee of TCP mappings"),                                     \
        REWRITE_SEEN_TIME(tcp_timeout_ns, have_tcp_timeout, "TCP_TIMEOUT", "86400",    \
                          "the same for TCP after that"),                              \
        ARG_TIME(rewriter, tcp_done_ns, "TCP_DONE_TIMEOUT", 0, "240",                  \
                 "the same for TCP that has ended")
#define REWRITE_UDP_ARGS                                                               \
    REWRITE_SEEN_TIME(udp_timeout_ns, have_udp_timeout, "UDP_TIMEOUT", "300",          \
                      "the same for UDP"),                                             \
        REWRITE_SEEN_TIME(udp_streaming_ns, have_udp_streaming,                        \
                          "UDP_STREAMING_TIMEOUT", NULL,                               \
                          "... with three packets, and some in both directions"),      \
        REWRITE_SEEN_TIME(udp_guarantee_ns, have_udp_guarantee, "UDP_GUARANTEE", "5",  \
                          "the guarantee of UDP mappings")

/* The parts of a record; configure wants `kind`. */
int rewriter_configure(struct element *e, struct conf *c, enum rewriter_kind kind,
                       struct diag *d);
int rewriter_initialize(struct element *e, struct diag *d);
void rewriter_take_state(struct element *e, struct element *old);
void rewriter_cleanup(struct element *e);
void rewriter_push(struct element *e, unsigned port, struct batch *b);
bool rewriter_is_apart(const struct element *e);
void *rewriter_cast(struct element *e, const char *kind);
/* Tables of handlers: IPRewriter's, TCPRewriter's, those of the others; and what
 * more_handlers needs for pattern0, pattern1 ... */
extern const struct handler_spec rewriter_ip_handlers[];
extern const struct handler_spec rewriter_tcp_handlers[];
extern const struct handler_spec rewriter_handlers[];
int rewriter_make_handlers(struct element *e, struct diag *d);
/* What becomes of a flow, for clients: see llrpc.h. */
const char *rewriter_llrpc(struct element *e, uint32_t call, void *data);
const struct handler_spec *rewriter_more_handlers(struct element *e, const char *name,
                                                  size_t i);

/* Call `say` for both directions of all mappings, in Click's order. -1 without memory. */
enum rewrite_table { REWRITE_ALL, REWRITE_ONLY_TCP, REWRITE_OTHERS };
int rewrite_list(const struct rewriter *rw, enum rewrite_table which,
                 void (*say)(void *ctx, const struct flow *f, unsigned direction),
                 void *ctx);

/* Milliseconds of the table's clock. */
uint32_t rewriter_now_ms(const struct element *e);

/* For flow_reap_some(), with the rewriter as `ctx`: one mapping of its input less. */
void rewriter_count_gone(void *ctx, const struct flow *f);

/* Parse "SADDR [SPORT] DADDR [DPORT]" (2 to 4 words) or the name of a pattern that
 * IPRewriterPatterns has given. The result is in the router's arena. */
struct rewrite_pattern *rewrite_pattern_parse(struct element *e, const char *text,
                                              struct diag *d);
/* "PATTERN OUT REPLYOUT" into `is`. */
int rewrite_pattern_input(struct element *e, const char *text, struct rewrite_input *is,
                          struct diag *d);
/* One input's specification. */
int rewrite_input_parse(struct element *e, const char *text, unsigned input,
                        struct rewrite_input *is, struct diag *d);
void rewrite_pattern_text(const struct rewrite_pattern *p, struct sbuf *out);

/* What the pattern makes of a flow: RW_MAP, or RW_DROP when all variations are taken. */
int rewrite_pattern_apply(struct rewrite_pattern *p, struct rewriter *rw,
                          const struct flow_id *in, uint8_t proto, struct flow_id *out);

/* What the input makes of a flow that is not known: RW_MAP, RW_DROP or an output. */
int rewrite_input_map(struct rewriter *rw, struct rewrite_input *is,
                      const struct flow_id *in, uint8_t proto, struct flow_id *out);

/* Enter a mapping, making room if need be; 0 when there is none. */
flow_ref rewriter_add(struct rewriter *rw, uint32_t now_ms, unsigned input,
                      uint8_t proto, const struct flow_id *in,
                      const struct flow_id *out);
void rewriter_remove(struct rewriter *rw, struct flow *f);

/* The mapping that a packet of flow `id` would use. With an `input` that exists, one is
 * made if there is none; with REWRITE_CHECK not; REWRITE_REPLY says besides that an ICMP
 * identifier is that of a reply. 0: there is none. */
enum { REWRITE_CHECK = -1, REWRITE_REPLY = -2 };
flow_ref rewriter_get(struct rewriter *rw, uint8_t proto, const struct flow_id *id,
                      int input);

/* What the rewriter shares with others, made when first asked for. NULL without memory. */
struct rewrite_heap *rewriter_heap(struct element *e);
/* Mappings of all members. */
uint32_t rewrite_heap_size(const struct rewrite_heap *h);

/* Remove what has expired and is beyond the capacity, or everything; of all members. */
void rewriter_shrink(struct rewriter *rw, bool all);

/* For mappers with several choices: whether the rewriter has their outputs. -1 with
 * messages. */
int rewrite_check_choices(struct element *mapper, const struct rewrite_input *choices,
                          uint32_t n, const struct element *rewriter, struct diag *d);

#endif
