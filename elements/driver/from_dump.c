// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromDump -- read packets from a tcpdump file
 *
 * Usage:    FromDump(FILENAME [, TIMING, STOP, ...])
 * Ports:    0 in, 1-2 out; push or pull
 * Args:     FILENAME  file in pcap or pcapng format, perhaps compressed; - is the standard
 *                     input
 *           TIMING    default false: emit packets with the pauses between their timestamps
 *           STOP      default false: stop the driver at the end of the file
 *           ACTIVE    default true: whether packets are emitted
 *           FORCE_IP  default false: emit IP packets only, with their network header set;
 *                     others go to output 1 or are dropped
 *           SAMPLE    default 1: probability with which a packet is emitted
 *           START     skip packets before this absolute time
 *           START_AFTER  skip packets of this many seconds at the beginning
 *           END       end before the first packet at or after this absolute time
 *           END_AFTER   end this many seconds after the first packet
 *           INTERVAL  end this many seconds after the first packet that was emitted
 *           END_CALL  write handler to call at the end, instead of STOP
 *           FILEPOS   begin at this position of the file
 *           BURST     default 1: packets that are emitted each time the task runs
 *           MMAP      accepted and without effect
 * Counters: no_memory  files that were given up when memory ran out
 *           not_ip    packets that FORCE_IP found not to be IP
 * Handlers: count     packets emitted so far
 *           encap     link type of the file: ETHER, IP, ...
 *           filename, filesize  (read) the file
 *           filepos   (rw) position in the file
 *           packet_filepos  (read) where the packet begins that was read last
 *           active    whether packets are emitted; may be written
 *           sampling_prob  SAMPLE
 *           extend_interval  (write) move END by so many seconds and go on
 *           stop      written: stop emitting packets, and the driver
 *           reset_counts  written: set count to 0
 *           reset_timing  written: TIMING and relative times count from the next packet
 *           scheduled, tickets  (rw) the task, with a push output
 * Example:  FromDump(trace.pcap, STOP true) -> Print -> Discard
 * See also: ToDump, FromDevice, FromIPSummaryDump
 *
 * Timestamps have nanoseconds where the file has them. A packet that was cut when it was
 * captured has the missing length in the EXTRA_LENGTH annotation. Files of link type IP are
 * read as with FORCE_IP. What gzip, bzip2 or xz have made smaller is read through zcat,
 * bzcat or xzcat. A configuration that takes over goes on where the old one was.
 */

#include "engine/element.h"
#include "engine/os/capture.h"
#include "engine/os/link_type.h"
#include "engine/os/trace_sample.h"
#include "engine/os/trace_window.h"
#include "engine/turns.h"

enum { RETRIES = 16 };

struct from_dump {
    struct text filename;
    bool force_ip, mmap;
    uint64_t sample; /* fixed point */
    int64_t filepos;
    uint32_t burst;
    struct trace_window window;

    struct capture capture;
    int64_t packet_filepos;
    uint64_t count;
    struct pkt *packet; /* owned; read, and perhaps not due */
    struct turns turns;
};

static const struct arg_spec from_dump_args[] = {
    ARG_FILENAME(from_dump, filename, "FILENAME", ARG_M, NULL,
                 "file; - is standard input"),
    ARG_BOOL(from_dump, window.timing, "TIMING", ARG_POS, "false", "keep the pauses"),
    ARG_BOOL(from_dump, window.stop, "STOP", ARG_KEY, "false",
             "stop the driver at the end"),
    ARG_BOOL(from_dump, window.active, "ACTIVE", ARG_KEY, "true",
             "whether packets are emitted"),
    ARG_BOOL(from_dump, force_ip, "FORCE_IP", ARG_KEY, "false", "IP packets only"),
    TRACE_SAMPLE_ARG(from_dump, sample),
    TRACE_WINDOW_ARGS(from_dump, window),
    ARG_I64(from_dump, filepos, "FILEPOS", ARG_KEY, "0", "where to begin"),
    {.name = "BURST",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct from_dump, burst),
     .def = "1",
     .help = "packets a task run",
     .min = 1,
     .max = BATCH_MAX},
    ARG_BOOL(from_dump, mmap, "MMAP", ARG_KEY, "false", "no effect"),
    ARG_END,
};

enum { C_NO_MEMORY = TRACE_FILE_NO_MEMORY, C_NOT_IP };
static const struct counter_spec from_dump_counters[] = {
    [C_NO_MEMORY] = TRACE_FILE_COUNTER,
    [C_NOT_IP] = {"not_ip", "packets that FORCE_IP found not to be IP"},
    {NULL, NULL},
};

