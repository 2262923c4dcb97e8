// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToDump -- write packets to a tcpdump file
 *
 * Usage:    ToDump(FILENAME [, SNAPLEN, ENCAP, ...])
 * Ports:    1 in, 0-1 out; push or pull
 * Args:     FILENAME  file; - is the standard output
 *           SNAPLEN   default 2000: bytes of a packet that are written at most; 0: all
 *           ENCAP     default ETHER: what packets begin with: ETHER, IP, FDDI, 802_11, PPP,
 *                     SLL, NULL
 *           USE_ENCAP_FROM  element whose `encap` handler says so instead
 *           EXTRA_LENGTH  default true: add the EXTRA_LENGTH annotation to the length that
 *                     the file says the packet had
 *           NANO      default false: write nanoseconds instead of microseconds
 *           UNBUFFERED  default false: write every packet through at once
 * Counters: failed    packets that could not be written
 * Handlers: count     packets written so far
 *           filename  FILENAME
 *           reset_counts  written: set count to 0
 * Example:  FromDevice(eth0) -> ToDump(trace.pcap)
 * See also: FromDump, Print
 *
 * A packet without a timestamp gets the present time. When the disk is full one message
 * says so and packets are counted as failed from then on; those that come after it still
 * leave by output 0.
 */

#include "engine/element.h"
#include "engine/router.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

struct to_dump {
    struct text filename, encap;
    struct element *encap_from;
    uint32_t snaplen;
    bool extra_length, nano, unbuffered;

    int link_type;
    FILE *file;
    bool broken; /* said already that writing fails */
    uint64_t count;
    struct task task;
    struct signal signal;
};

static const struct arg_spec to_dump_args[] = {
    ARG_STRING(to_dump, filename, "FILENAME", ARG_M, NULL,
               "file; - is standard output"),
    ARG_U32(to_dump, snaplen, "SNAPLEN", ARG_POS, "2000", "bytes of a packet; 0: all"),
    ARG_WORD(to_dump, encap, "ENCAP", ARG_POS, "ETHER", "what packets begin with"),
    ARG_ELEMENT(to_dump, encap_from, "USE_ENCAP_FROM", ARG_KEY, NULL,
                "whose encap to use"),
    ARG_BOOL(to_dump, extra_length, "EXTRA_LENGTH", ARG_KEY, "true",
             "add EXTRA_LENGTH"),
    ARG_BOOL(to_dump, nano, "NANO", ARG_KEY, "false", "write nanoseconds"),
    ARG_BOOL(to_dump, unbuffered, "UNBUFFERED", ARG_KEY, "false", "write at once"),
    ARG_END,
};

enum { C_FAILED };
static const struct counter_spec to_dump_counters[] = {
    [C_FAILED] = {"failed", "packets that could not be written"},
    {NULL, NULL},
};

static const struct {
    const char *name;
    int link_type; /* as in the file's header */
} encaps[] = {
    {"ETHER", 1}, {"IP", 101},  {"FDDI", 10},       {"802_11", 105}, {"802.11", 105},
    {"PPP", 9},   {"SLL", 113}, {"LINUX_SLL", 113}, {"NULL", 0},     {"PPP_HDLC", 50},
};

static int set_encap(struct to_dump *t, const char *name, struct diag *d)
{
    for (size_t i = 0; i < sizeof encaps / sizeof encaps[0]; i++)
        if (!strcmp(name, encaps[i].name)) {
            t->link_type = encaps[i].link_type;
            return 0;
        }
    return diag_err(d, "bad encapsulation type '%s'", name);
}

static int to_dump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct to_dump *t = element_state(e);

    return set_encap(t, t->encap.s, d);
}

/* What libpcap writes too: magic, version 2.4, snap length, link type. */
static int write_header(struct to_dump *t)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snaplen, link_type;
    } h = {.magic = t->nano ? 0xa1b23c4d : 0xa1b2c3d4,
           .major = 2,
           .minor = 4,
           .snaplen = t->snaplen ? t->snaplen : 65535,
           .link_type = (uint32_t)t->link_type};

    return fwrite(&h, sizeof h, 1, t->file) == 1 && !fflush(t->file) ? 0 : -1;
}

