// SPDX-License-Identifier: BSD-3-Clause
/*
 * PullNull -- pass packets on unchanged, pull only
 *
 * Usage:    PullNull
 * Ports:    1 in, 1 out; pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  in :: PullNull -> ...; a configuration that uses it the other way is refused
 * See also: Null
 */

#include "engine/element.h"

static uint32_t pull_null_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    return in_pull(e, 0, b, max);
}

ELEMENT(PullNull) = {
    .name = "PullNull",
    .ports = "1/1",
    .processing = "l/l",
    .passes = true,
    .pull = pull_null_pull,
};
