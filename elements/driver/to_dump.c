// SPDX-License-Identifier: BSD-3-Clause
/*
 * ToDump -- write packets to a tcpdump file
 *
 * Usage:    ToDump(FILENAME [, SNAPLEN, ENCAP, ...])
 * Ports:    1 in, 0-1 out; push or pull
 * Args:     FILENAME  file; - is the standard output
 *           SNAPLEN   default 2000: bytes of a packet that are written at most; 0: all
 *           ENCAP     default ETHER: what packets begin with: ETHER, IP, FDDI, 802_11, PPP,
 *                     SLL, NULL, ..., or #NUMBER
 *           USE_ENCAP_FROM  elements whose `encap` handlers, all alike, say so instead
 *           EXTRA_LENGTH  default true: add the EXTRA_LENGTH annotation to the length that
 *                     the file says the packet had
 *           NANO      default false: write nanoseconds instead of microseconds
 *           UNBUFFERED  default false: write every packet through at once
 * Counters: failed    packets that could not be written
 * Handlers: count     packets written so far
 *           filename  FILENAME
 *           reset_counts  written: set count to 0
 *           scheduled, tickets  (rw) the task, with a pull input and no output
 * Example:  FromDevice(eth0) -> ToDump(trace.pcap)
 * See also: FromDump, Print
 *
 * A packet without a timestamp gets the present time. A file whose name ends in .gz, .bz2 or
 * .xz is written through gzip, bzip2 or xz. When writing fails one message says why, and
 * packets are counted as failed from then on; those that come after it still leave by
 * output 0. A configuration that takes over goes on with the file of the old one.
 */

#include "engine/element.h"
#include "engine/os/filter_child.h"
#include "engine/os/link_type.h"
#include "engine/router.h"
#include "engine/task_handlers.h"

#include "engine/lang/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct to_dump {
    struct text filename, encap, encap_from;
    uint32_t snaplen;
    bool extra_length, nano, unbuffered;

    int link_type;
    FILE *file;   /* owned; NULL: not open yet, or no more */
    char *buffer; /* owned; of `file` */
    pid_t child;  /* who compresses; 0: nobody */
    bool waiting; /* to take over the file of another one */
    bool broken;  /* said already that writing fails */
    struct stat identity;
    struct to_dump *next_open; /* borrowed */
    uint64_t count;
    struct task task;
    struct signal signal;
};

enum { BUFFER_BYTES = 1 << 16 };

/* Dumps that are written now, in all configurations of this program: a file that an old
 * one writes must not be cut off by a new one that is still being built. */
static struct to_dump *open_dumps;

static const struct arg_spec to_dump_args[] = {
    ARG_FILENAME(to_dump, filename, "FILENAME", ARG_M, NULL,
                 "file; - is standard output"),
    ARG_U32(to_dump, snaplen, "SNAPLEN", ARG_POS, "2000", "bytes of a packet; 0: all"),
    ARG_WORD(to_dump, encap, "ENCAP", ARG_POS, NULL, "what packets begin with"),
    ARG_RAW(to_dump, encap_from, "USE_ENCAP_FROM", ARG_KEY, NULL, "whose encap to use"),
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

static int to_dump_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct to_dump *t = element_state(e);

    if (!t->snaplen)
        t->snaplen = UINT32_MAX;
    if (t->encap.len && t->encap_from.len)
        return diag_err(d, "specify at most one of 'ENCAP' and 'USE_ENCAP_FROM'");
    t->link_type = t->encap.len ? link_type_parse(t->encap.s) : LINK_ETHER;
    if (t->link_type < 0)
        return diag_err(d, "bad encapsulation type");
    return 0;
}

/* --- the link type of others ------------------------------------------------------------ */

struct encap_source {
    struct element *e;
    char encap[64];
    int link_type;
};

static int encap_read(struct element *e, const char *name, struct encap_source *s,
                      struct diag *d)
{
    struct sbuf full = SBUF_INIT, value = SBUF_INIT;
    int rc = -1;

    s->e = element_find(e, name, d);
    if (!s->e)
        return -1;
    sbuf_printf(&full, "%s.encap", s->e->name);
    if (!handler_exists(e->router, NULL, sbuf_text(&full), HANDLER_READ)) {
        diag_err(d, "'%s' has no 'encap' read handler", s->e->name);
    } else if (handler_read(e->router, NULL, sbuf_text(&full), NULL, &value, d) == 0) {
        snprintf(s->encap, sizeof s->encap, "%s", sbuf_text(&value));
        s->link_type = link_type_parse(s->encap);
        rc = s->link_type < 0
                 ? diag_err(d, "'%s.encap' did not return a valid encapsulation type",
                            s->e->name)
                 : 0;
    }
    sbuf_fini(&full);
    sbuf_fini(&value);
    return rc;
}

