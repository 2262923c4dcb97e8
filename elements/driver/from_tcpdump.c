// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromTcpdump -- read packets from what tcpdump printed
 *
 * Usage:    FromTcpdump(FILENAME [, STOP, ACTIVE, CHECKSUM, SAMPLE])
 * Ports:    0 in, 1 out; push or pull
 * Args:     FILENAME  text that tcpdump(1) printed, perhaps compressed; - is the standard
 *                     input
 *           STOP      default false: stop the driver at the end
 *           ACTIVE    default true: whether packets are emitted
 *           ZERO      default true; accepted: bytes that are not said are 0
 *           CHECKSUM  default false: set the checksums of IP, TCP and UDP
 *           SAMPLE    default 1: probability with which a packet is emitted
 *           BURST     default 1: packets that are emitted each time the task runs
 * Counters: no_memory  files that were given up when memory ran out
 * Handlers: sampling_prob  (read) SAMPLE
 *           active    (rw) whether packets are emitted
 *           encap     (read) IP
 *           filename, filesize, filepos  (read) the file, and where it is read
 *           stop      (write) emit no more, and stop the driver
 *           scheduled, tickets  (rw) the task, with a push output
 * Example:  FromTcpdump(log.txt, STOP true) -> IPPrint -> Discard;
 * See also: FromDump, FromIPSummaryDump
 *
 * The lines are those of old versions of tcpdump (3.x): "1.5 1.2.3.4.80 > 5.6.7.8.99: S
 * 10:10(0) win 512 <mss 1460> (DF) [tos 0x10] (ttl 64, id 7, len 44)". TCP is understood well,
 * UDP somewhat, of all else only the addresses. Where tcpdump has made sequence numbers
 * relative to the first ones of their connection, that is undone.
 */

#include "engine/net_headers.h"
#include "engine/os/trace_source.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { CONNECTIONS = 4096, OPTIONS_MAX = 40 };

/* What tcpdump remembers of a connection; [1] is the side with the smaller port. */
struct connection {
    uint32_t src, dst, first[2], last[2];
    uint16_t sport, dport;
    bool used;
};

struct from_tcpdump {
    struct trace_source source; /* the first */
    bool checksum, complained;
    int absolute; /* sequence numbers are; -1: not known yet */
    struct connection
        *connections; /* owned; a later one may take an earlier one's place */
};

static const struct arg_spec from_tcpdump_args[] = {
    TRACE_SOURCE_ARGS(from_tcpdump, ARG_M),
    TRACE_SAMPLE_ARG(from_tcpdump, source.sample),
    ARG_BOOL(from_tcpdump, checksum, "CHECKSUM", 0, "false", "set checksums"),
    ARG_END,
};

/* What is left of a line. */
struct text_in {
    const char *s, *end;
};

static bool at(const struct text_in *t, const char *what)
{
    size_t n = strlen(what);

    return (size_t)(t->end - t->s) >= n && !memcmp(t->s, what, n);
}

static bool skip(struct text_in *t, const char *what)
{
    bool there = at(t, what);

    t->s += there ? strlen(what) : 0;
    return there;
}

static bool number(struct text_in *t, unsigned base, uint32_t *out)
{
    const char *begin = t->s;
    uint32_t v = 0;

    for (; t->s < t->end; t->s++) {
        int c = (unsigned char)*t->s;
        unsigned digit = isdigit(c)    ? (unsigned)c - '0'
                         : isxdigit(c) ? (unsigned)tolower(c) - 'a' + 10
                                       : 99;

        if (digit >= base)
            break;
        v = v * base + digit;
    }
    if (t->s > begin)
        *out = v;
    return t->s > begin;
}

/* "what 7": true with the number, and behind it and one blank; else nothing changes. */
static bool named_number(struct text_in *t, const char *what, uint32_t *out)
{
    struct text_in try = *t;

    if (!skip(&try, what) || !number(&try, 10, out))
        return false;
    *t = try;
    skip(t, " ");
    return true;
}

/* " [bad hdr length] [tcp sum ok] " and the like. */
static void skip_remarks(struct text_in *t, const char *protocol)
{
    const char *end;

    skip(t, " ");
    while (skip(t, "[")) {
        bool known = at(t, "bad hdr") || at(t, protocol) ||
                     (at(t, "bad ") &&
                      !memcmp(t->s + 4, protocol, (size_t)(t->end - t->s) > 7 ? 3 : 0));

        end = memchr(t->s, ']', (size_t)(t->end - t->s));
        if (!known || !end) {
            t->s--;
            return;
        }
        t->s = end + 1;
        skip(t, " ");
    }
}

