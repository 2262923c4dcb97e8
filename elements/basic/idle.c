// SPDX-License-Identifier: BSD-3-Clause
/*
 * Idle -- a place where nothing ever happens
 *
 * Usage:    Idle
 * Ports:    any in, any out; push or pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  Idle -> [1] sched :: PrioSched;
 * See also: Discard, Block
 *
 * Packets that are pushed into it are dropped; whoever pulls from it gets none, and is
 * told so once and for all: tasks downstream do not poll.
 */

#include "engine/element.h"

struct idle {
    struct notifier never; /* there will never be a packet here */
};

static int idle_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct idle *s = element_state(e);

    notifier_init(&s->never, false);
    return 0;
}

static void *idle_cast(struct element *e, const char *kind)
{
    struct idle *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->never;
}

static void idle_push(struct element *e, unsigned port, struct batch *b)
{
    batch_free(b);
}

static uint32_t idle_pull(struct element *e, unsigned port, struct batch *b,
                          uint32_t max)
{
    return 0;
}

ELEMENT(Idle) = {
    .name = "Idle",
    .state_size = sizeof(struct idle),
    .keeps = PKT_PARTS,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "-/-",
    .flow = "x/y",
    .configure = idle_configure,
    .cast = idle_cast,
    .push = idle_push,
    .pull = idle_pull,
};