/* --- arguments -------------------------------------------------------------------------- */

static int from_dump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_dump *f = element_state(e);

    trace_sample_check(&f->sample, d);
    f->window.paced_by_first = true;
    return trace_window_configure(&f->window, d);
}

/* --- packets ---------------------------------------------------------------------------- */

/* Read the next record; the packet is NULL afterwards if it is not wanted. False: there
 * is none. */
static bool read_packet(struct element *e)
{
    struct from_dump *f = element_state(e);
    struct capture_record r;
    const uint8_t *bytes;
    struct pkt *p;

    f->packet_filepos = trace_file_pos(&f->capture.file);
    if (!capture_next(&f->capture, &r))
        return false;
    if (!trace_window_takes(e, &f->window, r.when)) {
        capture_pass(&f->capture, &r);
        return f->window.active;
    }
    if (!trace_sample_takes(e, f->sample)) {
        capture_pass(&f->capture, &r);
        return true;
    }
    bytes = capture_bytes(&f->capture, &r);
    if (!bytes)
        return false;
    p = pkt_new(element_pool(e), PKT_HEADROOM, bytes, r.caplen, 0);
    if (!p) {
        trace_file_give_up(&f->capture.file);
        return false;
    }
    p->timestamp = r.when;
    p->mac = p->data;
    p->anno_u32[ANNO_EXTRA_LENGTH / 4] = r.len - r.caplen;
    f->packet = p;
    return true;
}

/* Output 1 is for what is not IP. */
static void not_ip(struct element *e, struct pkt *p)
{
    element_count(e, C_NOT_IP, 1);
    if (e->n_out > 1)
        out_push_one(e, 1, p);
    else
        pkt_free(p);
}

/* Whether the packet may leave by output 0; if not it has gone. */
static bool passes(struct element *e, struct pkt *p)
{
    const struct from_dump *f = element_state(e);

    if (!f->force_ip || link_type_force_ip(p, f->capture.link_type))
        return true;
    not_ip(e, p);
    return false;
}

static struct pkt *take_packet(struct element *e)
{
    struct from_dump *f = element_state(e);
    struct pkt *p = f->packet;

    f->packet = NULL;
    if (!p || !passes(e, p))
        return NULL;
    f->count++;
    return p;
}

/* Whether every packet that comes is emitted at once. */
static inline bool wants_all(const struct from_dump *f)
{
    return !f->packet && trace_window_is_open(&f->window) &&
           f->sample >= TRACE_SAMPLE_ONE;
}

/* Up to `max` packets of records that are in memory. */
static void fill(struct element *e, struct batch *b, uint32_t max)
{
    struct from_dump *f = element_state(e);
    uint32_t first = b->n, n = capture_batch(&f->capture, b, max);

    if (!n)
        return;
    f->packet_filepos = trace_file_pos(&f->capture.file) - f->capture.batch_last;
    if (f->force_ip) {
        b->n = first;
        for (uint32_t i = first; i < first + n; i++)
            if (passes(e, b->p[i]))
                batch_add(b, b->p[i]);
    }
    f->count += b->n - first;
}

enum step { STEP_MORE, STEP_LATER, STEP_END };

/* One record on, at most. */
static enum step step(struct element *e, struct batch *b)
{
    struct from_dump *f = element_state(e);
    struct pkt *p;

    if (!f->window.active)
        return STEP_LATER;
    if (!f->packet && !read_packet(e))
        return STEP_END;
    if (f->packet && !trace_window_due(e, &f->window, f->packet->timestamp))
        return STEP_LATER;
    p = take_packet(e);
    if (p)
        batch_add(b, p);
    return STEP_MORE;
}

/* Packets of one turn or several. */
static void fill_turns(struct element *e, struct batch *b, struct task *t)
{
    struct from_dump *f = element_state(e);
    uint32_t turns = turns_now(&f->turns, t, f->burst, false);

    fill(e, b, f->burst * turns);
    if (turns > 1)
        turns_took(t, (b->n + f->burst - 1) / f->burst);
}

static bool from_dump_run(struct element *e, struct task *t)
{
    struct from_dump *f = element_state(e);
    enum step next = STEP_MORE;
    struct batch b;
    bool worked;

    b.n = 0;
    if (wants_all(f))
        fill_turns(e, &b, t);
    for (uint32_t tries = 0; b.n < f->burst && tries < f->burst + RETRIES; tries++)
        if ((next = step(e, &b)) != STEP_MORE)
            break;
    worked = b.n > 0;
    if (next == STEP_MORE && f->window.active)
        task_reschedule(t);
    out_push(e, 0, &b);
    if (next == STEP_END)
        trace_window_end(e, &f->window);
    return worked;
}

