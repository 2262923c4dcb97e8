// SPDX-License-Identifier: BSD-3-Clause
/*
 * Error -- stands for an element that does not exist
 *
 * Usage:    Error(...)
 * Ports:    any in, any out; push or pull
 * Args:     any, which are not looked at
 * Counters: none
 * Handlers: none
 * Example:  in -> Error -> out;
 * See also: Message
 *
 * Tools put it where they know no class; a configuration with one cannot be started.
 */

#include "engine/element.h"
#include "engine/platform.h"

static int error_initialize(struct element *e, struct diag *d)
{
    if (element_platform(e)
            ->has_os) /* silent there, as in Click: a tool has said why */
        return -1;
    return diag_err(d, "Error stands for an element that does not exist");
}

static void error_push(struct element *e, unsigned port, struct batch *b)
{
    batch_free(b);
}

static uint32_t error_pull(struct element *e, unsigned port, struct batch *b,
                           uint32_t max)
{
    return 0;
}

ELEMENT(Error) = {
    .name = "Error",
    .ports = "-/-",
    .any_args = true,
    .initialize = error_initialize,
    .push = error_push,
    .pull = error_pull,
};
