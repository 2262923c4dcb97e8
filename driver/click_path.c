// SPDX-License-Identifier: BSD-3-Clause
/* click_path.c -- where `require(library NAME)` looks: see click_path.h */

#include "driver/click_path.h"

#include "base/sbuf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "DIR/SUBDIR/NAME" if it exists. */
static char *file_in(const char *dir, size_t len, const char *subdir, const char *name)
{
    struct sbuf s = SBUF_INIT;
    bool slash = dir[len - 1] == '/';

    sbuf_printf(&s, "%.*s%s%s%s", (int)len, dir, slash ? "" : "/", subdir, name);
    if (!s.failed && access(sbuf_text(&s), F_OK) == 0)
        return sbuf_take(&s);
    sbuf_fini(&s);
    return NULL;
}

/* The folder of the file that asks. */
static char *file_beside(const char *from, const char *name)
{
    const char *slash = from ? strrchr(from, '/') : NULL;

    return slash && slash > from ? file_in(from, (size_t)(slash - from), "", name)
                                 : file_in(".", 1, "", name);
}

char *click_path_find(const char *path, const char *name, const char *from)
{
    static const char *const subdirs[] = {"conf/click/", "conf/", ""};
    char *found = name[0] == '/' && access(name, F_OK) == 0 ? strdup(name) : NULL;

    for (path = path ? path : ""; !found; path++) {
        size_t len = strcspn(path, ":");

        if (!len)
            found = file_beside(from, name);
        for (size_t i = 0; len && i < 3 && !found; i++)
            found = file_in(path, len, subdirs[i], name);
        path += len;
        if (!*path)
            break;
    }
    return found;
}
