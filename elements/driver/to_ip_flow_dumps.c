// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToIPFlowDumps -- write a trace file for each TCP or UDP flow
 *
 * Usage:    ToIPFlowDumps([FILEPATTERN -, NOTIFIER, ABSOLUTE_TIME, ABSOLUTE_SEQ, ...])
 * Ports:    1 in, 0-1 out; push or pull
 * Args:     FILEPATTERN  name of the files, with escapes (see below); - is standard output
 *           NOTIFIER     an AggregateIPFlows, which says when flows end
 *           ABSOLUTE_TIME  default false: times count from the flow's first packet, which
 *                        has the time 0.000001 (or .000000001)
 *           ABSOLUTE_SEQ   default false: sequence numbers count from each side's first
 *           TCP_OPT      default false: write options MSS, window scale and SACK
 *           ALL_TCP_OPT  default false: write all options of TCP
 *           TCP_WINDOW   default false: write the window
 *           IP_ID        default false: write the IP identification
 *           MINCOUNT     default 0: remove files of flows with fewer packets
 *           BINARY       default false: write records instead of lines
 *           GZIP         default false: compress files when they are complete, with gzip
 *           OUTPUT_PATTERN  another name of FILEPATTERN
 * Counters: noagg  packets without an aggregate annotation
 * Handlers: clear  (write) finish all files
 *           flows  (read) files open now
 * Example:  FromDump(t.pcap, FORCE_IP true) -> a :: AggregateIPFlows -> ToIPFlowDumps(flow%03n, NOTIFIER a);
 * See also: AggregateIPFlows, ToIPSummaryDump, FromIPSummaryDump
 *
 * Flows are told apart by the aggregate annotation, directions by the paint annotation.
 * Escapes: %n aggregate, %s %d addresses, %S %D ports, %p protocol (T or U), %x %X aggregate
 * in hexadecimal, %% a percent sign; "%06n" has at least six digits, "%6n" is filled with _, "%.0s" to "%.3s" are
 * single bytes of an address, "%.0n" to "%.3n" bytes of the aggregate.
 *
 * As in Click, the payload_len of UDP packets counts the IP header too.
 */

#include "engine/agg_notifier.h"
#include "engine/agg_set.h"
#include "engine/ip_summary.h"
#include "engine/os/filter_child.h"
#include "engine/unparse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_SIZE = 8192, NAME_MAX_LEN = 1024, NS_PER_S = 1000000000 };

struct flow_dump {
    struct sbuf name, text;
    uint32_t src, dst, aggregate, first_seq[2];
    uint16_t sport, dport;
    uint8_t proto;
    bool have_seq[2], begun;
    uint64_t packets;
    int64_t first_ns;
};

struct to_ip_flow_dumps {
    struct text pattern;
    struct element *notifier;
    struct agg_listener listener;
    bool absolute_time, absolute_seq, binary, gzip, tcp_opt, all_tcp_opt, tcp_window,
        ip_id, broken, dumped;
    uint32_t mincount;
    struct agg_set flows; /* values: struct flow_dump *, owned */
    struct task task;
    struct signal signal;
};

static const struct arg_spec to_ip_flow_dumps_args[] = {
    ARG_FILENAME(to_ip_flow_dumps, pattern, "FILEPATTERN", ARG_POS, NULL, "file names"),
    ARG_FILENAME(to_ip_flow_dumps, pattern, "OUTPUT_PATTERN", ARG_OLD, NULL,
                 "old name"),
    ARG_ELEMENT(to_ip_flow_dumps, notifier, "NOTIFIER", 0, NULL, "says when flows end"),
    ARG_BOOL(to_ip_flow_dumps, absolute_time, "ABSOLUTE_TIME", 0, "false", "as it is"),
    ARG_BOOL(to_ip_flow_dumps, absolute_seq, "ABSOLUTE_SEQ", 0, "false", "as it is"),
    ARG_BOOL(to_ip_flow_dumps, tcp_opt, "TCP_OPT", 0, "false", "some TCP options"),
    ARG_BOOL(to_ip_flow_dumps, all_tcp_opt, "ALL_TCP_OPT", 0, "false", "all of them"),
    ARG_BOOL(to_ip_flow_dumps, tcp_window, "TCP_WINDOW", 0, "false", "the window"),
    ARG_BOOL(to_ip_flow_dumps, ip_id, "IP_ID", 0, "false", "the IP identification"),
    ARG_U32(to_ip_flow_dumps, mincount, "MINCOUNT", 0, "0", "least packets"),
    ARG_BOOL(to_ip_flow_dumps, binary, "BINARY", 0, "false", "records"),
    ARG_BOOL(to_ip_flow_dumps, gzip, "GZIP", 0, "false", "compress complete files"),
    ARG_END,
};

