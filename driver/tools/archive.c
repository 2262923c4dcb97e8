// SPDX-License-Identifier: BSD-3-Clause
/* archive.c -- ar(1) archives: see archive.h */

#include "driver/tools/archive.h"

#include <ctype.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char magic[] = "!<arch>\n";

enum { MAGIC = 8, HEADER = 60, NAME = 16 };

bool archive_is(const char *text, size_t len)
{
    return len > 0 && text[0] == '!';
}

static unsigned long number(const char *s, size_t len, unsigned base)
{
    unsigned long n = 0;

    for (size_t i = 0; i < len && isdigit((unsigned char)s[i]); i++)
        n = n * base + (unsigned long)(s[i] - '0');
    return n;
}

static struct archive_file *add(struct archive *a, struct arena *arena)
{
    struct archive_file *bigger = arena_alloc_aligned(arena, a->n + 1, sizeof *bigger,
                                                      16);

    if (!bigger)
        return NULL;
    if (a->n)
        memcpy(bigger, a->files, a->n * sizeof *bigger);
    a->files = bigger;
    return &bigger[a->n++];
}

/* GNU's names end with a slash, or stand in a file of their own if they are long; BSD's
 * long ones stand before the contents. */
static int set_name(struct archive_file *f, struct arena *arena, const char *header,
                    const char *names, size_t names_len)
{
    size_t n = 0, at;

    if (memcmp(header, "#1/", 3) == 0) {
        n = number(header + 3, NAME - 3, 10);
        if (n > f->len)
            return -1;
        f->name = arena_strndup(arena, f->data, n);
        f->data += n;
        f->len -= n;
        return f->name ? 0 : -1;
    }
    if (header[0] == '/' && isdigit((unsigned char)header[1])) {
        at = number(header + 1, NAME - 1, 10);
        if (at >= names_len)
            return -1;
        header = names + at;
        while (at + n < names_len && header[n] != '/' &&
               !isspace((unsigned char)header[n]))
            n++;
    } else {
        while (n < NAME && header[n] != '/' && !isspace((unsigned char)header[n]))
            n++;
    }
    f->name = arena_strndup(arena, header, n);
    return f->name ? 0 : -1;
}

static int parse_file(struct archive *a, struct arena *arena, const char *header,
                      size_t size, const char *names, size_t names_len)
{
    struct archive_file *f = add(a, arena);

    if (!f)
        return -1;
    *f = (struct archive_file){
        .date = number(header + 16, 12, 10),
        .uid = number(header + 28, 6, 10),
        .gid = number(header + 34, 6, 10),
        .mode = number(header + 40, 8, 8),
        .data = header + HEADER,
        .len = size,
    };
    return set_name(f, arena, header, names, names_len);
}

int archive_parse(struct archive *a, struct arena *arena, const char *text, size_t len,
                  struct diag *d)
{
    const char *names = NULL, *copy = arena_strndup(arena, text, len);
    size_t names_len = 0, at = MAGIC;

    *a = (struct archive){0};
    if (len <= MAGIC || memcmp(text, magic, MAGIC) != 0)
        return diag_err(d, "not an archive");
    if (!copy)
        return diag_err(d, "out of memory");
    while (len - at >= HEADER) {
        const char *header = copy + at;
        size_t size = number(header + 48, 10, 10);

        if (header[58] != '`' || header[59] != '\n')
            return diag_err(d, "bad archive: missing header magic number");
        at += HEADER;
        if (size > len - at)
            return diag_err(d, "truncated archive, %zu bytes short", size - (len - at));
        if (header[0] == '/' && header[1] == '/') {
            names = header + HEADER;
            names_len = size;
        } else if (parse_file(a, arena, header, size, names, names_len) < 0) {
            return diag_err(d, "bad long name in archive");
        }
        at += size + (size % 2 && size < len - at);
    }
    return at == len ? 0 : diag_err(d, "truncated archive");
}

struct archive_file *archive_find(const struct archive *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->files[i].name && strcmp(a->files[i].name, name) == 0)
            return &a->files[i];
    return NULL;
}

struct archive_file *archive_put(struct archive *a, struct arena *arena,
                                 const char *name, unsigned mode)
{
    struct archive_file *f = archive_find(a, name);

    if (f || !(f = add(a, arena)))
        return f;
    *f = (struct archive_file){.name = arena_strdup(arena, name),
                               .date = (unsigned long)time(NULL),
                               .uid = geteuid(),
                               .gid = getegid(),
                               .mode = mode,
                               .data = ""};
    return f->name ? f : NULL;
}

static bool needs_long_name(const char *name)
{
    for (const char *s = name; *s; s++)
        if (isspace((unsigned char)*s))
            return true;
    return strncmp(name, "#1/", 3) == 0 || strlen(name) > NAME - 2;
}

void archive_unparse(const struct archive *a, struct sbuf *out)
{
    sbuf_puts(out, magic);
    for (size_t i = 0; i < a->n; i++) {
        const struct archive_file *f = &a->files[i];
        size_t extra;

        if (!f->name)
            continue;
        extra = needs_long_name(f->name) ? strlen(f->name) : 0;
        if (extra)
            sbuf_printf(out, "#1/%-13zu", extra);
        else
            sbuf_printf(out, "%-16s", f->name);
        sbuf_printf(out, "%-12lu%-6lu%-6lu%-8lo%-10zu`\n", f->date, f->uid, f->gid,
                    f->mode, f->len + extra);
        sbuf_add(out, f->name, extra);
        sbuf_add(out, f->data, f->len);
        if ((f->len + extra) % 2)
            sbuf_putc(out, '\n');
    }
}
