// SPDX-License-Identifier: BSD-3-Clause
/*
 * FromDump -- read packets from a tcpdump file
 *
 * Usage:    FromDump(FILENAME [, TIMING, STOP, ...])
 * Ports:    0 in, 1-2 out; push or pull
 * Args:     FILENAME  file in pcap or pcapng format; - is the standard input
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
 *           BURST     default 1: packets that are emitted each time the task runs
 *           MMAP      accepted for old configurations and ignored
 * Counters: not_ip    packets that FORCE_IP found not to be IP
 * Handlers: count     packets emitted so far
 *           encap     link type of the file: ETHER, IP, ...
 *           filename  FILENAME
 *           active    whether packets are emitted; may be written
 *           sampling_prob  SAMPLE
 *           stop      written: stop emitting packets, as at the end of the file
 *           reset_counts  written: set count to 0
 * Example:  FromDump(trace.pcap, STOP true) -> Print -> Discard
 * See also: ToDump, FromDevice
 *
 * Timestamps have nanoseconds where the file has them. A packet that was cut when it was
 * captured has the missing length in the EXTRA_LENGTH annotation. A file that ends in the
 * middle of a packet is read up to there, with one warning.
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <dlfcn.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_AT_ONCE = 1 << 17 }; /* stays in the second cache */

/* Records of a plain pcap file in this machine's byte order are taken straight from large
 * reads. All else, and whatever looks wrong, is libpcap's, which goes on from `offset`. */
struct plain_file {
    uint8_t *bytes;       /* owned; NULL: libpcap reads */
    size_t have, at;      /* bytes in it, and where the next record starts */
    int fd;               /* libpcap's */
    int64_t offset;       /* in the file, of the next record */
    uint32_t snaplen;     /* longer ones are libpcap's */
    uint32_t to_ns;       /* fraction of a second times this is ns */
    struct pcap_pkthdr h; /* of the record that was read last */
};

/* libpcap is loaded only by those who read a file: its own libraries take more time to
 * start than all the rest of the program. */
struct pcap_api {
    void *library;
    __typeof__(pcap_open_offline_with_tstamp_precision) *open;
    __typeof__(pcap_close) *close;
    __typeof__(pcap_datalink) *datalink;
    __typeof__(pcap_datalink_val_to_name) *datalink_name;
    __typeof__(pcap_geterr) *geterr;
    __typeof__(pcap_next_ex) *next;
    __typeof__(pcap_file) *file;
    __typeof__(pcap_snapshot) *snapshot;
};

struct from_dump {
    struct text filename, end_call;
    bool timing, stop, active, force_ip, mmap;
    bool has_start, has_start_after, has_end, has_end_after, has_interval;
    double sample;
    int64_t start, start_after, end, end_after, interval;
    uint32_t burst;

    struct pcap_api api;
    pcap_t *pcap;
    struct plain_file plain;
    int link_type;
    uint64_t count;
    struct pkt *held; /* read, and not yet due; owned */
    int64_t first_ns; /* timestamp of the first packet in the file; 0: none yet */
    int64_t first_emitted_ns; /* of the first emitted one */
    int64_t timing_offset_ns; /* steady time minus packet time */
    bool ended;
    struct task task;
    struct timer timer;
    struct notifier notifier;
};

