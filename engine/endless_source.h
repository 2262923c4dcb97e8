// SPDX-License-Identifier: BSD-3-Clause
/*
 * endless_source.h -- what InfiniteSource and RandomSource have in common
 *
 * Packets as fast as they are taken, up to a limit, pushed by a task or pulled; what stands
 * in them is the element's affair.
 *
 * Memory: the struct is the first member of the element's state; endless_source_cleanup()
 * gives back what is not in the arena.
 */

#ifndef ENGINE_ENDLESS_SOURCE_H
#define ENGINE_ENDLESS_SOURCE_H

#include "engine/handler_call.h"
#include "engine/task_handlers.h"
#include "engine/turns.h"

struct endless_source {
    struct task task;
    struct signal nonfull;
    struct turns turns;
    struct notifier nonempty; /* for those who pull */
    int64_t limit;            /* < 0: none */
    int32_t burst;
    bool active, timestamp, stop;
    bool alike; /* the packets are: see turns.h; set by configure() */
    struct handler_call end;
    struct text end_call;
    /* Append up to `n` packets with that timestamp; returns how many memory allowed. */
    uint32_t (*emit)(struct element *e, struct batch *b, uint32_t n, int64_t wall_ns);
    uint32_t
        run_max; /* packets of one run of the task at most, however large a burst */
};

enum { ENDLESS_RUN_MAX = 1 << 20 };

/* `s` is the name of the state's struct, whose first member is `endless`. The arguments
 * behind the one that says what is in the packets, and the others. */
#define ENDLESS_SOURCE_ARGS(s)                                                         \
    ARG_I64(s, endless.limit, "LIMIT", ARG_POS, "-1", "packets made, < 0: no limit"),  \
        ARG_I32(s, endless.burst, "BURST", ARG_POS, "1", "packets made in one go"),    \
        ARG_BOOL(s, endless.active, "ACTIVE", ARG_POS, "true", "make packets at all"), \
        ARG_BOOL(s, endless.timestamp, "TIMESTAMP", ARG_KEY, "true",                   \
                 "set the packets' time"),                                             \
        ARG_BOOL(s, endless.stop, "STOP", ARG_KEY, "false",                            \
                 "stop the router after the last packet"),                             \
        ARG_RAW(s, endless.end_call, "END_CALL", ARG_KEY, NULL,                        \
                "handler to write after the last packet")

extern const struct counter_spec endless_source_counters[]; /* count */

/* For configure(), which also sets `emit` and `run_max`: first look at the arguments and get
 * the handler to call at the end, then, when nothing can fail any more, take that over. */
int endless_source_check(struct element *e, struct handler_call *end, struct diag *d);
void endless_source_configured(struct element *e, struct handler_call *end);

/* For the class's record. */
int endless_source_initialize(struct element *e, struct diag *d);
void endless_source_cleanup(struct element *e);
void *endless_source_cast(struct element *e, const char *kind);
uint32_t endless_source_pull(struct element *e, unsigned port, struct batch *b,
                             uint32_t max);

/* After any change there may be packets to make again. */
void endless_source_go(struct element *e);

#define ENDLESS_SOURCE_HANDLER_(s, member, kind_, name_, help_, extra)                 \
    {                                                                                  \
        .name = (name_), .help = (help_),                                              \
        .flags = HANDLER_READ | HANDLER_WRITE | (extra), .kind = (kind_),              \
        .offset = offsetof(struct s, endless.member),                                  \
        .write = endless_source_write_##member                                         \
    }
#define ENDLESS_SOURCE_BURST_HANDLER(s, name_, help_, extra)                           \
    ENDLESS_SOURCE_HANDLER_(s, burst, ARG_KIND_I32, name_, help_,                      \
                            HANDLER_CALM | (extra))
#define ENDLESS_SOURCE_HANDLERS(s)                                                     \
    ENDLESS_SOURCE_HANDLER_(s, limit, ARG_KIND_I64, "limit",                           \
                            "packets made, < 0: no limit", HANDLER_CALM),              \
        ENDLESS_SOURCE_BURST_HANDLER(s, "burst", "packets made in one go", 0),         \
        ENDLESS_SOURCE_HANDLER_(s, active, ARG_KIND_BOOL, "active",                    \
                                "whether packets are made", HANDLER_CHECKBOX),         \
        HANDLER_PRESS(endless_source_reset, "reset", "set count to 0")

int endless_source_write_limit(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d);
int endless_source_write_burst(struct element *e, const struct handler_spec *h,
                               const char *value, size_t len, struct diag *d);
int endless_source_write_active(struct element *e, const struct handler_spec *h,
                                const char *value, size_t len, struct diag *d);
int endless_source_reset(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d);

#endif