static void write_one(struct element *e, struct to_dump *t, const struct pkt *p)
{
    int64_t when = p->timestamp ? p->timestamp : element_coarse_wall_now(e);
    uint32_t len = t->snaplen && p->len > t->snaplen ? t->snaplen : p->len;
    uint32_t extra = t->extra_length ? p->anno_u32[ANNO_EXTRA_LENGTH / 4] : 0;
    const struct {
        uint32_t sec, fraction, caplen, len;
    } h = {(uint32_t)(when / 1000000000),
           (uint32_t)(when % 1000000000 / (t->nano ? 1 : 1000)), len, p->len + extra};

    if (!t->broken && fwrite(&h, sizeof h, 1, t->file) == 1 &&
        (!len || fwrite(p->data, len, 1, t->file) == 1) &&
        (!t->unbuffered || !fflush(t->file))) {
        t->count++;
        return;
    }
    if (!t->broken)
        element_say(e, "%s: %s: no more packets are written\n", t->filename.s,
                    strerror(errno));
    t->broken = true;
    element_count(e, C_FAILED, 1);
}

static void to_dump_batch(struct element *e, struct batch *b, uint32_t from)
{
    struct to_dump *t = element_state(e);

    for (uint32_t i = from; i < b->n; i++)
        write_one(e, t, b->p[i]);
}

static void to_dump_push(struct element *e, unsigned port, struct batch *b)
{
    to_dump_batch(e, b, 0);
    out_push_or_free(e, 0, b);
}

static uint32_t to_dump_pull(struct element *e, unsigned port, struct batch *b,
                             uint32_t max)
{
    uint32_t from = b->n;

    if (in_pull(e, 0, b, max))
        to_dump_batch(e, b, from);
    return b->n - from;
}

/* Nobody pulls from us: pull ourselves. */
static bool to_dump_run(struct element *e, struct task *task)
{
    struct to_dump *t = element_state(e);
    struct batch b;
    bool worked;

    b.n = 0;
    worked = in_pull(e, 0, &b, 1) > 0;
    if (worked || signal_active(&t->signal))
        task_reschedule(task);
    to_dump_push(e, 0, &b);
    return worked;
}

static int encap_from(struct element *e, struct to_dump *t, struct diag *d)
{
    struct sbuf name = SBUF_INIT, value = SBUF_INIT;
    int rc;

    sbuf_printf(&name, "%s.encap", t->encap_from->name);
    rc = handler_read(e->router, NULL, sbuf_text(&name), NULL, &value, d);
    if (rc == 0)
        rc = set_encap(t, sbuf_text(&value), d);
    sbuf_fini(&name);
    sbuf_fini(&value);
    return rc < 0 ? -1 : 0;
}

static int to_dump_initialize(struct element *e, struct diag *d)
{
    struct to_dump *t = element_state(e);

    if (t->encap_from && encap_from(e, t, d) < 0)
        return -1;
    t->file = strcmp(t->filename.s, "-") ? fopen(t->filename.s, "wb") : stdout;
    if (!t->file)
        return diag_err(d, "%s: %s", t->filename.s, strerror(errno));
    if (write_header(t) < 0)
        return diag_err(d, "%s: %s", t->filename.s, strerror(errno));
    if (!element_input_is_push(e, 0) && !e->n_out) {
        task_init(&t->task, e, to_dump_run);
        signal_up(&t->signal, e, 0, &t->task);
        task_schedule(&t->task);
    }
    return 0;
}

static void to_dump_cleanup(struct element *e)
{
    struct to_dump *t = element_state(e);

    if (!t->file)
        return;
    if (fflush(t->file) && !t->broken)
        element_say(e, "%s: %s\n", t->filename.s, strerror(errno));
    if (t->file != stdout)
        fclose(t->file);
    t->file = NULL;
}

static int press_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    ((struct to_dump *)element_state(e))->count = 0;
    return 0;
}

static const struct handler_spec to_dump_handlers[] = {
    HANDLER_VALUE(to_dump, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets written so far"),
    HANDLER_VALUE(to_dump, filename, ARG_KIND_STRING, HANDLER_READ, "filename",
                  "name of the file"),
    HANDLER_PRESS(press_reset, "reset_counts", "set count to 0"),
    HANDLER_END,
};

ELEMENT(ToDump) = {
    .name = "ToDump",
    .state_size = sizeof(struct to_dump),
    .ports = "1/0-1",
    .driver_only = true,
    .args = to_dump_args,
    .counters = to_dump_counters,
    .handlers = to_dump_handlers,
    .configure = to_dump_configure,
    .initialize = to_dump_initialize,
    .cleanup = to_dump_cleanup,
    .push = to_dump_push,
    .pull = to_dump_pull,
};
