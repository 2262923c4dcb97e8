// SPDX-License-Identifier: BSD-3-Clause
/*
 * priority.c -- a worker takes a processor for itself while everything waits for it
 *
 * A source that is not a guest (a generator, a file, a device) can have more for many guests
 * than the worker takes. It shares a processor with some of them, who wake, take what is
 * there, and make it late for the others: then it asks the scheduler for most of that
 * processor's time, and the guests are moved to the others.
 *
 * It must not while it waits for guests, for it polls, and would keep those from running for
 * whom it polls. So all of this must be true of the time that is judged:
 * - Most of what came in is from such sources, when they had more than their budget. What
 *   guests send says that they need their time: 128 senders, or a chain.
 * - Not too much met a full receiver: otherwise it is the guests who are late. After that the
 *   next try is put off for longer and longer.
 * - The guests have at least as many processors for themselves as there are workers.
 *
 * A system call when something changes; none otherwise, and none if we may not.
 */

#include "switch/plane.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    HIGHEST = -20,
    JUDGE_NS = 2000000,      /* how often */
    TRY_AGAIN_NS = 20000000, /* after full receivers, at first */
    GIVE_UP_NS = 1280000000, /* at most; judged well for so long, it starts anew */
    ENOUGH = 4096,           /* packets of a judgement: two million a second */
};

static bool processors_suffice(const struct worker *w)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 &&
           (unsigned)CPU_COUNT(&set) >= 2 * w->bp->config.n_workers;
}

void priority_init(struct worker *w)
{
    struct priority *s = &w->priority;

    errno = 0;
    s->normal = getpriority(PRIO_PROCESS, 0);
    s->possible = errno == 0 && s->normal > HIGHEST && processors_suffice(w);
    s->pause_ns = TRY_AGAIN_NS;
}

/* Of this thread: Linux keeps it for each. */
static void set(struct priority *s, bool raised)
{
    if (s->raised == raised)
        return;
    if (setpriority(PRIO_PROCESS, 0, raised ? HIGHEST : s->normal) == 0)
        s->raised = raised;
    else
        s->possible = false;
}

void priority_lower(struct worker *w)
{
    set(&w->priority, false);
}

static bool receivers_are_late(const struct priority *s)
{
    return s->full > s->moved / 3;
}

static bool sources_have_more(const struct priority *s)
{
    return s->moved >= ENOUGH && s->waiting > s->moved - s->moved / 4;
}

void priority_judge(struct worker *w)
{
    struct priority *s = &w->priority;

    if (w->now_ns < s->judge_ns)
        return;
    if (s->raised && receivers_are_late(s)) {
        set(s, false);
        s->try_ns = w->now_ns + s->pause_ns;
        s->pause_ns = s->pause_ns * 2 > GIVE_UP_NS ? GIVE_UP_NS : s->pause_ns * 2;
    } else if (s->possible) {
        set(s,
            sources_have_more(s) && !receivers_are_late(s) && w->now_ns >= s->try_ns);
    }
    if (w->now_ns >= s->try_ns + GIVE_UP_NS)
        s->pause_ns = TRY_AGAIN_NS;
    s->moved = s->waiting = s->full = 0;
    s->judge_ns = w->now_ns + JUDGE_NS;
}
