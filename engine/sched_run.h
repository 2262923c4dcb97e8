// SPDX-License-Identifier: BSD-3-Clause
/*
 * sched_run.h -- the scheduler as the router sees it
 *
 * Elements use sched.h; this is for router.c, which owns the scheduler.
 */

#ifndef ENGINE_SCHED_RUN_H
#define ENGINE_SCHED_RUN_H

#include "engine/sched.h"

struct sched {
    struct task run_list; /* head of a circular list, sorted by pass */
    struct task *running; /* on the list, scheduled or not; NULL: none runs */
    uint32_t left;        /* turns of this round, with the one that is being taken */
    uint64_t rounds;      /* that tasks have run */

    /* See turns.h. */
    uint64_t changes;     /* handlers that were written, and one */
    uint64_t noted;       /* things that happened whose order somebody may notice */
    struct element *into; /* the one queue that packets have gone into; NULL: none */
    uint32_t
        at_once; /* packets of one of the turns that are taken into it; 0: one is */
    struct task *owing; /* who has as many turns to take now; NULL: nobody */
    uint32_t owed;
    uint32_t pass;       /* of the task that ran last: the list begins there */
    struct timer **heap; /* owned; binary heap by expiry, then sequence */
    uint32_t n_timers, room;
    uint32_t reserved; /* timers that were initialised: the heap has room for all */
    uint64_t sequence;
    bool failed; /* memory ran out in an _init(): the router must not start */
    int64_t (*now)(void *ctx);
    void *now_ctx;
};

void sched_init(struct sched *s, int64_t (*now)(void *ctx), void *now_ctx);
void sched_fini(struct sched *s);

/* Run up to `budget` tasks. Returns whether one of them did anything useful. */
bool sched_run_tasks(struct sched *s, unsigned budget);

/* Fire all timers that are due at `now`, each at most once. Returns whether any was. */
bool sched_run_timers(struct sched *s, int64_t now);

/* Steady time of the next timer; INT64_MAX: none. */
int64_t sched_next_timer(const struct sched *s);

/* No task is scheduled. */
bool sched_idle(const struct sched *s);

#endif