enum { C_NOAGG };
static const struct counter_spec to_ip_flow_dumps_counters[] = {
    [C_NOAGG] = {"noagg", "packets without an aggregate annotation"},
    {NULL, NULL},
};

/* --- names ------------------------------------------------------------------------------ */

/* "%.2x": the number that the escape stands for. */
static void name_number(struct sbuf *out, uint32_t v, int byte, char kind)
{
    if (byte >= 0 && byte <= 3)
        v = v >> (24 - 8 * byte) & 0xff;
    else if (byte == 4)
        v >>= 16;
    else if (byte == 5)
        v &= 0xffff;
    sbuf_printf(out, kind == 'x' ? "%x" : kind == 'X' ? "%X" : "%u", v);
}

static void name_address(struct sbuf *out, uint32_t addr, int byte)
{
    char buf[64];

    if (byte >= 0 && byte <= 3)
        name_number(out, be32(addr), byte, 'n');
    else
        sbuf_puts(out, unparse_ip(addr, buf));
}

/* What one escape stands for; -1: nothing. */
static int name_escape(struct sbuf *out, const struct flow_dump *f, char kind, int byte)
{
    if (kind == 'n' || kind == 'x' || kind == 'X')
        name_number(out, f->aggregate, byte, kind);
    else if (kind == 's' || kind == 'd')
        name_address(out, kind == 's' ? f->src : f->dst, byte);
    else if (kind == 'S' || kind == 'D')
        name_number(out, be16(kind == 'S' ? f->sport : f->dport), -1, 'n');
    else if (kind == 'p')
        sbuf_putc(out, f->proto == IP_PROTO_TCP ? 'T' : 'U');
    else if (kind == '%')
        sbuf_putc(out, '%');
    else
        return -1;
    return 0;
}

static int name_expand(const char *pattern, struct flow_dump *f)
{
    struct sbuf *out = &f->name;

    for (const char *s = pattern; *s; s++) {
        struct sbuf part = SBUF_INIT;
        size_t width = 0;
        int byte = -1;
        char fill;

        if (*s != '%') {
            sbuf_putc(out, *s);
            continue;
        }
        fill = s[1] == '0' ? '0' : '_';
        for (s++; *s >= '0' && *s <= '9'; s++)
            width = width < 20 ? width * 10 + (size_t)(*s - '0') : width;
        if (*s == '.' && s[1] >= '0' && s[1] <= '5') {
            byte = s[1] - '0';
            s += 2;
        }
        if (name_escape(&part, f, *s, byte) < 0)
            return -1;
        for (size_t n = part.len; n < width; n++)
            sbuf_putc(out, fill);
        sbuf_add(out, sbuf_text(&part), part.len);
        sbuf_fini(&part);
    }
    return out->failed || out->len > NAME_MAX_LEN ? -1 : 0;
}

/* --- files ------------------------------------------------------------------------------ */

static void make_folders(char *name)
{
    for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(name, 0777); /* most are there; opening the file will tell */
        *slash = '/';
    }
}

