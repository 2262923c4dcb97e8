// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromIPSummaryDump -- read packets from an IP summary dump
 *
 * Usage:    FromIPSummaryDump(FILENAME [, STOP, TIMING, CHECKSUM, ...])
 * Ports:    0 in, 1 out; push or pull
 * Args:     FILENAME  file that ToIPSummaryDump or ipsumdump wrote; - is standard input
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
 * Counters: none
 * Handlers: sampling_prob  (read) SAMPLE
 *           active    (rw) whether packets are emitted
 *           encap     (read) IP
 *           filename  (read) FILENAME
 *           stop      (write) emit no more, and stop the driver
 * Example:  FromIPSummaryDump(t.dump, STOP true) -> AggregateIP(ip dst) -> ...
 * See also: ToIPSummaryDump, FromDump
 *
 * The fields are those of ToIPSummaryDump. Packets have a network header and the
 * destination annotation; what the dump says of their length beyond the bytes that it
 * describes is in the extra-length annotation.
 */

#include "engine/element.h"
#include "engine/ip_summary.h"
#include "engine/nameinfo.h"
#include "engine/router.h"

#include "engine/lang/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { RECORD_MAX = 1 << 20, READ_TRIES = 64 };

struct from_ip_summary_dump {
    struct text filename, data, fields_arg, flowid_arg;
    bool stop, active, zero, timing, checksum, multipacket, allow_nonexistent;
    uint8_t proto;
    double sample;
    uint32_t burst;

    FILE *file; /* owned; NULL at the end */
    char *line; /* owned by getline() */
    size_t room;
    uint32_t line_number;
    struct ipsum_fields fields;
    struct ipsum_defaults defaults;
    bool binary, complained, have_aggregate, have_timing, ended;
    uint32_t aggregate;
    struct pkt *held; /* owned; not due, or to be repeated */
    bool split;       /* held is being repeated */
    uint32_t part_len;
    int64_t part_step, part_end, timing_offset;
    struct task task;
    struct timer timer;
    struct notifier notifier;
};

#define DUMP_RAW(member_, name_, flags_)                                               \
    ARG_RAW(from_ip_summary_dump, member_, name_, flags_, NULL, "of the lines")

static const struct arg_spec from_ip_summary_dump_args[] = {
    ARG_STRING(from_ip_summary_dump, filename, "FILENAME", ARG_POS, NULL, "file"),
    ARG_STRING(from_ip_summary_dump, data, "DATA", 0, NULL, "the dump itself"),
    ARG_BOOL(from_ip_summary_dump, stop, "STOP", 0, "false", "stop at the end"),
    ARG_BOOL(from_ip_summary_dump, active, "ACTIVE", 0, "true", "emit packets"),
    ARG_BOOL(from_ip_summary_dump, zero, "ZERO", 0, "true", "accepted"),
    ARG_BOOL(from_ip_summary_dump, timing, "TIMING", 0, "false", "keep the pauses"),
    ARG_BOOL(from_ip_summary_dump, checksum, "CHECKSUM", 0, "false", "set checksums"),
    ARG_DOUBLE(from_ip_summary_dump, sample, "SAMPLE", 0, "1", "probability"),
    ARG_U8(from_ip_summary_dump, proto, "PROTO", 0, "6", "default protocol"),
    ARG_BOOL(from_ip_summary_dump, multipacket, "MULTIPACKET", 0, "false",
             "as many as counted"),
    DUMP_RAW(fields_arg, "FIELDS", 0),
    DUMP_RAW(flowid_arg, "FLOWID", 0),
    DUMP_RAW(fields_arg, "CONTENTS", ARG_OLD),
    DUMP_RAW(fields_arg, "DEFAULT_CONTENTS", ARG_OLD),
    DUMP_RAW(fields_arg, "DEFAULT_FIELDS", ARG_OLD),
    DUMP_RAW(flowid_arg, "DEFAULT_FLOWID", ARG_OLD),
    ARG_BOOL(from_ip_summary_dump, allow_nonexistent, "ALLOW_NONEXISTENT", 0, "false",
             "no file is an empty one"),
    {.name = "BURST",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct from_ip_summary_dump, burst),
     .def = "1",
     .help = "packets a task run",
     .min = 1,
     .max = BATCH_MAX},
    ARG_END,
};

