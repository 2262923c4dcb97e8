// SPDX-License-Identifier: BSD-3-Clause
/*
 * BalancedThreadSched -- spread tasks over threads
 *
 * Usage:    BalancedThreadSched(INTERVAL 1000, INCREASING true)
 * Ports:    none
 * Args:     INTERVAL    milliseconds between two looks, default 1000
 *           INCREASING  begin with the lightest tasks, default true
 * Counters: none
 * Handlers: none
 * Example:  BalancedThreadSched(100);
 * See also: StaticThreadSched, ScheduleInfo
 *
 * One thread runs a router here, so there is nothing to spread.
 */

#include "engine/element.h"

struct balanced_thread_sched {
    uint32_t interval_ms;
    bool increasing;
};

static const struct arg_spec balanced_thread_sched_args[] = {
    ARG_U32(balanced_thread_sched, interval_ms, "INTERVAL", ARG_POS, "1000",
            "milliseconds between two looks"),
    ARG_BOOL(balanced_thread_sched, increasing, "INCREASING", ARG_POS, "true",
             "begin with the lightest tasks"),
    ARG_END,
};

ELEMENT(BalancedThreadSched) = {
    .name = "BalancedThreadSched",
    .state_size = sizeof(struct balanced_thread_sched),
    .ports = "0/0",
    .args = balanced_thread_sched_args,
};
