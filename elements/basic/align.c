// SPDX-License-Identifier: BSD-3-Clause
/*
 * Align -- move packets' data to addresses of one kind
 *
 * Usage:    Align(MODULUS, OFFSET)
 * Ports:    1 in, 1 out; push or pull
 * Args:     MODULUS  2, 4 or 8
 *           OFFSET   the data's address divided by MODULUS leaves this; below MODULUS
 * Counters: drops  packets for which memory ran out
 * Handlers: none
 * Example:  ... -> Strip(14) -> Align(4, 0) -> CheckIPHeader -> ...
 * See also: AlignmentInfo
 *
 * click-align puts it where other machines need it; here headers need no alignment.
 * Headers that were marked or stripped move along.
 */

#include "engine/element.h"

struct align {
    uint32_t modulus;
    int32_t offset_arg;
    uint32_t offset; /* below the modulus */
};

static const struct arg_spec align_args[] = {
    ARG_U32(align, modulus, "MODULUS", ARG_M, NULL, "2, 4 or 8"),
    ARG_I32(align, offset_arg, "OFFSET", ARG_M, NULL, "remainder"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec align_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static int align_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct align *s = element_state(e);

    if (s->modulus != 2 && s->modulus != 4 && s->modulus != 8)
        return diag_err(d, "MODULUS must be 2, 4, or 8");
    if (s->offset_arg >= (int32_t)s->modulus)
        return diag_err(d, "OFFSET must be smaller than MODULUS");
    s->offset = (uint32_t)s->offset_arg & (s->modulus - 1);
    return 0;
}

static uint8_t *align_low(uint8_t *low, uint8_t *header)
{
    return header && header < low ? header : low;
}

/* Move data and headers by `by` bytes inside the buffer, which is the packet's own and has
 * room for it. */
static void align_move(struct pkt *p, int by)
{
    uint8_t *low = align_low(align_low(align_low(p->data, p->mac), p->network),
                             p->transport);

    memmove(low + by, low, (size_t)(p->data + p->len - low));
    p->data += by;
    p->mac = p->mac ? p->mac + by : NULL;
    p->network = p->network ? p->network + by : NULL;
    p->transport = p->transport ? p->transport + by : NULL;
}

static inline verdict_t align_one(struct element *e, struct pkt *p)
{
    const struct align *s = element_state(e);
    uint32_t by;

    if (((uintptr_t)p->data & (s->modulus - 1)) == s->offset)
        return 0;
    /* Room behind for any move; the buffer may be another one afterwards. */
    if (pkt_expand(p, pkt_headroom(p), s->modulus) < 0)
        return drop(e, C_DROPS);
    by = (s->offset - (uint32_t)(uintptr_t)p->data) & (s->modulus - 1);
    if (by)
        align_move(p, (int)by);
    return 0;
}

ELEMENT_LOOP(align)

ELEMENT(Align) = {
    .name = "Align",
    .state_size = sizeof(struct align),
    .ports = "1/1",
    .args = align_args,
    .counters = align_counters,
    .configure = align_configure,
    .push = align_push,
    .pull = align_pull,
};
