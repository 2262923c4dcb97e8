// SPDX-License-Identifier: BSD-3-Clause
/* netns.c -- do something inside another network namespace: see netns.h */

#include "switch/netns.h"

#include "base/errtext.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct visit {
    int fd;
    int (*fn)(void *ctx, struct diag *d);
    void *ctx;
    struct diag *d;
    int rc;
};

/* A thread of its own: it ends in the other namespace, so there is no way back to lose. */
static void *visit_main(void *arg)
{
    struct visit *v = arg;

    if (setns(v->fd, CLONE_NEWNET) < 0)
        v->rc = diag_err(v->d, "cannot enter the network namespace: %s",
                         strerror(errno));
    else
        v->rc = v->fn(v->ctx, v->d);
    return NULL;
}

static int open_namespace(const char *name, struct diag *d)
{
    char path[4096];
    int fd;

    if (snprintf(path, sizeof path, "%s%s", strchr(name, '/') ? "" : "/run/netns/",
                 name) >= (int)sizeof path)
        return diag_err(d, "the name of the network namespace is too long");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return diag_err(d, "cannot open network namespace '%s': %s", name,
                        strerror(errno));
    return fd;
}

int netns_run(const char *name, int fd, int (*fn)(void *ctx, struct diag *d), void *ctx,
              struct diag *d)
{
    struct visit v = {.fd = fd, .fn = fn, .ctx = ctx, .d = d, .rc = -1};
    pthread_t thread;
    int opened = -1, rc;

    if (fd <= 0 && !name)
        return fn(ctx, d);
    if (fd <= 0) {
        v.fd = opened = open_namespace(name, d);
        if (opened < 0)
            return -1;
    }
    rc = pthread_create(&thread, NULL, visit_main, &v);
    if (rc)
        diag_err(d, "cannot start a thread: %s", errtext_fork(rc));
    else
        pthread_join(thread, NULL);
    if (opened >= 0)
        close(opened);
    return v.rc;
}
