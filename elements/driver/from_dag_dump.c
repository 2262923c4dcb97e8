// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromDAGDump -- read packets from a trace of a DAG card, in ERF format
 *
 * Usage:    FromDAGDump(FILENAME [, ENCAP, STOP, ...])
 * Ports:    0 in, 1-2 out; push or pull
 * Args:     FILENAME  file of ERF records, perhaps compressed; - is the standard input
 *           ENCAP     what the packets of an old dump, whose records do not say it, begin
 *                     with: IP, ATM, SUNATM, ETHER, HDLC, PPP or PPP_HDLC; default ATM
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
 *           TIMING    default false: emit packets with the pauses between their timestamps
 *           MMAP      accepted and without effect
 * Counters: no_memory  files that were given up when memory ran out
 * Handlers: sampling_prob  (read) SAMPLE
 *           active    (rw) whether packets are emitted
 *           encap     (read) what the last packet begins with
 *           filename, filesize, filepos  (read) the file, and where it is read
 *           extend_interval  (write) move END by so many seconds and go on
 *           stop      (write) emit no more, and stop the driver
 *           scheduled, tickets  (rw) the task, with a push output
 * Example:  FromDAGDump(trace.erf, STOP true, FORCE_IP true) -> IPPrint -> Discard;
 * See also: FromDump, FromNLANRDump, FromIPSummaryDump
 *
 * Records of new dumps have their length in them, those of old ones 64 bytes. The missing
 * length of a packet is in the EXTRA_LENGTH annotation.
 */

#include "engine/net_headers.h"
#include "engine/os/link_type.h"
#include "engine/os/record_source.h"

enum { HEAD = 16, RECORD = 64, NO_LINK = -1 };
enum { TYPE_LEGACY, TYPE_HDLC, TYPE_ETHER, TYPE_ATM, TYPE_AAL5 };
enum { AT_TYPE = 8, AT_LEN = 10, AT_WIRE_LEN = 14 };

struct from_dag_dump {
    struct record_source source; /* the first */
    struct text encap_arg;
    int encap;     /* of records that do not say it; NO_LINK: not known */
    int link_type; /* of the last packet */
    uint8_t head[HEAD];
    /* Of the record whose head was read: */
    uint32_t kept;         /* bytes of the head that belong to the packet */
    uint32_t padding, len; /* that follow: what is passed over, then the packet */
    uint32_t wire_len;     /* 0: not known */
};

static const struct arg_spec from_dag_dump_args[] = {
    RECORD_SOURCE_ARGS(from_dag_dump),
    ARG_WORD(from_dag_dump, encap_arg, "ENCAP", 0, NULL, "what packets begin with"),
    ARG_END,
};

static bool is_encap(int type)
{
    return type == LINK_SUNATM || type == LINK_C_HDLC || type == LINK_ETHER ||
           type == LINK_ATM_RFC1483 || type == LINK_PPP || type == LINK_PPP_HDLC ||
           type == LINK_RAW;
}

static int from_dag_dump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_dag_dump *s = element_state(e);

    s->encap = s->link_type = NO_LINK;
    if (record_source_configure(e, d) < 0)
        return -1;
    if (!s->encap_arg.len)
        return 0;
    s->encap = link_type_parse(s->encap_arg.s);
    return is_encap(s->encap) ? 0 : diag_err(d, "bad encapsulation type");
}

static uint32_t head16(const struct from_dag_dump *s, int at)
{
    return (uint32_t)(s->head[at] << 8 | s->head[at + 1]);
}

/* A record of 64 bytes: in place of what it does not know, its head has more of the packet. */
static void plan_old(struct from_dag_dump *s)
{
    s->link_type = s->encap == NO_LINK ? LINK_ATM_RFC1483 : s->encap;
    s->padding = 0;
    s->len = RECORD - HEAD;
    s->wire_len = 0;
    switch (s->link_type) {
    case LINK_SUNATM:
        s->kept = 4;
        break;
    case LINK_ETHER:
        s->kept = 6;
        s->wire_len = head16(s, 8);
        break;
    case LINK_RAW:
        s->kept = 8;
        break;
    case LINK_C_HDLC:
        s->wire_len = head16(s, 10);
        s->kept = 0;
        break;
    default:
        s->kept = 0;
    }
}

static void warn_of_type(struct element *e)
{
    const struct from_dag_dump *s = element_state(e);
    int type = s->head[AT_TYPE];

    if (s->source.d) {
        diag_warn(s->source.d,
                  "odd DAG cell type %d, assuming old-style ATM encapsulation", type);
        diag_note(s->source.d, "(To avoid this warning, specify an explicit ENCAP.)");
        return;
    }
    element_say(e,
                "%s: DAG cell with odd type %d, assuming old-style\n"
                "  ATM encapsulation for rest of dump.  Packets may have been read "
                "incorrectly!\n"
                "  (To avoid this warning, specify an explicit ENCAP.)\n",
                e->name, type);
}

