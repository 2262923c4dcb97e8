// SPDX-License-Identifier: BSD-3-Clause
/*
 * turns.h -- several turns of a source at once
 *
 * A source makes BURST packets a turn, by default one, and most of what a turn costs is the
 * same for one packet and for many. While no other task waits for its turn, the next turns
 * belong to the source as well, and it takes them as one, with all of their packets, where
 * nobody can tell.
 *
 * The packets of a source that does so are alike, as an InfiniteSource's are, and one of
 * them shows what becomes of the others: the first turn of every round is taken alone. If
 * it met only elements that are `plain` (a member of struct element_class) and nothing
 * was said, which the scheduler's `noted` tells, the others will take the same way, and
 * stay in order wherever ways meet.
 *
 * A queue on the way wakes a task. It is let pass if that task takes turns with the source,
 * is alone with it, does nothing but pull and push what it gets, met only plain elements as
 * well, and has emptied the queue, and if enough turns are left for it to do so again. The
 * queue's highwater_length is what it would have been.
 */

#ifndef ENGINE_TURNS_H
#define ENGINE_TURNS_H

#include "engine/element.h"

enum {
    TURNS_PACKETS = 32
}; /* made at once at most: more do not fit the nearest cache */

struct turns {
    uint64_t round, noted; /* of the scheduler, when the first turn was taken */
};

/* From inside `run`: how many turns of `burst` packets each the task may take now. If more
 * than one, it tells turns_took() before task_reschedule() how many it took. */
uint32_t turns_now(struct turns *s, const struct task *t, uint32_t burst);
void turns_took(struct task *t, uint32_t turns);

/* Packets go into queue `e`. */
void turns_into(struct sched *sched, struct element *e);

#endif