static void flow_head(const struct to_ip_flow_dumps *s, const struct flow_dump *f,
                      FILE *file)
{
    bool tcp = f->proto == IP_PROTO_TCP;
    char src[64], dst[64], time[UNPARSE_ROOM];

    fprintf(file, "!IPSummaryDump %d.%d\n!flowid %s %u %s %u %c\n!aggregate %u\n",
            IPSUM_MAJOR, IPSUM_MINOR, unparse_ip(f->src, src), be16(f->sport),
            unparse_ip(f->dst, dst), be16(f->dport), tcp ? 'T' : 'U', f->aggregate);
    if (s->binary)
        fprintf(file, "!data ntimestamp%s%s%s%s direction",
                tcp ? " tcp_seq payload_len tcp_ack" : " payload_len",
                s->ip_id ? " ip_id" : "", tcp && s->tcp_window ? " tcp_window" : "",
                tcp ? " tcp_flags" : "");
    else
        fprintf(file, "!data ntimestamp direction%s%s%s", s->ip_id ? " ip_id" : "",
                tcp ? " tcp_flags tcp_seq payload_len tcp_ack" : " payload_len",
                tcp && s->tcp_window ? " tcp_window" : "");
    fputs(!tcp ? "\n" : s->all_tcp_opt ? " tcp_opt\n" : " tcp_ntopt\n", file);
    for (int i = 0; tcp && i < 2; i++)
        if (f->have_seq[i] && f->first_seq[i])
            fprintf(file, "!firstseq %c %u\n", i ? '<' : '>', f->first_seq[i]);
    if (f->first_ns)
        fprintf(file, "!firsttime %s\n", unparse_timestamp(f->first_ns, time));
    if (s->binary)
        fputs("!binary\n", file);
}

static void flow_flush(struct element *e, struct flow_dump *f)
{
    struct to_ip_flow_dumps *s = element_state(e);
    bool std = !strcmp(sbuf_text(&f->name), "-");
    FILE *file;

    if (!std && !f->begun && f->name.len)
        make_folders(f->name.data);
    file = std ? stdout : fopen(sbuf_text(&f->name), f->begun ? "a" : "w");
    if (!file) {
        if (!s->broken)
            element_say(e, "%s: %s\n", sbuf_text(&f->name), strerror(errno));
        s->broken = true;
        sbuf_reset(&f->text);
        return;
    }
    if (!f->begun)
        flow_head(s, f, file);
    f->begun = true;
    fwrite(sbuf_text(&f->text), 1, f->text.len, file);
    sbuf_reset(&f->text);
    if (!std)
        fclose(file);
}

static void flow_end(struct element *e, struct flow_dump *f)
{
    struct to_ip_flow_dumps *s = element_state(e);
    const char *name = sbuf_text(&f->name);

    if (f->packets >= s->mincount) {
        flow_flush(e, f);
        if (s->gzip && f->begun && strcmp(name, "-") != 0 && !filter_gzip(name)) {
            element_say(e, "%s: compressor failed;\ncancelling compression\n",
                        element_declaration(e));
            s->gzip = false;
        }
    } else if (f->begun && strcmp(name, "-") != 0) {
        unlink(name);
    }
    sbuf_fini(&f->name);
    sbuf_fini(&f->text);
    free(f);
}

/* --- packets ---------------------------------------------------------------------------- */

/* The header that a packet is about: its own, or the one in an ICMP error. */
static const struct ip4_hdr *subject(const struct pkt *p, uint32_t *n)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t skip;

    if (!pkt_has_ip4(p))
        return NULL;
    *n = pkt_avail(p, p->network);
    if (h->proto == IP_PROTO_ICMP) {
        skip = ip4_hlen(h) + 8;
        if (*n < skip + sizeof *h)
            return NULL;
        h = (const void *)(p->network + skip);
        *n -= skip;
    }
    return ip4_hlen(h) >= 20 && (h->proto == IP_PROTO_TCP || h->proto == IP_PROTO_UDP)
               ? h
               : NULL;
}

static struct flow_dump *flow_get(struct element *e, const struct pkt *p)
{
    struct to_ip_flow_dumps *s = element_state(e);
    uint32_t agg = p->anno_u32[ANNO_AGGREGATE / 4], n;
    struct agg_value *v = agg_set_get(&s->flows, agg);
    const struct ip4_hdr *h;
    struct flow_dump *f;
    bool back = pkt_paint(p) & 1;
    uint16_t ports[2] = {0, 0};

