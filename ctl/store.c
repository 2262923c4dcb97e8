// SPDX-License-Identifier: BSD-3-Clause
/* store.c -- what outlives the daemon: see store.h */

#include "ctl/store.h"

#include "base/errtext.h"
#include "base/sbuf.h"
#include "ctl/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct store {
    char *dir; /* owned */
    int lock_fd;
};

static const char *const folders[] = {[STORE_NETWORK] = "networks",
                                      [STORE_PORT] = "ports",
                                      [STORE_VM] = "vms",
                                      [STORE_SOCKET] = "run"};

/* Half-written files and what was set aside; names of objects never begin with a dot. */
#define NEW_PREFIX     ".new-"
#define DAMAGED_SUFFIX NAME_DAMAGED
#define SOCKET_SUFFIX  ".sock"

enum { MAX_RECORD = 64 << 20 }; /* bytes: a request has 16 MiB at most */

static char *path_of(const struct store *s, enum store_kind kind, const char *prefix,
                     const char *name, const char *suffix)
{
    struct sbuf path = SBUF_INIT;

    sbuf_printf(&path, "%s/%s/%s%s%s", s->dir, folders[kind], prefix, name, suffix);
    return sbuf_take(&path);
}

char *store_socket_path(const struct store *s, const char *name)
{
    return path_of(s, STORE_SOCKET, "", name, SOCKET_SUFFIX);
}

char *store_parked_path(const struct store *s, const char *name)
{
    struct sbuf path = SBUF_INIT;

    sbuf_printf(&path, "%s/parked/%s", s->dir, name);
    return sbuf_take(&path);
}

/* mkdir -p */
static int make_folder(const char *path, struct diag *d)
{
    char *copy = strdup(path);
    int rc = 0;

    for (char *at = copy + 1; copy && rc == 0; at++) {
        char c = *at;

        if (c != '/' && c != '\0')
            continue;
        *at = '\0';
        if (mkdir(copy, 0750) < 0 && errno != EEXIST)
            rc = diag_err(d, "cannot make the folder %s: %s", copy, errtext(errno));
        *at = c;
        if (!c)
            break;
    }
    free(copy);
    return copy ? rc : diag_err(d, "out of memory");
}

static int make_folders(const struct store *s, struct diag *d)
{
    static const char *const names[] = {"networks", "ports", "vms", "run", "parked"};
    int rc = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names && rc == 0; i++) {
        struct sbuf path = SBUF_INIT;

        sbuf_printf(&path, "%s/%s", s->dir, names[i]);
        rc = make_folder(sbuf_text(&path), d);
        sbuf_fini(&path);
    }
    return rc;
}

static int take_lock(struct store *s, struct diag *d)
{
    struct sbuf path = SBUF_INIT;
    int rc = 0;

    sbuf_printf(&path, "%s/lock", s->dir);
    s->lock_fd = open(sbuf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (s->lock_fd < 0)
        rc = diag_err(d, "cannot open %s: %s", sbuf_text(&path), errtext(errno));
    else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
        rc = diag_err(d, "another clickosd uses %s: stop it, or give this one --state",
                      s->dir);
    sbuf_fini(&path);
    return rc;
}

struct store *store_open(const char *dir, struct diag *d)
{
    struct store *s = calloc(1, sizeof *s);

    if (strlen(dir) > STORE_MAX_PATH) {
        free(s);
        diag_err(d, "the state folder's path has %zu bytes, and may have %d: %s",
                 strlen(dir), STORE_MAX_PATH, dir);
        return NULL;
    }
    if (!s || !(s->dir = strdup(dir))) {
        free(s);
        diag_err(d, "out of memory");
        return NULL;
    }
    s->lock_fd = -1;
    if (make_folder(dir, d) < 0 || take_lock(s, d) < 0 || make_folders(s, d) < 0) {
        store_close(s);
        return NULL;
    }
    return s;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->dir);
    free(s);
}

/* ---- writing --------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Close in any case; some file systems tell about a full disk only then. */
static int write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640), rc, saved;

    if (fd < 0)
        return -1;
    rc = write_all(fd, text, len);
    saved = errno;
    if (close(fd) < 0 && rc == 0)
        return -1;
    errno = saved;
    return rc;
}

static int explain(const char *dir, struct diag *d)
{
    int full = errno == ENOSPC || errno == EDQUOT;

    diag_err(d, full ? "%s: the disk is full: make room and try again" : "%s: %s", dir,
             errtext(errno));
    return full ? STORE_FULL : -1;
}

int store_prepare(struct store *s, enum store_kind kind, const char *name,
                  const json_t *value, struct diag *d)
{
    char *text = json_dumps(value, JSON_INDENT(1));
    char *new = path_of(s, kind, NEW_PREFIX, name, "");
    int rc = 0;

    if (!text || !new)
        rc = diag_err(d, "out of memory");
    else if (write_file(new, text, strlen(text)) < 0) {
        rc = explain(s->dir, d);
        unlink(new);
    }
    free(text);
    free(new);
    return rc;
}

