// SPDX-License-Identifier: BSD-3-Clause
/* snapshot.c -- VMs in files: see snapshot.h */

#include "ctl/snapshot.h"

#include "base/errtext.h"
#include "base/sbuf.h"
#include "vmm/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    WORDS = STATE_PAGE / 8,
    BUFFER = 64 << 10,
    RECORD_MAX = 64 << 20, /* bytes; of 64 configurations */
    TABLE_MAX = 4 << 20,   /* bytes of a state before its pages */
    PAGES_MAX = 1 << 18,
    PACK_PAGES = 1024, /* more are written as they are: time counts more than room */
};

#define MAGIC "clickos snapshot"

struct snapshot_head {
    char magic[16]; /* MAGIC, no NUL */
    uint32_t version, pages;
    uint64_t record,
        table;     /* bytes, padded to 8: of record, of the state before pages */
    uint64_t size; /* bytes of the whole */
    uint64_t sum;  /* of all that follows, and of what stands before */
    uint64_t pad;
};
_Static_assert(sizeof(struct snapshot_head) == 64, "snapshot format");

static uint64_t sum_words(uint64_t sum, const void *from, size_t bytes)
{
    const uint8_t *at = from;
    uint64_t word;

    for (size_t i = 0; i < bytes; i += sizeof word) {
        memcpy(&word, at + i, sizeof word);
        sum = (sum ^ word) * 0x100000001b3u;
        sum ^= sum >> 29;
    }
    return sum;
}

static uint64_t sum_start(const struct snapshot_head *h)
{
    return sum_words(0xcbf29ce484222325u, h, offsetof(struct snapshot_head, sum));
}

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* ---- a buffered file -------------------------------------------------------------- */

/* Before each block: whole words, and how many bytes of zlib's they have become. */
struct block {
    uint32_t raw, packed; /* the same: it is as it was */
};

struct stream {
    int fd;
    uint64_t sum, at; /* `at`: bytes of the file read or written */
    size_t n, have;
    bool pack;
    int error; /* errno; the first one */
    uint8_t buffer[BUFFER];
    struct block block; /* and, padded to whole words, what is in it */
    uint8_t packed[BUFFER];
};
_Static_assert(offsetof(struct stream, packed) ==
                   offsetof(struct stream, block) + sizeof(struct block),
               "a block is written at once");

static void write_block(struct stream *s, size_t bytes)
{
    const uint8_t *from = (const uint8_t *)&s->block;
    size_t done = 0;

    s->sum = sum_words(s->sum, from, bytes);
    while (!s->error && done < bytes) {
        ssize_t n = pwrite(s->fd, from + done, bytes - done, (off_t)(s->at + done));

        if (n < 0 && errno != EINTR)
            s->error = errno;
        done += n > 0 ? (size_t)n : 0;
    }
    s->at += bytes;
}

static void flush(struct stream *s)
{
    uLongf packed = s->n;

    if (!s->n)
        return;
    if (!s->pack || compress2(s->packed, &packed, s->buffer, s->n, 1) != Z_OK ||
        padded(packed) >= s->n) {
        memcpy(s->packed, s->buffer, s->n);
        packed = s->n;
    }
    s->block = (struct block){(uint32_t)s->n, (uint32_t)packed};
    memset(s->packed + packed, 0, padded(packed) - packed);
    write_block(s, sizeof s->block + padded(packed));
    s->n = 0;
}

/* Whole words. */
static void put(struct stream *s, const void *from, size_t bytes)
{
    const uint8_t *at = from;

    while (bytes) {
        size_t n = BUFFER - s->n < bytes ? BUFFER - s->n : bytes;

        memcpy(s->buffer + s->n, at, n);
        s->n += n;
        at += n;
        bytes -= n;
        if (s->n == BUFFER)
            flush(s);
    }
}

