// SPDX-License-Identifier: BSD-3-Clause
/*
 * Resize -- lengthen or shorten packets at both ends
 *
 * Usage:    Resize(HEAD 0, TAIL 0)
 * Ports:    1 in, 1 out; push or pull
 * Args:     HEAD  bytes added to the front; < 0: removed
 *           TAIL  bytes added to the end; < 0: removed
 * Counters: drops  packets for which memory ran out
 * Handlers: head, tail  (read/write) the arguments
 * Example:  ... -> Resize(-14, 4) -> ...
 * See also: Strip, Unstrip, Truncate, Pad
 *
 * Bytes that were removed before come back; others are 0 at the front, and have no particular
 * value at the end.
 */

#include "engine/element.h"

struct resize {
    int32_t head, tail;
};

static const struct arg_spec resize_args[] = {
    ARG_I32(resize, head, "HEAD", ARG_POS, "0", "bytes added to the front"),
    ARG_I32(resize, tail, "TAIL", ARG_POS, "0", "bytes added to the end"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec resize_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

/* Add to the front; what never was in a packet is cleared. */
static int resize_head(struct pkt *p, uint32_t n)
{
    uint32_t before = pkt_written_before(p);

    if (pkt_unpull(p, n) == 0)
        return 0;
    if (n > PKT_MAX_LEN || !pkt_push(p, n))
        return -1;
    memset(p->data, 0, n - before);
    return 0;
}

static int resize_tail(struct pkt *p, uint32_t n)
{
    uint32_t room = pkt_tailroom(p), len = p->len;

    if (n <= room) {
        p->len += n;
        return 0;
    }
    if (n > PKT_MAX_LEN || !pkt_put(p, n))
        return -1;
    /* The packet may have moved: nothing behind its old end came along. */
    memset(p->data + len, 0, n);
    return 0;
}

static inline verdict_t resize_one(struct element *e, struct pkt *p)
{
    const struct resize *s = element_state(e);

    if (s->head < 0)
        pkt_pull(p, 0 - (uint32_t)s->head);
    else if (s->head && resize_head(p, (uint32_t)s->head) < 0)
        return drop(e, C_DROPS);
    if (s->tail < 0)
        pkt_take(p, 0 - (uint32_t)s->tail);
    else if (s->tail && resize_tail(p, (uint32_t)s->tail) < 0)
        return drop(e, C_DROPS);
    return 0;
}

ELEMENT_LOOP(resize)

static const struct handler_spec resize_handlers[] = {
    HANDLER_VALUE(resize, head, ARG_KIND_I32, HANDLER_READ | HANDLER_WRITE, "head",
                  "bytes added to the front"),
    HANDLER_VALUE(resize, tail, ARG_KIND_I32, HANDLER_READ | HANDLER_WRITE, "tail",
                  "bytes added to the end"),
    HANDLER_END,
};

ELEMENT(Resize) = {
    .name = "Resize",
    .state_size = sizeof(struct resize),
    .ports = "1/1",
    .args = resize_args,
    .live = true,
    .counters = resize_counters,
    .handlers = resize_handlers,
    .push = resize_push,
    .pull = resize_pull,
};
