// SPDX-License-Identifier: BSD-3-Clause
/*
 * aqm.h -- what the elements that keep queues short have in common
 *
 * RED, AdaptiveRED, PI and CoDel look at queues that are elements of their own. They find
 * them along the flow of packets, or by name in the argument QUEUES.
 *
 * codel_* is the control law of CoDel (Nichols and Jacobson, "Controlling Queue Delay", ACM
 * Queue 10(5), 2012; RFC 8289), used by FQCoDel for its own queues; CoDel, for foreign ones,
 * decides as Click's does.
 */

#ifndef ENGINE_AQM_H
#define ENGINE_AQM_H

#include "engine/element.h"
#include "engine/queue_element.h"

struct aqm_queues {
    struct element **element;     /* in the router's arena; borrowed elements */
    struct queue_element **queue; /* their states */
    uint32_t n;
};

/* From initialize(): the queues that `names` lists or, if that is empty, the nearest ones
 * behind output 0 of a push element or before input 0 of others. At least one. */
int aqm_find_queues(struct aqm_queues *q, struct element *e, const struct text *names,
                    struct diag *d);

/* Packets in all of them. */
static inline uint32_t aqm_length(const struct aqm_queues *q)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < q->n; i++)
        n += q->queue[i]->q.n;
    return n;
}

/* Their names, one a line. */
void aqm_list(const struct aqm_queues *q, struct sbuf *out);

/* An average of queue lengths, moved by 2^-stability of the difference each time. */
enum { AQM_AVERAGE_BITS = 10 };

struct aqm_average {
    uint64_t scaled; /* length << AQM_AVERAGE_BITS */
    unsigned stability;
};

static inline void aqm_average_add(struct aqm_average *a, uint32_t length)
{
    int64_t step = ((int64_t)length << AQM_AVERAGE_BITS) - (int64_t)a->scaled;

    a->scaled += (uint64_t)((step + (1 << (a->stability - 1))) >> a->stability);
}

/* The same for `n` lengths, each of which is one more than that before. The loop follows how far
 * the average is behind: that takes two steps from one length to the next. */
static inline void aqm_average_climb(struct aqm_average *a, uint32_t length, uint32_t n)
{
    const unsigned stability = a->stability;
    int64_t top = ((int64_t)length << AQM_AVERAGE_BITS) + (1 << (stability - 1));
    int64_t behind = top - (int64_t)a->scaled;

#pragma GCC unroll 4
    for (uint32_t i = 0; i < n; i++)
        behind = behind + (1 << AQM_AVERAGE_BITS) - (behind >> stability);
    a->scaled = (uint64_t)(top + ((int64_t)n << AQM_AVERAGE_BITS) - behind);
}

/* Rounded to packets. */
static inline uint64_t aqm_average_packets(const struct aqm_average *a)
{
    return (a->scaled + (1u << (AQM_AVERAGE_BITS - 1))) >> AQM_AVERAGE_BITS;
}

/* As if the length had been 0 so many times. */
void aqm_average_decay(struct aqm_average *a, uint64_t times);

/* --- CoDel ------------------------------------------------------------------------------ */

struct codel {
    int64_t target_ns, interval_ns;
    int64_t first_above_ns; /* 0: the delay is below the target */
    int64_t drop_next_ns;
    uint32_t count, last_count; /* drops in this dropping state and in the one before */
    bool dropping;
};

/* Whether a packet that waited for `delay_ns` has been above the target for a whole
 * interval; `backlog` says whether more than a packet's worth still waits behind it. */
bool codel_late(struct codel *c, int64_t delay_ns, int64_t now, bool backlog);

/* The integer square root, rounded down. */
uint32_t codel_root(uint64_t x);

/* interval / sqrt(count) after `t`. */
int64_t codel_next(const struct codel *c, int64_t t);

/* Enter the dropping state at `now`, after a first drop. */
void codel_enter(struct codel *c, int64_t now);

#endif
