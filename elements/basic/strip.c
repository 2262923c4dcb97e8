// SPDX-License-Identifier: BSD-3-Clause
/*
 * Strip -- remove bytes from the front of packets
 *
 * Usage:    Strip(LENGTH)
 * Ports:    1 in, 1 out; push or pull
 * Args:     LENGTH  bytes removed; a shorter packet becomes empty
 * Counters: none
 * Handlers: none
 * Example:  FromDevice(0) -> Strip(14) -> CheckIPHeader -> ...
 * See also: Unstrip, StripToNetworkHeader, Truncate
 *
 * Only a pointer moves: Unstrip brings the bytes back. The `click` driver prints a line for
 * each packet that is shorter.
 */

#include "engine/element.h"
#include "engine/platform.h"
#include "engine/turns.h"

struct strip {
    uint32_t length;
};

static const struct arg_spec strip_args[] = {
    ARG_U32(strip, length, "LENGTH", ARG_M, NULL, "bytes removed"),
    ARG_END,
};

/* Click's Packet::pull() says so of every packet; a VM's console is not to be flooded. */
static __attribute__((cold, noinline)) void strip_short(struct element *e,
                                                        struct pkt *p)
{
    const struct strip *s = element_state(e);

    if (element_platform(e)->has_os)
        element_say(e, "Packet::pull %u > length %u\n", s->length, p->len);
    pkt_pull(p, s->length);
}

static void strip_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct strip *s = element_state(e);
    uint32_t n = b->n, length = s->length;

#pragma GCC unroll 2
    for (uint32_t i = from; i < n; i++) {
        struct pkt *p = b->p[i];

        if (__builtin_expect(length > p->len, 0)) {
            strip_short(e, p);
            continue;
        }
        p->data += length;
        p->len -= length;
    }
}

ELEMENT_BATCH_PULL(strip)

/* Take off as much as all packets have; how many packets that went well for. */
static inline uint32_t strip_run(struct element *e, struct batch *b)
{
    const struct strip *s = element_state(e);
    uint32_t n = b->n, length = s->length;

#pragma GCC unroll 2
    for (uint32_t i = 0; i < n; i++) {
        struct pkt *p = b->p[i];

        if (__builtin_expect(length > p->len, 0))
            return i;
        p->data += length;
        p->len -= length;
    }
    return n;
}

/* The packets from `from` on one by one: something is said of one of them. */
static __attribute__((cold, noinline)) void strip_rest(struct element *e, unsigned port,
                                                       struct batch *b, uint32_t from)
{
    struct batch first;

    if (b->n == 1) {
        strip_short(e, b->p[0]);
        out_push(e, 0, b);
        return;
    }
    first.n = from;
    memcpy(first.p, b->p, from * sizeof(struct pkt *));
    out_push(e, 0, &first);
    turns_push_singly(e, port, b, from);
}

static void strip_push(struct element *e, unsigned port, struct batch *b)
{
    uint32_t done = strip_run(e, b);

    if (__builtin_expect(done == b->n, 1))
        out_push(e, 0, b);
    else
        strip_rest(e, port, b, done);
}

ELEMENT(Strip) = {
    .name = "Strip",
    .state_size = sizeof(struct strip),
    .keeps = PKT_PARTS & ~PKT_PLACE,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = strip_args,
    .push = strip_push,
    .pull = strip_pull,
};