static bool read_bytes(struct stream *s, void *to, size_t bytes)
{
    ssize_t n;

    do
        n = pread(s->fd, to, bytes, (off_t)s->at);
    while (n < 0 && errno == EINTR);
    s->at += bytes;
    s->sum = sum_words(s->sum, to, n == (ssize_t)bytes ? bytes : 0);
    return n == (ssize_t)bytes;
}

static bool read_block(struct stream *s)
{
    struct block *b = &s->block;
    uLongf raw = BUFFER;

    if (!read_bytes(s, b, sizeof *b) || !b->raw || b->raw > BUFFER || b->raw % 8 ||
        b->packed > b->raw || !read_bytes(s, s->packed, padded(b->packed)))
        return false;
    if (b->packed == b->raw)
        memcpy(s->buffer, s->packed, b->raw);
    else if (uncompress(s->buffer, &raw, s->packed, b->packed) != Z_OK || raw != b->raw)
        return false;
    s->have = b->raw;
    return true;
}

static void fill(struct stream *s)
{
    s->n = s->have = 0;
    if (!read_block(s))
        s->error = EIO;
}

static int get(struct stream *s, void *to, size_t bytes)
{
    uint8_t *at = to;

    while (bytes && !s->error) {
        size_t n = s->have - s->n < bytes ? s->have - s->n : bytes;

        memcpy(at, s->buffer + s->n, n);
        s->n += n;
        at += n;
        bytes -= n;
        if (bytes)
            fill(s);
    }
    return s->error ? -1 : 0;
}

/* ---- pages ------------------------------------------------------------------------ */

static size_t pack(uint8_t *to, const uint64_t page[WORDS])
{
    uint64_t map[WORDS / 64] = {0};
    size_t n = sizeof map;

    for (unsigned i = 0; i < WORDS; i++)
        if (page[i]) {
            map[i / 64] |= UINT64_C(1) << i % 64;
            memcpy(to + n, &page[i], 8);
            n += 8;
        }
    memcpy(to, map, sizeof map);
    return n;
}

static int unpack(struct stream *s, uint64_t page[WORDS])
{
    uint64_t map[WORDS / 64], words[WORDS];
    unsigned n = 0, k = 0;

    if (get(s, map, sizeof map) < 0)
        return -1;
    for (unsigned i = 0; i < WORDS / 64; i++)
        n += (unsigned)__builtin_popcountll(map[i]);
    if (get(s, words, n * 8) < 0)
        return -1;
    for (unsigned i = 0; i < WORDS; i++)
        page[i] = map[i / 64] >> i % 64 & 1 ? words[k++] : 0;
    return 0;
}

/* ---- writing ---------------------------------------------------------------------- */

static int copy_pages(struct stream *s, const struct state *st)
{
    uint64_t page[WORDS];
    uint8_t packed[STATE_PAGE + WORDS / 8];

    for (uint32_t i = 0; i < st->head.n_pages && !s->error; i++) {
        if (state_read(st, page, sizeof page, st->pages_at + (uint64_t)i * STATE_PAGE) <
            0)
            return -1;
        put(s, packed, pack(packed, page));
    }
    return 0;
}

static int copy_table(struct stream *s, const struct state *st)
{
    uint8_t page[STATE_PAGE];

    for (uint64_t at = 0; at < st->pages_at; at += sizeof page) {
        if (state_read(st, page, sizeof page, at) < 0)
            return -1;
        put(s, page, sizeof page);
    }
    return 0;
}

/* The head last: its place is left empty until all else is there. */
static int write_all(struct stream *s, struct snapshot_head *h, const char *record,
                     size_t len, const struct state *st)
{
    const uint64_t zero = 0;

    s->at = sizeof *h;
    s->sum = sum_start(h);
    s->pack = h->pages <= PACK_PAGES;
    put(s, record, len);
    put(s, &zero, padded(len) - len);
    if (copy_table(s, st) < 0 || copy_pages(s, st) < 0) {
        s->error = s->error ? s->error : errno;
        return -1;
    }
    flush(s);
    h->size = s->at;
    return s->error ? -1 : 0;
}

