// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromIPSummaryDump -- read packets from an IP summary dump
 *
 * Usage:    FromIPSummaryDump(FILENAME [, STOP, TIMING, CHECKSUM, ...])
 * Ports:    0 in, 1 out; push or pull
 * Args:     FILENAME  file that ToIPSummaryDump or ipsumdump wrote, perhaps compressed; - is
 *                     standard input
 *           DATA      the dump itself, instead of a file
 *           STOP      default false: stop the driver at the end
 *           ACTIVE    default true: whether packets are emitted
 *           TIMING    default false: emit packets with the pauses between their timestamps
 *           CHECKSUM  default false: make packets as long as they say and set checksums
 *           ZERO      default true; accepted: bytes that are not said are 0
 *           SAMPLE    default 1: probability with which a packet is emitted
 *           PROTO     default 6: protocol of packets that do not say one
 *           MULTIPACKET  default false: emit as many packets as the field `count` says
 *           FIELDS    fields of the lines until the dump says them
 *           FLOWID    SRC SPORT DST DPORT [PROTO] of packets that do not say theirs
 *           ALLOW_NONEXISTENT  default false: a file that is not there is an empty one
 *           BURST     default 1: packets that are emitted each time the task runs
 *           CONTENTS, DEFAULT_CONTENTS, DEFAULT_FIELDS, DEFAULT_FLOWID  other names
 * Counters: no_memory  files that were given up when memory ran out
 * Handlers: sampling_prob  (read) SAMPLE
 *           active    (rw) whether packets are emitted
 *           encap     (read) IP
 *           filename, filesize, filepos  (read) the file, and where it is read
 *           stop      (write) emit no more, and stop the driver
 *           scheduled, tickets  (rw) the task, with a push output
 * Example:  FromIPSummaryDump(t.dump, STOP true) -> AggregateIP(ip dst) -> ...
 * See also: ToIPSummaryDump, FromDump
 *
 * The fields are those of ToIPSummaryDump. Packets have a network header and the
 * destination annotation; what the dump says of their length beyond the bytes that it
 * describes is in the extra-length annotation.
 */

#include "engine/ip_summary.h"
#include "engine/nameinfo.h"
#include "engine/os/trace_source.h"

#include "engine/lang/lang.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORD_MAX = 1 << 20 };

struct from_ip_summary_dump {
    struct trace_source source; /* the first */
    struct text data, fields_arg, flowid_arg;
    bool checksum, allow_nonexistent;
    uint8_t proto;

    char *line; /* owned: a copy of the line or record */
    size_t room;
    struct ipsum_fields fields;
    struct ipsum_defaults defaults;
    bool binary, complained, have_aggregate;
    uint32_t aggregate;
};

#define DUMP_RAW(member_, name_, flags_)                                               \
    ARG_RAW(from_ip_summary_dump, member_, name_, flags_, NULL, "of the lines")

static const struct arg_spec from_ip_summary_dump_args[] = {
    TRACE_SOURCE_ARGS(from_ip_summary_dump, ARG_POS),
    TRACE_SOURCE_TIMING(from_ip_summary_dump),
    TRACE_SOURCE_MULTIPACKET(from_ip_summary_dump),
    TRACE_SAMPLE_ARG(from_ip_summary_dump, source.sample),
    ARG_STRING(from_ip_summary_dump, data, "DATA", 0, NULL, "the dump itself"),
    ARG_BOOL(from_ip_summary_dump, checksum, "CHECKSUM", 0, "false", "set checksums"),
    ARG_U8(from_ip_summary_dump, proto, "PROTO", 0, "6", "default protocol"),
    DUMP_RAW(fields_arg, "FIELDS", 0),
    DUMP_RAW(flowid_arg, "FLOWID", 0),
    DUMP_RAW(fields_arg, "CONTENTS", ARG_OLD),
    DUMP_RAW(fields_arg, "DEFAULT_CONTENTS", ARG_OLD),
    DUMP_RAW(fields_arg, "DEFAULT_FIELDS", ARG_OLD),
    DUMP_RAW(flowid_arg, "DEFAULT_FLOWID", ARG_OLD),
    ARG_BOOL(from_ip_summary_dump, allow_nonexistent, "ALLOW_NONEXISTENT", 0, "false",
             "no file is an empty one"),
    ARG_END,
};

