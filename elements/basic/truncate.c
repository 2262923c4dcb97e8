// SPDX-License-Identifier: BSD-3-Clause
/*
 * Truncate -- cut packets to a length
 *
 * Usage:    Truncate(LENGTH, EXTRA_LENGTH true)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LENGTH        most bytes that stay
 *           EXTRA_LENGTH  add what was cut to the extra-length annotation, default true
 * Counters: none
 * Handlers: nbytes  (read/write) the argument LENGTH
 * Example:  FromDevice(0) -> Truncate(96) -> ToDump(headers.pcap);
 * See also: Pad, Strip, CheckLength
 *
 * Shorter packets are left alone.
 */

#include "engine/element.h"

struct truncate {
    uint32_t length;
    bool extra_length;
};

static const struct arg_spec truncate_args[] = {
    ARG_U32(truncate, length, "LENGTH", ARG_M, NULL, "most bytes that stay"),
    ARG_BOOL(truncate, extra_length, "EXTRA_LENGTH", ARG_KEY, "true",
             "note what was cut in the extra-length annotation"),
    ARG_END,
};

static void truncate_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct truncate *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (p->len <= s->length)
            continue;
        if (s->extra_length)
            p->anno_u32[ANNO_EXTRA_LENGTH / 4] += p->len - s->length;
        p->len = s->length;
    }
}

ELEMENT_BATCH(truncate)

static const struct handler_spec truncate_handlers[] = {
    HANDLER_VALUE(truncate, length, ARG_KIND_U32, HANDLER_READ | HANDLER_WRITE,
                  "nbytes", "most bytes that stay"),
    HANDLER_END,
};

ELEMENT(Truncate) = {
    .name = "Truncate",
    .state_size = sizeof(struct truncate),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = truncate_args,
    .live = true,
    .handlers = truncate_handlers,
    .push = truncate_push,
    .pull = truncate_pull,
};
