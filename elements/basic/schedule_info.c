// SPDX-License-Identifier: BSD-3-Clause
/*
 * ScheduleInfo -- give elements' tasks more or less of the time
 *
 * Usage:    ScheduleInfo(ELEMENT SHARE, ...)
 * Ports:    none
 * Args:     ELEMENT SHARE  1 is the default, 2 twice as much; fractions are possible
 * Counters: none
 * Handlers: none
 * Example:  ScheduleInfo(fast_path 4, logger 0.25);
 * See also: AlignmentInfo
 *
 * "compound/" stands for all elements inside that compound element; shares multiply. What
 * is said further out counts instead of what is said further in. An element with a share
 * of 0 never runs; none gets more than 32.
 */

#include "engine/lang/lang.h"
#include "engine/task_handlers.h"

enum { SHARE_BITS = 10 };
_Static_assert(TASK_DEFAULT_TICKETS == 1 << SHARE_BITS, "a share of 1 is the default");

static int schedule_info_configure(struct element *e, struct conf *c, struct diag *d)
{
    int rc = 0; /* of memory only: other errors keep nobody from running, as in Click */

    for (int i = 0; i < c->argc; i++) {
        const char *const *words;
        int n = lang_split_words(c->scratch, c->argv[i], &words);
        uint64_t share;

        if (n == 0)
            continue;
        if (n != 2 || !parse_real_fixed(words[1], SHARE_BITS, &share) ||
            share > UINT32_MAX)
            diag_err(d, "expected 'ELEMENTNAME PARAM'");
        else if (task_tickets_set(e, words[0], (uint32_t)share) < 0)
            rc = diag_err(d, "out of memory");
    }
    return rc;
}

ELEMENT(ScheduleInfo) = {
    .name = "ScheduleInfo",
    .ports = "0/0",
    .any_args = true,
    .phase = PHASE_INFO,
    .info = true,
    .configure = schedule_info_configure,
};
