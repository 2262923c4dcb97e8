// SPDX-License-Identifier: BSD-3-Clause
/*
 * record_source.h -- what elements that make packets from binary records have in common
 *
 * FromNLANRDump and FromDAGDump: their state begins with a struct record_source, which has
 * the file, and the part of it that is emitted. The element knows how a record looks like.
 */

#ifndef ENGINE_OS_RECORD_SOURCE_H
#define ENGINE_OS_RECORD_SOURCE_H

#include "engine/os/trace_source.h"
#include "engine/os/trace_window.h"

/* The first three are called in this order: `head`, then `body` or `pass`. */
struct record_format {
    /* Read what a record begins with, and its time. False: there is none. */
    bool (*head)(struct element *e, int64_t *when);
    /* Its packet, without timestamp; NULL: the file ends in between, or was given up. */
    struct pkt *(*body)(struct element *e);
    void (*pass)(struct element *e); /* over the rest */
    /* False: the packet goes to output 1. */
    bool (*accepts)(struct element *e, struct pkt *p);
};

struct record_source {
    struct text filename;
    bool force_ip, mmap;
    uint64_t sample; /* fixed point */
    struct trace_window window;

    const struct record_format *format;
    struct trace_file file;
    int64_t packet_filepos;
    struct pkt *packet; /* owned; read, and perhaps not due */
    struct diag *d;     /* while the first record is read, for warnings; else NULL */
};

#define RECORD_SOURCE_ARGS(s)                                                          \
    ARG_FILENAME(s, source.filename, "FILENAME", ARG_M, NULL, "file"),                 \
        ARG_BOOL(s, source.window.stop, "STOP", 0, "false", "stop at the end"),        \
        ARG_BOOL(s, source.window.active, "ACTIVE", 0, "true", "emit packets"),        \
        ARG_BOOL(s, source.force_ip, "FORCE_IP", 0, "false", "IP packets only"),       \
        TRACE_WINDOW_ARGS(s, source.window), TRACE_SAMPLE_ARG(s, source.sample),       \
        ARG_BOOL(s, source.window.timing, "TIMING", 0, "false", "keep the pauses"),    \
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
        TRACE_WINDOW_ACTIVE_HANDLER(s, source.window),                                 \
        HANDLER_READER(encap, "encap", "what packets begin with"),                     \
        TRACE_WINDOW_STOP_HANDLER(s, source.window),                                   \
        __VA_ARGS__ TRACE_WINDOW_EXTEND_HANDLER(s, source.window),                     \
        TRACE_FILE_HANDLERS(s, source.file), TASK_HANDLERS(s, source.window.task)

#endif
