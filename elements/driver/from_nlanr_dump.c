// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromNLANRDump -- read packets from a trace of NLANR
 *
 * Usage:    FromNLANRDump(FILENAME [, FORMAT, STOP, ...])
 * Ports:    0 in, 1-2 out; push or pull
 * Args:     FILENAME  file of records in one of the formats, perhaps compressed; - is the
 *                     standard input
 *           FORMAT    default guess: tsh or fr+; or, by the end of the file's name, guess
 *           STOP      default false: stop the driver at the end of the file
 *           ACTIVE    default true: whether packets are emitted
 *           FORCE_IP  accepted: all packets are IP packets
 *           SAMPLE    default 1: probability with which a packet is emitted
 *           START     skip packets before this absolute time
 *           START_AFTER  skip packets of this many seconds at the beginning
 *           END       end before the first packet at or after this absolute time
 *           END_AFTER   end this many seconds after the first packet
 *           INTERVAL  end this many seconds after the first packet that was emitted
 *           END_CALL  write handler to call at the end, instead of STOP
 *           FILEPOS   begin at this position of the file, behind the first packet
 *           TIMING    default false: emit packets with the pauses between their timestamps
 *           MMAP      accepted and without effect
 * Counters: no_memory  files that were given up when memory ran out
 * Handlers: sampling_prob  (read) SAMPLE
 *           active    (rw) whether packets are emitted
 *           encap     (read) IP
 *           filename, filesize, filepos  (read) the file, and where it is read
 *           packet_filepos  (read) where the packet begins that was read last
 *           extend_interval  (write) move END by so many seconds and go on
 *           stop      (write) emit no more, and stop the driver
 *           scheduled, tickets  (rw) the task, with a push output
 * Example:  FromNLANRDump(ODU-1073725001.tsh, STOP true) -> IPPrint -> Discard;
 * See also: FromDump, FromDAGDump, FromIPSummaryDump
 *
 * A record has 44 bytes: the time, an IP header and 16 bytes of what follows. With tsh the
 * paint annotation is the interface. Packets with IP options, whose records hold less, go to
 * output 1 or are dropped. Of the format fr there is a name and nothing that reads it.
 */

#include "engine/net_headers.h"
#include "engine/os/link_type.h"
#include "engine/os/record_source.h"
#include "engine/parse_chars.h"

enum { RECORD = 44, TIME = 8, RECORD_FR = 24 };
enum nlanr_format { FORMAT_TSH, FORMAT_FR_PLUS, FORMAT_FR };

struct from_nlanr_dump {
    struct record_source source; /* the first */
    struct text format_arg;
    int64_t filepos;
    enum nlanr_format format;
    uint8_t record[RECORD];
};

static const struct arg_spec from_nlanr_dump_args[] = {
    RECORD_SOURCE_ARGS(from_nlanr_dump),
    ARG_WORD(from_nlanr_dump, format_arg, "FORMAT", 0, "guess", "tsh, fr+ or guess"),
    ARG_I64(from_nlanr_dump, filepos, "FILEPOS", 0, "0", "where to begin"),
    ARG_END,
};

/* Whether the name ends in ".lower", and if so cut it there. */
static bool cut_end(const char *name, size_t *len, const char *lower)
{
    size_t n = strlen(lower);
    char end[8];

    if (*len < n)
        return false;
    memcpy(end, name + *len - n, n);
    end[n] = '\0';
    if (!char_is_word(end, lower))
        return false;
    *len -= n;
    return true;
}

static int guess_format(struct element *e, struct diag *d)
{
    struct from_nlanr_dump *s = element_state(e);
    const char *name = s->source.filename.s;
    size_t len = s->source.filename.len;

    (void)(cut_end(name, &len, ".gz") || cut_end(name, &len, ".z") ||
           cut_end(name, &len, ".bz2"));
    s->format = FORMAT_TSH;
    if (cut_end(name, &len, ".fr"))
        s->format = FORMAT_FR;
    else if (cut_end(name, &len, ".fr+"))
        s->format = FORMAT_FR_PLUS;
    else if (!cut_end(name, &len, ".tsh"))
        diag_warn(d, "cannot guess file format from filename, assuming 'tsh'");
    return 0;
}

static int from_nlanr_dump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_nlanr_dump *s = element_state(e);
    const char *format = s->format_arg.s;

    if (record_source_configure(e, d) < 0)
        return -1;
    if (char_is_word(format, "guess"))
        return guess_format(e, d);
    if (char_is_word(format, "tsh"))
        s->format = FORMAT_TSH;
    else if (char_is_word(format, "fr+"))
        s->format = FORMAT_FR_PLUS;
    else if (char_is_word(format, "fr"))
        s->format = FORMAT_FR;
    else
        return diag_err(d, "bad FORMAT");
    return 0;
}

static bool from_nlanr_dump_head(struct element *e, int64_t *when)
{
    struct from_nlanr_dump *s = element_state(e);
    uint32_t n = s->format == FORMAT_FR ? RECORD_FR : RECORD;
    const uint8_t *r = trace_file_get(&s->source.file, n);
    uint32_t us;

    if (!r)
        return false;
    memcpy(s->record, r, n);
    us = be32(load32(r + 4)) & (s->format == FORMAT_TSH ? 0xffffff : UINT32_MAX);
    *when = (int64_t)be32(load32(r)) * 1000000000 + (int64_t)us * 1000;
    return true;
}

static struct pkt *from_nlanr_dump_body(struct element *e)
{
    struct from_nlanr_dump *s = element_state(e);
    struct pkt *p;

    if (s->format == FORMAT_FR)
        return NULL;
    p = pkt_new(element_pool(e), PKT_HEADROOM, s->record + TIME, RECORD - TIME, 0);
    if (!p)
        trace_file_give_up(&s->source.file);
    else if (s->format == FORMAT_TSH)
        pkt_set_paint(p, s->record[4]);
    return p;
}

static void from_nlanr_dump_pass(struct element *e)
{
    (void)e; /* the whole record was read */
}

static bool from_nlanr_dump_accepts(struct element *e, struct pkt *p)
{
    return link_type_force_ip(p, LINK_RAW) &&
           p->transport - p->network == sizeof(struct ip4_hdr);
}

static int from_nlanr_dump_initialize(struct element *e, struct diag *d)
{
    static const struct record_format format = {
        from_nlanr_dump_head,
        from_nlanr_dump_body,
        from_nlanr_dump_pass,
        from_nlanr_dump_accepts,
    };
    const struct from_nlanr_dump *s = element_state(e);

    if (record_source_start(e, &format, d) < 0)
        return -1;
    return s->filepos ? record_source_seek(e, s->filepos, d) : 0;
}

static const struct handler_spec from_nlanr_dump_handlers[] = {
    RECORD_SOURCE_HANDLERS(from_nlanr_dump, trace_read_encap,
                           HANDLER_VALUE(from_nlanr_dump, source.packet_filepos,
                                         ARG_KIND_I64, HANDLER_READ, "packet_filepos",
                                         "where the last packet begins"), ),
    HANDLER_END,
};

ELEMENT(FromNLANRDump) = {
    .name = "FromNLANRDump",
    .state_size = sizeof(struct from_nlanr_dump),
    .ports = "0/1-2",
    .processing = "a/ah",
    .driver_only = true,
    .args = from_nlanr_dump_args,
    .counters = trace_file_counters,
    .handlers = from_nlanr_dump_handlers,
    .configure = from_nlanr_dump_configure,
    .initialize = from_nlanr_dump_initialize,
    .cleanup = record_source_cleanup,
    .pull = record_source_pull,
};
