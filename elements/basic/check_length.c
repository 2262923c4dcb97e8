// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckLength -- pass packets that are not too long
 *
 * Usage:    CheckLength(LENGTH)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     LENGTH  most bytes a packet may have
 * Counters: none
 * Handlers: length  (read/write) the argument LENGTH
 * Example:  ... -> cl :: CheckLength(1500) -> ...;  cl[1] -> IPFragmenter(1500) -> ...
 * See also: Truncate
 *
 * Longer packets leave by output 1, or are dropped if that is not connected.
 */

#include "engine/element.h"

struct check_length {
    uint32_t length;
};

static const struct arg_spec check_length_args[] = {
    ARG_U32(check_length, length, "LENGTH", ARG_M, NULL, "most bytes"),
    ARG_END,
};

static inline verdict_t check_length_one(struct element *e, struct pkt *p)
{
    const struct check_length *s = element_state(e);

    if (p->len <= s->length)
        return 0;
    return e->n_out > 1 ? 1 : VERDICT_DROP;
}

ELEMENT_LOOP(check_length)

static const struct handler_spec check_length_handlers[] = {
    HANDLER_VALUE(check_length, length, ARG_KIND_U32, HANDLER_READ | HANDLER_WRITE,
                  "length", "most bytes"),
    HANDLER_END,
};

ELEMENT(CheckLength) = {
    .name = "CheckLength",
    .state_size = sizeof(struct check_length),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_length_args,
    .handlers = check_length_handlers,
    .push = check_length_push,
    .pull = check_length_pull,
};
