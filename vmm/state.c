// SPDX-License-Identifier: BSD-3-Clause
/* The pages of a VM at a checkpoint; see state.h. */

#include "vmm/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/control.h"
#include "abi/layout.h"
#include "base/errtext.h"

enum {
    SPAN = (LAYOUT_HEAP - LAYOUT_BASE + LAYOUT_HEAP_MAX) / STATE_PAGE, /* pages */
    MAX_RUNS = SPAN / 2 + 1
};

uint32_t state_abi(void)
{
    return BOOT_ABI << 16 | CONTROL_ABI << 8 | NETMEM_ABI;
}

static uint64_t whole_pages(uint64_t n)
{
    return (n + STATE_PAGE - 1) / STATE_PAGE * STATE_PAGE;
}

static uint64_t pages_at(uint32_t n_runs)
{
    return STATE_PAGE + whole_pages((uint64_t)n_runs * sizeof(struct state_run));
}

uint64_t state_size(const struct state *s)
{
    return s->pages_at + (uint64_t)s->head.n_pages * STATE_PAGE;
}

int state_read(const struct state *s, void *to, size_t size, uint64_t at)
{
    uint8_t *bytes = to;

    while (size) {
        ssize_t n = pread(s->fd, bytes, size, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n ? errno : EIO;
            return -1;
        }
        bytes += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

static int check_head(const struct state_head *h, struct diag *d)
{
    if (h->magic != STATE_MAGIC)
        return diag_err(d, "this is no state of a VM");
    if (h->version != STATE_VERSION || h->abi != state_abi())
        return diag_err(d, "the state is of version %u.%x, not %u.%x", h->version,
                        h->abi, STATE_VERSION, state_abi());
    if (h->n_ifs > NETMEM_MAX_IFS || h->heap > LAYOUT_HEAP_MAX ||
        h->heap_have > LAYOUT_HEAP_MAX || h->heap_have % STATE_PAGE ||
        h->mem_size > LAYOUT_NETMEM_MAX || h->n_buffers > NETMEM_MAX_BUFFERS ||
        h->mem_size != (h->n_ifs ? netmem_size(h->n_ifs, h->n_buffers) : 0) ||
        h->n_runs > MAX_RUNS || h->n_pages > SPAN)
        return diag_err(d, "the state is damaged: sizes out of bounds");
    return 0;
}

/* Ascending, without touching each other's pages, and as many as are said to be. */
static int check_runs(const struct state *s, struct diag *d)
{
    uint64_t next = 0, pages = 0;

    for (uint32_t i = 0; i < s->head.n_runs; i++) {
        const struct state_run *r = &s->runs[i];

        if (r->page < next || !r->count || r->count > SPAN || r->page > SPAN - r->count)
            return diag_err(d, "the state is damaged: run %u", i);
        next = (uint64_t)r->page + r->count;
        pages += r->count;
    }
    return pages == s->head.n_pages
               ? 0
               : diag_err(d, "the state is damaged: %u pages", s->head.n_pages);
}

int state_open(struct state *s, int fd, struct diag *d)
{
    size_t bytes;
    struct stat st;

    *s = (struct state){.fd = fd};
    if (state_read(s, &s->head, sizeof s->head, 0) < 0)
        return diag_err(d, "this is no state of a VM");
    if (check_head(&s->head, d) < 0)
        return -1;
    s->pages_at = pages_at(s->head.n_runs);
    if (fstat(fd, &st) < 0 || (uint64_t)st.st_size < state_size(s))
        return diag_err(d, "the state is damaged: it is cut off");
    bytes = s->head.n_runs * sizeof *s->runs;
    s->runs = malloc(bytes ? bytes : 1);
    if (!s->runs)
        return diag_err(d, "out of memory");
    if (state_read(s, s->runs, bytes, STATE_PAGE) < 0)
        diag_err(d, "the state cannot be read: %s", errtext(errno));
    else if (check_runs(s, d) == 0)
        return 0;
    state_close(s);
    return -1;
}

void state_close(struct state *s)
{
    free(s->runs);
    s->runs = NULL;
}

int state_each(const struct state *s, uint64_t from, uint64_t size,
               int (*put)(void *ctx, uint64_t address, uint64_t bytes, uint64_t at),
               void *ctx)
{
    uint64_t at = s->pages_at, end = from + size;

    for (uint32_t i = 0; i < s->head.n_runs; i++) {
        uint64_t first = LAYOUT_BASE + (uint64_t)s->runs[i].page * STATE_PAGE;
        uint64_t bytes = (uint64_t)s->runs[i].count * STATE_PAGE, last = first + bytes;
        uint64_t a = first > from ? first : from, b = last < end ? last : end;

        if (a < b && put(ctx, a, b - a, at + (a - first)) < 0)
            return -1;
        at += bytes;
    }
    return 0;
}

/* ---- writing ------------------------------------------------------------------------ */

static int make_room(struct state_writer *w)
{
    size_t room = w->room ? 2 * w->room : 64;
    struct state_run *runs;
    const uint8_t **where;

    if (w->n < w->room)
        return 0;
    runs = realloc(w->runs, room * sizeof *runs);
    if (!runs)
        return -1;
    w->runs = runs;
    where = realloc(w->where, room * sizeof *where);
    if (!where)
        return -1;
    w->where = where;
    w->room = room;
    return 0;
}

int state_add(struct state_writer *w, uint32_t page, const void *where)
{
    struct state_run *last = w->n ? &w->runs[w->n - 1] : NULL;

    w->n_pages++;
    if (last && last->page + last->count == page &&
        w->where[w->n - 1] + (size_t)last->count * STATE_PAGE == where) {
        last->count++;
        return 0;
    }
    if (make_room(w) < 0)
        return -1;
    w->runs[w->n] = (struct state_run){page, 1};
    w->where[w->n++] = where;
    return 0;
}

static int write_all(int fd, const void *from, size_t size, uint64_t at)
{
    const uint8_t *bytes = from;

    while (size) {
        ssize_t n = pwrite(fd, bytes, size, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int state_write(const struct state_writer *w, struct state_head *h, int fd)
{
    uint64_t at = pages_at((uint32_t)w->n);

    h->magic = STATE_MAGIC;
    h->version = STATE_VERSION;
    h->abi = state_abi();
    h->n_runs = (uint32_t)w->n;
    h->n_pages = w->n_pages;
    if (write_all(fd, h, sizeof *h, 0) < 0 ||
        write_all(fd, w->runs, w->n * sizeof *w->runs, STATE_PAGE) < 0)
        return -1;
    for (size_t i = 0; i < w->n; i++) {
        size_t bytes = (size_t)w->runs[i].count * STATE_PAGE;

        if (write_all(fd, w->where[i], bytes, at) < 0)
            return -1;
        at += bytes;
    }
    /* A state without pages is as long as its index says, too. */
    return at == STATE_PAGE ? 0 : ftruncate(fd, (off_t)at);
}

void state_writer_fini(struct state_writer *w)
{
    free(w->runs);
    free(w->where);
    *w = (struct state_writer){0};
}