/* --- lines that are no packets ---------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void complain(struct element *e,
                                                           const char *fmt, ...)
{
    const struct from_ip_summary_dump *s = element_state(e);
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    element_say(e, "%s:%s%u: %s\n",
                s->data.len                   ? "config"
                : !strcmp(s->filename.s, "-") ? "<stdin>"
                                              : s->filename.s,
                s->binary ? "record " : "", s->line_number, sbuf_text(&text));
    sbuf_fini(&text);
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
    int major;

#define IS(name) (len == sizeof(name) - 1 && !memcmp(line, name, len))
    if (IS("!data") || IS("!contents")) {
        bang_data(e, line);
        return;
    }
    if (IS("!IPSummaryDump")) {
        if (sscanf(line + len, " %d.%d", &major, &s->defaults.minor) != 2 ||
            major != IPSUM_MAJOR || s->defaults.minor > IPSUM_MINOR)
            s->defaults.minor = IPSUM_MINOR;
        return;
    }
    if (IS("!binary")) {
        s->binary = true;
        s->line_number = 0;
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

/* Read a line or a record into s->line: its length, -1 at the end; `*text` says whether it
 * is a line. */
static ssize_t read_piece(struct element *e, bool *text)
{
    struct from_ip_summary_dump *s = element_state(e);
    uint8_t head[4];
    uint32_t len;

    s->line_number++;
    *text = !s->binary;
    if (!s->binary)
        return getline(&s->line, &s->room, s->file);
    if (fread(head, 1, 4, s->file) != 4)
        return -1;
    len = be32(load32(head)) & 0x7fffffffu;
    *text = head[0] & 0x80;
    if (len < 4 || len > RECORD_MAX) {
        complain(e, len < 4 ? "binary record too short" : "binary record too long");
        return -1;
    }
    len -= 4;
    if (s->room < len + 1u) {
        char *more = realloc(s->line, len + 1u);

        if (!more)
            return -1;
        s->line = more;
        s->room = len + 1u;
    }
    s->line[len] = '\0';
    return fread(s->line, 1, len, s->file) == len ? (ssize_t)len : -1;
}

static void close_file(struct from_ip_summary_dump *s)
{
    if (s->file && s->file != stdin)
        fclose(s->file);
    s->file = NULL;
}

/* The next packet of the file; NULL at its end. */
static struct pkt *read_packet(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct pkt *p;
    ssize_t len;
    bool text;

    while (s->file && (len = read_piece(e, &text)) >= 0) {
        if (text) {
            while (len && strchr("\r\n", s->line[len - 1]))
                s->line[--len] = '\0';
            if (!len || *s->line == '#')
                continue;
            if (*s->line == '!') {
                bang(e, s->line);
                continue;
            }
        }
        p = ipsum_read(&s->fields, &s->defaults, e, s->line, (size_t)len, !text);
        if (p) {
            if (s->have_aggregate && !p->anno_u32[ANNO_AGGREGATE / 4])
                p->anno_u32[ANNO_AGGREGATE / 4] = s->aggregate;
            return p;
        }
        if (!s->complained && (!text || s->line[strspn(s->line, " \t")]))
            complain(e, s->fields.n ? "packet parse error" : "no '!data' provided");
        s->complained = true;
    }
    close_file(s);
    return NULL;
}

/* Have the IP header say that the packet has `len` bytes. */
static void set_length(struct pkt *p, uint32_t len)
{
    struct ip4_hdr *h = pkt_ip4_writable(p);

    if (!h)
        return;
    h->len = be16((uint16_t)len);
    if (h->proto == IP_PROTO_UDP && pkt_avail(p, p->transport) >= 8)
        pkt_udp(p)->len = be16((uint16_t)(len - ip4_hlen(h)));
}

/* One of the packets that `held` stands for; the rest stays. */
static struct pkt *split_packet(struct from_ip_summary_dump *s)
{
    struct pkt *p = s->held, *one;
    uint32_t *more = &p->anno_u32[ANNO_EXTRA_PACKETS / 4], count = 1 + *more;
    uint32_t *extra = &p->anno_u32[ANNO_EXTRA_LENGTH / 4];
    int64_t first = (int64_t)p->anno_u64[ANNO_FIRST_TIMESTAMP / 8];