static const struct arg_spec from_dump_args[] = {
    ARG_STRING(from_dump, filename, "FILENAME", ARG_M, NULL,
               "file; - is standard input"),
    ARG_BOOL(from_dump, timing, "TIMING", ARG_POS, "false", "keep the pauses"),
    ARG_BOOL(from_dump, stop, "STOP", ARG_KEY, "false", "stop the driver at the end"),
    ARG_BOOL(from_dump, active, "ACTIVE", ARG_KEY, "true",
             "whether packets are emitted"),
    ARG_BOOL(from_dump, force_ip, "FORCE_IP", ARG_KEY, "false", "IP packets only"),
    ARG_FRACTION(from_dump, sample, "SAMPLE", ARG_KEY, "1", "probability of a packet"),
    {.name = "START",
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct from_dump, start),
     .seen = 1 + offsetof(struct from_dump, has_start),
     .help = "first absolute time"},
    {.name = "START_AFTER",
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct from_dump, start_after),
     .seen = 1 + offsetof(struct from_dump, has_start_after),
     .help = "skip so long"},
    {.name = "END",
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct from_dump, end),
     .seen = 1 + offsetof(struct from_dump, has_end),
     .help = "absolute time of the end"},
    {.name = "END_AFTER",
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct from_dump, end_after),
     .seen = 1 + offsetof(struct from_dump, has_end_after),
     .help = "end after so long"},
    {.name = "INTERVAL",
     .kind = ARG_KIND_TIME,
     .offset = offsetof(struct from_dump, interval),
     .seen = 1 + offsetof(struct from_dump, has_interval),
     .help = "emit for so long"},
    ARG_RAW(from_dump, end_call, "END_CALL", ARG_KEY, NULL, "write handler at the end"),
    ARG_U32(from_dump, burst, "BURST", ARG_KEY, "1", "packets a task run"),
    ARG_BOOL(from_dump, mmap, "MMAP", ARG_KEY | ARG_OLD, "false", "ignored"),
    ARG_END,
};

enum { C_NOT_IP };
static const struct counter_spec from_dump_counters[] = {
    [C_NOT_IP] = {"not_ip", "packets that FORCE_IP found not to be IP"},
    {NULL, NULL},
};

static int from_dump_initialize(struct element *e, struct diag *d);
static void from_dump_cleanup(struct element *e);

/* Where the network header starts, -1: there is none of IPv4 or IPv6. */
static int ip_offset(const struct pkt *p, int link_type)
{
    uint16_t type;

    switch (link_type) {
    case DLT_RAW:
        return p->len >= 1 ? 0 : -1;
    case DLT_NULL:
    case DLT_LOOP:
        return p->len > 4 ? 4 : -1;
    case DLT_LINUX_SLL:
        return p->len > 16 ? 16 : -1;
    case DLT_EN10MB:
        if (p->len < 15)
            return -1;
        type = (uint16_t)(p->data[12] << 8 | p->data[13]);
        if (type == 0x8100 && p->len > 18)
            return 18;
        return type == 0x0800 || type == 0x86dd ? 14 : -1;
    default:
        return -1;
    }
}

/* Set header pointers; false when FORCE_IP does not want the packet. */
static bool set_headers(struct from_dump *f, struct pkt *p)
{
    int at;

    if (f->link_type == DLT_EN10MB)
        p->mac = p->data;
    if (!f->force_ip)
        return true;
    at = ip_offset(p, f->link_type);
    if (at < 0 || (uint32_t)at + sizeof(struct ip4_hdr) > p->len ||
        (p->data[at] >> 4 != 4 && p->data[at] >> 4 != 6))
        return false;
    p->network = p->data + at;
    if (p->data[at] >> 4 == 4) {
        p->transport = p->network + 4 * (p->network[0] & 15);
        memcpy(&p->anno_u32[ANNO_DST_IP / 4], p->network + 16, 4);
    }
    return true;
}

static void first_packet(struct from_dump *f, int64_t when)
{
    f->first_ns = when;
    if (f->has_start_after)
        f->start = when + f->start_after;
    if (f->has_end_after)
        f->end = when + f->end_after;
    f->has_start |= f->has_start_after;
    f->has_end |= f->has_end_after;
}

/* Use large reads if this is a file for them. */
static void plain_open(struct plain_file *r, const struct pcap_api *api, pcap_t *pcap)
{
    static const uint32_t micro = 0xa1b2c3d4, nano = 0xa1b23c4d;
    uint32_t header[6];
    struct stat st;
    int fd = fileno(api->file(pcap));

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        pread(fd, header, sizeof header, 0) != sizeof header ||
        (header[0] != micro && header[0] != nano))
        return;
    r->bytes = malloc(READ_AT_ONCE);
    r->fd = fd;
    r->offset = sizeof header;
    r->snaplen = (uint32_t)api->snapshot(pcap);
    r->to_ns = header[0] == micro ? 1000 : 1;
}

