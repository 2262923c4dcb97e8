// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pad -- lengthen packets
 *
 * Usage:    Pad(LENGTH, ZERO true)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LENGTH  bytes that every packet has at least; default 0: a packet grows by
 *                   its extra-length annotation
 *           ZERO    set the new bytes to 0, default true
 * Counters: drops  packets for which memory ran out
 * Handlers: none
 * Example:  ... -> EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2) -> Pad(60) -> ToDevice(0);
 * See also: Truncate
 *
 * The extra-length annotation is 0 afterwards. With ZERO false the new bytes have no
 * particular value.
 */

#include "engine/element.h"

struct pad {
    uint32_t length;
    bool zero;
};

static const struct arg_spec pad_args[] = {
    ARG_U32(pad, length, "LENGTH", ARG_POS, "0",
            "bytes that every packet has at least"),
    ARG_BOOL(pad, zero, "ZERO", ARG_KEY, "true", "set the new bytes to 0"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec pad_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static inline verdict_t pad_one(struct element *e, struct pkt *p)
{
    const struct pad *s = element_state(e);
    uint32_t more = p->anno_u32[ANNO_EXTRA_LENGTH / 4];
    uint8_t *end;

    if (s->length)
        more = p->len < s->length ? s->length - p->len : 0;
    p->anno_u32[ANNO_EXTRA_LENGTH / 4] = 0;
    if (!more)
        return 0;
    /* The annotation is anybody's; a packet has an end. */
    end = more > PKT_MAX_LEN ? NULL : pkt_put(p, more);
    if (!end)
        return drop(e, C_DROPS);
    if (s->zero)
        memset(end, 0, more);
    return 0;
}

ELEMENT_LOOP(pad)

ELEMENT(Pad) = {
    .name = "Pad",
    .state_size = sizeof(struct pad),
    .ports = "1/1",
    .args = pad_args,
    .live = true,
    .counters = pad_counters,
    .push = pad_push,
    .pull = pad_pull,
};
