// SPDX-License-Identifier: BSD-3-Clause
/*
 * chatter.h -- text for listeners besides the console, by the name of a channel
 *
 * ChatterSocket opens a channel, an element with an argument CHANNEL speaks there. What is
 * said on a channel that nobody opened is lost, as in Click; "default" is the console.
 */

#ifndef ENGINE_CHATTER_H
#define ENGINE_CHATTER_H

#include "engine/element.h"

struct chatter_listener {
    struct chatter_listener *next;
    void (*hear)(void *arg, const char *text, size_t len);
    void *arg;
};

struct chatter_channel {
    struct chatter_listener *listeners; /* in their owners' states */
    bool open;
    bool loud; /* the console hears it too */
};

/* The channel of that name, in the router's arena; `*channel` is NULL for the console. -1
 * when memory ran out. */
int chatter_find(const struct element *e, const char *name,
                 struct chatter_channel **channel);

/* Whoever opens a channel first says whether the console hears it. */
void chatter_listen(struct chatter_channel *c, struct chatter_listener *l, bool loud);
void chatter_leave(struct chatter_channel *c, struct chatter_listener *l);

/* Say a line; NULL: on the console. */
void chatter_say(struct element *e, const struct chatter_channel *c,
                 const struct sbuf *line);

#endif
