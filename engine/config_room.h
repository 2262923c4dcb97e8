// SPDX-License-Identifier: BSD-3-Clause
/*
 * config_room.h -- where the configuration of a running element lies
 *
 * A program may give an element another configuration all day long. Nothing in the router's
 * arena is ever freed, so the string and the texts among the arguments' values have rooms
 * there that are used again; a room that is too small is replaced by one twice the size.
 */

#ifndef ENGINE_CONFIG_ROOM_H
#define ENGINE_CONFIG_ROOM_H

#include "engine/element.h"

/* Room for e's configuration string of `len` bytes and its end; NULL without memory. */
char *config_room(struct element *e, size_t len);

/* Make `config`, which may lie in `room` itself, e's configuration string. */
void config_keep(struct element *e, char *room, const char *config);

/* Copy `t` to one of the two rooms of the member at `offset` of e's state: the one that the
 * member does not lie in, so that its text stays until somebody stores `t` there. False
 * without memory. */
bool config_keep_text(struct element *e, uint32_t offset, struct text *t);

#endif
