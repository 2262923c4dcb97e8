// SPDX-License-Identifier: BSD-3-Clause
/*
 * RatedSplitter -- pass so many packets a second, and the rest elsewhere
 *
 * Usage:    RatedSplitter(RATE, BURST_DURATION 20ms, BURST_SIZE)
 * Ports:    1 in, 1-2 out; push
 * Args:     RATE            packets a second
 *           BURST_DURATION  what may be saved up, as a time; default 20 ms
 *           BURST_SIZE      the same as a number
 * Counters: none
 * Handlers: rate    (read/write) the argument RATE
 *           config  (read) the same
 * Example:  ... -> rs :: RatedSplitter(1000) -> ...;  rs[1] -> Discard;
 * See also: BandwidthRatedSplitter, RatedUnqueue, Meter
 *
 * What is too much leaves by output 1, or is dropped if that is not connected.
 */

#include "engine/rated.h"

struct rated_splitter {
    struct rated rated;
};

static const struct arg_spec rated_splitter_args[] = {
    RATED_PACKET_ARGS(rated_splitter, rated),
    ARG_END,
};

static int rated_splitter_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct rated_splitter *s = element_state(e);

    return rated_configure(e, &s->rated, false, d);
}

static void rated_splitter_push(struct element *e, unsigned port, struct batch *b)
{
    struct rated_splitter *s = element_state(e);
    uint32_t n = rated_allows(&s->rated, element_now(e), b->n);
    struct batch rest;

    rest.n = b->n - n;
    memcpy(rest.p, b->p + n, rest.n * sizeof(struct pkt *));
    b->n = n;
    rated_spend(&s->rated, b, 0);
    out_push(e, 0, b);
    out_push_or_free(e, 1, &rest);
}

static const struct handler_spec rated_splitter_handlers[] = {
    RATED_HANDLERS(rated_splitter, rated, rated_write_rate),
    HANDLER_END,
};

ELEMENT(RatedSplitter) = {
    .name = "RatedSplitter",
    .state_size = sizeof(struct rated_splitter),
    .ports = "1/1-2",
    .processing = "h/h",
    .args = rated_splitter_args,
    .live = true,
    .handlers = rated_splitter_handlers,
    .configure = rated_splitter_configure,
    .push = rated_splitter_push,
};