enum { SOURCES_MAX = 64 };

static int encap_from_all(struct element *e, struct arena *a, struct diag *d)
{
    struct to_dump *t = element_state(e);
    struct encap_source s[SOURCES_MAX];
    const char *const *words = NULL;
    int n = lang_split_words(a, t->encap_from.s, &words);

    if (n <= 0)
        return diag_err(d, "element names missing after 'USE_ENCAP_FROM'");
    if (n > SOURCES_MAX)
        return diag_err(d, "USE_ENCAP_FROM: too many elements");
    for (int i = 0; i < n; i++)
        if (encap_read(e, words[i], &s[i], d) < 0)
            return -1;
    t->link_type = s[0].link_type;
    for (int i = 1; i < n; i++)
        if (s[i].link_type != t->link_type) {
            diag_err(d, "source encapsulation types disagree:");
            for (int j = 0; j < n; j++)
                diag_err(d, "  %s has %s", element_declaration(s[j].e), s[j].encap);
            return -1;
        }
    return 0;
}

static int encap_from(struct element *e, struct diag *d)
{
    struct arena *a = arena_new(0);
    int rc = a ? encap_from_all(e, a, d) : diag_err(d, "out of memory");

    arena_free(a);
    return rc;
}

/* --- the file --------------------------------------------------------------------------- */

static const char *file_name(const struct to_dump *t)
{
    return strcmp(t->filename.s, "-") ? t->filename.s : "<stdout>";
}

/* Magic, version 2.4, snap length, link type. */
static bool write_header(struct to_dump *t)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snaplen, link_type;
    } h = {.magic = t->nano ? 0xa1b23c4d : 0xa1b2c3d4,
           .major = 2,
           .minor = 4,
           .snaplen = t->snaplen,
           .link_type = (uint32_t)t->link_type};

    return fwrite(&h, sizeof h, 1, t->file) == 1;
}

static bool written_by_another(const struct to_dump *t)
{
    for (const struct to_dump *o = open_dumps; o; o = o->next_open)
        if (o->identity.st_dev == t->identity.st_dev &&
            o->identity.st_ino == t->identity.st_ino)
            return true;
    return false;
}

static void forget_open(struct to_dump *t)
{
    struct to_dump **at = &open_dumps;

    while (*at && *at != t)
        at = &(*at)->next_open;
    if (*at)
        *at = t->next_open;
}

/* From a descriptor for the file itself to a stream, which may compress. */
static FILE *to_stream(struct to_dump *t, int fd)
{
    const char *program = filter_for_name(t->filename.s);
    FILE *file = NULL;
    int to = fd;

    if (S_ISREG(t->identity.st_mode) && ftruncate(fd, 0) < 0)
        to = -1;
    else if (program)
        to = filter_start(program, fd, true, &t->child);
    if (to >= 0)
        file = fdopen(to, "wb");
    if (to >= 0 && !file)
        close(to);
    if (to != fd)
        close(fd);
    return file;
}

/* Open the file, unless another one writes it, which then we may be about to take over. */
static int open_file(struct to_dump *t, bool even_so, struct diag *d)
{
    int fd;

    t->waiting = false;
    if (!strcmp(t->filename.s, "-")) {
        t->file = stdout;
    } else {
        fd = open(t->filename.s, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0 || fstat(fd, &t->identity) < 0) {
            diag_err(d, "%s: %s", t->filename.s, strerror(errno));
            if (fd >= 0)
                close(fd);
            return -1;
        }
        if (S_ISREG(t->identity.st_mode) && !even_so && written_by_another(t)) {
            close(fd);
            t->waiting = true;
            return 0;
        }
        t->file = to_stream(t, fd);
        if (!t->file)
            return diag_err(d, "%s: %s", t->filename.s, strerror(errno));
        t->next_open = open_dumps;
        open_dumps = t;
    }
    if (t->unbuffered)
        setvbuf(t->file, NULL, _IONBF, 0);
    else if (t->file != stdout && (t->buffer = malloc(BUFFER_BYTES)))
        setvbuf(t->file, t->buffer, _IOFBF, BUFFER_BYTES);
    if (!write_header(t))
        return diag_err(d, "%s: unable to write file header", file_name(t));
    return 0;
}

static void give_up(struct element *e, const char *why)
{
    struct to_dump *t = element_state(e);

    element_say(e, "ToDump(%s): %s\n", file_name(t), why);
    t->broken = true;
}

/* Nothing was there to be taken over. */
static void open_late(struct element *e)
{
    struct diag d = DIAG_INIT;

    if (open_file(element_state(e), true, &d) < 0)
        give_up(e, diag_text(&d));
    diag_fini(&d);
}