/* The sum begins with the head, which knows the size only in the end: so that is not in
 * it, but compared with the file's. */
static struct snapshot_head head_for(const struct state *st, size_t record)
{
    struct snapshot_head h = {.version = SNAPSHOT_VERSION,
                              .pages = st->head.n_pages,
                              .record = record,
                              .table = st->pages_at};

    memcpy(h.magic, MAGIC, sizeof h.magic);
    return h;
}

int snapshot_write(int fd, const json_t *record, int state_fd, uint64_t *bytes,
                   struct diag *d)
{
    struct stream *s = calloc(1, sizeof *s);
    char *text = json_dumps(record, JSON_COMPACT);
    struct snapshot_head h;
    struct state st;
    int rc = -1, error = 0;

    if (state_open(&st, state_fd, d) < 0)
        goto out;
    if (!s || !text) {
        diag_err(d, "out of memory");
        errno = ENOMEM;
    } else {
        h = head_for(&st, strlen(text));
        s->fd = fd;
        rc = write_all(s, &h, text, strlen(text), &st);
        h.sum = s->sum;
        if (rc == 0 && pwrite(fd, &h, sizeof h, 0) != (ssize_t)sizeof h) {
            s->error = errno;
            rc = -1;
        }
        error = s->error;
        *bytes = h.size;
        if (rc < 0)
            diag_err(d, "%s", errtext(error));
    }
    state_close(&st);
out:
    free(s);
    free(text);
    errno = error;
    return rc;
}

/* ---- reading ---------------------------------------------------------------------- */

static int check_head(const struct snapshot_head *h, uint64_t size, struct diag *d)
{
    if (memcmp(h->magic, MAGIC, sizeof h->magic) != 0)
        return diag_err(d, "this is no snapshot of a VM");
    if (h->version != SNAPSHOT_VERSION)
        return diag_err(d, "it is of version %u, not %u", h->version, SNAPSHOT_VERSION);
    if (h->record > RECORD_MAX || h->table > TABLE_MAX || h->table % STATE_PAGE ||
        h->table < STATE_PAGE || h->pages > PAGES_MAX)
        return diag_err(d, "it is damaged: sizes out of bounds");
    if (h->size != size)
        return diag_err(d, "it is damaged: %llu bytes, not %llu",
                        (unsigned long long)size, (unsigned long long)h->size);
    return 0;
}

static json_t *read_record(struct stream *s, size_t len, struct diag *d)
{
    char *text = malloc(padded(len) + 1);
    json_t *o = NULL;

    if (!text)
        diag_err(d, "out of memory");
    else if (get(s, text, padded(len)) < 0)
        diag_err(d, "it is damaged: cut off");
    else if (!(o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL)))
        diag_err(d, "it is damaged: no record");
    free(text);
    return o;
}

static bool write_piece(int to, const void *from, size_t bytes, uint64_t at)
{
    return pwrite(to, from, bytes, (off_t)at) == (ssize_t)bytes;
}

/* Pages of zeros stay holes. */
static int read_state(struct stream *s, const struct snapshot_head *h, int to,
                      struct diag *d)
{
    static const uint64_t zeros[WORDS];
    uint64_t page[WORDS], at = 0;

    if (ftruncate(to, (off_t)(h->table + (uint64_t)h->pages * STATE_PAGE)) < 0)
        return diag_err(d, "memory for the state: %s", errtext(errno));
    for (uint64_t end = h->table + (uint64_t)h->pages * STATE_PAGE; at < end;
         at += sizeof page) {
        if ((at < h->table ? get(s, page, sizeof page) : unpack(s, page)) < 0)
            return diag_err(d, "it is damaged: cut off");
        if (memcmp(page, zeros, sizeof page) != 0 &&
            !write_piece(to, page, sizeof page, at))
            return diag_err(d, "memory for the state: %s", errtext(errno));
    }
    return 0;
}