    if (count <= 1) {
        s->held = NULL;
        s->split = false;
        return p;
    }
    if (!s->split) {
        s->split = true;
        s->part_len = (p->len + *extra) / count;
        if (s->part_len < p->len) {
            s->part_len = p->len;
            *extra = s->part_len * (count - 1);
        }
        s->part_end = p->timestamp;
        s->part_step = first ? (p->timestamp - first) / (count - 1) : 0;
        if (first)
            p->timestamp = first;
        set_length(p, s->part_len);
    }
    if ((one = pkt_clone(p))) {
        one->anno_u32[ANNO_EXTRA_PACKETS / 4] = 0;
        one->anno_u32[ANNO_EXTRA_LENGTH / 4] = s->part_len - one->len;
    }
    --*more;
    *extra -= s->part_len;
    p->timestamp = count == 2 ? s->part_end : p->timestamp + s->part_step;
    if (count == 2)
        set_length(p, p->len + *extra);
    return one;
}

static void at_end(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);

    if (s->ended)
        return;
    s->ended = true;
    notifier_sleep(&s->notifier);
    if (s->stop)
        router_stop(e->router);
}

/* The next packet that is due; NULL: none now, or none at all. */
static struct pkt *next_packet(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct pkt *p;

    for (;;) {
        if (!s->held && !(s->held = read_packet(e))) {
            at_end(e);
            return NULL;
        }
        if (s->timing) {
            int64_t now = element_now(e), due;

            if (!s->have_timing)
                s->timing_offset = now - s->held->timestamp;
            s->have_timing = true;
            due = s->held->timestamp + s->timing_offset;
            if (due > now) {
                timer_at(&s->timer, due);
                notifier_sleep(&s->notifier);
                return NULL;
            }
        }
        if (s->multipacket) {
            p = split_packet(s);
        } else {
            p = s->held;
            s->held = NULL;
        }
        if (p && (s->sample >= 1 || element_random(e) < s->sample * 4294967296.0))
            return p;
        pkt_free(p);
    }
}

static void fill(struct element *e, struct batch *b, uint32_t max)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct pkt *p;

    for (; max && s->active && !s->ended && (p = next_packet(e)); max--)
        batch_add(b, p);
}

static bool from_ip_summary_dump_run(struct element *e, struct task *t)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct batch b;
    bool worked;

    b.n = 0;
    fill(e, &b, s->burst);
    worked = b.n > 0;
    if (s->active && !s->ended && !timer_scheduled(&s->timer))
        task_reschedule(t);
    out_push(e, 0, &b);
    return worked;
}

static uint32_t from_ip_summary_dump_pull(struct element *e, unsigned port,
                                          struct batch *b, uint32_t max)
{
    uint32_t from = b->n;

    fill(e, b, max);
    return b->n - from;
}

static void from_ip_summary_dump_wake(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);

    if (!s->active || s->ended)
        return;
    if (element_output_is_push(e, 0))
        task_schedule(&s->task);
    else
        notifier_wake(&s->notifier);
}

static void from_ip_summary_dump_fire(struct element *e, struct timer *t)
{
    from_ip_summary_dump_wake(e);
}

/* --- life ------------------------------------------------------------------------------- */

static int from_ip_summary_dump_configure(struct element *e, struct conf *c,
                                          struct diag *d)
{
    struct from_ip_summary_dump *s = element_state(e);

    if (s->data.len && s->filename.len)
        return diag_err(d, "FILENAME and DATA conflict");
    if (!s->data.s && !s->filename.s)
        return diag_err(d, "FILENAME: required argument missing");
    if (s->sample > 1)
        diag_warn(d, "SAMPLE probability reduced to 1");
    else if (!(s->sample > 0))
        diag_warn(d, "SAMPLE probability is 0; emitting no packets");
    s->defaults.proto = s->proto;
    s->defaults.checksum = s->checksum;
    s->defaults.minor = IPSUM_MINOR;
    notifier_init(&s->notifier, s->active);
    return 0;
}