static void plain_close(struct plain_file *r)
{
    free(r->bytes);
    r->bytes = NULL;
}

/* Have `want` bytes from the next record on. */
static bool plain_have(struct plain_file *r, size_t want)
{
    ssize_t n;

    if (r->have - r->at >= want)
        return true;
    n = want <= READ_AT_ONCE ? pread(r->fd, r->bytes, READ_AT_ONCE, r->offset) : 0;
    r->at = 0;
    r->have = n > 0 ? (size_t)n : 0;
    return r->have >= want;
}

/* The bytes of the next record; NULL when libpcap has to look at it. */
static const uint8_t *plain_next(struct plain_file *r)
{
    uint32_t head[4]; /* seconds, fraction, length in the file, length */
    const uint8_t *bytes;

    if (!plain_have(r, sizeof head))
        return NULL;
    memcpy(head, r->bytes + r->at, sizeof head);
    if (head[2] > r->snaplen || !plain_have(r, sizeof head + head[2]))
        return NULL;
    bytes = r->bytes + r->at + sizeof head;
    r->h.ts.tv_sec = (int32_t)head[0];
    r->h.ts.tv_usec = (suseconds_t)head[1] * r->to_ns;
    r->h.caplen = head[2];
    r->h.len = head[3];
    r->at += sizeof head + head[2];
    r->offset += (int64_t)(sizeof head + head[2]);
    return bytes;
}

/* pcap_next_ex(), or better. */
static int next_record(struct from_dump *f, struct pcap_pkthdr **h,
                       const u_char **bytes)
{
    if (f->plain.bytes) {
        *h = &f->plain.h;
        *bytes = plain_next(&f->plain);
        if (*bytes)
            return 1;
        plain_close(&f->plain);
        fseeko(f->api.file(f->pcap), (off_t)f->plain.offset, SEEK_SET);
    }
    return f->api.next(f->pcap, h, bytes);
}

/* The next packet of the file that START and END admit; NULL at the end. */
static struct pkt *read_packet(struct element *e, struct from_dump *f)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int rc;

    while (f->pcap && (rc = next_record(f, &h, &bytes)) != PCAP_ERROR_BREAK) {
        int64_t when;
        struct pkt *p;

        if (rc != 1) {
            element_say(e, "%s: %s\n", f->filename.s, f->api.geterr(f->pcap));
            return NULL;
        }
        when = (int64_t)h->ts.tv_sec * 1000000000 + h->ts.tv_usec;
        if (!f->first_ns)
            first_packet(f, when);
        if (f->has_start && when < f->start)
            continue;
        if (f->has_end && when >= f->end)
            return NULL;
        if (f->has_interval && f->first_emitted_ns &&
            when >= f->first_emitted_ns + f->interval)
            return NULL;
        if (f->sample < 1 && element_random(e) >= f->sample * 4294967296.0)
            continue;
        p = pkt_new(element_pool(e), PKT_HEADROOM, bytes, h->caplen, 0);
        if (!p)
            return NULL;
        p->timestamp = when;
        if (h->len > h->caplen)
            p->anno_u32[ANNO_EXTRA_LENGTH / 4] = h->len - h->caplen;
        if (!f->first_emitted_ns)
            f->first_emitted_ns = when;
        return p;
    }
    return NULL;
}

static void at_end(struct element *e, struct from_dump *f)
{
    struct diag d = DIAG_INIT;

    if (f->ended)
        return;
    f->ended = true;
    f->active = false;
    notifier_sleep(&f->notifier);
    if (f->end_call.s) {
        const char *value = strchr(f->end_call.s, ' ');
        char *name = arena_strndup(router_arena(e->router), f->end_call.s,
                                   value ? (size_t)(value - f->end_call.s)
                                         : f->end_call.len);

        if (name && handler_write(e->router, e, name, value ? value + 1 : "",
                                  value ? strlen(value + 1) : 0, &d) < 0)
            element_say(e, "%s", diag_text(&d));
        diag_fini(&d);
    } else if (f->stop) {
        router_stop(e->router);
    }
}

