// SPDX-License-Identifier: BSD-3-Clause
/* loop.c -- the daemon's only thread of control: see loop.h */

#include "ctl/loop.h"

#include "base/errtext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A turn: events, and timers, of which a thousand may expire at once. */
enum { LOOP_BATCH = 64, LOOP_TIMERS = 16 };

struct loop {
    int epoll_fd, wake_fd;
    bool stopped;
    struct loop_watch waker;
    struct loop_timer *timers; /* sorted by time; borrowed */
    struct loop_work *work;    /* borrowed */
    struct epoll_event batch[LOOP_BATCH];
    int n_batch; /* events of the batch in work; removal edits them */
};

uint64_t loop_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void drain(void *ctx, uint32_t events)
{
    struct loop *l = ctx;
    uint64_t n;

    (void)events;
    if (read(l->wake_fd, &n, sizeof n) < 0) /* somebody else's read emptied it: fine */
        return;
}

struct loop *loop_new(struct diag *d)
{
    struct loop *l = calloc(1, sizeof *l);

    if (!l) {
        diag_err(d, "out of memory");
        return NULL;
    }
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->waker = (struct loop_watch){.ready = drain, .ctx = l};
    if (l->epoll_fd < 0 || l->wake_fd < 0 ||
        loop_add(l, &l->waker, l->wake_fd, EPOLLIN) < 0) {
        diag_err(d, "cannot create the event loop: %s", errtext(errno));
        loop_free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l);
}

int loop_add(struct loop *l, struct loop_watch *w, int fd, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    w->fd = fd;
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
        return -1;
    w->live = true;
    return 0;
}

int loop_change(struct loop *l, struct loop_watch *w, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev);
}

void loop_remove(struct loop *l, struct loop_watch *w)
{
    if (!w->live)
        return;
    w->live = false;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    /* Its event may wait in the batch that is being worked off right now. */
    for (int i = 0; i < l->n_batch; i++)
        if (l->batch[i].data.ptr == w)
            l->batch[i].data.ptr = NULL;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t ms)
{
    struct loop_timer **at = &l->timers;

    loop_timer_cancel(l, t);
    t->at_ns = loop_now_ns() + ms * 1000000u;
    while (*at && (*at)->at_ns <= t->at_ns)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    t->live = true;
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
    if (!t->live)
        return;
    for (struct loop_timer **at = &l->timers; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    t->live = false;
}

static void run_timers(struct loop *l)
{
    uint64_t now = loop_now_ns();

    for (int i = 0;
         i < LOOP_TIMERS && l->timers && l->timers->at_ns <= now && !l->stopped; i++) {
        struct loop_timer *t = l->timers;

        l->timers = t->next;
        t->live = false;
        t->expired(t->ctx);
    }
}

void loop_work_add(struct loop *l, struct loop_work *w)
{
    struct loop_work **at = &l->work;

    if (w->live)
        return;
    while (*at)
        at = &(*at)->next;
    w->next = NULL;
    w->live = true;
    *at = w;
}

void loop_work_cancel(struct loop *l, struct loop_work *w)
{
    struct loop_work **at = &l->work;

    if (!w->live)
        return;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->live = false;
}

/* The first on the list is the last then, or is not on it any more. */
static void run_work(struct loop *l)
{
    struct loop_work *w = l->work;

    if (!w || l->stopped)
        return;
    loop_work_cancel(l, w);
    if (w->more(w->ctx))
        loop_work_add(l, w);
}

/* ms until the next timer, at most `limit` (-1: none); rounded up, so that a timer is
 * never found a fraction of a millisecond too early and waited for in a busy loop. */
static int wait_ms(const struct loop *l, int limit)
{
    uint64_t now, ms;

    if (l->work)
        return 0;
    if (!l->timers)
        return limit;
    now = loop_now_ns();
    if (l->timers->at_ns <= now)
        return 0;
    ms = (l->timers->at_ns - now + 999999u) / 1000000u;
    if (ms > 60000)
        ms = 60000;
    return limit >= 0 && (uint64_t)limit < ms ? limit : (int)ms;
}

void loop_run(struct loop *l, int (*before_wait)(void *ctx), void *ctx)
{
    l->stopped = false;
    while (!l->stopped) {
        int limit = before_wait ? before_wait(ctx) : -1;

        if (l->stopped)
            break;
        l->n_batch = epoll_wait(l->epoll_fd, l->batch, LOOP_BATCH, wait_ms(l, limit));
        for (int i = 0; i < l->n_batch && !l->stopped; i++) {
            struct loop_watch *w = l->batch[i].data.ptr;

            if (w)
                w->ready(w->ctx, l->batch[i].events);
        }
        l->n_batch = 0;
        run_timers(l);
        run_work(l);
    }
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
    loop_wake(l);
}

void loop_wake(struct loop *l)
{
    uint64_t one = 1;

    if (write(l->wake_fd, &one, sizeof one) < 0) /* full: it is awake already */
        return;
}
