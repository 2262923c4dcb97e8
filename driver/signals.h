// SPDX-License-Identifier: BSD-3-Clause
/*
 * signals.h -- signals that the program takes notice of, between two rounds
 *
 * A signal is only noted when it comes; signals_deliver() tells those who asked for it.
 * Signals that matter are blocked while the router runs and let in while it waits, so
 * that none is missed just before.
 */

#ifndef DRIVER_SIGNALS_H
#define DRIVER_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct signal_watch {
    int signo;
    void (*fire)(void *arg);
    void *arg;
};

struct signals {
    struct signal_watch *watches; /* owned; [n] */
    unsigned n, room;
};

void signals_fini(struct signals *s);

/* Note this signal from now on; with `once` only the first time, the next one does what
 * it did before. */
void signals_catch(int signo, bool once);

/* Call `fire(arg)` at the next delivery after the signal came; then the watch is gone.
 * Returns -1 when memory ran out. */
int signals_watch(struct signals *s, int signo, void (*fire)(void *arg), void *arg);
void signals_unwatch(struct signals *s, const void *arg);

/* Call those who watch the signals that came. Returns those that nobody watched, bit
 * 1 << signo each. */
uint32_t signals_deliver(struct signals *s);

/* Whether signals wait for signals_deliver(). */
bool signals_noted(void);

/* Block all that matter; `before` gets what was blocked. */
void signals_block(sigset_t *before);

/* Let in what waits behind a block, if anything does. */
void signals_let_in(const sigset_t *before);

#endif