/* --- sequence numbers ------------------------------------------------------------------- */

static struct connection *connection_of(struct from_tcpdump *s, const struct pkt *p,
                                        bool *back)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct tcp_hdr *t = pkt_tcp(p);
    struct connection key = {h->src, h->dst, {0, 0}, {0, 0}, t->sport, t->dport, true};
    struct connection *c;

    *back = t->sport < t->dport || (t->sport == t->dport && h->src < h->dst);
    if (!*back)
        key = (struct connection){h->dst,   h->src,   {0, 0}, {0, 0},
                                  t->dport, t->sport, true};
    c = &s->connections[((key.src ^ key.dst) * 2654435761u ^
                         (uint32_t)(key.sport << 16 | key.dport) * 40503u) >>
                        20];
    if (!c->used || c->src != key.src || c->dst != key.dst || c->sport != key.sport ||
        c->dport != key.dport)
        *c = key;
    return c;
}

static bool seq_not_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

/* Make the numbers of a packet absolute; returns what its options count from. */
static uint32_t patch_seq(struct from_tcpdump *s, struct pkt *p, uint32_t seq,
                          uint32_t end, uint32_t ack)
{
    struct tcp_hdr *t = pkt_tcp(p);
    uint32_t base = 0;

    if (t->flags & TCP_ACK) {
        bool back;
        struct connection *c = connection_of(s, p, &back);

        if ((!c->first[0] && !c->first[1]) || (t->flags & TCP_SYN)) {
            c->first[back] = seq;
            c->first[!back] = ack - 1;
        } else {
            if (s->absolute < 0)
                s->absolute = seq_not_before(ack, c->first[!back]) && ack > 8000;
            if (!seq && !end) {
                seq = end = c->last[back];
            } else if (!s->absolute) {
                seq += c->first[back];
                end += c->first[back];
            }
            if (!s->absolute)
                ack += c->first[!back];
        }
        c->last[back] = end + !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
        if (!c->last[!back])
            c->last[!back] = ack;
        base = s->absolute ? 0 : c->first[!back];
    }
    t->seq = be32(seq);
    t->ack = be32(ack);
    return base;
}

/* --- TCP -------------------------------------------------------------------------------- */

struct options {
    uint8_t bytes[OPTIONS_MAX];
    uint32_t n;
};

static void put(struct options *o, uint32_t value, int bytes)
{
    for (; bytes > 0; bytes--)
        if (o->n < OPTIONS_MAX)
            o->bytes[o->n++] = (uint8_t)(value >> 8 * (bytes - 1));
}

static void sack_option(struct text_in *t, struct options *o, uint32_t base)
{
    uint32_t blocks, left, right;

    if (!number(t, 10, &blocks))
        return;
    put(o, TCPOPT_SACK, 1);
    put(o, blocks * 8 + 2, 1);
    while (skip(t, " "))
        ;
    while (skip(t, "{") && number(t, 10, &left) && skip(t, ":") &&
           number(t, 10, &right) && skip(t, "}")) {
        put(o, left + base, 4);
        put(o, right + base, 4);
    }
    while (skip(t, " "))
        ;
}

static void one_option(struct text_in *t, struct options *o, uint32_t base)
{
    uint32_t v, w;

    if (skip(t, "nop")) {
        put(o, TCPOPT_NOP, 1);
    } else if (skip(t, "eol")) {
        put(o, TCPOPT_EOL, 1);
    } else if (skip(t, "mss ") && number(t, 10, &v)) {
        put(o, TCPOPT_MSS << 8 | 4, 2);
        put(o, v, 2);
    } else if (skip(t, "wscale ") && number(t, 10, &v)) {
        put(o, TCPOPT_WSCALE << 8 | 3, 2);
        put(o, v, 1);
    } else if (skip(t, "sackOK")) {
        put(o, TCPOPT_SACK_OK << 8 | 2, 2);
    } else if (skip(t, "timestamp ") && number(t, 10, &v) && skip(t, " ") &&
               number(t, 10, &w)) {
        put(o, TCPOPT_TIMESTAMP << 8 | 10, 2);
        put(o, v, 4);
        put(o, w, 4);
    } else if (skip(t, "sack sack ")) {
        sack_option(t, o, base);
    }
}

