// SPDX-License-Identifier: BSD-3-Clause
/*
 * InfiniteSource -- make packets as fast as they are taken
 *
 * Usage:    InfiniteSource(DATA, LIMIT -1, BURST 1, ACTIVE true, TIMESTAMP true,
 *                          LENGTH -1, STOP false, END_CALL HANDLER [VALUE])
 * Ports:    1 out; push or pull
 * Args:     DATA       contents of the packets; the default is 69 bytes of text
 *           LIMIT      packets made altogether, default -1: no limit
 *           BURST      packets made in one go, default 1, at most 1048576; push only
 *           ACTIVE     whether packets are made at all, default true
 *           TIMESTAMP  set the packets' time, default true
 *           LENGTH     of a packet, default -1: that of DATA, which is cut or repeated
 *           STOP       stop the router when LIMIT packets have been made, default false
 *           END_CALL   write HANDLER when LIMIT packets have been made
 * Counters: count  packets made
 * Handlers: data, limit, burst, active, length  (read/write) the arguments
 *           reset               (write) set count to 0
 *           scheduled, tickets  of the task that pushes
 * Example:  InfiniteSource(LENGTH 64, LIMIT 1000000, BURST 32, STOP true) -> Discard;
 * See also: RatedSource, TimedSource, RandomSource
 *
 * Pushing into a full queue that tells so (Queue, FullNoteQueue), it waits for room.
 */

#include "engine/endless_source.h"
#include "engine/packet_source.h"

struct infinite_source {
    struct endless_source endless;
    struct packet_source source;
    struct text data;
};

static const struct arg_spec infinite_source_args[] = {
    ARG_STRING(infinite_source, data, "DATA", ARG_POS, PACKET_SOURCE_DATA,
               "contents of the packets"),
    ENDLESS_SOURCE_ARGS(infinite_source),
    ARG_I64(infinite_source, source.length, "LENGTH", ARG_KEY, "-1",
            "of a packet, < 0: that of DATA"),
    ARG_I64(infinite_source, source.length, "DATASIZE", ARG_OLD, NULL, "LENGTH"),
    ARG_END,
};

static uint32_t infinite_source_emit(struct element *e, struct batch *b, uint32_t n,
                                     int64_t wall)
{
    struct infinite_source *s = element_state(e);

    return packet_source_emit(&s->source, b, n, wall);
}

static int infinite_source_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct infinite_source *s = element_state(e);
    struct handler_call end = {0};

    s->endless.emit = infinite_source_emit;
    s->endless.run_max = ENDLESS_RUN_MAX;
    s->endless.alike = true;
    s->source.headroom = PKT_HEADROOM;
    if (endless_source_check(e, &end, d) < 0)
        return -1;
    if (packet_source_set_data(e, &s->source, s->data.s, s->data.len, d) < 0) {
        handler_call_fini(&end);
        return -1;
    }
    endless_source_configured(e, &end);
    return 0;
}

static void infinite_source_cleanup(struct element *e)
{
    struct infinite_source *s = element_state(e);

    packet_source_fini(&s->source);
    endless_source_cleanup(e);
}

static const struct handler_spec infinite_source_handlers[] = {
    PACKET_SOURCE_DATA_HANDLER(infinite_source, source),
    ENDLESS_SOURCE_HANDLERS(infinite_source),
    PACKET_SOURCE_LENGTH_HANDLER(infinite_source, source, "length",
                                 "of a packet, < 0: that of the data", false,
                                 HANDLER_CALM),
    ENDLESS_SOURCE_BURST_HANDLER(infinite_source, "burstsize", "old name of burst",
                                 HANDLER_DEPRECATED),
    PACKET_SOURCE_LENGTH_HANDLER(infinite_source, source, "datasize",
                                 "old name of length", false,
                                 HANDLER_CALM | HANDLER_DEPRECATED),
    TASK_HANDLERS(infinite_source, endless.task),
    HANDLER_END,
};

ELEMENT(InfiniteSource) = {
    .name = "InfiniteSource",
    .state_size = sizeof(struct infinite_source),
    .keeps = PKT_PARTS,
    .ports = "0/1",
    .args = infinite_source_args,
    .live = true,
    .counters = endless_source_counters,
    .handlers = infinite_source_handlers,
    .configure = infinite_source_configure,
    .has_task = task_pushes,
    .initialize = endless_source_initialize,
    .cleanup = infinite_source_cleanup,
    .cast = endless_source_cast,
    .pull = endless_source_pull,
};
