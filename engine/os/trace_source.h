// SPDX-License-Identifier: BSD-3-Clause
/*
 * trace_source.h -- what elements that make packets from lines of a file have in common
 *
 * FromIPSummaryDump, FromTcpdump and FromNetFlowSummaryDump: their state begins with a
 * struct trace_source, which has the file, the task, and the packet that is not due yet or
 * that stands for several.
 */

#ifndef ENGINE_OS_TRACE_SOURCE_H
#define ENGINE_OS_TRACE_SOURCE_H

#include "engine/os/trace_file.h"
#include "engine/os/trace_sample.h"
#include "engine/task_handlers.h"

struct trace_source {
    struct text filename;
    bool stop, active, zero, timing, multipacket;
    uint64_t sample; /* fixed point */
    uint32_t burst;

    struct trace_file file;
    /* The next packet; NULL: the file is at its end (closed then), or was given up, or a
     * line was bad. */
    struct pkt *(*read)(struct element *e);
    struct pkt *held; /* owned; not due, or to be repeated */
    bool split;       /* held is being repeated */
    bool have_timing;
    uint32_t part_len;
    int64_t part_step, part_end, timing_offset;
    struct task task;
    struct timer timer;
    struct notifier notifier;
};

/* Arguments that all of them have; `s` is the name of the state's struct, whose first member
 * is `source`. */
#define TRACE_SOURCE_ARGS(s, filename_flags)                                           \
    ARG_FILENAME(s, source.filename, "FILENAME", filename_flags, NULL, "file"),        \
        ARG_BOOL(s, source.stop, "STOP", 0, "false", "stop at the end"),               \
        ARG_BOOL(s, source.active, "ACTIVE", 0, "true", "emit packets"),               \
        ARG_BOOL(s, source.zero, "ZERO", 0, "true", "accepted"),                       \
    {                                                                                  \
        .name = "BURST", .kind = ARG_KIND_U32,                                         \
        .offset = offsetof(struct s, source.burst), .def = "1",                        \
        .help = "packets a task run", .min = 1, .max = BATCH_MAX                       \
    }
#define TRACE_SOURCE_TIMING(s)                                                         \
    ARG_BOOL(s, source.timing, "TIMING", 0, "false", "keep the pauses")
#define TRACE_SOURCE_MULTIPACKET(s)                                                    \
    ARG_BOOL(s, source.multipacket, "MULTIPACKET", 0, "false", "as many as counted")

/* From initialize(), when the file is open. */
void trace_source_start(struct element *e, struct pkt *(*read)(struct element *e),
                        struct diag *d);

/* Members of struct element_class. */
void trace_source_cleanup(struct element *e);
uint32_t trace_source_pull(struct element *e, unsigned port, struct batch *b,
                           uint32_t max);
void *trace_source_cast(struct element *e, const char *kind);

#define TRACE_SOURCE_ACTIVE_(s)                                                        \
    {                                                                                  \
        .name = "active", .help = "whether packets are emitted",                       \
        .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,                      \
        .kind = ARG_KIND_BOOL, .offset = offsetof(struct s, source.active),            \
        .write = trace_write_active                                                    \
    }
#define TRACE_SOURCE_HANDLERS(s)                                                       \
    TRACE_SOURCE_ACTIVE_(s), HANDLER_READER(trace_read_encap, "encap", "IP"),          \
        TRACE_FILE_HANDLERS(s, source.file), TASK_HANDLERS(s, source.task)
/* The same for those with SAMPLE. */
#define TRACE_SOURCE_SAMPLE_HANDLERS(s)                                                \
    TRACE_SAMPLE_HANDLER(s, source.sample), TRACE_SOURCE_ACTIVE_(s),                   \
        HANDLER_READER(trace_read_encap, "encap", "IP"),                               \
        HANDLER_PRESS(trace_press_stop, "stop", "emit no more, and stop the driver"),  \
        TRACE_FILE_HANDLERS(s, source.file), TASK_HANDLERS(s, source.task)

int trace_write_active(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d);
int trace_read_encap(struct element *e, const struct handler_spec *h, const char *param,
                     struct sbuf *out, struct diag *d);
int trace_press_stop(struct element *e, const struct handler_spec *h, const char *value,
                     size_t len, struct diag *d);

/* Set the checksums of IP, and of TCP, UDP and ICMP if the packet is no fragment. */
void trace_set_checksums(struct pkt *p);

#endif
