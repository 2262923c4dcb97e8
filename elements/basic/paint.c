// SPDX-License-Identifier: BSD-3-Clause
/*
 * Paint -- mark packets with a colour
 *
 * Usage:    Paint(COLOR, ANNO PAINT)
 * Ports:    1 in, 1 out; push or pull
 * Args:     COLOR  0 to 255
 *           ANNO   annotation that is set, one byte; default PAINT
 * Counters: none
 * Handlers: color  (read/write) the argument COLOR
 * Example:  FromDevice(0) -> Paint(1) -> out :: Queue;  FromDevice(1) -> Paint(2) -> out;
 * See also: PaintSwitch, CheckPaint, PaintTee, SetAnnoByte
 */

#include "engine/ip4_plain.h"

struct paint {
    uint8_t color;
    struct anno_ref anno;
};

static const struct arg_spec paint_args[] = {
    ARG_U8(paint, color, "COLOR", ARG_M, NULL, "0 to 255"),
    ARG_ANNO_SIZED(paint, anno, "ANNO", ARG_POS, "PAINT", 1, "annotation that is set"),
    ARG_END,
};

static void paint_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct paint *s = element_state(e);
    const uint32_t at = s->anno.offset, n = b->n; /* what is written might be these */
    const uint8_t color = s->color;

#pragma GCC unroll 4
    for (uint32_t i = from; i < n; i++)
        b->p[i]->anno[at] = color;
}

ELEMENT_BATCH(paint)
ELEMENT_IP4(paint)

static const struct handler_spec paint_handlers[] = {
    HANDLER_VALUE(paint, color, ARG_KIND_U8, HANDLER_READ | HANDLER_WRITE, "color",
                  "0 to 255"),
    HANDLER_END,
};

ELEMENT(Paint) = {
    .name = "Paint",
    .state_size = sizeof(struct paint),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = paint_args,
    .live = true,
    .handlers = paint_handlers,
    .push = paint_push,
    .pull = paint_pull,
    .push_ip4 = paint_push_ip4,
};
