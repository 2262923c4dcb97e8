// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromCapDump -- read TCP packets from what Mark Allman's "cap" wrote
 *
 * Usage:    FromCapDump(FILENAME [, STOP, ACTIVE, CHECKSUM, AGGREGATE, SAMPLE])
 * Ports:    0 in, 1 out; push or pull
 * Args:     FILENAME  text of cap, perhaps compressed; - is the standard input
 *           STOP      default false: stop the driver at the end
 *           ACTIVE    default true: whether packets are emitted
 *           ZERO      default true; accepted: bytes that are not said are 0
 *           CHECKSUM  default false: set the checksums of IP and TCP
 *           AGGREGATE default 1: aggregate annotation of all packets
 *           SAMPLE    default 1: probability with which a packet is emitted
 *           BURST     default 1: packets that are emitted each time the task runs
 * Counters: no_memory  files that were given up when memory ran out
 * Handlers: sampling_prob  (read) SAMPLE
 *           active    (rw) whether packets are emitted
 *           encap     (read) IP
 *           filename, filesize, filepos  (read) the file, and where it is read
 *           stop      (write) emit no more, and stop the driver
 *           scheduled, tickets  (rw) the task, with a push output
 * Example:  FromCapDump(snd.cap, STOP true) -> ToIPSummaryDump(-, FIELDS ts ip_src tcp_seq);
 * See also: FromTcpdump, FromIPSummaryDump, FromDump
 *
 * Lines are "DAT > 1046102982.931941 1 1 1500 1460 FIN": kind (SYN, DAT or ACK), direction,
 * time, number of the packet, number in the sequence, length, length of the payload, remarks.
 * Packets go between 1.0.0.1 port 1 and 2.0.0.2 port 2; paint is 0 for those of the side
 * that sends. Sequence numbers count bytes: what is not said before is thought to have the
 * length of the packet before it. The number of a packet is in its annotation.
 */

#include "engine/net_headers.h"
#include "engine/os/trace_source.h"

#include <ctype.h>
#include <stdlib.h>

enum {
    NO_SEQ = UINT32_MAX,
    FIRST_ROOM = 1024,
    NUMBERS_MAX = 1 << 22,
    OPTIONS_MAX = 40
};
enum { SACK_HEAD = 4, SACK_BLOCK = 8, USUAL_LEN = 1460 };

struct from_cap_dump {
    struct trace_source source; /* the first */
    bool checksum;
    bool receiver; /* the file was written by the side that receives */
    uint32_t aggregate;
    uint32_t *seqs; /* owned; where in the stream packet number N begins */
    uint32_t room;  /* of seqs, in numbers */
};

static const struct arg_spec from_cap_dump_args[] = {
    TRACE_SOURCE_ARGS(from_cap_dump, ARG_M),
    TRACE_SAMPLE_ARG(from_cap_dump, source.sample),
    ARG_BOOL(from_cap_dump, checksum, "CHECKSUM", 0, "false", "set checksums"),
    ARG_U32(from_cap_dump, aggregate, "AGGREGATE", 0, "1", "aggregate annotation"),
    ARG_END,
};

/* One line, as far as it was read. */
struct line {
    const char *s, *end;
    char kind; /* 'S', 'D', 'A' */
    uint8_t flags;
    uint32_t id, number, payload;
    uint8_t options[OPTIONS_MAX];
    uint32_t n_options;
};

/* --- sequence numbers ------------------------------------------------------------------- */

static bool make_room(struct from_cap_dump *s, uint32_t number)
{
    uint32_t room = s->room ? s->room : FIRST_ROOM;
    uint32_t *seqs;

    if (number >= NUMBERS_MAX)
        return false;
    while (room <= number + 1)
        room *= 2;
    if (room == s->room)
        return true;
    seqs = realloc(s->seqs, room * sizeof *seqs);
    if (!seqs) {
        trace_file_give_up(&s->source.file);
        return false;
    }
    memset(seqs + s->room, 0xff, (room - s->room) * sizeof *seqs);
    s->seqs = seqs;
    s->room = room;
    seqs[0] = 0;
    return true;
}

/* Where packet `number` begins; those before it that are not known get the length of the
 * last one that is. 0 for numbers that no file has. */
static uint32_t seq_of(struct from_cap_dump *s, uint32_t number)
{
    uint32_t from = number, len;

    if (!make_room(s, number))
        return 0;
    if (s->seqs[number] != NO_SEQ)
        return s->seqs[number];
    while (s->seqs[from - 1] == NO_SEQ)
        from--;
    len = from > 1 ? s->seqs[from - 1] - s->seqs[from - 2] : USUAL_LEN;
    for (; from <= number; from++)
        s->seqs[from] = s->seqs[from - 1] + len;
    return s->seqs[number];
}