/* The next packet if it is due. A NULL with `held` set means: later, by the timer. */
static struct pkt *next_packet(struct element *e, struct from_dump *f)
{
    struct pkt *p = f->held ? f->held : read_packet(e, f);
    int64_t now;

    f->held = NULL;
    if (!p) {
        at_end(e, f);
        return NULL;
    }
    if (f->timing) {
        now = element_now(e);
        if (!f->timing_offset_ns)
            f->timing_offset_ns = now - p->timestamp;
        if (p->timestamp + f->timing_offset_ns > now) {
            f->held = p;
            timer_at(&f->timer, p->timestamp + f->timing_offset_ns);
            return NULL;
        }
    }
    return p;
}

/* Fill a batch with what is due now. Packets that FORCE_IP refuses leave at once. */
static void fill(struct element *e, struct from_dump *f, struct batch *b, uint32_t max)
{
    uint32_t end = b->n + max;
    struct pkt *p;

    while (b->n < end && f->active && (p = next_packet(e, f))) {
        if (set_headers(f, p)) {
            f->count++;
            batch_add(b, p);
            continue;
        }
        element_count(e, C_NOT_IP, 1);
        if (e->n_out > 1)
            out_push_one(e, 1, p);
        else
            pkt_free(p);
    }
}

static bool from_dump_run(struct element *e, struct task *t)
{
    struct from_dump *f = element_state(e);
    struct batch b;
    bool worked;

    b.n = 0;
    fill(e, f, &b, f->burst);
    worked = b.n > 0;
    if (f->active && !f->held)
        task_reschedule(t);
    out_push(e, 0, &b);
    return worked;
}

static uint32_t from_dump_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    struct from_dump *f = element_state(e);
    uint32_t before = b->n;

    fill(e, f, b, max < f->burst ? max : f->burst);
    if (b->n == before)
        notifier_sleep(&f->notifier);
    return b->n - before;
}

static void from_dump_fire(struct element *e, struct timer *t)
{
    struct from_dump *f = element_state(e);

    (void)t;
    if (element_output_is_push(e, 0))
        task_schedule(&f->task);
    else
        notifier_wake(&f->notifier);
}

static int from_dump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct from_dump *f = element_state(e);

    if (f->burst < 1 || f->burst > BATCH_MAX)
        return diag_err(d, "BURST must be between 1 and %d", BATCH_MAX);
    if (f->has_start + f->has_start_after > 1)
        return diag_err(d, "'START' and 'START_AFTER' are mutually exclusive");
    if (f->has_end + f->has_end_after + f->has_interval > 1)
        return diag_err(d, "'END', 'END_AFTER' and 'INTERVAL' are mutually exclusive");
    return 0;
}

/* A function of the library, put into a pointer of whatever type. */
static bool pcap_symbol(struct pcap_api *api, const char *name, void *pointer)
{
    void *symbol = dlsym(api->library, name);

    memcpy(pointer, &symbol, sizeof symbol);
    return symbol != NULL;
}

static int pcap_load(struct pcap_api *api, struct diag *d)
{
    api->library = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
    if (!api->library)
        api->library = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!api->library)
        return diag_err(d, "%s", dlerror());
    if (pcap_symbol(api, "pcap_open_offline_with_tstamp_precision", &api->open) &&
        pcap_symbol(api, "pcap_close", &api->close) &&
        pcap_symbol(api, "pcap_datalink", &api->datalink) &&
        pcap_symbol(api, "pcap_datalink_val_to_name", &api->datalink_name) &&
        pcap_symbol(api, "pcap_geterr", &api->geterr) &&
        pcap_symbol(api, "pcap_next_ex", &api->next) &&
        pcap_symbol(api, "pcap_file", &api->file) &&
        pcap_symbol(api, "pcap_snapshot", &api->snapshot))
        return 0;
    return diag_err(d, "libpcap is too old");
}

