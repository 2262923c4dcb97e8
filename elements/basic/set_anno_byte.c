// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetAnnoByte -- set a byte of packets' annotations
 *
 * Usage:    SetAnnoByte(ANNO, VALUE)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ANNO   annotation that is set, one byte
 *           VALUE  0 to 255
 * Counters: none
 * Handlers: anno   (read) offset of the annotation
 *           value  (read/write) the argument VALUE
 * Example:  ... -> SetAnnoByte(PAINT, 3) -> ...
 * See also: Paint
 *
 * Kept for old configurations, with a warning: Paint(VALUE, ANNO) does the same.
 */

#include "engine/element.h"

struct set_anno_byte {
    struct anno_ref anno;
    uint8_t value;
};

static const struct arg_spec set_anno_byte_args[] = {
    ARG_ANNO_SIZED(set_anno_byte, anno, "ANNO", ARG_M, NULL, 1,
                   "annotation that is set"),
    ARG_U8(set_anno_byte, value, "VALUE", ARG_M, NULL, "0 to 255"),
    ARG_END,
};

static int set_anno_byte_configure(struct element *e, struct conf *c, struct diag *d)
{
    diag_warn(d,
              "SetAnnoByte(ANNO, VALUE) is obsolete, use Paint(VALUE, ANNO) instead");
    return 0;
}

static void set_anno_byte_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_anno_byte *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++)
        b->p[i]->anno[s->anno.offset] = s->value;
}

ELEMENT_BATCH(set_anno_byte)

static const struct handler_spec set_anno_byte_handlers[] = {
    HANDLER_VALUE(set_anno_byte, anno.offset, ARG_KIND_U16, HANDLER_READ, "anno",
                  "offset of the annotation"),
    HANDLER_VALUE(set_anno_byte, value, ARG_KIND_U8, HANDLER_READ | HANDLER_WRITE,
                  "value", "0 to 255"),
    HANDLER_END,
};

ELEMENT(SetAnnoByte) = {
    .name = "SetAnnoByte",
    .state_size = sizeof(struct set_anno_byte),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = set_anno_byte_args,
    .handlers = set_anno_byte_handlers,
    .configure = set_anno_byte_configure,
    .push = set_anno_byte_push,
    .pull = set_anno_byte_pull,
};
