// SPDX-License-Identifier: BSD-3-Clause
/*
 * BandwidthRatedSplitter -- pass so many bytes a second, and the rest elsewhere
 *
 * Usage:    BandwidthRatedSplitter(RATE, BURST_DURATION 20ms, BURST_BYTES)
 * Ports:    1 in, 1-2 out; push
 * Args:     RATE            bits or bytes a second, such as 10Mbps or 1MBps
 *           BURST_DURATION  what may be saved up, as a time; default 20 ms
 *           BURST_BYTES     the same as a number
 * Counters: none
 * Handlers: rate    (read/write) the argument RATE
 *           config  (read) the same
 * Example:  ... -> rs :: BandwidthRatedSplitter(10Mbps) -> ...;  rs[1] -> Discard;
 * See also: RatedSplitter, BandwidthRatedUnqueue, BandwidthMeter
 *
 * What is too much leaves by output 1, or is dropped if that is not connected.
 */

#include "engine/rated.h"

struct bandwidth_rated_splitter {
    struct rated rated;
};

static const struct arg_spec bandwidth_rated_splitter_args[] = {
    RATED_BYTE_ARGS(bandwidth_rated_splitter, rated),
    ARG_END,
};

static int bandwidth_rated_splitter_configure(struct element *e, struct conf *c,
                                              struct diag *d)
{
    struct bandwidth_rated_splitter *s = element_state(e);

    return rated_configure(e, &s->rated, true, d);
}

static void bandwidth_rated_splitter_push(struct element *e, unsigned port,
                                          struct batch *b)
{
    struct bandwidth_rated_splitter *s = element_state(e);
    struct batch pass, rest;

    pass.n = rest.n = 0;
    token_bucket_refill(&s->rated.bucket, element_now(e));
    for (uint32_t i = 0; i < b->n; i++) {
        if (!token_bucket_has(&s->rated.bucket, RATED_FLOOR)) {
            batch_add(&rest, b->p[i]);
            continue;
        }
        token_bucket_drain(&s->rated.bucket, b->p[i]->len);
        batch_add(&pass, b->p[i]);
    }
    out_push(e, 0, &pass);
    out_push_or_free(e, 1, &rest);
}

static const struct handler_spec bandwidth_rated_splitter_handlers[] = {
    RATED_HANDLERS(bandwidth_rated_splitter, rated, rated_write_rate),
    HANDLER_END,
};

ELEMENT(BandwidthRatedSplitter) = {
    .name = "BandwidthRatedSplitter",
    .state_size = sizeof(struct bandwidth_rated_splitter),
    .ports = "1/1-2",
    .processing = "h/h",
    .args = bandwidth_rated_splitter_args,
    .live = true,
    .handlers = bandwidth_rated_splitter_handlers,
    .configure = bandwidth_rated_splitter_configure,
    .push = bandwidth_rated_splitter_push,
};