static int from_dump_initialize(struct element *e, struct diag *d)
{
    struct from_dump *f = element_state(e);
    char why[PCAP_ERRBUF_SIZE];

    if (pcap_load(&f->api, d) < 0)
        return -1;

    f->pcap = f->api.open(f->filename.s, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!f->pcap) {
        const char *text = why;

        if (!strncmp(why, f->filename.s, f->filename.len) &&
            why[f->filename.len] == ':')
            text += f->filename.len + 2;
        return diag_err(d, "%s: %s", f->filename.s, text);
    }
    plain_open(&f->plain, &f->api, f->pcap);
    f->link_type = f->api.datalink(f->pcap);
    if (f->force_ip &&
        ip_offset(&(struct pkt){.data = (uint8_t[32]){0}, .len = 32}, f->link_type) <
            0 &&
        f->link_type != DLT_EN10MB)
        return diag_err(d, "%s: unknown linktype %d; can't force IP packets",
                        f->filename.s, f->link_type);
    notifier_init(&f->notifier, f->active);
    timer_init(&f->timer, e, from_dump_fire);
    if (element_output_is_push(e, 0)) {
        task_init(&f->task, e, from_dump_run);
        if (f->active)
            task_schedule(&f->task);
    }
    return 0;
}

static void from_dump_cleanup(struct element *e)
{
    struct from_dump *f = element_state(e);

    plain_close(&f->plain);
    if (f->pcap)
        f->api.close(f->pcap);
    f->pcap = NULL;
    if (f->api.library)
        dlclose(f->api.library);
    f->api.library = NULL;
    pkt_free(f->held);
    f->held = NULL;
}

static void *from_dump_cast(struct element *e, const char *kind)
{
    struct from_dump *f = element_state(e);

    return !strcmp(kind, NOTIFIER_EMPTY) ? &f->notifier : NULL;
}

static int read_encap(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct from_dump *f = element_state(e);
    const char *name = f->pcap ? f->api.datalink_name(f->link_type) : NULL;

    if (f->link_type == DLT_EN10MB)
        name = "ETHER";
    else if (f->link_type == DLT_RAW)
        name = "IP";
    sbuf_puts(out, name ? name : "UNKNOWN");
    return 0;
}

static int write_active(struct element *e, const struct handler_spec *h,
                        const char *value, size_t len, struct diag *d)
{
    struct from_dump *f = element_state(e);
    bool on;

    if (!parse_bool(value, &on))
        return diag_err(d, "expected boolean");
    f->active = on && !f->ended;
    if (!f->active)
        notifier_sleep(&f->notifier);
    else
        from_dump_fire(e, &f->timer);
    return 0;
}

static int press_stop(struct element *e, const struct handler_spec *h,
                      const char *value, size_t len, struct diag *d)
{
    at_end(e, element_state(e));
    return 0;
}

static int press_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    ((struct from_dump *)element_state(e))->count = 0;
    return 0;
}

static const struct handler_spec from_dump_handlers[] = {
    HANDLER_VALUE(from_dump, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets emitted so far"),
    HANDLER_READER(read_encap, "encap", "link type of the file"),
    HANDLER_VALUE(from_dump, filename, ARG_KIND_STRING, HANDLER_READ, "filename",
                  "name of the file"),
    {.name = "active",
     .help = "whether packets are emitted",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX,
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct from_dump, active),
     .write = write_active},
    HANDLER_VALUE(from_dump, sample, ARG_KIND_DOUBLE, HANDLER_READ, "sampling_prob",
                  "probability of a packet"),
    HANDLER_PRESS(press_stop, "stop", "stop emitting packets"),
    HANDLER_PRESS(press_reset, "reset_counts", "set count to 0"),
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
    .cleanup = from_dump_cleanup,
    .pull = from_dump_pull,
    .cast = from_dump_cast,
};
