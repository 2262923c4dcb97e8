// SPDX-License-Identifier: BSD-3-Clause
/*
 * loop.h -- the daemon's only thread of control: one epoll set and its timers
 *
 * Everything in the daemon but the switch worker runs as a callback from loop_run().
 *
 * Threads: loop_wake() may be called from any thread and from a signal handler, all else
 *          from the loop's own thread.
 * Memory:  watches and timers are the caller's storage; they must stay where they are
 *          until removed, and may be removed from inside any callback.
 */

#ifndef CTL_LOOP_H
#define CTL_LOOP_H

#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop_watch {
    void (*ready)(void *ctx, uint32_t events); /* EPOLLIN ... */
    void *ctx;                                 /* borrowed */
    int fd;                                    /* borrowed */
    bool live;
};

struct loop_timer {
    void (*expired)(void *ctx);
    void *ctx; /* borrowed */
    uint64_t at_ns;
    struct loop_timer *next;
    bool live;
};

/* NULL with an error in `d` when the kernel refuses a descriptor. */
struct loop *loop_new(struct diag *d);
void loop_free(struct loop *l);

/* Call w->ready whenever `events` are there (level-triggered). */
int loop_add(struct loop *l, struct loop_watch *w, int fd, uint32_t events);
int loop_change(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_remove(struct loop *l, struct loop_watch *w);

/* Call t->expired once, in `ms`; a timer that runs already is set anew. */
void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t ms);
void loop_timer_cancel(struct loop *l, struct loop_timer *t);

/* Run callbacks until loop_stop(). `before_wait` is called before every wait and returns
 * how many ms it may last at most, -1 for no limit. */
void loop_run(struct loop *l, int (*before_wait)(void *ctx), void *ctx);
void loop_stop(struct loop *l);
void loop_wake(struct loop *l);

uint64_t loop_now_ns(void); /* steady time */

/* ---- work in pieces -------------------------------------------------------------- */

/* What would hold up everybody else if it were done at once: `more` does some of it (half
 * a millisecond, say) and returns whether there is more. One piece of one work a turn. */
struct loop_work {
    bool (*more)(void *ctx);
    void *ctx;
    bool live; /* the loop's, as the next */
    struct loop_work *next;
};

/* Add to the work; nothing if it is there already. The struct stays the caller's: `more` may
 * free it before it returns false. */
void loop_work_add(struct loop *l, struct loop_work *w);
void loop_work_cancel(struct loop *l, struct loop_work *w);

#endif
