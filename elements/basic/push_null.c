// SPDX-License-Identifier: BSD-3-Clause
/*
 * PushNull -- pass packets on unchanged, push only
 *
 * Usage:    PushNull
 * Ports:    1 in, 1 out; push
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  in :: PushNull -> ...; a configuration that uses it the other way is refused
 * See also: Null
 */

#include "engine/element.h"

static void push_null_push(struct element *e, unsigned port, struct batch *b)
{
    out_push(e, 0, b);
}

ELEMENT(PushNull) = {
    .name = "PushNull",
    .ports = "1/1",
    .processing = "h/h",
    .passes = true,
    .push = push_null_push,
};