    if (v)
        return (void *)(uintptr_t)v->value;
    if (!(h = subject(p, &n)) || !(f = calloc(1, sizeof *f)))
        return NULL;
    if (n >= ip4_hlen(h) + 4 && !ip4_is_later_fragment(h))
        memcpy(ports, (const uint8_t *)h + ip4_hlen(h), 4);
    *f = (struct flow_dump){.src = back ? h->dst : h->src,
                            .dst = back ? h->src : h->dst,
                            .sport = ports[back],
                            .dport = ports[!back],
                            .proto = h->proto,
                            .aggregate = agg,
                            .have_seq = {s->absolute_seq, s->absolute_seq}};
    if (!s->absolute_time) /* Click's smallest step before the first packet */
        f->first_ns = p->timestamp - 1;
    if (name_expand(s->pattern.len ? s->pattern.s : "-", f) < 0 ||
        !(v = agg_set_put(&s->flows, agg))) {
        sbuf_fini(&f->name);
        free(f);
        return NULL;
    }
    v->value = (uintptr_t)f;
    return f;
}

static uint32_t relative(struct flow_dump *f, unsigned side, uint32_t seq)
{
    if (!f->have_seq[side]) {
        f->have_seq[side] = true;
        f->first_seq[side] = seq;
    }
    return seq - f->first_seq[side];
}

/* Options with SACK blocks that count from the other side's first sequence number. Returns
 * which kinds are written. */
static int relative_options(const struct to_ip_flow_dumps *s, struct flow_dump *f,
                            uint8_t copy[40], const uint8_t *opt, uint32_t n,
                            unsigned side)
{
    memcpy(copy, opt, n);
    for (uint32_t i = 0; i + 1 < n && copy[i] != TCPOPT_EOL;) {
        uint32_t len = copy[i] == TCPOPT_NOP ? 1 : copy[i + 1];

        if (!len || len > n - i)
            break;
        for (uint32_t k = i + 2; copy[i] == TCPOPT_SACK && k + 4 <= i + len; k += 4)
            store32(copy + k, be32(relative(f, !side, be32(load32(copy + k)))));
        i += len;
    }
    return s->all_tcp_opt ? IPSUM_OPT_ALL & ~IPSUM_OPT_PADDING
                          : IPSUM_OPT_MSS | IPSUM_OPT_WSCALE | IPSUM_OPT_SACK;
}

static void print_flags(struct sbuf *out, uint8_t flags)
{
    static const char letters[] = "FSRPAUE";

    if (flags == (TCP_ACK | TCP_PSH))
        sbuf_puts(out, "PA");
    else if (!flags)
        sbuf_putc(out, '.');
    else
        for (unsigned i = 0; i < 7; i++)
            if (flags >> i & 1)
                sbuf_putc(out, letters[i]);
}

/* What is written of a packet. */
struct dump_line {
    int64_t when; /* since the flow's beginning */
    unsigned side;
    const struct ip4_hdr *h;
    const struct tcp_hdr *t; /* NULL: UDP */
    uint32_t seq, ack;
    uint16_t payload;
    uint32_t opt_len; /* 0: none are written */
    uint8_t opt[40];
    int opt_mask;
};

static void line_tcp(const struct to_ip_flow_dumps *s, struct flow_dump *f,
                     struct dump_line *l, uint32_t n)
{
    const struct tcp_hdr *t = (const void *)((const uint8_t *)l->h + ip4_hlen(l->h));
    uint32_t header = tcp_hlen(t);
    const uint8_t *opt = (const uint8_t *)(t + 1);

    l->t = t;
    l->seq = relative(f, l->side, be32(t->seq));
    l->ack = t->flags & TCP_ACK ? relative(f, !l->side, be32(t->ack)) : 0;
    l->payload = (uint16_t)(be16(l->h->len) - ip4_hlen(l->h) - header);
    if ((!s->tcp_opt && !s->all_tcp_opt) || header <= 20 ||
        n < ip4_hlen(l->h) + header ||
        (!s->all_tcp_opt && header == 32 && load32(opt) == BE32(0x0101080au)))
        return;
    l->opt_len = header - 20;
    l->opt_mask = relative_options(s, f, l->opt, opt, l->opt_len, l->side);
}