int store_commit(struct store *s, enum store_kind kind, const char *name,
                 struct diag *d)
{
    char *path = path_of(s, kind, "", name, "");
    char *new = path_of(s, kind, NEW_PREFIX, name, "");
    int rc = 0;

    if (!path || !new)
        rc = diag_err(d, "out of memory");
    else if (rename(new, path) < 0) {
        rc = explain(s->dir, d);
        unlink(new);
    }
    free(path);
    free(new);
    return rc;
}

void store_abort(struct store *s, enum store_kind kind, const char *name)
{
    char *new = path_of(s, kind, NEW_PREFIX, name, "");

    if (new)
        unlink(new);
    free(new);
}

int store_put(struct store *s, enum store_kind kind, const char *name,
              const json_t *value, struct diag *d)
{
    int rc = store_prepare(s, kind, name, value, d);

    return rc < 0 ? rc : store_commit(s, kind, name, d);
}

void store_remove(struct store *s, enum store_kind kind, const char *name)
{
    char *path = path_of(s, kind, "", name, "");

    if (path)
        unlink(path);
    free(path);
}

/* ---- reading --------------------------------------------------------------------- */

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);

    return len > n && strcmp(name + len - n, suffix) == 0;
}

static int is_object_file(const struct dirent *e)
{
    return e->d_name[0] != '.' && !ends_in(e->d_name, DAMAGED_SUFFIX);
}

/* -1 with errno. */
static int read_file(const char *path, struct sbuf *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
    char chunk[4096];
    ssize_t n;

    if (fd < 0)
        return -1;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 && text->len <= MAX_RECORD)
        sbuf_add(text, chunk, (size_t)n);
    saved = text->failed ? ENOMEM : errno;
    close(fd);
    errno = saved;
    return n < 0 || text->failed ? -1 : 0;
}

static void set_aside(struct store *s, enum store_kind kind, const char *name,
                      const char *path, struct diag *d)
{
    char *aside = path_of(s, kind, "", name, DAMAGED_SUFFIX);

    diag_warn(d, "%s is damaged and was renamed to %s", path, aside ? aside : "");
    if (!aside || rename(path, aside) < 0)
        diag_warn(d, "cannot rename %s: %s", path, strerror(errno));
    free(aside);
}

int store_load(struct store *s, enum store_kind kind, const char *name,
               void (*each)(void *ctx, const char *name, json_t *value), void *ctx,
               struct diag *d)
{
    char *path = path_of(s, kind, "", name, "");
    struct sbuf text = SBUF_INIT;
    json_error_t error;
    json_t *value = NULL;
    int rc = 1;

    errno = ENOMEM;
    if (!path || read_file(path, &text) < 0) {
        rc = errno == ENOENT ? 0 : -1;
        if (rc < 0)
            diag_warn(d, "cannot read %s: %s", path ? path : name, errtext(errno));
    } else {
        value = json_loadb(sbuf_text(&text), text.len,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (json_is_object(value))
            each(ctx, name, value);
        else
            set_aside(s, kind, name, path, d);
    }
    json_decref(value);
    sbuf_fini(&text);
    free(path);
    return rc;
}

void store_each(struct store *s, enum store_kind kind,
                void (*each)(void *ctx, const char *name, json_t *value), void *ctx,
                struct diag *d)
{
    char *folder = path_of(s, kind, "", "", "");
    struct dirent **entries = NULL;
    int n = folder ? scandir(folder, &entries, is_object_file, alphasort) : -1;

    if (n < 0)
        diag_warn(d, "cannot read %s: %s", folder ? folder : s->dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        store_load(s, kind, entries[i]->d_name, each, ctx, d);
        free(entries[i]);
    }
    free(entries);
    free(folder);
}

struct store_names {
    DIR *dir;
    enum store_kind kind;
    char name[NAME_MAX + 1];
};

struct store_names *store_names_open(const struct store *s, enum store_kind kind,
                                     struct diag *d)
{
    char *folder = path_of(s, kind, "", "", "");
    struct store_names *n = calloc(1, sizeof *n);

    if (n)
        n->kind = kind;
    if (n && folder && (n->dir = opendir(folder))) {
        free(folder);
        return n;
    }
    diag_warn(d, "cannot read %s: %s", folder ? folder : s->dir, strerror(errno));
    free(folder);
    free(n);
    return NULL;
}

const char *store_names_next(struct store_names *n)
{
    const struct dirent *e;

    while ((e = readdir(n->dir))) {
        bool is_socket = ends_in(e->d_name, SOCKET_SUFFIX);
        size_t len = strlen(e->d_name);

        if (!is_object_file(e) || (n->kind == STORE_SOCKET && !is_socket))
            continue;
        if (n->kind == STORE_SOCKET)
            len -= strlen(SOCKET_SUFFIX);
        memcpy(n->name, e->d_name, len);
        n->name[len] = '\0';
        return n->name;
    }
    return NULL;
}

void store_names_close(struct store_names *n)
{
    if (!n)
        return;
    closedir(n->dir);
    free(n);
}