/* Look at the first character: a dump begins with a line that says something. */
static void check_banner(struct element *e, struct diag *d)
{
    struct from_ip_summary_dump *s = element_state(e);
    int c = getc(s->file);

    if (c != EOF)
        ungetc(c, s->file);
    if (c != '!' && c != EOF && !s->fields.n)
        diag_warn(d, "%s: missing banner line; is this an IP summary dump?",
                  s->data.len ? "config" : s->filename.s);
}

static int from_ip_summary_dump_initialize(struct element *e, struct diag *d)
{
    struct from_ip_summary_dump *s = element_state(e);
    struct sbuf flow = SBUF_INIT;
    char *words[8];

    if (s->fields_arg.len)
        bang_data(e, s->fields_arg.s);
    if (s->flowid_arg.len) {
        sbuf_printf(&flow, "!flowid %s", s->flowid_arg.s);
        if (!flow.failed)
            bang_flowid(e, words, split(flow.data, words));
        sbuf_fini(&flow);
    }
    if (s->data.len)
        s->file = fmemopen((void *)(uintptr_t)s->data.s, s->data.len, "r");
    else if (s->data.s)
        s->file = fopen("/dev/null", "r");
    else
        s->file = strcmp(s->filename.s, "-") ? fopen(s->filename.s, "rb") : stdin;
    if (!s->file && !(s->allow_nonexistent && errno == ENOENT))
        return diag_err(d, "%s: %s", s->filename.s ? s->filename.s : "DATA",
                        strerror(errno));
    if (s->file)
        check_banner(e, d);
    timer_init(&s->timer, e, from_ip_summary_dump_fire);
    if (element_output_is_push(e, 0)) {
        task_init(&s->task, e, from_ip_summary_dump_run);
        from_ip_summary_dump_wake(e);
    }
    return 0;
}

static void from_ip_summary_dump_cleanup(struct element *e)
{
    struct from_ip_summary_dump *s = element_state(e);

    close_file(s);
    free(s->line);
    s->line = NULL;
    pkt_free(s->held);
    s->held = NULL;
}

static void *from_ip_summary_dump_cast(struct element *e, const char *kind)
{
    struct from_ip_summary_dump *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->notifier;
}

static int read_encap(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_puts(out, "IP");
    return 0;
}

static int write_active(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct from_ip_summary_dump *s = element_state(e);

    if (!parse_bool(value, &s->active))
        return diag_err(d, "type mismatch");
    if (!s->active)
        notifier_sleep(&s->notifier);
    from_ip_summary_dump_wake(e);
    return 0;
}

static int press_stop(struct element *e, const struct handler_spec *h,
                      const char *value, size_t len, struct diag *d)
{
    ((struct from_ip_summary_dump *)element_state(e))->active = false;
    router_stop(e->router);
    return 0;
}

static const struct handler_spec from_ip_summary_dump_handlers[] = {
    HANDLER_VALUE(from_ip_summary_dump, sample, ARG_KIND_DOUBLE, HANDLER_READ,
                  "sampling_prob", "SAMPLE"),
    {.name = "active",
     .help = "whether packets are emitted",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct from_ip_summary_dump, active),
     .write = write_active},
    HANDLER_READER(read_encap, "encap", "IP"),
    HANDLER_VALUE(from_ip_summary_dump, filename, ARG_KIND_STRING, HANDLER_READ,
                  "filename", "name of the file"),
    HANDLER_PRESS(press_stop, "stop", "emit no more, and stop the driver"),
    HANDLER_END,
};

ELEMENT(FromIPSummaryDump) = {
    .name = "FromIPSummaryDump",
    .state_size = sizeof(struct from_ip_summary_dump),
    .ports = "0/1",
    .processing = "a/a",
    .driver_only = true,
    .args = from_ip_summary_dump_args,
    .handlers = from_ip_summary_dump_handlers,
    .configure = from_ip_summary_dump_configure,
    .initialize = from_ip_summary_dump_initialize,
    .cleanup = from_ip_summary_dump_cleanup,
    .cast = from_ip_summary_dump_cast,
    .pull = from_ip_summary_dump_pull,
};
