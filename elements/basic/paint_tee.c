// SPDX-License-Identifier: BSD-3-Clause
/*
 * PaintTee -- pass packets on, and copies of those of one colour elsewhere
 *
 * Usage:    PaintTee(COLOR, ANNO PAINT)
 * Ports:    1 in, 2 out; push or pull, output 1 push
 * Args:     COLOR  0 to 255
 *           ANNO   annotation that is compared, one byte; default PAINT
 * Counters: none
 * Handlers: color  (read/write) the argument COLOR
 * Example:  ... -> pt :: PaintTee(1) -> ...;  pt[1] -> ICMPError(...) -> ...
 * See also: Paint, CheckPaint, Tee
 */

#include "engine/clone_out.h"
#include "engine/ip4_plain.h"

struct paint_tee {
    uint8_t color;
    struct anno_ref anno;
};

static const struct arg_spec paint_tee_args[] = {
    ARG_U8(paint_tee, color, "COLOR", ARG_M, NULL, "0 to 255"),
    ARG_ANNO_SIZED(paint_tee, anno, "ANNO", ARG_POS, "PAINT", 1,
                   "annotation that is compared"),
    ARG_END,
};

static void paint_tee_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct paint_tee *s = element_state(e);
    const uint8_t color = s->color;
    const uint32_t at = s->anno.offset;
    struct batch same;

    same.n = 0;
#pragma GCC unroll 4
    for (uint32_t i = from; i < b->n; i++)
        if (__builtin_expect(b->p[i]->anno[at] == color, 0))
            batch_add(&same, b->p[i]);
    if (!same.n)
        return;
    element_not_plain(e);
    clone_out(e, 1, &same, 0);
}

ELEMENT_BATCH(paint_tee)
ELEMENT_IP4(paint_tee)

static const struct handler_spec paint_tee_handlers[] = {
    HANDLER_VALUE(paint_tee, color, ARG_KIND_U8, HANDLER_READ | HANDLER_WRITE, "color",
                  "0 to 255"),
    HANDLER_END,
};

ELEMENT(PaintTee) = {
    .name = "PaintTee",
    .state_size = sizeof(struct paint_tee),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/2",
    .processing = "a/ah",
    .args = paint_tee_args,
    .live = true,
    .handlers = paint_tee_handlers,
    .push = paint_tee_push,
    .pull = paint_tee_pull,
    .push_ip4 = paint_tee_push_ip4,
};
