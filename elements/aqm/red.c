// SPDX-License-Identifier: BSD-3-Clause
/*
 * RED -- drop packets early, the likelier the longer queues are on average
 *
 * Usage:    RED(MIN_THRESH, MAX_THRESH, MAX_P, QUEUES, STABILITY 4, GENTLE true)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     MIN_THRESH  average length up to which nothing is dropped
 *           MAX_THRESH  average length at which the probability is MAX_P; above twice
 *                       that all is dropped
 *           MAX_P       drop probability at MAX_THRESH
 *           QUEUES      names of the queues to watch; default: the nearest ones
 *           STABILITY   each packet moves the average by 2^-STABILITY of the difference,
 *                       default 4, at most 16; 0: the length now is the average, and
 *                       nothing is dropped at random
 *           GENTLE      with false all is dropped above MAX_THRESH already, default true
 * Counters: drops  packets dropped so far
 * Handlers: min_thresh, max_thresh, max_p  (rw) the arguments
 *           stats           (read) lengths and drops, for people
 *           avg_queue_size  (read) average queue length
 *           queues          (read) names of the queues, one a line
 *           config          (read) the arguments and the queues
 * Example:  ... -> RED(5, 50, 0.02) -> Queue(200) -> ...
 * See also: AdaptiveRED, PI, CoDel, Queue
 *
 * As a push element it watches the queues downstream, as a pull element those upstream.
 * Dropped packets leave by output 1 if that is connected. The average survives an exchange
 * of configurations.
 */

#include "engine/red.h"

static const struct arg_spec red_args[] = {
    ARG_U32(red, min_thresh, "MIN_THRESH", ARG_M, NULL, "length without drops"),
    ARG_U32(red, max_thresh, "MAX_THRESH", ARG_M, NULL, "length with MAX_P"),
    {.name = "MAX_P",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_M,
     .offset = offsetof(struct red, max_p),
     .help = "drop probability at MAX_THRESH",
     .parse = red_parse_p},
    ARG_RAW(red, queue_names, "QUEUES", ARG_KEY, NULL, "names of the queues to watch"),
    ARG_U32(red, stability, "STABILITY", 0, "4", "how slowly the average moves"),
    ARG_BOOL(red, gentle, "GENTLE", ARG_KEY, "true",
             "drop all from twice MAX_THRESH on"),
    ARG_END,
};

static const struct counter_spec red_counters[] = {
    RED_COUNTERS,
    {NULL, NULL},
};

static const struct handler_spec red_handlers[] = {
    RED_HANDLERS,
    HANDLER_END,
};

static int red_configure(struct element *e, struct conf *c, struct diag *d)
{
    return red_check(element_state(e), d);
}

ELEMENT(RED) = {
    .name = "RED",
    .state_size = sizeof(struct red),
    .keeps = PKT_PARTS,
    .plain = true,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = red_args,
    .counters = red_counters,
    .handlers = red_handlers,
    .live = true,
    .configure = red_configure,
    .initialize = red_initialize,
    .take_state = red_take_state,
    .push = red_push,
    .pull = red_pull,
};