/* --- lines that are no packets ---------------------------------------------------------- */

#define complain(e, ...) trace_file_complain(dump_file(e), __VA_ARGS__)

static struct trace_file *dump_file(const struct element *e)
{
    return &((struct from_ip_summary_dump *)element_state(e))->source.file;
}

static void bang_data(struct element *e, const char *text)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct arena *a = arena_new(0);
    const char *const *words = NULL;
    int n = a ? lang_split_words(a, text, &words) : 0;

    s->fields.n = 0;
    for (int i = 0; i < n && s->fields.n < IPSUM_FIELDS_MAX; i++) {
        size_t len = strlen(words[i]);
        const char *name = lang_unquote(a, words[i], &len);
        const struct ipsum_field *f = name ? ipsum_find(name) : NULL;

        if (i == 0 && name && (!strcmp(name, "!data") || !strcmp(name, "!contents")))
            continue;
        if (!f)
            complain(e, "warning: unknown content type '%s'", name ? name : "");
        else if (!f->order && f->id != IPSUM_NONE)
            complain(e, "warning: content type '%s' ignored on input", name);
        s->fields.field[s->fields.n++] = f;
    }
    if (!s->fields.n)
        complain(e, "no contents specified");
    arena_free(a);
}

static void bang_proto(struct element *e, const char *word, const char *where)
{
    struct from_ip_summary_dump *s = element_state(e);
    uint32_t proto;

    if (name_query_int(e, NAME_IP_PROTO, word, &proto) && proto < 256)
        s->defaults.proto = (uint8_t)proto;
    else if (*word && !word[1] && strchr("TUI", *word))
        s->defaults.proto = *word == 'T'   ? IP_PROTO_TCP
                            : *word == 'U' ? IP_PROTO_UDP
                                           : IP_PROTO_ICMP;
    else
        complain(e, "bad protocol in %s", where);
}

static bool flow_part(struct element *e, const char *word, bool addr, uint32_t *out)
{
    uint64_t number;

    *out = 0;
    if (!strcmp(word, "-"))
        return true;
    if (addr)
        return parse_ip(e, word, out);
    if (!parse_u64(word, 0, &number) || number > 65535)
        return false;
    *out = be16((uint16_t)number);
    return true;
}

static void bang_flowid(struct element *e, char *words[8], unsigned n)
{
    struct from_ip_summary_dump *s = element_state(e);
    uint32_t part[4];

    s->defaults.have_flow = false;
    for (unsigned i = 0; i < 4; i++)
        if (n < 5 || !flow_part(e, words[i + 1], i % 2 == 0, &part[i])) {
            complain(e, "bad !flowid specification");
            return;
        }
    if (n >= 6)
        bang_proto(e, words[5], "!flowid");
    s->defaults.flow = (struct ipsum_flow){part[0], part[2], (uint16_t)part[1],
                                           (uint16_t)part[3]};
    s->defaults.have_flow = true;
}

static unsigned split(char *text, char *words[8])
{
    unsigned n = 0;
    char *save = NULL;

    for (char *w = strtok_r(text, " \t\r\n", &save); w && n < 8;
         w = strtok_r(NULL, " \t\r\n", &save))
        words[n++] = w;
    return n;
}