static void write_text(const struct to_ip_flow_dumps *s, struct sbuf *out,
                       const struct dump_line *l)
{
    char time[UNPARSE_ROOM];

    sbuf_printf(out, "%s %c", unparse_timestamp(l->when, time), l->side ? '<' : '>');
    if (s->ip_id)
        sbuf_printf(out, " %u", be16(l->h->id));
    if (!l->t) {
        sbuf_printf(out, " %u\n", l->payload);
        return;
    }
    sbuf_putc(out, ' ');
    print_flags(out, l->t->flags);
    sbuf_printf(out, " %u %u %u", l->seq, l->payload, l->ack);
    if (s->tcp_window)
        sbuf_printf(out, " %u", be16(l->t->win));
    if (l->opt_len) {
        sbuf_putc(out, ' ');
        ipsum_print_tcp_opt(out, l->opt, l->opt_len, l->opt_mask);
    }
    sbuf_putc(out, '\n');
}

static void put32(struct sbuf *out, uint32_t v)
{
    v = be32(v);
    sbuf_add(out, &v, sizeof v);
}

/* A record begins with its length. */
static void write_binary(const struct to_ip_flow_dumps *s, struct sbuf *out,
                         const struct dump_line *l)
{
    size_t start = out->len;
    uint32_t len;

    put32(out, 0);
    put32(out, (uint32_t)(l->when / NS_PER_S));
    put32(out, (uint32_t)(l->when % NS_PER_S));
    if (l->t)
        put32(out, l->seq);
    put32(out, l->payload);
    if (l->t)
        put32(out, l->ack);
    if (s->ip_id)
        sbuf_add(out, &l->h->id, 2);
    if (l->t && s->tcp_window)
        sbuf_add(out, &l->t->win, 2);
    if (l->t)
        sbuf_putc(out, (char)l->t->flags);
    sbuf_putc(out, (char)l->side);
    if (l->opt_len)
        ipsum_binary_tcp_opt(out, l->opt, l->opt_len, l->opt_mask);
    if (out->failed)
        return;
    len = be32((uint32_t)(out->len - start));
    memcpy(out->data + start, &len, sizeof len);
}

/* An ICMP error about the flow is no packet of it. */
static void write_note(const struct to_ip_flow_dumps *s, struct sbuf *out,
                       const struct pkt *p)
{
    char time[UNPARSE_ROOM];
    struct sbuf note = SBUF_INIT;

    sbuf_printf(&note, "#%s %c ICMP_error\n", unparse_timestamp(p->timestamp, time),
                pkt_paint(p) & 1 ? '>' : '<');
    if (s->binary)
        put32(out, (uint32_t)(note.len + 4) | 0x80000000u);
    sbuf_add(out, sbuf_text(&note), note.len);
    sbuf_fini(&note);
}

static void dump_one(struct element *e, const struct pkt *p)
{
    struct to_ip_flow_dumps *s = element_state(e);
    struct dump_line l = {.side = pkt_paint(p) & 1};
    struct flow_dump *f;
    uint32_t n;

    if (!p->anno_u32[ANNO_AGGREGATE / 4] || !(l.h = subject(p, &n)) ||
        !(f = flow_get(e, p))) {
        element_count(e, C_NOAGG, 1);
        return;
    }
    s->dumped = true;
    f->packets++;
    if (pkt_paint(p) >= 2) {
        write_note(s, &f->text, p);
        return;
    }
    if (l.h->proto != f->proto ||
        (l.h->proto == IP_PROTO_TCP && n < ip4_hlen(l.h) + 20))
        return;
    l.when = p->timestamp - f->first_ns;
    if (l.h->proto == IP_PROTO_TCP)
        line_tcp(s, f, &l, n);
    else
        l.payload = (uint16_t)(be16(l.h->len) - 8); /* with the IP header, as Click */
    if (s->binary)
        write_binary(s, &f->text, &l);
    else
        write_text(s, &f->text, &l);
    if (f->text.len >= FLUSH_SIZE)
        flow_flush(e, f);
}

