// SPDX-License-Identifier: BSD-3-Clause
/* quota.c -- shares of the machine for single VMs: see quota.h */

#include "ctl/quota.h"

#include "base/sbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PERIOD_US = 100000, TRIES = 5 };

/* A hierarchy's folder "clickos". The same for both in version 2. */
struct quota {
    int version;
    char *cpu, *memory; /* owned; NULL: there is no such controller */
    char **left;        /* owned: VMs whose groups are to go, but had processes */
    size_t n_left;
};

/* ---- files -------------------------------------------------------------------------- */

static int write_file(const char *dir, const char *name, const char *file,
                      const char *text)
{
    struct sbuf path = SBUF_INIT;
    ssize_t n = -1;
    int fd;

    sbuf_printf(&path, "%s/%s%s%s", dir, name, *name ? "/" : "", file);
    /* In a control group a file can only be there already. */
    fd = open(sbuf_text(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        n = write(fd, text, strlen(text));
        close(fd);
    }
    sbuf_fini(&path);
    return n < 0 ? -1 : 0;
}

static char *read_file(const char *path)
{
    char text[4096];
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    if (f)
        fclose(f);
    text[n] = '\0';
    return f ? strdup(text) : NULL;
}

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = text; at && (at = strstr(at, word)); at += n)
        if ((at == text || strchr(" \n,:", at[-1])) && strchr(" \n,:", at[n]))
            return true;
    return false;
}

/* Where we are in a hierarchy: the line of /proc/self/cgroup with the controller, "" for
 * version 2. Heap; "/" when it is not said. */
static char *own_group(const char *controller)
{
    char *all = read_file("/proc/self/cgroup"), *line, *save = NULL, *found = NULL;

    for (line = all ? strtok_r(all, "\n", &save) : NULL; line && !found;
         line = strtok_r(NULL, "\n", &save)) {
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

        if (!path)
            continue;
        *path++ = '\0';
        if (*controller ? has_word(names + 1, controller) : !names[1])
            found = strdup(path);
    }
    free(all);
    return found ? found : strdup("/");
}

/* ---- finding them ------------------------------------------------------------------- */

static unsigned long kills_of(const char *folder, const char *name, int version)
{
    static const char line[] = "oom_kill ";
    struct sbuf path = SBUF_INIT;
    unsigned long n = 0;
    char *text;

    sbuf_printf(&path, "%s/%s/%s", folder, name,
                version == 2 ? "memory.events" : "memory.oom_control");
    text = read_file(sbuf_text(&path));
    for (const char *at = text; at && (at = strstr(at, line)); at++)
        if (at == text || at[-1] == '\n')
            n = strtoul(at + sizeof line - 1, NULL, 10);
    free(text);
    sbuf_fini(&path);
    return n;
}

static int remove_group(const char *folder, const char *name)
{
    struct sbuf path = SBUF_INIT;
    int rc;

    sbuf_printf(&path, "%s/%s", folder, name);
    rc = rmdir(sbuf_text(&path));
    sbuf_fini(&path);
    return rc;
}

/* Groups of VMs that ended while no daemon was there can be removed, others cannot. One
 * whose processes were killed in it stays: its daemon, which may be another one on this
 * machine, has yet to read there why they ended, and removes it with the VM. */
static void sweep(const char *dir, int version)
{
    DIR *d = dir ? opendir(dir) : NULL;
    const struct dirent *e;

    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.' && kills_of(dir, e->d_name, version) == 0)
            remove_group(dir, e->d_name);
    if (d)
        closedir(d);
}

/* Our folder in a hierarchy: below the group we are in, or if that cannot be (a container
 * may not show it), below the root. */
static char *make_folder(const char *hierarchy, const char *controller)
{
    char *own = own_group(controller);
    const char *const below[] = {own ? own : "", ""};

    for (unsigned i = 0; i < 2; i++) {
        struct sbuf path = SBUF_INIT;

        sbuf_printf(&path, "%s%s%sclickos", hierarchy, below[i],
                    *below[i] && strcmp(below[i], "/") ? "/"
                    : *below[i]                        ? ""
                                                       : "/");
        if (mkdir(sbuf_text(&path), 0755) == 0 || errno == EEXIST) {
            free(own);
            return sbuf_take(&path);
        }
        sbuf_fini(&path);
    }
    free(own);
    return NULL;
}

