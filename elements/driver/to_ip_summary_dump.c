// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToIPSummaryDump -- write what packets say, a line or a record each
 *
 * Usage:    ToIPSummaryDump(FILENAME [, FIELDS timestamp ip_src, HEADER, BINARY, ...])
 * Ports:    1 in, 0-1 out; push or pull in, push out
 * Args:     FILENAME  file; - is the standard output
 *           FIELDS    what is written of a packet, default "timestamp ip_src"
 *           HEADER    default true: begin with lines that describe the dump
 *           VERBOSE   default false: these lines name host and time, too
 *           BANNER    text for a line "!creator"
 *           BINARY    default false: write records instead of lines
 *           MULTIPACKET  default false: write a packet that stands for several so many
 *                     times
 *           BAD_PACKETS  default false: write a line "!bad ..." before bad packets
 *           CAREFUL_TRUNC  default true: packets shorter than they claim are bad
 *           EXTRA_LENGTH  default true: believe the extra-length annotation
 *           CONTENTS, DATA  other names of FIELDS
 * Counters: none
 * Handlers: flush     (write) write out what is buffered
 *           count     (read) packets written
 *           filename  (read) FILENAME
 * Example:  FromDump(t.pcap, STOP true, FORCE_IP true) -> ToIPSummaryDump(-, FIELDS ip_src ip_dst ip_len);
 * See also: FromIPSummaryDump, ToIPFlowDumps, ToDump
 *
 * Fields: timestamp ntimestamp ts_sec ts_usec ts_usec1 first_timestamp count link paint
 * direction aggregate wire_len; eth_src eth_dst eth_type; ip_src ip_dst ip_tos ip_dscp ip_ecn
 * ip_ttl ip_frag ip_fragoff ip_id ip_sum ip_proto ip_hl ip_len ip_capture_len ip_opt; sport
 * dport; tcp_seq tcp_ack tcp_off tcp_flags tcp_window tcp_urp tcp_opt tcp_ntopt tcp_sack;
 * udp_len; icmp_type icmp_code icmp_type_name icmp_code_name icmp_flowid icmp_seq
 * icmp_nextmtu; payload payload_len payload_md5 payload_md5_hex. "ip_" may be left out.
 * What a packet does not have is written as "-".
 */

#include "engine/element.h"
#include "engine/ip_summary.h"
#include "engine/lang/lang.h"
#include "engine/unparse.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct to_ip_summary_dump {
    struct text filename, fields_arg, banner;
    bool verbose, header, multipacket, bad_packets;
    struct ipsum_options options;
    struct ipsum_fields fields;
    FILE *file; /* owned unless stdout */
    struct sbuf out, bad;
    uint64_t count;
    bool broken;
    struct task task;
    struct signal signal;
};

static const struct arg_spec to_ip_summary_dump_args[] = {
    ARG_FILENAME(to_ip_summary_dump, filename, "FILENAME", ARG_M, NULL, "file"),
    ARG_RAW(to_ip_summary_dump, fields_arg, "FIELDS", 0, "timestamp ip_src",
            "what is written"),
    ARG_RAW(to_ip_summary_dump, fields_arg, "CONTENTS", ARG_OLD, NULL, "old FIELDS"),
    ARG_RAW(to_ip_summary_dump, fields_arg, "DATA", ARG_DEPRECATED, NULL, "old FIELDS"),
    ARG_BOOL(to_ip_summary_dump, header, "HEADER", 0, "true", "describe the dump"),
    ARG_BOOL(to_ip_summary_dump, verbose, "VERBOSE", 0, "false", "say more"),
    ARG_STRING(to_ip_summary_dump, banner, "BANNER", 0, NULL, "who made this"),
    ARG_BOOL(to_ip_summary_dump, options.binary, "BINARY", 0, "false", "records"),
    ARG_BOOL(to_ip_summary_dump, multipacket, "MULTIPACKET", 0, "false",
             "as often as counted"),
    ARG_BOOL(to_ip_summary_dump, bad_packets, "BAD_PACKETS", 0, "false", "!bad lines"),
    ARG_BOOL(to_ip_summary_dump, options.careful_trunc, "CAREFUL_TRUNC", 0, "true",
             "short packets are bad"),
    ARG_BOOL(to_ip_summary_dump, options.extra_length, "EXTRA_LENGTH", 0, "true",
             "believe the annotation"),
    ARG_END,
};

