// SPDX-License-Identifier: BSD-3-Clause
/*
 * PaintSwitch -- send packets to the output with the number of their colour
 *
 * Usage:    PaintSwitch(ANNO PAINT)
 * Ports:    1 in, 1 or more out; push
 * Args:     ANNO  annotation that is the number, one byte; default PAINT
 * Counters: none
 * Handlers: none
 * Example:  ... -> ps :: PaintSwitch -> ToDevice(0);  ps[1] -> ToDevice(1);
 * See also: Paint, Switch, CheckPaint
 *
 * Packets whose colour is no output are dropped; those with colour 255 leave by all
 * outputs, as copies.
 */

#include "engine/clone_out.h"

enum { PAINT_ALL = 255 };

struct paint_switch {
    struct anno_ref anno;
};

static const struct arg_spec paint_switch_args[] = {
    ARG_ANNO_SIZED(paint_switch, anno, "ANNO", ARG_POS, "PAINT", 1,
                   "annotation that is the number of the output"),
    ARG_END,
};

static void paint_switch_push(struct element *e, unsigned port, struct batch *b)
{
    const struct paint_switch *s = element_state(e);
    struct strays sorted;
    struct batch one;

    sorted.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i];
        uint8_t color = p->anno[s->anno.offset];

        if (__builtin_expect(color != PAINT_ALL, 1)) {
            strays_add(&sorted, p, color < e->n_out ? color : VERDICT_DROP);
            continue;
        }
        /* What came before it leaves before it. */
        strays_deliver(e, &sorted);
        sorted.n = 0;
        one.n = 1;
        one.p[0] = p;
        clone_out_all(e, -1, &one);
    }
    strays_deliver(e, &sorted);
}

ELEMENT(PaintSwitch) = {
    .name = "PaintSwitch",
    .state_size = sizeof(struct paint_switch),
    .ports = "1/1-",
    .processing = "h/h",
    .args = paint_switch_args,
    .push = paint_switch_push,
};