static uint32_t seq_of_length(struct from_cap_dump *s, uint32_t number, uint32_t len)
{
    uint32_t seq = seq_of(s, number);

    if (number < s->room - 1)
        s->seqs[number + 1] = seq + len;
    return seq;
}

/* --- lines ------------------------------------------------------------------------------ */

static void skip_space(struct line *l)
{
    while (l->s < l->end && isspace((unsigned char)*l->s))
        l->s++;
}

static bool number(struct line *l, uint32_t *out)
{
    const char *begin = l->s;
    uint64_t v = 0;

    for (; l->s < l->end && isdigit((unsigned char)*l->s); l->s++)
        if (v <= UINT32_MAX)
            v = v * 10 + (uint64_t)(*l->s - '0');
    *out = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return l->s > begin;
}

static bool skip(struct line *l, const char *what)
{
    size_t n = strlen(what);

    if ((size_t)(l->end - l->s) < n || memcmp(l->s, what, n) != 0)
        return false;
    l->s += n;
    return true;
}

/* Up to microseconds. */
static bool read_time(struct line *l, int64_t *ns)
{
    uint32_t seconds, unit = 100000000;

    if (!number(l, &seconds))
        return false;
    *ns = (int64_t)seconds * 1000000000;
    if (!skip(l, "."))
        return true;
    for (; l->s < l->end && isdigit((unsigned char)*l->s); l->s++, unit /= 10)
        if (unit >= 1000)
            *ns += (int64_t)(*l->s - '0') * unit;
    return true;
}

static void put_block(struct from_cap_dump *s, struct line *l, uint32_t left,
                      uint32_t right)
{
    uint32_t edges[2] = {be32(seq_of(s, left)), be32(seq_of(s, right))};

    if (l->n_options + SACK_BLOCK > OPTIONS_MAX)
        return;
    memcpy(l->options + l->n_options, edges, sizeof edges);
    l->n_options += SACK_BLOCK;
}

/* ":3-4:7-9", or of a duplicate just its number. */
static void read_sack(struct from_cap_dump *s, struct line *l, bool duplicate)
{
    static const uint8_t head[] = {TCPOPT_NOP, TCPOPT_NOP, TCPOPT_SACK, 0};
    uint32_t left, right;

    memcpy(l->options, head, sizeof head);
    l->n_options = SACK_HEAD;
    if (duplicate) {
        number(l, &left);
        put_block(s, l, left, left + 1);
    } else {
        while (skip(l, ":")) {
            if (!number(l, &left) || !skip(l, "-") || !number(l, &right))
                break;
            put_block(s, l, left, right + 1);
        }
    }
    l->options[3] = (uint8_t)(l->n_options - 2);
}

static void read_remarks(struct from_cap_dump *s, struct line *l)
{
    for (skip_space(l);; skip_space(l)) {
        if (skip(l, "DSACK:"))
            read_sack(s, l, true);
        else if (skip(l, "FIN"))
            l->flags |= TCP_FIN;
        else if (skip(l, "SACK_NEW") || skip(l, "SACK_REXMT") || skip(l, "FR") ||
                 skip(l, "RTO") || skip(l, "TIM"))
            continue;
        else if (l->end - l->s > 4 && l->s[4] == ':' && skip(l, "SACK"))
            read_sack(s, l, false);
        else
            return;
    }
}

/* Kind, direction, time and numbers into `p`; false: the line is of no packet. */
static bool read_start(struct from_cap_dump *s, struct line *l, struct pkt *p)
{
    uint32_t len;

    if (l->end - l->s <= 3 || !isspace((unsigned char)l->s[3]))
        return false;
    if (skip(l, "RCV") || skip(l, "SND")) {
        s->receiver = l->s[-3] == 'R';
        return false;
    }
    if (!skip(l, "SYN") && !skip(l, "DAT") && !skip(l, "ACK"))
        return false;
    l->kind = l->s[-3];
    l->flags = l->kind == 'S' ? TCP_SYN : 0;
    skip_space(l);
    if (l->s == l->end || (*l->s != '>' && *l->s != '<'))
        return false;
    pkt_set_paint(p, (*l->s == '>') == s->receiver);
    l->s++;
    skip_space(l);
    if (!read_time(l, &p->timestamp))
        return false;
    skip_space(l);
    number(l, &l->id);
    skip_space(l);
    number(l, &l->number);
    skip_space(l);
    number(l, &len);
    skip_space(l);
    return number(l, &l->payload);
}

/* --- packets ---------------------------------------------------------------------------- */