/* "<mss 1460,nop,...>" */
static bool tcp_options(struct text_in *t, struct pkt *p, uint32_t base)
{
    struct options o = {.n = 0};

    while (t->s < t->end && *t->s != '>') {
        uint32_t before = o.n;

        one_option(t, &o, base);
        if (skip(t, ",") || at(t, ">"))
            continue;
        o.n = before; /* it was not what it seemed */
        while (t->s < t->end && *t->s != ',' && *t->s != '>')
            t->s++;
        skip(t, ",");
    }
    skip(t, ">");
    while (o.n % 4)
        put(&o, TCPOPT_EOL, 1);
    if (o.n && !pkt_put(p, o.n))
        return false;
    memcpy(p->transport + sizeof(struct tcp_hdr), o.bytes, o.n);
    pkt_tcp(p)->off = (uint8_t)((20 + o.n) / 4 << 4);
    return true;
}

static uint8_t tcp_flags(struct text_in *t)
{
    static const char letters[] = "FSRPAUEC";
    uint8_t flags = 0;
    const char *f;

    if (skip(t, "."))
        return TCP_ACK;
    for (; t->s < t->end && *t->s; t->s++) {
        char c = *t->s == 'X' ? 'E' : *t->s == 'Y' || *t->s == 'W' ? 'C' : *t->s;

        if (!(f = strchr(letters, c)))
            break;
        flags |= (uint8_t)(1u << (f - letters));
    }
    return flags;
}

/* "10:30(20) "; false: the line makes no sense from here on. */
static bool tcp_range(struct text_in *t, uint32_t *seq, uint32_t *end)
{
    uint32_t len;

    if (t->s >= t->end || *t->s == 'a')
        return true;
    if (!number(t, 10, seq) || !skip(t, ":") || !number(t, 10, end) || !skip(t, "("))
        return false;
    number(t, 10, &len);
    return skip(t, ") ");
}

/* Behind the flags; false: memory ran out. */
static bool read_tcp(struct from_tcpdump *s, struct text_in *t, struct pkt *p,
                     int64_t *data_len)
{
    struct tcp_hdr *h = pkt_tcp(p);
    uint32_t seq = 0, end = 0, ack = 0, base, v;

    h->off = 5 << 4;
    h->flags = tcp_flags(t);
    if (!at(t, " "))
        return true;
    skip_remarks(t, "tcp");
    if (!tcp_range(t, &seq, &end))
        return true;
    *data_len = (int32_t)(end - seq);
    if (named_number(t, "ack ", &ack))
        h->flags |= TCP_ACK;
    base = patch_seq(s, p, seq, end, ack);
    if (named_number(t, "win ", &v))
        h->win = be16((uint16_t)v);
    if (named_number(t, "urg ", &v))
        h->urp = be16((uint16_t)v);
    return !skip(t, "<") || tcp_options(t, p, base);
}

static void read_udp(struct text_in *t, int64_t *data_len)
{
    uint32_t v;

    skip_remarks(t, "udp");
    if (skip(t, "udp ") && number(t, 10, &v))
        *data_len = v;
}

/* --- the end of the line ---------------------------------------------------------------- */

/* The whole length of the packet; with TCP what is too much are options. */
static bool set_len(struct pkt *p, uint32_t len, int64_t *data_len)
{
    int64_t missing = (int64_t)len - *data_len - p->len;

    if (*data_len < 0 || missing == 0) {
        *data_len = (int64_t)len - p->len;
        return true;
    }
    if (pkt_ip4(p)->proto != IP_PROTO_TCP || missing < 0 || missing % 4 ||
        tcp_hlen(pkt_tcp(p)) + missing > 60)
        return true;
    if (!pkt_put(p, (uint32_t)missing))
        return false;
    memset(p->data + p->len - missing, TCPOPT_EOL, (size_t)missing);
    pkt_tcp(p)->off = (uint8_t)((tcp_hlen(pkt_tcp(p)) + missing) / 4 << 4);
    return true;
}

static bool read_frag(struct text_in *t, struct ip4_hdr *h, int64_t *data_len)
{
    uint32_t v;

    if (!number(t, 10, &v))
        return false;
    h->id = be16((uint16_t)v);
    if (!skip(t, ":") || !number(t, 10, &v))
        return false;
    *data_len = v;
    if (!skip(t, "@") || !number(t, 10, &v))
        return false;
    h->off = (h->off & BE16((uint16_t)~IP_OFFMASK)) | be16((uint16_t)v);
    if (skip(t, "+"))
        h->off |= BE16(IP_MF);
    return true;
}

