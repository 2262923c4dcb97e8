// SPDX-License-Identifier: BSD-3-Clause
/*
 * turns.h -- several turns of a source at once
 *
 * A source makes BURST packets a turn, by default one, and most of what a turn costs is
 * the same for one packet and for many. While no other task waits for its turn, the
 * next turns belong to the source as well, and it takes them as one, with all of their
 * packets, where nobody can tell.
 *
 * If the packets of a source are alike, as an InfiniteSource's are, one of them shows
 * what becomes of the others: the first turn of every round is taken alone. If it met
 * only elements that are `plain` (a member of struct element_class) and nothing was
 * said, which the scheduler's `noted` tells, the others will take the same way, and
 * stay in order wherever ways meet.
 *
 * A queue on the way wakes a task. It is let pass if that task takes turns with the
 * source, is alone with it, does nothing but pull and push what it gets, met only plain
 * elements as well, and has emptied the queue, and if enough turns are left for it to
 * do so again: it is owed as many turns as the source has taken, and takes them at
 * once. The queue's highwater_length is what it would have been.
 *
 * If the packets differ, or are drawn apart by an element that draws random numbers,
 * all elements count that any of them may meet. They must be `apart` (another member of
 * struct element_class): what such an element does with a packet hangs on nothing but
 * the packet, random numbers, the coarse clock and the packets that came to it before,
 * and nobody can tell but by the packets that it sends on, in order for each output. It
 * wakes no task and calls no handler. When it says something about a packet, it has
 * sent on those before it, and sends it on before it looks at the next. To one that
 * keeps more than sums of what it has seen there is one way only, and of those that may
 * share it (APART_SHARES) there is one at most. The same goes for a task that pulls
 * from such an element without inputs.
 */

#ifndef ENGINE_TURNS_H
#define ENGINE_TURNS_H

#include "engine/element.h"

/* Made at once at most: more do not fit the nearest cache. */
enum { TURNS_PACKETS = 32 };

struct turns {
    uint64_t round, noted; /* of the scheduler, when the first turn was taken */
    uint64_t changes;      /* of the scheduler, when `apart` was found out */
    bool apart;            /* all that packets may meet is */
    bool owed; /* the turns that are being taken are, to one who fills a queue */
};

/* From inside `run`: how many turns of `burst` packets each the task may take now. If
 * more than one, it tells turns_took() before task_reschedule() how many it took.
 * `alike`: so are the packets. */
uint32_t turns_now(struct turns *s, const struct task *t, uint32_t burst, bool alike);
void turns_took(struct task *t, uint32_t turns);
/* The same for one who pulls: in `turns` that it might take it got so many packets. */
static inline void turns_pulled(const struct turns *s, struct task *t, uint32_t turns,
                                uint32_t burst, uint32_t packets)
{
    if (turns > 1)
        turns_took(t, s->owed ? turns : (packets + burst - 1) / burst);
}
/* How many it pulls at most. */
static inline uint32_t turns_packets(uint32_t turns, uint32_t burst)
{
    return burst < TURNS_PACKETS ? turns * burst : burst;
}

/* Have `e` take the packets from `from` on one by one. */
void turns_push_singly(struct element *e, unsigned port, struct batch *b,
                       uint32_t from);

/* Packets go into queue `e`. */
void turns_into(struct sched *sched, struct element *e);

#endif
