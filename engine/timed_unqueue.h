// SPDX-License-Identifier: BSD-3-Clause
/*
 * timed_unqueue.h -- pulling a burst of packets every so often: TimedUnqueue and Burster
 */

#ifndef ENGINE_TIMED_UNQUEUE_H
#define ENGINE_TIMED_UNQUEUE_H

#include "engine/task_handlers.h"

struct timed_unqueue {
    struct task task;
    struct timer timer;
    struct signal nonempty;
    int64_t interval_ns;
    int32_t burst;
    bool started; /* the timer has fired or was set before */
};

#define TIMED_UNQUEUE_ARGS(burst_)                                                     \
    ARG_TIME(timed_unqueue, interval_ns, "INTERVAL", ARG_M, NULL,                      \
             "time from burst to burst"),                                              \
        ARG_I32(timed_unqueue, burst, "BURST", ARG_POS, burst_,                        \
                "most packets a burst")

int timed_unqueue_configure(struct element *e, struct conf *c, struct diag *d);
int timed_unqueue_initialize(struct element *e, struct diag *d);

#endif
