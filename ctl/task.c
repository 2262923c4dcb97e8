// SPDX-License-Identifier: BSD-3-Clause
/* task.c -- work beside the event loop: see task.h */

#include "ctl/task.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREADS = 4 };

struct list {
    struct task *first, **last;
};

struct tasks {
    struct loop *loop; /* borrowed */
    struct loop_watch watch;
    int event; /* owned; readable when one is done */
    pthread_mutex_t lock;
    pthread_cond_t idle; /* no thread is left */
    struct list waiting, finished;
    unsigned n_threads;
};

static void append(struct list *l, struct task *t)
{
    t->next = NULL;
    *l->last = t;
    l->last = &t->next;
}

static struct task *take(struct list *l)
{
    struct task *t = l->first;

    if (t && !(l->first = t->next))
        l->last = &l->first;
    return t;
}

static void *work(void *ctx)
{
    struct tasks *ts = ctx;
    const uint64_t one = 1;
    struct task *t;

    pthread_mutex_lock(&ts->lock);
    while ((t = take(&ts->waiting))) {
        pthread_mutex_unlock(&ts->lock);
        t->run(t);
        pthread_mutex_lock(&ts->lock);
        append(&ts->finished, t);
        if (write(ts->event, &one, sizeof one) < 0) /* full: readable all the same */
            continue;
    }
    if (--ts->n_threads == 0)
        pthread_cond_signal(&ts->idle);
    pthread_mutex_unlock(&ts->lock);
    return NULL;
}

static void tell(struct tasks *ts)
{
    struct task *t;

    do {
        pthread_mutex_lock(&ts->lock);
        t = take(&ts->finished);
        pthread_mutex_unlock(&ts->lock);
        if (t)
            t->done(t);
    } while (t);
}

static void on_event(void *ctx, uint32_t events)
{
    struct tasks *ts = ctx;
    uint64_t n;

    (void)events;
    if (read(ts->event, &n, sizeof n) == sizeof n)
        tell(ts);
}

struct tasks *tasks_new(struct loop *l, struct diag *d)
{
    struct tasks *ts = calloc(1, sizeof *ts);

    if (!ts) {
        diag_err(d, "out of memory");
        return NULL;
    }
    ts->loop = l;
    ts->waiting.last = &ts->waiting.first;
    ts->finished.last = &ts->finished.first;
    pthread_mutex_init(&ts->lock, NULL);
    pthread_cond_init(&ts->idle, NULL);
    ts->watch = (struct loop_watch){.ready = on_event, .ctx = ts};
    ts->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ts->event < 0 || loop_add(l, &ts->watch, ts->event, EPOLLIN) < 0) {
        diag_err(d, "event fd: %s", strerror(errno));
        tasks_free(ts);
        return NULL;
    }
    return ts;
}

void tasks_free(struct tasks *ts)
{
    if (!ts)
        return;
    pthread_mutex_lock(&ts->lock);
    while (ts->n_threads)
        pthread_cond_wait(&ts->idle, &ts->lock);
    pthread_mutex_unlock(&ts->lock);
    tell(ts);
    if (ts->watch.live)
        loop_remove(ts->loop, &ts->watch);
    if (ts->event >= 0)
        close(ts->event);
    pthread_cond_destroy(&ts->idle);
    pthread_mutex_destroy(&ts->lock);
    free(ts);
}

/* With the lock held. */
static int another_thread(struct tasks *ts)
{
    pthread_attr_t detached;
    pthread_t thread;
    int error;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &detached, work, ts);
    pthread_attr_destroy(&detached);
    ts->n_threads += error == 0;
    return error;
}

int tasks_start(struct tasks *ts, struct task *t, struct diag *d)
{
    int error = 0;
    bool stuck;

    pthread_mutex_lock(&ts->lock);
    if (ts->n_threads < THREADS)
        error = another_thread(ts);
    stuck = ts->n_threads == 0;
    if (!stuck)
        append(&ts->waiting, t);
    pthread_mutex_unlock(&ts->lock);
    return stuck ? diag_err(d, "no thread: %s", strerror(error)) : 0;
}