/* "ttl 64, id 7, len 44"; false: it is something else. */
static bool read_item(struct text_in *t, struct pkt *p, int64_t *data_len)
{
    struct ip4_hdr *h = pkt_ip4(p);
    uint32_t v;

    if (skip(t, "tos 0x") && number(t, 16, &v))
        h->tos = (uint8_t)v;
    else if (skip(t, "ECT(0)"))
        h->tos = (uint8_t)((h->tos & ~IP_ECN_MASK) | 1);
    else if (skip(t, "ECT(1)"))
        h->tos = (uint8_t)((h->tos & ~IP_ECN_MASK) | 2);
    else if (skip(t, "CE"))
        h->tos |= IP_ECN_CE;
    else if (skip(t, "DF"))
        h->off |= BE16(IP_DF);
    else if (skip(t, "frag "))
        return read_frag(t, h, data_len);
    else if (skip(t, "ttl ") && number(t, 10, &v))
        h->ttl = (uint8_t)v;
    else if (skip(t, "id ") && number(t, 10, &v))
        h->id = be16((uint16_t)v);
    else if (skip(t, "len ") && number(t, 10, &v))
        return set_len(p, v, data_len);
    else
        return false;
    return true;
}

/* The parentheses and brackets at the end of the line, the last ones first. */
static void read_tail(struct text_in t, struct pkt *p, int64_t *data_len)
{
    const char *end = t.end;

    for (;;) {
        struct text_in in;
        const char *open;
        char opener;

        while (end > t.s && isspace((unsigned char)end[-1]))
            end--;
        if (end <= t.s || (end[-1] != ')' && end[-1] != ']'))
            return;
        opener = end[-1] == ')' ? '(' : '[';
        for (open = end - 2; open >= t.s && *open != opener; open--)
            ;
        if (open < t.s)
            return;
        in = (struct text_in){open + 1, end - 1};
        while (in.s < in.end && read_item(&in, p, data_len))
            while (in.s < in.end && (*in.s == ',' || isspace((unsigned char)*in.s)))
                in.s++;
        end = open;
    }
}

/* --- lines ------------------------------------------------------------------------------ */

/* "1.2.3.4.80" up to `end`, with a port if the protocol has ports. */
static bool read_address(struct element *e, const char *s, const char *end,
                         uint8_t proto, uint32_t *addr, uint16_t *port)
{
    char text[80];
    size_t n = (size_t)(end - s);
    uint16_t number_;
    char *dot;

    if (!n || n >= sizeof text)
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    if (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP) {
        for (dot = text + n - 1; dot > text && *dot != '.' && *dot != ':'; dot--)
            ;
        if (dot == text)
            return false;
        *dot++ = '\0';
        if (!parse_port(e, dot, proto, &number_))
            return false;
        *port = be16(number_);
    }
    return parse_ip(e, text, addr);
}

static uint8_t guess_protocol(const struct text_in *t)
{
    const char *s = memchr(t->s, ':', (size_t)(t->end - t->s));

    for (s = s ? s + 1 : t->end; s < t->end && *s == ' '; s++)
        ;
    if (s >= t->end)
        return 0;
    if (*s == 'i')
        return IP_PROTO_ICMP;
    if (*s == 'u' || (*s == '[' && s + 1 < t->end && s[1] == 'u'))
        return IP_PROTO_UDP;
    return *s == '.' || (*s >= 'A' && *s <= 'Z') ? IP_PROTO_TCP : 0;
}

/* Time and addresses; leaves `t` behind the colon. */
static bool read_start(struct element *e, struct text_in *t, struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);
    struct udp_hdr *u = pkt_udp(p);
    const char *end = memchr(t->s, ' ', (size_t)(t->end - t->s));
    uint16_t sport = 0, dport = 0;
    uint32_t src, dst;
    char time[40];

    if (!end || (size_t)(end - t->s) >= sizeof time)
        return false;
    memcpy(time, t->s, (size_t)(end - t->s));
    time[end - t->s] = '\0';
    t->s = end + 1;
    if (!parse_time(time, &p->timestamp))
        return false;
    h->proto = guess_protocol(t);
    end = memchr(t->s, ' ', (size_t)(t->end - t->s));
    if (!end || !read_address(e, t->s, end, h->proto, &src, &sport))
        return false;
    t->s = end;
    if (!skip(t, " > "))
        return false;
    end = memchr(t->s, ':', (size_t)(t->end - t->s));
    if (!end)
        end = t->end;
    if (!read_address(e, t->s, end, h->proto, &dst, &dport))
        return false;
    h->src = src;
    h->dst = dst;
    u->sport = sport;
    u->dport = dport;
    for (t->s = end < t->end ? end + 1 : end; t->s < t->end && *t->s == ' '; t->s++)
        ;
    return true;
}

