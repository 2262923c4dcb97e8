// SPDX-License-Identifier: BSD-3-Clause
/* trace_file.c -- reading a trace: see trace_file.h */

#include "engine/os/trace_file.h"

#include "engine/os/filter_child.h"
#include "engine/os/pkt_chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 1 << 24 };

const char *trace_file_name(const struct trace_file *f)
{
    return !f->name || !*f->name || !strcmp(f->name, "-") ? "<stdin>" : f->name;
}

void trace_file_complain(struct trace_file *f, const char *fmt, ...)
{
    struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    sbuf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (f->by_line)
        element_say(f->e, "%s:%s%u: %s\n", trace_file_name(f),
                    f->by_record ? "record " : "", f->line, sbuf_text(&text));
    else
        element_say(f->e, "%s: %s\n", trace_file_name(f), sbuf_text(&text));
    sbuf_fini(&text);
}

const struct counter_spec trace_file_counters[] = {TRACE_FILE_COUNTER, {NULL, NULL}};

void trace_file_give_up(struct trace_file *f)
{
    if (f->gave_up)
        return;
    trace_file_complain(f, "out of memory; giving up");
    element_count(f->e, TRACE_FILE_NO_MEMORY, 1);
    f->gave_up = f->at_end = true;
    f->have = f->at; /* the position stays where it is */
}

/* read() that waits. */
static ssize_t read_some(int fd, void *to, size_t n)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t got;

    while ((got = read(fd, to, n)) < 0) {
        if (errno == EAGAIN)
            poll(&p, 1, -1);
        else if (errno != EINTR)
            break;
    }
    return got;
}

/* --- chunks ----------------------------------------------------------------------------- */

enum { ROOM = TRACE_FILE_PIECE + TRACE_FILE_BEHIND };

/* Go on in a chunk that no packet lies in. False: there is none, nothing has changed. */
static bool change_chunk(struct trace_file *f)
{
    for (unsigned i = 0; i < TRACE_FILE_CHUNKS; i++) {
        struct pkt_chunk **c = &f->chunks[i];

        if (!*c)
            *c = pkt_chunk_new(element_pool(f->e), ROOM);
        if (!*c || !pkt_chunk_idle(*c))
            continue;
        f->chunk = i;
        f->bytes = pkt_chunk_bytes(*c);
        return true;
    }
    return false;
}

/* Have what was not yet consumed at the start of memory that no packet lies in. */
static bool make_room(struct trace_file *f)
{
    const uint8_t *left = f->bytes + f->at;

    if (f->chunks[0] && !pkt_chunk_idle(f->chunks[f->chunk]) && !change_chunk(f)) {
        trace_file_give_up(f);
        return false;
    }
    f->have -= f->at;
    f->offset += (int64_t)f->at;
    f->at = f->lent = 0;
    if (f->bytes != left)
        memmove(f->bytes, left, f->have);
    return true;
}

static bool memory_get(struct trace_file *f)
{
    if (f->lends)
        return change_chunk(f);
    f->bytes = malloc(ROOM);
    return f->bytes != NULL;
}

static void memory_put(struct trace_file *f)
{
    if (!f->chunks[0])
        free(f->bytes);
    for (int i = 0; i < TRACE_FILE_CHUNKS; i++) {
        pkt_chunk_free(f->chunks[i]);
        f->chunks[i] = NULL;
    }
    f->bytes = NULL;
    f->lent = 0;
}

/* --- reading ---------------------------------------------------------------------------- */

/* Have at least `want` bytes from the position on, if the file has them. */
static bool fill(struct trace_file *f, size_t want)
{
    while (f->have - f->at < want && f->is_open && !f->at_end) {
        ssize_t got;

        if (!make_room(f))
            break;
        got = read_some(f->fd, f->bytes + f->have, TRACE_FILE_PIECE - f->have);
        if (got < 0)
            trace_file_complain(f, "%s", strerror(errno));
        if (got <= 0)
            f->at_end = true;
        else
            f->have += (size_t)got;
    }
    return f->have - f->at >= want;
}

