// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromNetFlowSummaryDump -- read flows from a NetFlow summary file
 *
 * Usage:    FromNetFlowSummaryDump(FILENAME [, STOP, ACTIVE, MULTIPACKET, LINK, TIMING])
 * Ports:    0 in, 1 out; push or pull
 * Args:     FILENAME  the file, perhaps compressed; - is the standard input
 *           STOP      default false: stop the driver at the end
 *           ACTIVE    default true: whether packets are emitted
 *           ZERO      default true; accepted: bytes that are not said are 0
 *           MULTIPACKET  default false: emit as many packets as the flow had, spread over
 *                     its time
 *           LINK      input, output or both: interface whose number becomes the paint
 *                     annotation, default input; `both` puts the input into the upper four
 *                     bits
 *           TIMING    default false: emit packets with the pauses between their timestamps
 *           BURST     default 1: packets that are emitted each time the task runs
 * Counters: no_memory  files that were given up when memory ran out
 * Handlers: active    (rw) whether packets are emitted
 *           encap     (read) IP
 *           filename, filesize, filepos  (read) the file, and where it is read
 *           scheduled, tickets  (rw) the task, with a push output
 * Example:  FromNetFlowSummaryDump(flows.txt, STOP true) -> AggregateIP(ip dst) -> ...
 * See also: FromIPSummaryDump, FromDump
 *
 * Lines have 15 or more parts between bars: source and destination address, (unused), input
 * and output interface, packets, bytes, first and last second, source and destination port,
 * (unused), TCP flags, protocol, TOS. Blank lines and those that begin with ! or # are passed
 * over. A flow becomes one packet, with the annotations for its first time, its number of
 * packets and the length that is not there.
 */

#include "engine/net_headers.h"
#include "engine/os/trace_source.h"

#include <strings.h>

enum { PARTS = 15, PARTS_NEEDED = 10 };
enum {
    PART_SRC = 0,
    PART_DST = 1,
    PART_INPUT = 3,
    PART_OUTPUT = 4,
    PART_PACKETS = 5,
    PART_BYTES = 6,
    PART_FIRST = 7,
    PART_LAST = 8,
    PART_SPORT = 9,
    PART_DPORT = 10,
    PART_FLAGS = 12,
    PART_PROTO = 13,
    PART_TOS = 14
};

struct from_net_flow_summary_dump {
    struct trace_source source; /* the first */
    struct text link_arg;
    enum { LINK_INPUT, LINK_OUTPUT, LINK_BOTH } link;
    bool complained;
};

static const struct arg_spec from_net_flow_summary_dump_args[] = {
    TRACE_SOURCE_ARGS(from_net_flow_summary_dump, ARG_M),
    TRACE_SOURCE_TIMING(from_net_flow_summary_dump),
    TRACE_SOURCE_MULTIPACKET(from_net_flow_summary_dump),
    ARG_WORD(from_net_flow_summary_dump, link_arg, "LINK", 0, "input",
             "which interface"),
    ARG_END,
};

static int from_net_flow_summary_dump_configure(struct element *e, struct conf *c,
                                                struct diag *d)
{
    struct from_net_flow_summary_dump *s = element_state(e);

    s->source.sample = TRACE_SAMPLE_ONE;
    if (!strcasecmp(s->link_arg.s, "input"))
        s->link = LINK_INPUT;
    else if (!strcasecmp(s->link_arg.s, "output"))
        s->link = LINK_OUTPUT;
    else if (!strcasecmp(s->link_arg.s, "both"))
        s->link = LINK_BOTH;
    else
        return diag_err(d, "'LINK' should be 'input', 'output', or 'both'");
    return 0;
}

/* The parts of a line, NUL-terminated in `copy`. False: there are fewer. */
static bool split(const char *line, size_t len, char *copy, size_t room,
                  char *part[PARTS])
{
    size_t at = 0;

    if (len >= room)
        return false;
    memcpy(copy, line, len);
    copy[len] = '\0';
    for (int i = 0; i < PARTS; i++) {
        if (at > len || (at == len && i))
            return false;
        part[i] = copy + at;
        while (at < len && copy[at] != '|')
            at++;
        copy[at++] = '\0';
    }
    part[PARTS - 1][strcspn(part[PARTS - 1], "\r\n")] = '\0';
    return true;
}

