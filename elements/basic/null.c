// SPDX-License-Identifier: BSD-3-Clause
/*
 * Null -- pass packets on unchanged
 *
 * Usage:    Null
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: none
 * Handlers: none
 * Example:  in :: Null -> ...; a name for a place in a configuration
 * See also: PushNull, PullNull, Bypass
 */

#include "engine/element.h"

static void null_batch(struct element *e, struct batch *b, uint32_t from)
{
}

ELEMENT_BATCH(null)

ELEMENT(Null) = {
    .name = "Null",
    .keeps = PKT_PARTS,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .passes = true,
    .push = null_push,
    .pull = null_pull,
};

/* Click has eight copies of it, to measure caches with. */
ELEMENT_ALIAS(Null1, Null);
ELEMENT_ALIAS(Null2, Null);
ELEMENT_ALIAS(Null3, Null);
ELEMENT_ALIAS(Null4, Null);
ELEMENT_ALIAS(Null5, Null);
ELEMENT_ALIAS(Null6, Null);
ELEMENT_ALIAS(Null7, Null);
ELEMENT_ALIAS(Null8, Null);