static bool read_line(struct element *e, struct text_in t, struct pkt *p)
{
    struct from_tcpdump *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4(p);
    int64_t data_len = -1;

    if (!read_start(e, &t, p))
        return false;
    if (h->proto == IP_PROTO_TCP) {
        if (!read_tcp(s, &t, p, &data_len))
            return false;
    } else if (h->proto == IP_PROTO_UDP) {
        read_udp(&t, &data_len);
        pkt_take(p, sizeof(struct tcp_hdr) - sizeof(struct udp_hdr));
    } else {
        pkt_take(p, sizeof(struct tcp_hdr));
    }
    read_tail(t, p, &data_len);
    h = pkt_ip4(p);
    data_len = data_len < 0 ? 0 : data_len;
    h->len = be16((uint16_t)(p->len + data_len));
    p->anno_u32[ANNO_EXTRA_LENGTH / 4] = (uint32_t)data_len;
    if (h->proto == IP_PROTO_UDP && !ip4_is_later_fragment(h))
        pkt_udp(p)->len = be16((uint16_t)(be16(h->len) - ip4_hlen(h)));
    if (s->checksum)
        trace_set_checksums(p);
    return true;
}

static struct pkt *from_tcpdump_read(struct element *e)
{
    struct from_tcpdump *s = element_state(e);
    struct trace_file *f = &s->source.file;
    struct pkt *p;
    const char *line;
    size_t len;

    do {
        len = trace_file_line(f, &line);
        if (!len) {
            trace_file_close(f);
            return NULL;
        }
    } while (*line == '#');
    p = pkt_new(element_pool(e), PKT_HEADROOM, NULL,
                sizeof(struct ip4_hdr) + sizeof(struct tcp_hdr), OPTIONS_MAX);
    if (!p) {
        trace_file_give_up(f);
        return NULL;
    }
    memset(p->data, 0, p->len);
    p->data[0] = 0x45;
    p->data[8] = 2; /* time to live */
    pkt_set_ip4(p, p->data, sizeof(struct ip4_hdr));
    if (isdigit((unsigned char)*line) &&
        read_line(e, (struct text_in){line, line + len}, p))
        return p;
    pkt_free(p);
    while (len && isspace((unsigned char)line[len - 1]))
        len--;
    if (len && !s->complained) {
        trace_file_complain(f, "packet parse error");
        s->complained = true;
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------- */

static int from_tcpdump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_tcpdump *s = element_state(e);

    trace_sample_check(&s->source.sample, d);
    s->absolute = -1;
    return 0;
}

static int from_tcpdump_initialize(struct element *e, struct diag *d)
{
    struct from_tcpdump *s = element_state(e);
    struct trace_file *f = &s->source.file;
    const char *line;

    f->by_line = true;
    s->connections = calloc(CONNECTIONS, sizeof *s->connections);
    if (!s->connections)
        return diag_err(d, "out of memory");
    trace_source_start(e, from_tcpdump_read, d);
    if (trace_file_open(f, e, s->source.filename.s, d) < 0)
        return -1;
    if (!trace_file_peek_line(f, &line) || !isdigit((unsigned char)*line))
        diag_warn(d, "%s: first line suspicious; is this a tcpdump output file?",
                  trace_file_name(f));
    return 0;
}

static void from_tcpdump_cleanup(struct element *e)
{
    struct from_tcpdump *s = element_state(e);

    trace_source_cleanup(e);
    free(s->connections);
    s->connections = NULL;
}

static const struct handler_spec from_tcpdump_handlers[] = {
    TRACE_SOURCE_SAMPLE_HANDLERS(from_tcpdump),
    HANDLER_END,
};

ELEMENT(FromTcpdump) = {
    .name = "FromTcpdump",
    .state_size = sizeof(struct from_tcpdump),
    .ports = "0/1",
    .driver_only = true,
    .args = from_tcpdump_args,
    .counters = trace_file_counters,
    .handlers = from_tcpdump_handlers,
    .configure = from_tcpdump_configure,
    .initialize = from_tcpdump_initialize,
    .cleanup = from_tcpdump_cleanup,
    .cast = trace_source_cast,
    .pull = trace_source_pull,
};
