// SPDX-License-Identifier: BSD-3-Clause
/*
 * StaticThreadSched -- say which thread runs which element
 *
 * Usage:    StaticThreadSched(ELEMENT THREAD, ...)
 * Ports:    none
 * Args:     ELEMENT THREAD  an element, or a compound element, and a thread's number
 * Counters: none
 * Handlers: none
 * Example:  StaticThreadSched(source 0, sink 1);
 * See also: BalancedThreadSched, ScheduleInfo
 *
 * One thread runs a router here, number 0: every element is on it whatever is asked for.
 */

#include "engine/element.h"
#include "engine/lang/lang.h"

static int static_thread_sched_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);
        int64_t thread;

        if (n != 2 || !parse_i64(words[1], 0, &thread))
            rc = diag_err(d, "expected 'ELEMENT THREAD'");
        else if (thread < -1 || thread > 0)
            diag_warn(d, "thread preference %d out of range", (int)thread);
    }
    return rc;
}

ELEMENT(StaticThreadSched) = {
    .name = "StaticThreadSched",
    .ports = "0/0",
    .any_args = true,
    .configure = static_thread_sched_configure,
};
