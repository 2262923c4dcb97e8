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

#include "engine/args.h"
#include "engine/element.h"
#include "engine/router.h"

struct thread_wish {
    struct text name;
    int32_t thread;
};

static const struct arg_spec thread_wish_words[] = {
    ARG_WORD(thread_wish, name, "ELEMENT", ARG_M, NULL, "an element"),
    ARG_I32(thread_wish, thread, "THREAD", ARG_M, NULL, "number of a thread"),
    ARG_END,
};

/* How much of the name of `e` is that of the compound element where it stands. */
static size_t static_thread_sched_scope(const struct element *e)
{
    const char *slash = strrchr(e->name, '/');

    return slash ? (size_t)(slash - e->name) + 1 : 0;
}

/* Whether `name` is an element, or a compound element, where `e` stands. */
static bool static_thread_sched_knows(const struct element *e, const char *name)
{
    size_t scope = static_thread_sched_scope(e), len = strlen(name);

    if (element_find(e, name, NULL))
        return true;
    for (uint32_t i = 0; i < router_n_elements(e->router); i++) {
        const char *other = router_element(e->router, i)->name;

        if (!strncmp(other, e->name, scope) && !strncmp(other + scope, name, len) &&
            other[scope + len] == '/')
            return true;
    }
    return false;
}

static int static_thread_sched_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    for (int i = 0; i < c->argc; i++) {
        struct thread_wish wish = {{NULL, 0}, 0};

        if (args_words(e, c->argv[i], thread_wish_words, &wish, d) < 0)
            return -1;
        if (wish.thread < -1 || wish.thread > 0)
            diag_warn(d, "thread preference %d out of range", (int)wish.thread);
        if (!static_thread_sched_knows(e, wish.name.s)) /* keeps nobody from running */
            diag_err(d, "'%.*s%s/' does not name an element",
                     (int)static_thread_sched_scope(e), e->name, wish.name.s);
    }
    return 0;
}

ELEMENT(StaticThreadSched) = {
    .name = "StaticThreadSched",
    .ports = "0/0",
    .any_args = true,
    .configure = static_thread_sched_configure,
};