static bool number(const char *text, uint32_t max, uint32_t *out)
{
    uint64_t v;

    if (parse_integer(text, 0, false, 32, &v) == PARSE_INVALID || v > max)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* Annotations; returns how many parts made sense. */
static int set_anno(const struct from_net_flow_summary_dump *s, struct pkt *p,
                    char *const part[PARTS])
{
    uint32_t v, in = 0, out = 0, most = s->link == LINK_BOTH ? 15 : 255;
    int ok = 0;

    if (number(part[PART_FIRST], UINT32_MAX, &v)) {
        p->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = v * UINT64_C(1000000000);
        ok++;
    }
    if (number(part[PART_LAST], UINT32_MAX, &v)) {
        p->timestamp = v ? v * INT64_C(1000000000)
                         : (int64_t)p->anno_u64[ANNO_FIRST_TIMESTAMP / 8];
        ok++;
    }
    if (number(part[PART_PACKETS], UINT32_MAX, &v)) {
        p->anno_u32[ANNO_EXTRA_PACKETS / 4] = v - 1;
        ok++;
    }
    if ((s->link == LINK_OUTPUT || number(part[PART_INPUT], UINT32_MAX, &in)) &&
        (s->link == LINK_INPUT || number(part[PART_OUTPUT], UINT32_MAX, &out))) {
        in = in < most ? in : most;
        out = out < most ? out : most;
        pkt_set_paint(p, (uint8_t)((s->link == LINK_BOTH ? in << 4 : in) | out));
        ok++;
    }
    return ok;
}

static int set_headers(struct element *e, struct pkt *p, char *const part[PARTS])
{
    struct ip4_hdr *h = pkt_ip4(p);
    struct tcp_hdr *t = pkt_tcp(p);
    uint32_t v, addr;
    int ok = 0;

    if (parse_ip(e, part[PART_SRC], &addr)) {
        h->src = addr;
        ok++;
    }
    if (parse_ip(e, part[PART_DST], &addr)) {
        h->dst = addr;
        ok++;
    }
    if (number(part[PART_PROTO], 255, &v)) {
        h->proto = (uint8_t)v;
        ok++;
    }
    if (number(part[PART_TOS], 255, &v)) {
        h->tos = (uint8_t)v;
        ok++;
    }
    if (number(part[PART_SPORT], 65535, &v)) {
        t->sport = be16((uint16_t)v);
        ok++;
    }
    if (number(part[PART_DPORT], 65535, &v)) {
        t->dport = be16((uint16_t)v);
        ok++;
    }
    if (number(part[PART_FLAGS], 255, &v)) {
        t->flags = (uint8_t)v;
        ok++;
    }
    return ok;
}

static void set_lengths(struct pkt *p, uint32_t bytes)
{
    struct ip4_hdr *h = pkt_ip4(p);
    uint32_t len = bytes < 65535 ? bytes : 65535;

    h->len = be16((uint16_t)len);
    if (h->proto == IP_PROTO_TCP) {
        pkt_tcp(p)->off = 5 << 4;
    } else if (h->proto == IP_PROTO_UDP) {
        pkt_udp(p)->len = be16((uint16_t)(len - sizeof *h));
        pkt_take(p, sizeof(struct tcp_hdr) - sizeof(struct udp_hdr));
    } else {
        pkt_take(p, sizeof(struct tcp_hdr));
    }
    p->anno_u32[ANNO_EXTRA_LENGTH / 4] = bytes - p->len;
}

static struct pkt *flow_packet(struct element *e, char *const part[PARTS])
{
    struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL,
                            sizeof(struct ip4_hdr) + sizeof(struct tcp_hdr), 0);
    uint32_t bytes = 0;
    int ok;

    if (!p) {
        struct from_net_flow_summary_dump *s = element_state(e);

        trace_file_give_up(&s->source.file);
        return NULL;
    }
    memset(p->data, 0, p->len);
    p->data[0] = 0x45;
    pkt_set_ip4(p, p->data, sizeof(struct ip4_hdr));
    ok = set_anno(element_state(e), p, part) + set_headers(e, p, part) +
         number(part[PART_BYTES], UINT32_MAX, &bytes);
    if (ok < PARTS_NEEDED) {
        pkt_free(p);
        return NULL;
    }
    set_lengths(p, bytes);
    return p;
}

static struct pkt *from_net_flow_summary_dump_read(struct element *e)
{
    struct from_net_flow_summary_dump *s = element_state(e);
    struct trace_file *f = &s->source.file;
    char copy[1024], *part[PARTS];
    struct pkt *p = NULL;
    const char *line;
    size_t len;

    do {
        len = trace_file_line(f, &line);
        if (!len) {
            trace_file_close(f);
            return NULL;
        }
    } while (strchr("!#\r\n", *line));
    if (split(line, len < sizeof copy ? len : sizeof copy - 1, copy, sizeof copy, part))
        p = flow_packet(e, part);
    if (!p && !s->complained && !f->gave_up) {
        trace_file_complain(f, "bad format");
        s->complained = true;
    }
    return p;
}

static int from_net_flow_summary_dump_initialize(struct element *e, struct diag *d)
{
    struct from_net_flow_summary_dump *s = element_state(e);

    s->source.file.by_line = true;
    trace_source_start(e, from_net_flow_summary_dump_read, d);
    return trace_file_open(&s->source.file, e, s->source.filename.s, d);
}

static const struct handler_spec from_net_flow_summary_dump_handlers[] = {
    TRACE_SOURCE_HANDLERS(from_net_flow_summary_dump),
    HANDLER_END,
};

ELEMENT(FromNetFlowSummaryDump) = {
    .name = "FromNetFlowSummaryDump",
    .state_size = sizeof(struct from_net_flow_summary_dump),
    .ports = "0/1",
    .driver_only = true,
    .args = from_net_flow_summary_dump_args,
    .counters = trace_file_counters,
    .handlers = from_net_flow_summary_dump_handlers,
    .configure = from_net_flow_summary_dump_configure,
    .initialize = from_net_flow_summary_dump_initialize,
    .cleanup = trace_source_cleanup,
    .cast = trace_source_cast,
    .pull = trace_source_pull,
};