/* What the head says of the rest; false: it is too short to be one. */
static bool plan(struct element *e)
{
    struct from_dag_dump *s = element_state(e);
    uint32_t type = s->head[AT_TYPE], len = head16(s, AT_LEN);

    if (type > TYPE_AAL5 && s->encap == NO_LINK) {
        warn_of_type(e);
        s->encap = LINK_ATM_RFC1483;
    }
    if (type == TYPE_LEGACY || s->encap != NO_LINK) {
        plan_old(s);
        return true;
    }
    s->link_type = type == TYPE_ETHER  ? LINK_ETHER
                   : type == TYPE_HDLC ? LINK_C_HDLC
                                       : LINK_SUNATM;
    s->kept = 0;
    s->padding = type == TYPE_ETHER ? 2 : 0;
    s->wire_len = head16(s, AT_WIRE_LEN) - (type == TYPE_ETHER ? 4 : 0); /* the CRC */
    if (len < HEAD + s->padding)
        return false;
    s->len = len - HEAD - s->padding;
    return true;
}

static uint32_t little32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Seconds and, in 32 bits below, their fraction; little-endian. Rounded as the maker of the
 * cards says. */
static int64_t stamp_time(const uint8_t *at)
{
    uint64_t seconds = little32(at + 4), ns = little32(at);

    ns *= 1000000000;
    ns += (ns & 0x80000000u) << 1;
    return (int64_t)(seconds * 1000000000 + (ns >> 32));
}

static bool from_dag_dump_head(struct element *e, int64_t *when)
{
    struct from_dag_dump *s = element_state(e);
    const uint8_t *r = trace_file_get(&s->source.file, HEAD);

    if (!r)
        return false;
    memcpy(s->head, r, HEAD);
    *when = stamp_time(r);
    return plan(e);
}

static struct pkt *from_dag_dump_body(struct element *e)
{
    struct from_dag_dump *s = element_state(e);
    struct trace_file *f = &s->source.file;
    const uint8_t *bytes;
    struct pkt *p;

    trace_file_skip(f, s->padding);
    bytes = trace_file_get(f, s->len);
    if (!bytes)
        return NULL;
    p = pkt_new(element_pool(e), PKT_HEADROOM, NULL, s->kept + s->len, 0);
    if (!p) {
        trace_file_give_up(f);
        return NULL;
    }
    memcpy(p->data, s->head + HEAD - s->kept, s->kept);
    memcpy(p->data + s->kept, bytes, s->len);
    if (s->wire_len)
        p->anno_u32[ANNO_EXTRA_LENGTH / 4] = s->wire_len - p->len;
    return p;
}

static void from_dag_dump_pass(struct element *e)
{
    struct from_dag_dump *s = element_state(e);

    trace_file_skip(&s->source.file, s->padding + s->len);
}

static bool from_dag_dump_accepts(struct element *e, struct pkt *p)
{
    const struct from_dag_dump *s = element_state(e);

    return !s->source.force_ip || link_type_force_ip(p, s->link_type);
}

static int from_dag_dump_initialize(struct element *e, struct diag *d)
{
    static const struct record_format format = {
        from_dag_dump_head,
        from_dag_dump_body,
        from_dag_dump_pass,
        from_dag_dump_accepts,
    };
    const struct from_dag_dump *s = element_state(e);

    if (record_source_start(e, &format, d) < 0)
        return -1;
    if (s->source.force_ip && s->source.window.timing)
        return diag_err(d, "FORCE_IP and TIMING options are incompatible");
    return 0;
}

static int from_dag_dump_read_encap(struct element *e, const struct handler_spec *h,
                                    const char *param, struct sbuf *out, struct diag *d)
{
    const struct from_dag_dump *s = element_state(e);
    char buf[LINK_TYPE_ROOM];

    sbuf_puts(out, link_type_unparse(s->link_type, buf));
    return 0;
}

static const struct handler_spec from_dag_dump_handlers[] = {
    RECORD_SOURCE_HANDLERS(from_dag_dump, from_dag_dump_read_encap, ),
    HANDLER_END,
};

ELEMENT(FromDAGDump) = {
    .name = "FromDAGDump",
    .state_size = sizeof(struct from_dag_dump),
    .ports = "0/1-2",
    .processing = "a/ah",
    .driver_only = true,
    .args = from_dag_dump_args,
    .counters = trace_file_counters,
    .handlers = from_dag_dump_handlers,
    .configure = from_dag_dump_configure,
    .initialize = from_dag_dump_initialize,
    .cleanup = record_source_cleanup,
    .pull = record_source_pull,
};
