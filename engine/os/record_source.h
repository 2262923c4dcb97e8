// SPDX-License-Identifier: BSD-3-Clause
/*
 * record_source.h -- what elements that make packets from binary records have in common
 *
 * FromNLANRDump and FromDAGDump: their state begins with a struct record_source, which has
 * the file, the task, the times between which packets are emitted, and what happens at the
 * end. The element knows how a record looks like.
 */

#ifndef ENGINE_OS_RECORD_SOURCE_H
#define ENGINE_OS_RECORD_SOURCE_H

#include "engine/handler_call.h"
#include "engine/os/trace_source.h"

/* The first three are called in this order: `head`, then `body` or `pass`. */
struct record_format {
    /* Read what a record begins with, and its time. False: there is none. */
    bool (*head)(struct element *e, int64_t *when);
    /* Its packet, without timestamp; NULL: the file ends in between. */
    struct pkt *(*body)(struct element *e);
    void (*pass)(struct element *e); /* over the rest */
    /* False: the packet goes to output 1. */
    bool (*accepts)(struct element *e, struct pkt *p);
};

enum record_end {
    RECORD_END_NOTHING,
    RECORD_END_INACTIVE,
    RECORD_END_STOP,
    RECORD_END_CALL
};

struct record_source {
    struct text filename, end_call;
    bool stop, active, force_ip, timing, mmap;
    uint64_t sample; /* fixed point */
    int64_t start_arg, start_after, end_arg, end_after, interval;

    const struct record_format *format;
    struct trace_file file;
    int64_t packet_filepos;
    enum record_end at_end;
    struct handler_call call;
    bool have_start, have_end, start_relative, end_relative, end_interval, have_times;
    int64_t start, end, timing_offset;
    struct pkt *packet; /* owned; read, and perhaps not due */
    struct task task;
    struct timer timer;
    struct diag *d; /* while the first record is read, for warnings; else NULL */
};

#define RECORD_SOURCE_ARGS(s)                                                          \
    ARG_FILENAME(s, source.filename, "FILENAME", ARG_M, NULL, "file"),                 \
        ARG_BOOL(s, source.stop, "STOP", 0, "false", "stop at the end"),               \
        ARG_BOOL(s, source.active, "ACTIVE", 0, "true", "emit packets"),               \
        ARG_BOOL(s, source.force_ip, "FORCE_IP", 0, "false", "IP packets only"),       \
        ARG_TIME(s, source.start_arg, "START", 0, "0", "first absolute time"),         \
        ARG_TIME(s, source.start_after, "START_AFTER", 0, "0", "skip so long"),        \
        ARG_TIME(s, source.end_arg, "END", 0, "0", "absolute time of the end"),        \
        ARG_TIME(s, source.end_after, "END_AFTER", 0, "0", "end after so long"),       \
        ARG_TIME(s, source.interval, "INTERVAL", 0, "0", "emit for so long"),          \
        ARG_RAW(s, source.end_call, "END_CALL", 0, NULL, "write handler at the end"),  \
        TRACE_SAMPLE_ARG(s, source.sample),                                            \
        ARG_BOOL(s, source.timing, "TIMING", 0, "false", "keep the pauses"),           \
        ARG_BOOL(s, source.mmap, "MMAP", 0, "false", "no effect")

/* From configure() and initialize(); 0, or -1 with messages. The file is open then, at its
 * beginning or, if the format was told to read, behind the first record. */
int record_source_configure(struct element *e, struct diag *d);
int record_source_start(struct element *e, const struct record_format *format,
                        struct diag *d);
/* Go on at that byte; 0, or -1 with a message. What was read ahead stays the next packet. */
int record_source_seek(struct element *e, int64_t filepos, struct diag *d);

/* Members of struct element_class. */
void record_source_cleanup(struct element *e);
uint32_t record_source_pull(struct element *e, unsigned port, struct batch *b,
                            uint32_t max);

/* `encap` reads the handler of that name; more handlers may follow it. */
#define RECORD_SOURCE_HANDLERS(s, encap, ...)                                          \
    TRACE_SAMPLE_HANDLER(s, source.sample),                                            \
        {.name = "active",                                                             \
         .help = "whether packets are emitted",                                        \
         .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,                     \
         .kind = ARG_KIND_BOOL,                                                        \
         .offset = offsetof(struct s, source.active),                                  \
         .write = record_write_active},                                                \
        HANDLER_READER(encap, "encap", "what packets begin with"),                     \
        HANDLER_PRESS(record_press_stop, "stop", "emit no more, and stop the driver"), \
        __VA_ARGS__ HANDLER_WRITER(record_write_extend, "extend_interval",             \
                                   "move the end"),                                    \
        TRACE_FILE_HANDLERS(s, source.file), TASK_HANDLERS(s, source.task)

int record_write_active(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d);
int record_write_extend(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d);
int record_press_stop(struct element *e, const struct handler_spec *h,
                      const char *value, size_t len, struct diag *d);

#endif
