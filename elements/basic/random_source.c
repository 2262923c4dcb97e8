// SPDX-License-Identifier: BSD-3-Clause
/*
 * RandomSource -- make packets of random bytes as fast as they are taken
 *
 * Usage:    RandomSource(LENGTH, LIMIT -1, BURST 1, ACTIVE true, TIMESTAMP true,
 *                        STOP false, END_CALL HANDLER [VALUE])
 * Ports:    1 out; push or pull
 * Args:     LENGTH     bytes of a packet
 *           LIMIT      packets made altogether, default -1: no limit
 *           BURST      packets made in one go, default 1, but at most 16 MiB; push only
 *           ACTIVE     whether packets are made at all, default true
 *           TIMESTAMP  set the packets' time, default true
 *           STOP       stop the router when LIMIT packets have been made, default false
 *           END_CALL   write HANDLER when LIMIT packets have been made
 * Counters: count  packets made
 * Handlers: limit, burst, active, length  (read/write) the arguments
 *           reset               (write) set count to 0
 *           scheduled, tickets  of the task that pushes
 * Example:  RandomSource(64, LIMIT 1000) -> CheckIPHeader -> Discard;
 * See also: InfiniteSource
 *
 * The bytes come from the router's generator: with the same seed they are the same.
 */

#include "engine/endless_source.h"

enum {
    RANDOM_MAX_LENGTH = 65535,
    RANDOM_RUN_BYTES = 1 << 24, /* made by one run of the task at most */
};

struct random_source {
    struct endless_source endless;
    int32_t length;
};

static const struct arg_spec random_source_args[] = {
    ARG_I32(random_source, length, "LENGTH", ARG_M, NULL, "bytes of a packet"),
    ENDLESS_SOURCE_ARGS(random_source),
    ARG_END,
};

static void random_source_fill(struct element *e, struct pkt *p)
{
    for (uint32_t at = 0; at < p->len; at += 4) {
        uint32_t r = element_random(e);

        memcpy(p->data + at, &r, p->len - at < 4 ? p->len - at : 4);
    }
}

/* Append up to `n` packets; returns how many memory allowed. */
static uint32_t random_source_emit(struct element *e, struct batch *b, uint32_t n,
                                   int64_t wall)
{
    const struct random_source *s = element_state(e);
    uint32_t made;

    for (made = 0; made < n; made++) {
        struct pkt *p = pkt_new(element_pool(e), PKT_HEADROOM, NULL,
                                (uint32_t)s->length, 0);

        if (!p)
            break;
        random_source_fill(e, p);
        p->timestamp = wall;
        batch_add(b, p);
    }
    return made;
}

static int random_source_set_length(struct random_source *s, int64_t length,
                                    struct diag *d)
{
    if (length < 0 || length > RANDOM_MAX_LENGTH)
        return diag_err(d, "bad length %d", (int)length);
    s->length = (int32_t)length;
    s->endless.run_max = RANDOM_RUN_BYTES / (uint32_t)(length < 16 ? 16 : length);
    return 0;
}

static int random_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct random_source *s = element_state(e);
    struct handler_call end = {0};

    s->endless.emit = random_source_emit;
    if (random_source_set_length(s, s->length, d) < 0 ||
        endless_source_check(e, &end, d) < 0)
        return -1;
    endless_source_configured(e, &end);
    return 0;
}

static int random_source_write_length(struct element *e, const struct handler_spec *h,
                                      const char *value, size_t len, struct diag *d)
{
    int64_t length;

    if (!parse_i64(value, 0, &length))
        return diag_err(d, "length must be integer");
    if (random_source_set_length(element_state(e), length, d) < 0)
        return -1;
    endless_source_go(e);
    return 0;
}

static const struct handler_spec random_source_handlers[] = {
    ENDLESS_SOURCE_HANDLERS(random_source),
    {.name = "length",
     .help = "bytes of a packet",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_CALM,
     .kind = ARG_KIND_I32,
     .offset = offsetof(struct random_source, length),
     .write = random_source_write_length},
    TASK_HANDLERS(random_source, endless.task),
    HANDLER_END,
};

ELEMENT(RandomSource) = {
    .name = "RandomSource",
    .state_size = sizeof(struct random_source),
    .ports = "0/1",
    .args = random_source_args,
    .live = true,
    .counters = endless_source_counters,
    .handlers = random_source_handlers,
    .configure = random_source_configure,
    .has_task = task_pushes,
    .initialize = endless_source_initialize,
    .cleanup = endless_source_cleanup,
    .cast = endless_source_cast,
    .pull = endless_source_pull,
};