/* Version 2: a group whose children are limited has no processes itself, unless it is the
 * root, so that we move into one beside the VMs'. */
static bool delegate(const char *folder)
{
    char *parent = strndup(folder, (size_t)(strrchr(folder, '/') - folder));
    bool well;
    struct sbuf self = SBUF_INIT;

    well = parent &&
           write_file(parent, "", "cgroup.subtree_control", "+cpu +memory") == 0;
    if (!well && parent) {
        sbuf_printf(&self, "%s/daemon", parent);
        if (mkdir(sbuf_text(&self), 0755) == 0 || errno == EEXIST)
            write_file(sbuf_text(&self), "", "cgroup.procs", "0");
        well = write_file(parent, "", "cgroup.subtree_control", "+cpu +memory") == 0;
    }
    sbuf_fini(&self);
    free(parent);
    return well &&
           write_file(folder, "", "cgroup.subtree_control", "+cpu +memory") == 0;
}

static void open_v2(struct quota *q, const char *root)
{
    struct sbuf path = SBUF_INIT;
    char *controllers;

    sbuf_printf(&path, "%s/cgroup.controllers", root);
    controllers = read_file(sbuf_text(&path));
    sbuf_fini(&path);
    if (controllers && has_word(controllers, "cpu") &&
        has_word(controllers, "memory") && (q->cpu = make_folder(root, ""))) {
        q->version = 2;
        q->memory = strdup(q->cpu);
        if (!delegate(q->cpu)) {
            rmdir(q->cpu);
            free(q->cpu);
            free(q->memory);
            *q = (struct quota){0};
        }
    }
    free(controllers);
}

static char *open_v1(const char *root, const char *controller)
{
    struct sbuf path = SBUF_INIT;
    struct stat st;
    char *folder = NULL;

    sbuf_printf(&path, "%s/%s", root, controller);
    if (stat(sbuf_text(&path), &st) == 0 && S_ISDIR(st.st_mode))
        folder = make_folder(sbuf_text(&path), controller);
    sbuf_fini(&path);
    return folder;
}

struct quota *quota_open(const char *root, struct diag *d)
{
    struct quota *q = calloc(1, sizeof *q);

    root = root ? root : "/sys/fs/cgroup";
    if (!q) {
        diag_err(d, "out of memory");
        return NULL;
    }
    open_v2(q, root);
    if (!q->version) {
        q->cpu = open_v1(root, "cpu");
        q->memory = open_v1(root, "memory");
        q->version = 1;
    }
    if (!q->cpu && !q->memory) {
        diag_err(d, "no control groups at %s that could be used", root);
        quota_close(q);
        return NULL;
    }
    sweep(q->cpu, q->version);
    sweep(q->memory, q->version);
    return q;
}

void quota_close(struct quota *q)
{
    if (!q)
        return;
    if (q->cpu)
        rmdir(q->cpu); /* if nobody is in there */
    if (q->memory)
        rmdir(q->memory);
    for (size_t i = 0; i < q->n_left; i++)
        free(q->left[i]);
    free(q->left);
    free(q->cpu);
    free(q->memory);
    free(q);
}

/* ---- using them ------------------------------------------------------------------------ */

int quota_check(const struct quota *q, const struct quota_limits *l, struct diag *d)
{
    if (l->cpu && (!q || !q->cpu))
        return diag_err(d, "no limit of processor time here: there is no control group "
                           "for it");
    if (l->memory && (!q || !q->memory))
        return diag_err(d, "no limit of memory here: there is no control group for it");
    return 0;
}

/* A sandboxed guest is a child of its monitor, a VM on KVM may have a kernel thread. */
static int move(const char *folder, const char *name, pid_t pid)
{
    char path[64], text[32], *children, *save = NULL;
    int rc;

    snprintf(text, sizeof text, "%d", (int)pid);
    rc = write_file(folder, name, "cgroup.procs", text);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    children = read_file(path);
    for (char *c = children ? strtok_r(children, " \n", &save) : NULL; c && rc == 0;
         c = strtok_r(NULL, " \n", &save))
        write_file(folder, name, "cgroup.procs", c); /* it may have ended */
    free(children);
    return rc;
}