/* Read on through a program that decompresses. */
static int decompress(struct trace_file *f, const char *program, struct diag *d)
{
    int fd = lseek(f->fd, 0, SEEK_SET) < 0
                 ? -1
                 : filter_start(program, f->fd, false, &f->child);

    if (fd < 0)
        return diag_err(d, "%s while executing '%s'", strerror(errno), program);
    close(f->fd);
    f->fd = fd;
    f->have = f->at = 0;
    f->offset = 0;
    f->at_end = false;
    return 0;
}

int trace_file_open(struct trace_file *f, struct element *e, const char *name,
                    struct diag *d)
{
    const char *program;

    f->name = name;
    f->e = e;
    if (!memory_get(f))
        return diag_err(d, "out of memory");
    f->fd = !strcmp(trace_file_name(f), "<stdin>") ? STDIN_FILENO
                                                   : open(name, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return diag_err(d, "%s: %s", name, strerror(errno));
    f->is_open = true;
    errno = 0;
    if (!fill(f, 1))
        return diag_err(d, "%s: %s", trace_file_name(f),
                        errno ? strerror(errno) : "empty file");
    fill(f, 6);
    program = filter_for_data(f->bytes, f->have);
    f->lends = f->lends && (f->fd == STDIN_FILENO || !program) &&
               lseek(f->fd, 0, SEEK_CUR) >= 0;
    if (f->fd == STDIN_FILENO || !program)
        return 0;
    if (decompress(f, program, d) < 0)
        return -1;
    return fill(f, 1) ? 0 : diag_err(d, "%s: empty file", trace_file_name(f));
}

int trace_file_open_text(struct trace_file *f, struct element *e, const char *text,
                         size_t len, struct diag *d)
{
    f->name = "<data>";
    f->e = e;
    f->fd = -1;
    f->bytes = malloc(len > TRACE_FILE_PIECE ? len : TRACE_FILE_PIECE);
    if (!f->bytes)
        return diag_err(d, "out of memory");
    memcpy(f->bytes, text, len);
    f->have = len;
    f->is_open = f->at_end = true;
    return 0;
}

void trace_file_close(struct trace_file *f)
{
    if (f->is_open && f->fd > STDIN_FILENO)
        close(f->fd);
    if (f->child)
        filter_end(f->child);
    f->child = 0;
    f->is_open = false;
    memory_put(f);
    f->offset += (int64_t)f->at;
    f->have = f->at = 0;
    sbuf_fini(&f->longer);
}

void trace_file_move(struct trace_file *to, struct trace_file *from)
{
    struct element *e = to->e;

    trace_file_close(to);
    from->name = to->name; /* the same text, which lives as long as `to` */
    *to = *from;
    to->e = e;
    *from = (struct trace_file){.e = from->e};
}

size_t trace_file_read(struct trace_file *f, void *out, size_t n)
{
    size_t done = 0;

    while (done < n && (f->have > f->at || fill(f, 1))) {
        size_t part = n - done < f->have - f->at ? n - done : f->have - f->at;

        memcpy((uint8_t *)out + done, f->bytes + f->at, part);
        f->at += part;
        done += part;
    }
    return done;
}

const uint8_t *trace_file_get(struct trace_file *f, size_t n)
{
    const uint8_t *bytes;

    if (f->have - f->at < n && !fill(f, n))
        return NULL;
    bytes = f->bytes + f->at;
    f->at += n;
    return bytes;
}

void trace_file_skip(struct trace_file *f, size_t n)
{
    while (n && (f->have > f->at || fill(f, 1))) {
        size_t part = n < f->have - f->at ? n : f->have - f->at;

        f->at += part;
        n -= part;
    }
}

/* --- lines ------------------------------------------------------------------------------ */

/* Length of the line that begins the `n` bytes at `s`; 0: its end is not among them. A
 * return at the very end may be followed by a newline. */
static size_t line_len(const uint8_t *s, size_t n, bool last)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\n')
            return i + 1;
        else if (s[i] == '\r' && (i + 1 < n || last))
            return i + 1 + (i + 1 < n && s[i + 1] == '\n');
    return last ? n : 0;
}

