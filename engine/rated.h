// SPDX-License-Identifier: BSD-3-Clause
/*
 * rated.h -- what the elements that hold packets to a rate have in common
 *
 * RatedUnqueue, RatedSplitter and Shaper count packets; their Bandwidth... sisters count
 * bytes. Both draw from a token bucket. Bytes are spent after the packet is known, so
 * there the bucket stands RATED_FLOOR higher: it may go below the floor by one packet, and
 * nothing moves until it has come up again.
 */

#ifndef ENGINE_RATED_H
#define ENGINE_RATED_H

#include "engine/task_handlers.h"
#include "engine/token_bucket.h"

enum { RATED_FLOOR = 131072 };

struct rated {
    struct token_bucket bucket;
    bool bytes;         /* count bytes instead of packets */
    uint32_t rate;      /* packets a second, as configured */
    uint64_t bandwidth; /* bytes a second, as configured */
    int64_t burst_ns;   /* what may be saved up, as a time */
    uint32_t burst;     /* ... or in packets or bytes */
    bool burst_ns_given, burst_given;
};

#define RATED_BURST_ARGS(state, member, name_)                                         \
    {.name = "BURST_DURATION",                                                         \
     .kind = ARG_KIND_TIME,                                                            \
     .def = "20ms",                                                                    \
     .help = "what may be saved up, as a time",                                        \
     .offset = offsetof(struct state, member.burst_ns),                                \
     .seen = 1 + offsetof(struct state, member.burst_ns_given)},                       \
    {                                                                                  \
        .name = (name_), .kind = ARG_KIND_U32, .help = "what may be saved up",         \
        .offset = offsetof(struct state, member.burst),                                \
        .seen = 1 + offsetof(struct state, member.burst_given)                         \
    }

/* RATE as packets or as a bandwidth, with BURST_SIZE or BURST_BYTES. */
#define RATED_PACKET_ARGS(state, member)                                               \
    ARG_U32(state, member.rate, "RATE", ARG_M, NULL, "packets a second"),              \
        RATED_BURST_ARGS(state, member, "BURST_SIZE")
#define RATED_BYTE_ARGS(state, member)                                                 \
    ARG_BANDWIDTH(state, member.bandwidth, "RATE", ARG_M, NULL,                        \
                  "bits or bytes a second"),                                           \
        RATED_BURST_ARGS(state, member, "BURST_BYTES")

/* Set the bucket up from the arguments; full, or with one packet's worth. */
int rated_configure(struct element *e, struct rated *r, bool bytes, struct diag *d);
/* Another rate; a running bucket stays as full as it was. */
void rated_change(struct element *e, struct rated *r);

/* How many of `want` packets may go now; of bytes, one at a time. */
static inline uint32_t rated_allows(struct rated *r, int64_t now_ns, uint32_t want)
{
    uint64_t n;

    token_bucket_refill(&r->bucket, now_ns);
    n = r->bytes ? token_bucket_has(&r->bucket, RATED_FLOOR)
                 : token_bucket_count(&r->bucket);
    return n < want ? (uint32_t)n : want;
}

/* Account for packets that went: b->p[from ...]. */
static inline void rated_spend(struct rated *r, const struct batch *b, uint32_t from)
{
    uint64_t spent = 0;

    for (uint32_t i = from; i < b->n; i++)
        spent += r->bytes ? b->p[i]->len : 1;
    token_bucket_drain(&r->bucket, spent);
}

/* ns from the last rated_allows() until something may go; INT64_MAX: never. */
static inline int64_t rated_wait(const struct rated *r)
{
    return token_bucket_wait(&r->bucket, r->bytes ? RATED_FLOOR : 1);
}

/* The handlers rate (read, and written by `write_`) and config (read): the member at the
 * handler's offset. */
#define RATED_HANDLERS(state, member, write_)                                          \
    {.name = "rate",                                                                   \
     .help = "packets or bytes a second",                                              \
     .flags = HANDLER_READ | HANDLER_WRITE,                                            \
     .offset = offsetof(struct state, member),                                         \
     .read = rated_read_rate,                                                          \
     .write = (write_)},                                                               \
    {                                                                                  \
        .name = "config", .help = "the rate", .flags = HANDLER_READ,                   \
        .offset = offsetof(struct state, member), .read = rated_read_rate              \
    }
int rated_read_rate(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d);
int rated_write_rate(struct element *e, const struct handler_spec *h, const char *value,
                     size_t len, struct diag *d);

/* --- RatedUnqueue and BandwidthRatedUnqueue ------------------------------------------- */

struct rated_unqueue {
    struct rated rated;
    struct task task;
    struct timer timer;
    struct signal nonempty;
    uint64_t runs, pushes, failed_pulls, empty_runs;
    bool active;
};

int rated_unqueue_initialize(struct element *e, struct diag *d);
int rated_unqueue_write_rate(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d);
int rated_unqueue_read_calls(struct element *e, const struct handler_spec *h,
                             const char *param, struct sbuf *out, struct diag *d);
int rated_unqueue_write_active(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d);

#define RATED_UNQUEUE_HANDLERS                                                         \
    RATED_HANDLERS(rated_unqueue, rated, rated_unqueue_write_rate),                    \
        HANDLER_READER(rated_unqueue_read_calls, "calls", "what the task has done"),   \
        {.name = "active",                                                             \
         .help = "whether packets are moved",                                          \
         .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,                     \
         .kind = ARG_KIND_BOOL,                                                        \
         .offset = offsetof(struct rated_unqueue, active),                             \
         .write = rated_unqueue_write_active},                                         \
        TASK_HANDLERS(rated_unqueue, task)

#endif