/* A line that begins with '!'. */
static void bang(struct element *e, char *line)
{
    struct from_ip_summary_dump *s = element_state(e);
    size_t len = strcspn(line, " \t\r\n");
    uint64_t number;
    char *words[8];
    unsigned n;

#define IS(name) (len == sizeof(name) - 1 && !memcmp(line, name, len))
    if (IS("!data") || IS("!contents")) {
        bang_data(e, line);
        return;
    }
    if (IS("!binary")) {
        if (split(line, words) != 1)
            complain(e, "bad !binary specification");
        s->binary = s->source.file.by_record = true;
        s->source.file.line = 1;
        return;
    }
    n = split(line, words);
    if (IS("!flowid")) {
        bang_flowid(e, words, n);
    } else if (IS("!proto")) {
        if (n == 2)
            bang_proto(e, words[1], "!proto");
        else
            complain(e, "bad !proto");
    } else if (IS("!aggregate")) {
        s->have_aggregate = n == 2 && parse_u64(words[1], 0, &number);
        if (s->have_aggregate)
            s->aggregate = (uint32_t)number;
        else
            complain(e, "bad !aggregate specification");
    }
#undef IS
}

/* --- packets ---------------------------------------------------------------------------- */

/* Have room for `len` bytes and a NUL in s->line. */
static bool make_room(struct from_ip_summary_dump *s, size_t len)
{
    char *more = s->room > len ? s->line : realloc(s->line, len + 1);

    if (!more) {
        trace_file_give_up(&s->source.file);
        return false;
    }
    s->line = more;
    s->room = s->room > len ? s->room : len + 1;
    s->line[len] = '\0';
    return true;
}

/* A record: its length, -1 at the end; `*text` says whether it is a line in disguise. */
static ssize_t read_record(struct element *e, bool *text)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct trace_file *f = &s->source.file;
    const uint8_t *head = trace_file_get(f, 4);
    uint32_t len;

    if (!head)
        return -1;
    *text = head[0] & 0x80;
    len = be32(load32(head)) & 0x7fffffffu;
    if (len < 4 || len > RECORD_MAX) {
        complain(e, len < 4 ? "binary record too short" : "binary record too long");
        return -1;
    }
    len -= 4;
    if (!len || !make_room(s, len) || trace_file_read(f, s->line, len) != len)
        return -1;
    while (*text && len && !s->line[len - 1])
        len--;
    f->line++;
    return (ssize_t)len;
}

static ssize_t read_line(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);
    const char *line;
    size_t len = trace_file_line(&s->source.file, &line);

    if (!len || !make_room(s, len))
        return -1;
    memcpy(s->line, line, len);
    while (len && (s->line[len - 1] == '\n' || s->line[len - 1] == '\r'))
        len--;
    s->line[len] = '\0';
    return (ssize_t)len;
}

