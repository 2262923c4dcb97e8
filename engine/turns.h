// SPDX-License-Identifier: BSD-3-Clause
/*
 * turns.h -- several turns of a source at once
 *
 * A source makes BURST packets a turn, by default one, and most of what a turn costs is the
 * same for one packet and for many. While no other task waits for its turn, the next turns
 * belong to the source as well, and it takes them as one, with all of their packets, where
 * nobody can tell.
 *
 * That is where all elements which its packets can reach are `plain` (a member of struct
 * element_class) and the packets of one call are alike, as an InfiniteSource's are: then
 * they take one way, and stay in order wherever ways meet. What is left is text: two
 * elements that complain of every packet take turns. So the first turn of each round is
 * taken alone, and the others too if anything was said.
 */

#ifndef ENGINE_TURNS_H
#define ENGINE_TURNS_H

#include "engine/element.h"

enum {
    TURNS_PACKETS = 32
}; /* made at once at most: more do not fit the nearest cache */

struct turns {
    bool plain;           /* all elements on the way are, or say so when asked: */
    uint32_t n_ask;       /* those that are plain at times */
    struct element **ask; /* [n_ask], in the router's arena */
    uint64_t round, said; /* of the scheduler, when the first turn was taken */
};

/* From initialize(), for packets that leave `e` by push output `port`. */
void turns_init(struct turns *s, struct element *e, unsigned port);

/* From inside `run`: how many turns of `burst` packets each the task may take now. */
uint32_t turns_now(struct turns *s, const struct task *t, uint32_t burst);

/* It has taken so many; before task_reschedule(). */
void turns_took(struct task *t, uint32_t turns);

#endif