static uint32_t from_dump_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    struct from_dump *f = element_state(e);
    uint32_t before = b->n;
    enum step next = STEP_MORE;

    if (wants_all(f))
        fill(e, b, max);
    while (b->n - before < max && (next = step(e, b)) == STEP_MORE)
        ;
    if (next == STEP_MORE)
        notifier_wake(&f->window.notifier);
    else
        notifier_sleep(&f->window.notifier);
    if (next == STEP_END)
        trace_window_end(e, &f->window);
    return b->n - before;
}

/* --- life ------------------------------------------------------------------------------- */

static int from_dump_initialize(struct element *e, struct diag *d)
{
    struct from_dump *f = element_state(e);
    struct capture *c = &f->capture;

    if (trace_window_start(e, &f->window, from_dump_run, d) < 0)
        return -1;
    if (capture_open(c, e, f->filename.s, d) < 0)
        return -1;
    if (f->force_ip && !link_type_has_ip(c->link_type))
        return diag_err(d, "%s: unknown linktype %d; can't force IP packets",
                        trace_file_name(&c->file), c->link_type);
    f->force_ip |= c->link_type == LINK_RAW;
    return f->filepos ? trace_file_seek(&c->file, f->filepos, d) : 0;
}

static void from_dump_take_state(struct element *e, struct element *old)
{
    struct from_dump *f = element_state(e), *was = element_state(old);
    struct capture *c = &f->capture, *from = &was->capture;

    if (strcmp(f->filename.s, was->filename.s) || c->ng || from->ng ||
        !from->file.is_open)
        return;
    trace_file_move(&c->file, &from->file);
    c->swapped = from->swapped;
    c->nano = from->nano;
    c->more = from->more;
    c->minor = from->minor;
    c->link_type = from->link_type;
    f->packet = was->packet;
    was->packet = NULL;
    f->window.timing_offset = was->window.timing_offset;
    f->packet_filepos = was->packet_filepos;
}

static void from_dump_cleanup(struct element *e)
{
    struct from_dump *f = element_state(e);

    capture_close(&f->capture);
    trace_window_fini(&f->window);
    pkt_free(f->packet);
    f->packet = NULL;
}

static void *from_dump_cast(struct element *e, const char *kind)
{
    struct from_dump *f = element_state(e);

    if (strcmp(kind, NOTIFIER_EMPTY))
        return NULL;
    return e->n_out && !element_output_is_push(e, 0) ? &f->window.notifier : NULL;
}

/* --- handlers --------------------------------------------------------------------------- */

static int read_encap(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct from_dump *f = element_state(e);
    char buf[LINK_TYPE_ROOM];

    sbuf_puts(out, link_type_unparse(f->capture.link_type, buf));
    return 0;
}

static int press_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    ((struct from_dump *)element_state(e))->count = 0;
    return 0;
}

static int press_reset_timing(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    trace_window_reset(&((struct from_dump *)element_state(e))->window);
    return 0;
}

static const struct handler_spec from_dump_handlers[] = {
    TRACE_FILE_HANDLERS(from_dump, capture.file),
    TRACE_FILE_SEEK_HANDLER(from_dump, capture.file),
    TRACE_SAMPLE_HANDLER(from_dump, sample),
    TRACE_WINDOW_ACTIVE_HANDLER(from_dump, window),
    HANDLER_READER(read_encap, "encap", "link type of the file"),
    TRACE_WINDOW_STOP_HANDLER(from_dump, window),
    HANDLER_VALUE(from_dump, packet_filepos, ARG_KIND_I64, HANDLER_READ,
                  "packet_filepos", "where the last packet begins"),
    TRACE_WINDOW_EXTEND_HANDLER(from_dump, window),
    HANDLER_VALUE(from_dump, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets emitted so far"),
    HANDLER_PRESS(press_reset, "reset_counts", "set count to 0"),
    HANDLER_PRESS(press_reset_timing, "reset_timing", "count from the next packet"),
    TASK_HANDLERS(from_dump, window.task),
    HANDLER_END,
};

ELEMENT(FromDump) = {
    .name = "FromDump",
    .state_size = sizeof(struct from_dump),
    .ports = "0/1-2",
    .processing = "a/ah",
    .driver_only = true,
    .args = from_dump_args,
    .counters = from_dump_counters,
    .handlers = from_dump_handlers,
    .configure = from_dump_configure,
    .initialize = from_dump_initialize,
    .take_state = from_dump_take_state,
    .cleanup = from_dump_cleanup,
    .pull = from_dump_pull,
    .cast = from_dump_cast,
};
