// SPDX-License-Identifier: BSD-3-Clause
/*
 * turns.h -- processes that are measured in turn, a few milliseconds each
 *
 * A neighbour on the other thread of the core slows everything here by half, for some
 * milliseconds or for minutes. So the two sides of a row are two processes on one processor
 * of which one stands still while the other runs: both see the same neighbours, and the
 * median of the ratios of neighbouring turns is what is left when those are taken out.
 *
 * The first process starts them, with a socket as standard input. A side waits there before
 * every turn and says behind it how long it took, in a unit of its own; at its end it says
 * how many seconds a packet that unit is.
 */

#ifndef BENCH_ENGINE_TURNS_H
#define BENCH_ENGINE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

/* --- one of them ---------------------------------------------------------------------- */

/* From here on this process takes turns: wait for the first. */
void turns_join(void);
bool turns_joined(void);

/* A turn is over; wait for the next. */
void turn_end(double took);

/* The last turn is over; `seconds` a packet are one unit of what the turns took. */
void turns_leave(double seconds);

enum { PACE_MS = 30 }; /* how long pace() below runs */

/* Packets a second in the best tenth of some dozens of calls of pace(), each of which says how
 * many it were in its own time; with `in_turns` each is a turn. */
double turns_best_pace(double (*pace)(void *ctx), void *ctx, bool in_turns);

/* --- who starts them ------------------------------------------------------------------ */

enum { TURNS_PLAYERS = 4, TURNS_MAX = 4096 };

struct turns_player {
    const char *side;
    unsigned row;
};

/* Seconds a packet in each one's turns, in order. */
struct turns {
    double took[TURNS_PLAYERS][TURNS_MAX];
    uint32_t n; /* turns that all of them took */
};

/* Run `self --turns SIDE ROW` for `n` players, and let them take turns until each has come to
 * its end. Ends the program when one of them fails. */
void turns_take(struct turns *t, const char *self, const struct turns_player *players,
                unsigned n);

#endif
