// SPDX-License-Identifier: BSD-3-Clause
/*
 * CheckPaint -- pass packets of one colour
 *
 * Usage:    CheckPaint(COLOR, ANNO PAINT)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     COLOR  0 to 255
 *           ANNO   annotation that is compared, one byte; default PAINT
 * Counters: none
 * Handlers: color  (read/write) the argument COLOR
 * Example:  ... -> c :: CheckPaint(1) -> ToDevice(0);  c[1] -> ToDevice(1);
 * See also: Paint, PaintTee, PaintSwitch
 *
 * Packets of another colour leave by output 1, or are dropped if that is not connected.
 */

#include "engine/element.h"

struct check_paint {
    uint8_t color;
    struct anno_ref anno;
};

static const struct arg_spec check_paint_args[] = {
    ARG_U8(check_paint, color, "COLOR", ARG_M, NULL, "0 to 255"),
    ARG_ANNO_SIZED(check_paint, anno, "ANNO", ARG_POS, "PAINT", 1,
                   "annotation that is compared"),
    ARG_END,
};

static inline verdict_t check_paint_one(struct element *e, struct pkt *p)
{
    const struct check_paint *s = element_state(e);

    if (p->anno[s->anno.offset] == s->color)
        return 0;
    return e->n_out > 1 ? 1 : VERDICT_DROP;
}

ELEMENT_LOOP(check_paint)

static const struct handler_spec check_paint_handlers[] = {
    HANDLER_VALUE(check_paint, color, ARG_KIND_U8, HANDLER_READ | HANDLER_WRITE,
                  "color", "0 to 255"),
    HANDLER_END,
};

ELEMENT(CheckPaint) = {
    .name = "CheckPaint",
    .state_size = sizeof(struct check_paint),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = check_paint_args,
    .live = true,
    .handlers = check_paint_handlers,
    .push = check_paint_push,
    .pull = check_paint_pull,
};
