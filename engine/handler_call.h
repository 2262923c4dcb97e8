// SPDX-License-Identifier: BSD-3-Clause
/*
 * handler_call.h -- a handler that a configuration names, to be called later
 *
 *     COUNT_CALL 10 sw.switch 1     ->  name "sw.switch", value "1"
 *
 * Memory: the text is on the heap, owned by the call.
 */

#ifndef ENGINE_HANDLER_CALL_H
#define ENGINE_HANDLER_CALL_H

#include "engine/element.h"

struct handler_call {
    char *name;        /* owned; NULL: nothing to call */
    const char *value; /* inside the memory of `name` */
};

/* Take a copy of "NAME [VALUE]"; "" and NULL are nothing to call. What was there before
 * is released. Returns -1, unchanged, when memory ran out. */
int handler_call_set(struct handler_call *c, const char *text);
void handler_call_fini(struct handler_call *c);

/* Whether the handler exists and can be read or written (`flag` is HANDLER_READ or
 * HANDLER_WRITE), seen from `e`; -1 with a message if not. Nothing to call is fine. */
int handler_call_check(const struct handler_call *c, struct element *e, uint32_t flag,
                       struct diag *d);

/* Write it; what goes wrong is said on the console. Returns the handler's result. */
int handler_call_write(const struct handler_call *c, struct element *e);

/* Ask the router to stop, as the handler `stop` does. */
void handler_call_stop(struct element *e);

#endif
