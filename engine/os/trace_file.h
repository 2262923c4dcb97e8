// SPDX-License-Identifier: BSD-3-Clause
/*
 * trace_file.h -- reading a trace: whole, by pieces or by lines, compressed or not
 *
 * For the elements of the driver that read files. A file that begins like one of gzip,
 * bzip2 or xz is read through zcat, bzcat or xzcat; the standard input ("-") is taken as it
 * is. Positions count bytes of what comes out.
 *
 * Memory: the struct lies in element state; trace_file_close() gives everything back. With
 *         `lends`, packets may be made of the bytes as they lie there. While they live those
 *         bytes are theirs, and what follows is read into another chunk; when too many
 *         chunks are taken it goes on with the last one, which is not lent.
 * Trust:  the file's contents are anybody's; no more than one buffer of them is held, and
 *         one line.
 */

#ifndef ENGINE_OS_TRACE_FILE_H
#define ENGINE_OS_TRACE_FILE_H

#include "engine/element.h"

#include <sys/types.h>

struct pkt_chunk;

enum { TRACE_FILE_CHUNKS = 5 }; /* the last one is not lent */

struct trace_file {
    const char *name;  /* borrowed */
    struct element *e; /* who speaks when something goes wrong */
    bool by_line;      /* messages name a line */
    bool by_record;    /* ... and call it a record */
    bool is_open, at_end;
    bool gave_up; /* memory ran out, until it is told to go on somewhere */
    int fd;
    pid_t child;    /* who decompresses; 0: nobody */
    bool lends;     /* set it before the file is opened; false then if it cannot */
    uint8_t *bytes; /* owned, or in the chunk */
    size_t have, at;
    size_t lent;    /* those in front of here may be packets */
    unsigned chunk; /* that bytes are in, if it lends */
    struct pkt_chunk *chunks[TRACE_FILE_CHUNKS]; /* owned */
    int64_t offset;                              /* in the file, of bytes[0] */
    uint32_t line;      /* number of the line that was read last */
    struct sbuf longer; /* a line that did not fit into the buffer */
};

/* Open the file called `name` ("" and "-": standard input) and read its beginning. -1 with
 * a message in `d`. `f` is zeroed. */
int trace_file_open(struct trace_file *f, struct element *e, const char *name,
                    struct diag *d);
/* The same with a text in place of a file; it is copied, and messages call it "<data>". */
int trace_file_open_text(struct trace_file *f, struct element *e, const char *text,
                         size_t len, struct diag *d);
void trace_file_close(struct trace_file *f); /* accepts one that is not open */
/* Take over the file of `from`, which is closed then, at its position. */
void trace_file_move(struct trace_file *to, struct trace_file *from);

/* The name, "<stdin>" for the standard input. */
const char *trace_file_name(const struct trace_file *f);

/* Copy `n` bytes out and go on behind them. Returns how many there were. */
size_t trace_file_read(struct trace_file *f, void *out, size_t n);

enum {
    TRACE_FILE_PIECE = 1 << 18, /* bytes that are read at a time */
    TRACE_FILE_BEHIND = 64, /* bytes behind them that may be read, and mean nothing */
};

/* The next `n` <= TRACE_FILE_PIECE bytes, valid until the next call; NULL, with all of them
 * still there, when there are fewer. */
const uint8_t *trace_file_get(struct trace_file *f, size_t n);
void trace_file_skip(struct trace_file *f, size_t n);

/* Where packets may be made of the bytes that are in memory; NULL: nowhere. All those up to
 * the position become packets' with trace_file_lend(): one can go back to them only by
 * reading them again. */
static inline struct pkt_chunk *trace_file_lender(const struct trace_file *f)
{
    return f->lends && f->chunk < TRACE_FILE_CHUNKS - 1 ? f->chunks[f->chunk] : NULL;
}

static inline void trace_file_lend(struct trace_file *f)
{
    f->lent = f->at;
}

/* The next line with what ends it (\n, \r\n or \r; the last one may have neither), valid
 * until the next call. Returns its length, 0 at the end of the file. */
size_t trace_file_line(struct trace_file *f, const char **line);
/* The same, and stay in front of it; only for lines that fit into the buffer. */
size_t trace_file_peek_line(struct trace_file *f, const char **line);

/* Go on at that byte, also after it was given up. -1 with a message when the file is
 * shorter. */
int trace_file_seek(struct trace_file *f, int64_t offset, struct diag *d);
static inline int64_t trace_file_pos(const struct trace_file *f)
{
    return f->offset + (int64_t)f->at;
}

/* "t.dump:7: text" on the console. */
__attribute__((format(printf, 2, 3))) void trace_file_complain(struct trace_file *f,
                                                               const char *fmt, ...);

/* Memory ran out for a packet, or for what is read: say so and count it, once, and read no
 * more, as if the file ended here. The element's counters begin with TRACE_FILE_COUNTER. */
void trace_file_give_up(struct trace_file *f);
enum { TRACE_FILE_NO_MEMORY };
#define TRACE_FILE_COUNTER                                                             \
    {                                                                                  \
        "no_memory", "files that were given up when memory ran out"                    \
    }
extern const struct counter_spec trace_file_counters[]; /* nothing but that one */

/* Handlers of a state's member of type struct trace_file. */
#define TRACE_FILE_HANDLERS(state, member)                                             \
    {.name = "filename",                                                               \
     .help = "name of the file",                                                       \
     .flags = HANDLER_READ,                                                            \
     .offset = offsetof(struct state, member),                                         \
     .read = trace_file_read_name},                                                    \
        {.name = "filesize",                                                           \
         .help = "bytes of the file, - if that cannot be told",                        \
         .flags = HANDLER_READ,                                                        \
         .offset = offsetof(struct state, member),                                     \
         .read = trace_file_read_size},                                                \
    {                                                                                  \
        .name = "filepos", .help = "position in the file", .flags = HANDLER_READ,      \
        .offset = offsetof(struct state, member), .read = trace_file_read_pos          \
    }
/* Instead of the last: a position that may be written. */
#define TRACE_FILE_SEEK_HANDLER(state, member)                                         \
    {                                                                                  \
        .name = "filepos", .help = "go on at that position", .flags = HANDLER_WRITE,   \
        .offset = offsetof(struct state, member), .write = trace_file_write_pos        \
    }

int trace_file_read_name(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d);
int trace_file_read_size(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d);
int trace_file_read_pos(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d);
int trace_file_write_pos(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d);

#endif