static int to_ip_summary_dump_configure(struct element *e, struct conf *c,
                                        struct diag *d)
{
    struct to_ip_summary_dump *s = element_state(e);
    const char *const *words;
    int n = lang_split_words(c->scratch, s->fields_arg.s, &words), rc = 0;

    for (int i = 0; i < n; i++) {
        size_t len = strlen(words[i]);
        const char *name = lang_unquote(c->scratch, words[i], &len);
        const struct ipsum_field *f = name ? ipsum_find(name) : NULL;

        if (!f)
            rc = diag_err(d, "unknown content type '%s'", name ? name : "");
        else if (f->size == IPSUM_NOT_BINARY && s->options.binary)
            rc = diag_err(d, "cannot use field %s with BINARY", name);
        else if (s->fields.n == IPSUM_FIELDS_MAX)
            return diag_err(d, "too many fields");
        else
            s->fields.field[s->fields.n++] = f;
    }
    if (!s->fields.n)
        rc = diag_err(d, "no contents specified");
    return rc;
}

static void write_header(struct element *e)
{
    struct to_ip_summary_dump *s = element_state(e);
    char host[256], when[64], buf[UNPARSE_ROOM];
    struct sbuf text = SBUF_INIT;
    time_t now = time(NULL);

    sbuf_printf(&text, "!IPSummaryDump %d.%d\n", IPSUM_MAJOR, IPSUM_MINOR);
    if (s->banner.len) {
        sbuf_puts(&text, "!creator \"");
        lang_quote_into(&text, s->banner.s, s->banner.len);
        sbuf_puts(&text, "\"\n");
    }
    if (s->verbose) {
        if (gethostname(host, sizeof host) == 0)
            sbuf_printf(&text, "!host %s\n", host);
        if (ctime_r(&now, when))
            sbuf_printf(&text, "!runtime %s (%.*s)\n",
                        unparse_timestamp(element_wall_now(e), buf),
                        (int)strcspn(when, "\n"), when);
    }
    sbuf_puts(&text, "!data");
    for (uint32_t i = 0; i < s->fields.n; i++) {
        const char *name = s->fields.field[i]->name;

        if (!strcmp(name, "ntimestamp") && !s->options.binary)
            name = "timestamp";
        sbuf_printf(&text, " %s", name);
    }
    sbuf_puts(&text, s->options.binary ? "\n!binary\n" : "\n");
    if (s->header)
        fwrite(sbuf_text(&text), 1, text.len, s->file);
    sbuf_fini(&text);
}

static void write_bad(struct to_ip_summary_dump *s)
{
    uint32_t marker = be32((uint32_t)(s->bad.len + 4) | 0x80000000u);

    if (s->options.binary)
        fwrite(&marker, 4, 1, s->file);
    fwrite(s->bad.data, 1, s->bad.len, s->file);
}

static void write_one(struct element *e, const struct pkt *p)
{
    struct to_ip_summary_dump *s = element_state(e);

    sbuf_reset(&s->out);
    sbuf_reset(&s->bad);
    ipsum_write(&s->fields, &s->options, p, &s->out, s->bad_packets ? &s->bad : NULL);
    if (s->bad.len)
        write_bad(s);
    if (fwrite(sbuf_text(&s->out), 1, s->out.len, s->file) != s->out.len &&
        !s->broken) {
        s->broken = true;
        element_say(e, "%s: %s\n", s->filename.s, strerror(errno));
    }
    s->count++;
}