static int seal(int fd, struct diag *d)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    struct state st;

    if (fcntl(fd, F_ADD_SEALS, seals) < 0)
        return diag_err(d, "memory for the state: %s", errtext(errno));
    if (state_open(&st, fd, d) < 0)
        return -1;
    state_close(&st);
    return 0;
}

static int read_body(struct stream *s, const struct snapshot_head *h, json_t **record,
                     int to, struct diag *d)
{
    *record = read_record(s, h->record, d);
    if (!*record || read_state(s, h, to, d) < 0)
        return -1;
    /* What is left in the buffer is in the sum and should not be there. */
    if (s->n != s->have || s->at != h->size || s->sum != h->sum)
        return diag_err(d, "it is damaged: its sum is wrong");
    return seal(to, d);
}

int snapshot_read(int fd, json_t **record, int *state_fd, struct diag *d)
{
    struct stream *s = calloc(1, sizeof *s);
    struct snapshot_head h = {.version = 0};
    struct stat st;
    int to = memfd_create("clickos-state", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc = -1;
    json_t *o = NULL;

    if (!s || to < 0)
        diag_err(d, "%s", errtext(errno));
    else if (fstat(fd, &st) < 0 || pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
        diag_err(d, "this is no snapshot of a VM");
    else if ((rc = check_head(&h, (uint64_t)st.st_size, d)) == 0) {
        const uint64_t size = h.size;

        h.size = 0;
        s->fd = fd;
        s->at = sizeof h;
        s->sum = sum_start(&h);
        h.size = size;
        rc = read_body(s, &h, &o, to, d);
    }
    free(s);
    if (rc < 0) {
        json_decref(o);
        if (to >= 0)
            close(to);
        return -1;
    }
    *record = o;
    *state_fd = to;
    return 0;
}

/* ---- by name ---------------------------------------------------------------------- */

int snapshot_save(const char *file, const json_t *record, int state_fd, uint64_t *bytes,
                  struct diag *d)
{
    static _Atomic unsigned made;
    struct sbuf temporary = SBUF_INIT;
    struct diag why = DIAG_INIT;
    int fd, rc = -1, error;

    /* Several threads may write at a time. */
    sbuf_printf(&temporary, "%s.new-%d-%u", file, (int)getpid(),
                atomic_fetch_add(&made, 1));
    fd = open(sbuf_text(&temporary), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        error = errno;
        diag_err(d, "cannot write %s: %s", file, errtext(error));
        goto out;
    }
    rc = snapshot_write(fd, record, state_fd, bytes, &why);
    error = errno;
    if (rc < 0)
        diag_err(d, "cannot write %s: %s", file,
                 why.n_messages ? why.messages[0].text : errtext(error));
    close(fd);
    if (rc == 0 && (rc = rename(sbuf_text(&temporary), file)) < 0) {
        error = errno;
        diag_err(d, "cannot write %s: %s", file, errtext(error));
    }
    if (rc < 0)
        unlink(sbuf_text(&temporary));
out:
    sbuf_fini(&temporary);
    diag_fini(&why);
    return rc < 0 && (error == ENOSPC || error == EDQUOT || error == ENOMEM)
               ? SNAPSHOT_FULL
               : rc;
}

int snapshot_load(const char *file, json_t **record, int *state_fd, struct diag *d)
{
    /* Not to wait for somebody to write into a pipe. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;
    struct diag why = DIAG_INIT;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        diag_err(d, "cannot read %s: %s", file, errtext(errno));
    else if (!S_ISREG(st.st_mode))
        diag_err(d, "cannot read %s: this is no file", file);
    else if ((rc = snapshot_read(fd, record, state_fd, &why)) < 0)
        diag_err(d, "%s: %s", file,
                 why.n_messages ? why.messages[0].text : "out of memory");
    if (fd >= 0)
        close(fd);
    diag_fini(&why);
    return rc;
}