/* One that fits: its length, 0 when it does not or there is none. */
static size_t short_line(struct trace_file *f)
{
    size_t n, had;

    while (!(n = line_len(f->bytes + f->at, f->have - f->at, f->at_end))) {
        had = f->have - f->at;
        if (had == TRACE_FILE_PIECE || !f->is_open || f->at_end)
            return 0;
        fill(f, had + 1);
    }
    return n;
}

size_t trace_file_peek_line(struct trace_file *f, const char **line)
{
    size_t n = short_line(f);

    *line = (const char *)f->bytes + f->at;
    return n;
}

size_t trace_file_line(struct trace_file *f, const char **line)
{
    size_t n = short_line(f);

    if (n) {
        *line = (const char *)f->bytes + f->at;
        f->at += n;
        f->line++;
        return n;
    }
    sbuf_reset(&f->longer);
    while (f->have > f->at && f->longer.len < LINE_MAX_LEN && !f->longer.failed) {
        n = line_len(f->bytes + f->at, f->have - f->at, f->at_end);
        sbuf_add(&f->longer, f->bytes + f->at, n ? n : f->have - f->at);
        f->at += n ? n : f->have - f->at;
        if (n)
            break;
        fill(f, 1);
    }
    if (f->longer.failed) {
        trace_file_give_up(f);
        sbuf_fini(&f->longer);
    }
    *line = sbuf_text(&f->longer);
    f->line += f->longer.len > 0;
    return f->longer.len;
}

/* --- positions -------------------------------------------------------------------------- */

int trace_file_seek(struct trace_file *f, int64_t offset, struct diag *d)
{
    struct stat st;

    if (!f->is_open || offset < 0)
        return diag_err(d, "FILEPOS out of range");
    if (!f->gave_up && offset >= f->offset + (int64_t)f->lent &&
        offset < f->offset + (int64_t)f->have) {
        f->at = (size_t)(offset - f->offset);
        return 0;
    }
    if (fstat(f->fd, &st) < 0)
        return diag_err(d, "%s: stat: %s", trace_file_name(f), strerror(errno));
    if (S_ISREG(st.st_mode) && st.st_size && offset > st.st_size)
        return diag_err(d, "FILEPOS out of range");
    if (lseek(f->fd, offset, SEEK_SET) >= 0) {
        f->have = f->at = f->lent = 0;
        f->offset = offset;
        f->at_end = f->gave_up = false;
        return 0;
    }
    if (f->gave_up || offset < f->offset) /* a pipe: what is gone is gone */
        return diag_err(d, "FILEPOS out of range");
    trace_file_skip(f, (size_t)(offset - trace_file_pos(f)));
    return 0;
}

/* --- handlers --------------------------------------------------------------------------- */

static struct trace_file *file_of(const struct element *e, const struct handler_spec *h)
{
    return (struct trace_file *)((char *)element_state(e) + h->offset);
}

int trace_file_read_name(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_puts(out, trace_file_name(file_of(e, h)));
    return 0;
}

int trace_file_read_size(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    const struct trace_file *f = file_of(e, h);
    struct stat st;

    if (f->is_open && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode))
        sbuf_printf(out, "%lld", (long long)st.st_size);
    else
        sbuf_putc(out, '-');
    return 0;
}

int trace_file_read_pos(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_printf(out, "%lld", (long long)trace_file_pos(file_of(e, h)));
    return 0;
}

int trace_file_write_pos(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    int64_t offset;

    if (!parse_i64(value, 0, &offset))
        return diag_err(d, "argument must be file offset");
    return trace_file_seek(file_of(e, h), offset, d);
}