/* A packet that stands for several is written so many times, with its length and time
 * spread over them. */
static void write_packet(struct element *e, struct pkt *p)
{
    const struct to_ip_summary_dump *s = element_state(e);
    uint32_t *extra = &p->anno_u32[ANNO_EXTRA_LENGTH / 4];
    uint32_t *more = &p->anno_u32[ANNO_EXTRA_PACKETS / 4], count = 1 + *more;
    int64_t first = (int64_t)p->anno_u64[ANNO_FIRST_TIMESTAMP / 8], end = p->timestamp;
    uint64_t total = p->len + (s->options.extra_length ? *extra : 0);
    int64_t step;

    if (!s->multipacket || !*more) {
        write_one(e, p);
        return;
    }
    if (total < (uint64_t)count * p->len)
        total = (uint64_t)count * p->len;
    step = first ? (end - first) / (count - 1) : 0;
    if (first)
        p->timestamp = first;
    *more = 0;
    for (uint32_t i = count; i; i--) {
        uint32_t len = (uint32_t)(total / i);

        *extra = len - p->len;
        total -= len;
        write_one(e, p);
        p->timestamp = i == 1 ? end : p->timestamp + step;
    }
}

static void to_ip_summary_dump_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        write_packet(e, b->p[i]);
    out_push_or_free(e, 0, b);
}

static bool to_ip_summary_dump_run(struct element *e, struct task *t)
{
    struct to_ip_summary_dump *s = element_state(e);
    struct batch b;
    bool worked;

    b.n = 0;
    worked = in_pull(e, 0, &b, 1) > 0;
    if (worked || signal_active(&s->signal))
        task_reschedule(t);
    to_ip_summary_dump_push(e, 0, &b);
    return worked;
}

static int to_ip_summary_dump_initialize(struct element *e, struct diag *d)
{
    struct to_ip_summary_dump *s = element_state(e);

    s->file = strcmp(s->filename.s, "-") ? fopen(s->filename.s, "wb") : stdout;
    if (!s->file)
        return diag_err(d, "%s: %s", s->filename.s, strerror(errno));
    write_header(e);
    if (!element_input_is_push(e, 0)) {
        task_init(&s->task, e, to_ip_summary_dump_run);
        signal_up(&s->signal, e, 0, &s->task);
        task_schedule(&s->task);
    }
    return 0;
}

static void to_ip_summary_dump_cleanup(struct element *e)
{
    struct to_ip_summary_dump *s = element_state(e);

    if (s->file && fflush(s->file) && !s->broken)
        element_say(e, "%s: %s\n", s->filename.s, strerror(errno));
    if (s->file && s->file != stdout)
        fclose(s->file);
    s->file = NULL;
    sbuf_fini(&s->out);
    sbuf_fini(&s->bad);
}

static int press_flush(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    struct to_ip_summary_dump *s = element_state(e);

    return fflush(s->file) ? diag_err(d, "%s: %s", s->filename.s, strerror(errno)) : 0;
}

static const struct handler_spec to_ip_summary_dump_handlers[] = {
    HANDLER_WRITER(press_flush, "flush", "write out what is buffered"),
    HANDLER_VALUE(to_ip_summary_dump, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets written"),
    HANDLER_VALUE(to_ip_summary_dump, filename, ARG_KIND_STRING, HANDLER_READ,
                  "filename", "name of the file"),
    HANDLER_END,
};

ELEMENT(ToIPSummaryDump) = {
    .name = "ToIPSummaryDump",
    .state_size = sizeof(struct to_ip_summary_dump),
    .ports = "1/0-1",
    .processing = "a/h",
    .driver_only = true,
    .args = to_ip_summary_dump_args,
    .handlers = to_ip_summary_dump_handlers,
    .configure = to_ip_summary_dump_configure,
    .initialize = to_ip_summary_dump_initialize,
    .cleanup = to_ip_summary_dump_cleanup,
    .push = to_ip_summary_dump_push,
};