static void to_ip_flow_dumps_push(struct element *e, unsigned port, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        dump_one(e, b->p[i]);
    out_push_or_free(e, 0, b);
}

static uint32_t to_ip_flow_dumps_pull(struct element *e, unsigned port, struct batch *b,
                                      uint32_t max)
{
    uint32_t from = b->n;

    in_pull(e, 0, b, max);
    for (uint32_t i = from; i < b->n; i++)
        dump_one(e, b->p[i]);
    return b->n - from;
}

/* Nobody pulls from us: pull ourselves. */
static bool to_ip_flow_dumps_run(struct element *e, struct task *t)
{
    struct to_ip_flow_dumps *s = element_state(e);
    struct batch b;
    bool worked;

    b.n = 0;
    worked = in_pull(e, 0, &b, 1) > 0;
    if (worked || signal_active(&s->signal))
        task_reschedule(t);
    to_ip_flow_dumps_push(e, 0, &b);
    return worked;
}

/* --- life ------------------------------------------------------------------------------- */

static void to_ip_flow_dumps_notify(struct element *e, uint32_t aggregate,
                                    enum agg_event event)
{
    struct to_ip_flow_dumps *s = element_state(e);
    struct agg_value *v = agg_set_get(&s->flows, aggregate);
    struct flow_dump *f;

    if (event != AGG_DELETE || !v)
        return;
    f = (void *)(uintptr_t)v->value;
    agg_set_remove(&s->flows, aggregate);
    flow_end(e, f);
}

static int to_ip_flow_dumps_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct to_ip_flow_dumps *s = element_state(e);

    if (!s->pattern.len || !strchr(s->pattern.s, '%'))
        diag_warn(d, "OUTPUT_PATTERN has no %% escapes, so output files will get "
                     "overwritten");
    return 0;
}

static int to_ip_flow_dumps_initialize(struct element *e, struct diag *d)
{
    struct to_ip_flow_dumps *s = element_state(e);

    if (!element_input_is_push(e, 0) && !e->n_out) {
        task_init(&s->task, e, to_ip_flow_dumps_run);
        signal_up(&s->signal, e, 0, &s->task);
        task_schedule(&s->task);
    }
    return agg_listen(&s->listener, e, s->notifier, to_ip_flow_dumps_notify, d);
}

static void flows_end(struct element *e)
{
    struct to_ip_flow_dumps *s = element_state(e);
    size_t n;
    struct agg_value *all = agg_set_sorted(&s->flows, &n);

    for (size_t i = 0; i < n; i++)
        flow_end(e, (void *)(uintptr_t)all[i].value);
    free(all);
    agg_set_fini(&s->flows);
}

static void to_ip_flow_dumps_cleanup(struct element *e)
{
    const struct to_ip_flow_dumps *s = element_state(e);

    flows_end(e);
    if (e->initialized && !s->dumped && e->counters[C_NOAGG])
        element_say(e, "%s: warning: saw no packets with aggregate annotations\n",
                    element_declaration(e));
}

static int write_clear(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    flows_end(e);
    return 0;
}

static int read_flows(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_printf(out, "%u",
                ((const struct to_ip_flow_dumps *)element_state(e))->flows.used);
    return 0;
}

static const struct handler_spec to_ip_flow_dumps_handlers[] = {
    HANDLER_WRITER(write_clear, "clear", "finish all files"),
    HANDLER_READER(read_flows, "flows", "files open now"),
    HANDLER_END,
};

ELEMENT(ToIPFlowDumps) = {
    .name = "ToIPFlowDumps",
    .state_size = sizeof(struct to_ip_flow_dumps),
    .ports = "1/0-1",
    .driver_only = true,
    .args = to_ip_flow_dumps_args,
    .counters = to_ip_flow_dumps_counters,
    .handlers = to_ip_flow_dumps_handlers,
    .configure = to_ip_flow_dumps_configure,
    .initialize = to_ip_flow_dumps_initialize,
    .cleanup = to_ip_flow_dumps_cleanup,
    .push = to_ip_flow_dumps_push,
    .pull = to_ip_flow_dumps_pull,
};
