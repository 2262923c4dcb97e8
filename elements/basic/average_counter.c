// SPDX-License-Identifier: BSD-3-Clause
/*
 * AverageCounter -- count packets, and how many a second over the whole time
 *
 * Usage:    AverageCounter(IGNORE 0)
 * Ports:    1 in, 1 out; push or pull
 * Args:     IGNORE  seconds after the first packet that do not count, default 0
 * Counters: count       packets
 *           byte_count  bytes
 * Handlers: rate       (read) packets a second, from the first packet to the last
 *           byte_rate  (read) bytes a second
 *           reset      (write) start again
 * Example:  FromDevice(0) -> ac :: AverageCounter(1) -> Discard;
 * See also: Counter
 */

#include "engine/element.h"

struct average_counter {
    uint32_t ignore_s;
    int64_t first_ms, last_ms; /* of the packets seen; 0: none yet */
};

static const struct arg_spec average_counter_args[] = {
    ARG_U32(average_counter, ignore_s, "IGNORE", ARG_POS, "0",
            "seconds after the first packet that do not count"),
    ARG_END,
};

enum { C_COUNT, C_BYTES };
static const struct counter_spec average_counter_counters[] = {
    [C_COUNT] = {"count", "packets"},
    [C_BYTES] = {"byte_count", "bytes"},
    {NULL, NULL},
};

static void average_counter_batch(struct element *e, struct batch *b, uint32_t from)
{
    struct average_counter *s = element_state(e);

    s->last_ms = element_coarse_now(e) / 1000000 + 1; /* 0 is taken */
    if (!s->first_ms)
        s->first_ms = s->last_ms;
    if (s->last_ms - s->first_ms < (int64_t)s->ignore_s * 1000)
        return;
    element_count(e, C_COUNT, b->n - from);
    element_count(e, C_BYTES, batch_bytes(b, from));
}

ELEMENT_BATCH(average_counter)

static int average_counter_read_rate(struct element *e, const struct handler_spec *h,
                                     const char *param, struct sbuf *out,
                                     struct diag *d)
{
    const struct average_counter *s = element_state(e);
    int64_t ms = s->last_ms - s->first_ms - (int64_t)s->ignore_s * 1000;

    sbuf_printf(out, "%.12g", (double)e->counters[h->user] * 1000 / (ms < 1 ? 1 : ms));
    return 0;
}

static int average_counter_reset(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d)
{
    struct average_counter *s = element_state(e);

    e->counters[C_COUNT] = e->counters[C_BYTES] = 0;
    s->first_ms = s->last_ms = 0;
    return 0;
}

static const struct handler_spec average_counter_handlers[] = {
    {.name = "rate",
     .help = "packets a second",
     .flags = HANDLER_READ,
     .user = C_COUNT,
     .read = average_counter_read_rate},
    {.name = "byte_rate",
     .help = "bytes a second",
     .flags = HANDLER_READ,
     .user = C_BYTES,
     .read = average_counter_read_rate},
    HANDLER_PRESS(average_counter_reset, "reset", "start again"),
    HANDLER_END,
};

ELEMENT(AverageCounter) = {
    .name = "AverageCounter",
    .state_size = sizeof(struct average_counter),
    .ports = "1/1",
    .args = average_counter_args,
    .counters = average_counter_counters,
    .handlers = average_counter_handlers,
    .push = average_counter_push,
    .pull = average_counter_pull,
};