static void close_file(struct element *e)
{
    struct to_dump *t = element_state(e);
    bool bad = false;

    if (t->file && t->file != stdout)
        bad = fclose(t->file) != 0;
    else if (t->file)
        bad = fflush(t->file) != 0;
    t->file = NULL;
    free(t->buffer);
    t->buffer = NULL;
    if (bad && !t->broken)
        give_up(e, strerror(errno));
    if (t->child)
        filter_end(t->child);
    t->child = 0;
    forget_open(t);
}

/* --- packets ---------------------------------------------------------------------------- */

static void write_one(struct element *e, struct to_dump *t, const struct pkt *p)
{
    int64_t when = p->timestamp ? p->timestamp : element_wall_now(e);
    uint32_t len = p->len > t->snaplen ? t->snaplen : p->len;
    uint32_t extra = t->extra_length ? p->anno_u32[ANNO_EXTRA_LENGTH / 4] : 0;
    int64_t sec = when / 1000000000, ns = when % 1000000000;
    const struct {
        uint32_t sec, fraction, caplen, len;
    } h = {(uint32_t)(ns < 0 ? sec - 1 : sec),
           (uint32_t)((ns < 0 ? ns + 1000000000 : ns) / (t->nano ? 1 : 1000)), len,
           p->len + extra};

    if (t->waiting)
        open_late(e);
    /* one thread writes: no locks */
    if (!t->broken && fwrite_unlocked(&h, sizeof h, 1, t->file) == 1 &&
        (!len || fwrite_unlocked(p->data, len, 1, t->file) == 1)) {
        t->count++;
        return;
    }
    if (!t->broken)
        give_up(e, strerror(errno));
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

    if (t->broken)
        return false;
    b.n = 0;
    worked = in_pull(e, 0, &b, 1) > 0;
    if (worked || signal_active(&t->signal))
        task_reschedule(task);
    to_dump_push(e, 0, &b);
    return worked;
}

/* Unless somebody may watch what is written together with what others write. */
static bool to_dump_is_apart(const struct element *e)
{
    const struct to_dump *t = element_state(e);

    return S_ISREG(t->identity.st_mode) && !t->unbuffered && !t->waiting;
}

static bool to_dump_has_task(const struct element *e)
{
    return task_pulls(e) && !e->n_out;
}

/* --- life ------------------------------------------------------------------------------- */

static int to_dump_initialize(struct element *e, struct diag *d)
{
    struct to_dump *t = element_state(e);

    if (t->encap_from.len && encap_from(e, d) < 0)
        return -1;
    if (open_file(t, false, d) < 0)
        return -1;
    if (to_dump_has_task(e)) {
        task_join(&t->task, e, to_dump_run, true, d);
        signal_up(&t->signal, e, 0, &t->task);
    }
    return 0;
}

static void to_dump_take_state(struct element *e, struct element *old)
{
    struct to_dump *t = element_state(e), *was = element_state(old);

    if (!t->waiting || strcmp(t->filename.s, was->filename.s) ||
        t->link_type != was->link_type || t->nano != was->nano || !was->file)
        return;
    t->waiting = false;
    t->file = was->file;
    t->buffer = was->buffer;
    t->child = was->child;
    t->broken = was->broken;
    was->file = NULL;
    was->buffer = NULL;
    was->child = 0;
    forget_open(was);
    t->next_open = open_dumps;
    open_dumps = t;
}

static void to_dump_cleanup(struct element *e)
{
    close_file(e);
}

static int read_filename(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_puts(out, file_name(element_state(e)));
    return 0;
}

static int press_reset(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    ((struct to_dump *)element_state(e))->count = 0;
    return 0;
}

static const struct handler_spec to_dump_handlers[] = {
    HANDLER_READER(read_filename, "filename", "name of the file"),
    HANDLER_VALUE(to_dump, count, ARG_KIND_U64, HANDLER_READ, "count",
                  "packets written so far"),
    HANDLER_PRESS(press_reset, "reset_counts", "set count to 0"),
    TASK_HANDLERS(to_dump, task),
    HANDLER_END,
};

ELEMENT(ToDump) = {
    .name = "ToDump",
    .state_size = sizeof(struct to_dump),
    .apart = APART_ORDER,
    .is_apart = to_dump_is_apart,
    .ports = "1/0-1",
    .driver_only = true,
    .phase = PHASE_LATE, /* behind those that USE_ENCAP_FROM asks */
    .args = to_dump_args,
    .counters = to_dump_counters,
    .handlers = to_dump_handlers,
    .configure = to_dump_configure,
    .initialize = to_dump_initialize,
    .has_task = to_dump_has_task,
    .take_state = to_dump_take_state,
    .cleanup = to_dump_cleanup,
    .push = to_dump_push,
    .pull = to_dump_pull,
};
