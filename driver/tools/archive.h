// SPDX-License-Identifier: BSD-3-Clause
/*
 * archive.h -- configurations with files beside them, in one ar(1) archive
 *
 * Click's tools keep what they know about a configuration in such files. The one called
 * "config" is the configuration.
 */

#ifndef DRIVER_TOOLS_ARCHIVE_H
#define DRIVER_TOOLS_ARCHIVE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/sbuf.h"

#include <stdbool.h>

struct archive_file {
    const char *name; /* NULL: was taken out */
    unsigned long date, uid, gid, mode;
    const char *data;
    size_t len;
};

struct archive {
    struct archive_file *files; /* in the arena, as what they point to */
    size_t n;
};

bool archive_is(const char *text, size_t len);

/* -1 with a message when it is cut or broken. */
int archive_parse(struct archive *a, struct arena *arena, const char *text, size_t len,
                  struct diag *d);
struct archive_file *archive_find(const struct archive *a, const char *name);

/* The file of that name, empty, ours and new, or the one that is there; NULL when memory
 * ran out. */
struct archive_file *archive_put(struct archive *a, struct arena *arena,
                                 const char *name, unsigned mode);
void archive_unparse(const struct archive *a, struct sbuf *out);

#endif