/* Another daemon on this machine may have removed our folder when it ended. */
static int make_group(const struct quota *q, const char *folder, const char *name)
{
    struct sbuf path = SBUF_INIT;
    int rc;

    if (mkdir(folder, 0755) == 0 && q->version == 2)
        write_file(folder, "", "cgroup.subtree_control", "+cpu +memory");
    sbuf_printf(&path, "%s/%s", folder, name);
    rc = mkdir(sbuf_text(&path), 0755);
    sbuf_fini(&path);
    return rc < 0 && errno != EEXIST ? -1 : 0;
}

static int limit_cpu(struct quota *q, const char *name, uint64_t cpu)
{
    unsigned long long us = cpu * PERIOD_US / 100;
    char text[64];

    if (q->version == 2) {
        snprintf(text, sizeof text, "%llu %d", us, PERIOD_US);
        return write_file(q->cpu, name, "cpu.max", text);
    }
    snprintf(text, sizeof text, "%d", PERIOD_US);
    if (write_file(q->cpu, name, "cpu.cfs_period_us", text) < 0)
        return -1;
    snprintf(text, sizeof text, "%llu", us);
    return write_file(q->cpu, name, "cpu.cfs_quota_us", text);
}

static int limit_memory(struct quota *q, const char *name, uint64_t bytes)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
    return write_file(q->memory, name,
                      q->version == 2 ? "memory.max" : "memory.limit_in_bytes", text);
}

static bool all_gone(const struct quota *q, const char *name)
{
    const char *folders[] = {q->cpu, q->memory};
    bool gone = true;

    for (unsigned i = 0; i < 2; i++)
        if (folders[i] && remove_group(folders[i], name) < 0 && errno == EBUSY)
            gone = false;
    return gone;
}

static void forget(struct quota *q, size_t i)
{
    free(q->left[i]);
    q->left[i] = q->left[--q->n_left];
}

/* Its group is in use again, whatever was to become of it. */
static void keep(struct quota *q, const char *name)
{
    for (size_t i = q->n_left; i-- > 0;)
        if (strcmp(q->left[i], name) == 0)
            forget(q, i);
}

static bool gone_again(int error)
{
    return error == ENOENT || error == ENODEV;
}

/* Another daemon that starts may remove the group as long as nobody is in it. */
static int enter(struct quota *q, const char *name, const struct quota_limits *l,
                 pid_t pid, const char **what)
{
    *what = "processor time";
    if (l->cpu && (make_group(q, q->cpu, name) < 0 || limit_cpu(q, name, l->cpu) < 0 ||
                   move(q->cpu, name, pid) < 0))
        return -1;
    *what = "memory";
    if (l->memory &&
        (make_group(q, q->memory, name) < 0 || limit_memory(q, name, l->memory) < 0 ||
         move(q->memory, name, pid) < 0))
        return -1;
    return 0;
}

int quota_set(struct quota *q, const char *name, const struct quota_limits *l,
              pid_t pid, struct diag *d)
{
    const char *what;
    int rc;

    if (quota_check(q, l, d) < 0)
        return -1;
    if (q)
        keep(q, name);
    rc = enter(q, name, l, pid, &what);
    for (int tries = 1; rc < 0 && tries < TRIES && gone_again(errno); tries++)
        rc = enter(q, name, l, pid, &what);
    return rc < 0 ? diag_err(d, "limit of %s: %s", what, strerror(errno)) : 0;
}

unsigned long quota_kills(const struct quota *q, const char *name)
{
    return q && q->memory ? kills_of(q->memory, name, q->version) : 0;
}

void quota_remove(struct quota *q, const char *name)
{
    char **more;

    if (!q || all_gone(q, name))
        return;
    keep(q, name); /* once is enough */
    more = realloc(q->left, (q->n_left + 1) * sizeof *more);
    if (!more)
        return; /* the next daemon sweeps it away */
    q->left = more;
    q->left[q->n_left] = strdup(name);
    if (q->left[q->n_left])
        q->n_left++;
}

bool quota_sweep(struct quota *q)
{
    for (size_t i = q ? q->n_left : 0; i-- > 0;)
        if (all_gone(q, q->left[i]))
            forget(q, i);
    return q && q->n_left > 0;
}