/* See struct trace_source. */
static struct pkt *from_ip_summary_dump_read(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);
    bool text = true, no_memory;
    struct pkt *p;
    ssize_t len;

    if (!s->source.file.is_open)
        return NULL;
    for (;;) {
        text = !s->binary;
        len = s->binary ? read_record(e, &text) : read_line(e);
        if (len < 0) {
            trace_file_close(&s->source.file);
            return NULL;
        }
        if (len && (!text || (*s->line != '!' && *s->line != '#')))
            break;
        if (len && *s->line == '!')
            bang(e, s->line);
    }
    p = ipsum_read(&s->fields, &s->defaults, e, s->line, (size_t)len, !text,
                   &no_memory);
    if (p) {
        if (s->have_aggregate && !p->anno_u32[ANNO_AGGREGATE / 4])
            p->anno_u32[ANNO_AGGREGATE / 4] = s->aggregate;
        return p;
    }
    if (no_memory) {
        trace_file_give_up(&s->source.file);
        return NULL;
    }
    if (!s->complained && (!text || s->line[strspn(s->line, " \t")])) {
        complain(e, s->fields.n ? "packet parse error" : "no '!data' provided");
        s->complained = true;
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------- */

static int from_ip_summary_dump_configure(struct element *e, struct conf *c,
                                          struct diag *d)
{
    struct from_ip_summary_dump *s = element_state(e);

    trace_sample_check(&s->source.sample, d);
    if (s->data.len && s->source.filename.len)
        return diag_err(d, "FILENAME and DATA conflict");
    if (!s->data.s && !s->source.filename.len)
        return diag_err(d, "FILENAME: required argument missing");
    s->defaults.proto = s->proto;
    s->defaults.checksum = s->checksum;
    s->defaults.minor = IPSUM_MINOR;
    return 0;
}

static void bang_version(struct element *e, struct diag *d)
{
    struct from_ip_summary_dump *s = element_state(e);
    int major, minor;

    if (sscanf(s->line + strlen("!IPSummaryDump"), " %d.%d", &major, &minor) != 2)
        return;
    if (major == IPSUM_MAJOR && minor <= IPSUM_MINOR)
        s->defaults.minor = minor;
    else
        diag_warn_at(d, (struct place){trace_file_name(&s->source.file), 1, 0},
                     "unexpected IPSummaryDump version %d.%d", major, minor);
}

/* A dump begins with a line that says something. */
static void check_banner(struct element *e, struct diag *d)
{
    static const char *const known[] = {"!IPSummaryDump", "!creator", "!data",
                                        "!contents",      "!proto",   "!flowid"};
    struct from_ip_summary_dump *s = element_state(e);
    struct trace_file *f = &s->source.file;
    const char *line;
    size_t len = trace_file_peek_line(f, &line);

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (len >= strlen(known[i]) && !memcmp(line, known[i], strlen(known[i]))) {
            if (i == 0 && read_line(e) >= 0)
                bang_version(e, d);
            return;
        }
    if (!s->fields.n)
        diag_warn_at(d, (struct place){trace_file_name(f), 1, 0},
                     "missing banner line; is this an IP summary dump?");
}

static void default_flow(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct sbuf flow = SBUF_INIT;
    char *words[8];

    sbuf_printf(&flow, "!flowid %s", s->flowid_arg.s);
    if (!flow.failed)
        bang_flowid(e, words, split(flow.data, words));
    sbuf_fini(&flow);
}

static int from_ip_summary_dump_initialize(struct element *e, struct diag *d)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct trace_file *f = &s->source.file;
    const char *name = s->source.filename.s;

    f->e = e;
    f->by_line = true;
    f->name = s->data.s ? "<data>" : name;
    trace_source_start(e, from_ip_summary_dump_read, d);
    if (s->fields_arg.len)
        bang_data(e, s->fields_arg.s);
    if (s->flowid_arg.len)
        default_flow(e);
    if (s->data.s) {
        if (trace_file_open_text(f, e, s->data.s, s->data.len, d) < 0)
            return -1;
    } else if (!s->allow_nonexistent || !strcmp(name, "-") || access(name, F_OK) == 0 ||
               errno != ENOENT) {
        if (trace_file_open(f, e, name, d) < 0)
            return -1;
    }
    if (f->is_open)
        check_banner(e, d);
    return 0;
}

static void from_ip_summary_dump_cleanup(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);

    trace_source_cleanup(e);
    free(s->line);
    s->line = NULL;
}

static const struct handler_spec from_ip_summary_dump_handlers[] = {
    TRACE_SOURCE_SAMPLE_HANDLERS(from_ip_summary_dump),
    HANDLER_END,
};

ELEMENT(FromIPSummaryDump) = {
    .name = "FromIPSummaryDump",
    .state_size = sizeof(struct from_ip_summary_dump),
    .ports = "0/1",
    .processing = "a/a",
    .driver_only = true,
    .args = from_ip_summary_dump_args,
    .counters = trace_file_counters,
    .handlers = from_ip_summary_dump_handlers,
    .configure = from_ip_summary_dump_configure,
    .initialize = from_ip_summary_dump_initialize,
    .cleanup = from_ip_summary_dump_cleanup,
    .cast = trace_source_cast,
    .pull = trace_source_pull,
};