static void set_numbers(struct from_cap_dump *s, const struct line *l, struct pkt *p)
{
    struct tcp_hdr *t = pkt_tcp(p);
    uint32_t len = l->payload + !!(l->flags & TCP_SYN) + !!(l->flags & TCP_FIN);

    t->flags = l->flags;
    if (l->kind == 'D') {
        t->seq = be32(seq_of_length(s, l->number, len));
        t->ack = BE32(1);
        t->flags |= TCP_ACK;
    } else if (l->kind == 'A') {
        t->seq = BE32(1);
        t->ack = be32(seq_of(s, l->number + 1));
        t->flags |= TCP_ACK;
    } else {
        if (s->receiver != (pkt_paint(p) != 0)) {
            t->ack = BE32(1);
            t->flags |= TCP_ACK;
        }
        seq_of_length(s, l->number, len);
    }
}

static void set_flow(struct from_cap_dump *s, struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);
    struct tcp_hdr *t = pkt_tcp(p);
    bool back = s->receiver != (pkt_paint(p) != 0);

    h->src = back ? BE32(0x02000002) : BE32(0x01000001);
    h->dst = back ? BE32(0x01000001) : BE32(0x02000002);
    t->sport = back ? BE16(2) : BE16(1);
    t->dport = back ? BE16(1) : BE16(2);
}

static void finish(struct from_cap_dump *s, const struct line *l, struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);
    struct tcp_hdr *t = pkt_tcp(p);

    if (l->n_options)
        memcpy(p->transport + sizeof *t, l->options, l->n_options);
    t->off = (uint8_t)((sizeof *t + l->n_options) / 4 << 4);
    t->win = BE16(65535);
    set_numbers(s, l, p);
    set_flow(s, p);
    h->len = be16((uint16_t)(p->len + l->payload));
    p->anno_u32[ANNO_PACKET_NUMBER / 4] = l->id;
    p->anno_u32[ANNO_EXTRA_LENGTH / 4] = l->payload;
    p->anno_u32[ANNO_AGGREGATE / 4] = s->aggregate;
    if (s->checksum)
        trace_set_checksums(p);
}

static struct pkt *from_cap_dump_read(struct element *e)
{
    enum { HEADERS = sizeof(struct ip4_hdr) + sizeof(struct tcp_hdr) };
    struct from_cap_dump *s = element_state(e);
    struct line l = {.n_options = 0};
    size_t len = trace_file_line(&s->source.file, &l.s);
    struct pkt *p;

    if (!len) {
        trace_file_close(&s->source.file);
        return NULL;
    }
    l.end = l.s + len;
    p = pkt_new(element_pool(e), PKT_HEADROOM, NULL, HEADERS, OPTIONS_MAX);
    if (!p) {
        trace_file_give_up(&s->source.file);
        return NULL;
    }
    memset(p->data, 0, p->len);
    p->data[0] = 0x45;
    pkt_set_ip4(p, p->data, sizeof(struct ip4_hdr));
    pkt_ip4(p)->proto = IP_PROTO_TCP;
    if (read_start(s, &l, p)) {
        read_remarks(s, &l);
        if ((!l.n_options || pkt_put(p, l.n_options)) && make_room(s, l.number + 1)) {
            finish(s, &l, p);
            return p;
        }
    }
    pkt_free(p);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------- */

static int from_cap_dump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_cap_dump *s = element_state(e);

    trace_sample_check(&s->source.sample, d);
    return 0;
}

static int from_cap_dump_initialize(struct element *e, struct diag *d)
{
    struct from_cap_dump *s = element_state(e);

    s->source.file.by_line = true;
    if (!make_room(s, 0))
        return diag_err(d, "out of memory");
    trace_source_start(e, from_cap_dump_read, d);
    return trace_file_open(&s->source.file, e, s->source.filename.s, d);
}

static void from_cap_dump_cleanup(struct element *e)
{
    struct from_cap_dump *s = element_state(e);

    trace_source_cleanup(e);
    free(s->seqs);
    s->seqs = NULL;
}

static const struct handler_spec from_cap_dump_handlers[] = {
    TRACE_SAMPLE_HANDLER(from_cap_dump, source.sample),
    {.name = "active",
     .help = "whether packets are emitted",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct from_cap_dump, source.active),
     .write = trace_write_active},
    HANDLER_READER(trace_read_encap, "encap", "IP"),
    HANDLER_WRITER(trace_press_stop, "stop", "emit no more, and stop the driver"),
    TRACE_FILE_HANDLERS(from_cap_dump, source.file),
    TASK_HANDLERS(from_cap_dump, source.task),
    HANDLER_END,
};

ELEMENT(FromCapDump) = {
    .name = "FromCapDump",
    .state_size = sizeof(struct from_cap_dump),
    .ports = "0/1",
    .driver_only = true,
    .args = from_cap_dump_args,
    .counters = trace_file_counters,
    .handlers = from_cap_dump_handlers,
    .configure = from_cap_dump_configure,
    .initialize = from_cap_dump_initialize,
    .cleanup = from_cap_dump_cleanup,
    .cast = trace_source_cast,
    .pull = trace_source_pull,
};
