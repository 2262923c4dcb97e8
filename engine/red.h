// SPDX-License-Identifier: BSD-3-Clause
/*
 * red.h -- Random Early Detection, for RED and AdaptiveRED
 *
 * Floyd and Jacobson, "Random Early Detection Gateways for Congestion Avoidance", IEEE/ACM
 * Transactions on Networking 1(4), 1993, in its gentle variant unless GENTLE is false:
 * between MAX_THRESH and twice that, the probability rises from MAX_P to 1. The arithmetic
 * is Click's, in whole numbers, so that the same packets are lost.
 */

#ifndef ENGINE_RED_H
#define ENGINE_RED_H

#include "engine/aqm.h"

struct red {
    struct aqm_queues queues;
    struct aqm_average size;
    uint32_t min_thresh, max_thresh; /* packets */
    uint32_t max_p;                  /* of 65536 */
    uint32_t stability;              /* 0: the length now is the average */
    uint32_t kill_thresh;            /* above it everything is dropped */
    uint32_t slope, slope_gentle; /* of the probability, below and above max_thresh */
    uint32_t offset;              /* what is taken off it below, */
    int32_t offset_gentle;        /* and above max_thresh */
    bool gentle;
    struct text queue_names;
    int64_t
        empty_period; /* number of the period in which the queues were last seen empty;
                             0: they were not */
    int32_t count;    /* packets since the last drop; -1: below min_thresh */
    uint32_t random;  /* of 65536 */
};

enum { RED_DROPS, RED_N_COUNTERS };
#define RED_COUNTERS [RED_DROPS] = {"drops", "packets dropped so far"}

/* A probability as the argument MAX_P: arg_spec.parse for a uint32_t of 65536. */
int red_parse_p(struct element *e, const char *text, void *member, struct diag *d);

/* Whether the numbers make sense, and red_set(); from configure(). */
int red_check(struct red *r, struct diag *d);
/* What follows from the thresholds and max_p, after a change. */
void red_set(struct red *r);

/* Members of struct element_class; the element's state begins with struct red. */
void red_push(struct element *e, unsigned port, struct batch *b);
uint32_t red_pull(struct element *e, unsigned port, struct batch *b, uint32_t max);
int red_initialize(struct element *e, struct diag *d);
void red_take_state(struct element *e, struct element *old);

int red_read(struct element *e, const struct handler_spec *h, const char *param,
             struct sbuf *out, struct diag *d);
int red_write(struct element *e, const struct handler_spec *h, const char *value,
              size_t len, struct diag *d);

enum { RED_MIN, RED_MAX, RED_P, RED_STATS, RED_AVERAGE, RED_QUEUES, RED_CONFIG };
#define RED_HANDLER_RW(which, n, h)                                                    \
    {                                                                                  \
        .name = (n), .help = (h), .flags = HANDLER_READ | HANDLER_WRITE,               \
        .user = (which), .read = red_read, .write = red_write                          \
    }
#define RED_HANDLER_R(which, n, h)                                                     \
    {                                                                                  \
        .name = (n), .help = (h), .flags = HANDLER_READ, .user = (which),              \
        .read = red_read                                                               \
    }
#define RED_HANDLERS                                                                   \
    RED_HANDLER_RW(RED_MIN, "min_thresh", "queue length that may cause drops"),        \
        RED_HANDLER_RW(RED_MAX, "max_thresh", "queue length with probability max_p"),  \
        RED_HANDLER_RW(RED_P, "max_p", "drop probability at max_thresh"),              \
        RED_HANDLER_R(RED_STATS, "stats", "lengths and drops, for people"),            \
        RED_HANDLER_R(RED_AVERAGE, "avg_queue_size", "average queue length"),          \
        RED_HANDLER_R(RED_QUEUES, "queues", "names of the queues, one a line"),        \
        RED_HANDLER_R(RED_CONFIG, "config", "the arguments and the queues")

#endif
