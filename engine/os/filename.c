// SPDX-License-Identifier: BSD-3-Clause
/* filename.c -- arguments that name a file: see filename.h */

#include "engine/os/filename.h"

#include "base/sbuf.h"
#include "engine/args.h"
#include "engine/router.h"

#include <pwd.h>
#include <stdlib.h>

/* The home directory that `name` begins with, "~" or "~user"; NULL if there is none. */
static const char *home_of(const char *name)
{
    size_t len = strcspn(name, "/");
    const struct passwd *p;
    char user[64];

    if (len == 1)
        return getenv("HOME");
    if (len > sizeof user)
        return NULL;
    memcpy(user, name + 1, len - 1);
    user[len - 1] = '\0';
    p = getpwnam(user);
    return p ? p->pw_dir : NULL;
}

int filename_parse(struct element *e, const char *text, void *member, struct diag *d)
{
    struct arena *a = router_arena(e->router);
    struct sbuf full = SBUF_INIT;
    struct text name, *out = member;
    const char *home, *rest;
    char *copy;

    if (!args_string(a, text, &name) || !name.len)
        return diag_err(d, "parse error");
    home = *name.s == '~' ? home_of(name.s) : NULL;
    rest = home ? name.s + strcspn(name.s, "/") : name.s;
    if (home)
        sbuf_puts(&full, home);
    for (; *rest; rest++)
        if (*rest != '/' || !full.len || full.data[full.len - 1] != '/')
            sbuf_putc(&full, *rest);
    copy = full.failed ? NULL : arena_strndup(a, sbuf_text(&full), full.len);
    if (copy)
        *out = (struct text){copy, full.len};
    sbuf_fini(&full);
    return copy ? 0 : diag_err(d, "out of memory");
}
