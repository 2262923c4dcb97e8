// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetTimestampDelta -- turn timestamps into differences
 *
 * Usage:    SetTimestampDelta([TYPE RANGE])
 * Ports:    1 in, 1 out; push or pull
 * Args:     TYPE  RANGE (the default): time since the first packet that came;
 *                 FIRST: time since the first-timestamp annotation; NOW: time until now
 * Counters: none
 * Handlers: first  (read) timestamp that RANGE counts from
 *           reset  (write) let RANGE begin again
 * Example:  FromDump(t.pcap) -> SetTimestampDelta -> IPPrint -> Discard;
 * See also: SetTimestamp, AdjustTimestamp, TimestampAccum
 *
 * Packets without a timestamp pass unchanged.
 */

#include "engine/element.h"
#include "engine/unparse.h"

enum { DELTA_RANGE, DELTA_NOW, DELTA_FIRST };

struct set_timestamp_delta {
    struct text type;
    int64_t first;
    uint8_t how;
};

static const struct arg_spec set_timestamp_delta_args[] = {
    ARG_WORD(set_timestamp_delta, type, "TYPE", 0, "RANGE", "RANGE, FIRST or NOW"),
    ARG_END,
};

static int set_timestamp_delta_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    struct set_timestamp_delta *s = element_state(e);

    if (!strcmp(s->type.s, "RANGE"))
        s->how = DELTA_RANGE;
    else if (!strcmp(s->type.s, "NOW"))
        s->how = DELTA_NOW;
    else if (!strcmp(s->type.s, "FIRST"))
        s->how = DELTA_FIRST;
    else
        return diag_err(d, "bad TYPE");
    return 0;
}

static void set_timestamp_delta_batch(struct element *e, struct batch *b, uint32_t from)
{
    struct set_timestamp_delta *s = element_state(e);
    int64_t now = s->how == DELTA_NOW ? element_wall_now(e) : 0;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (!p->timestamp)
            continue;
        if (s->how == DELTA_RANGE && !s->first)
            s->first = p->timestamp;
        if (s->how == DELTA_RANGE)
            p->timestamp -= s->first;
        else if (s->how == DELTA_NOW)
            p->timestamp = now - p->timestamp;
        else
            p->timestamp = (int64_t)((uint64_t)p->timestamp -
                                     p->anno_u64[ANNO_FIRST_TIMESTAMP / 8]);
    }
}
ELEMENT_BATCH(set_timestamp_delta)

static int set_timestamp_delta_read(struct element *e, const struct handler_spec *h,
                                    const char *param, struct sbuf *out, struct diag *d)
{
    const struct set_timestamp_delta *s = element_state(e);
    char buf[UNPARSE_ROOM];

    sbuf_printf(out, "%s\n", unparse_timestamp(s->first, buf));
    return 0;
}

static int set_timestamp_delta_reset(struct element *e, const struct handler_spec *h,
                                     const char *value, size_t len, struct diag *d)
{
    struct set_timestamp_delta *s = element_state(e);

    s->first = 0;
    return 0;
}

static const struct handler_spec set_timestamp_delta_handlers[] = {
    HANDLER_READER(set_timestamp_delta_read, "first",
                   "timestamp that RANGE counts from"),
    HANDLER_PRESS(set_timestamp_delta_reset, "reset", "let RANGE begin again"),
    HANDLER_END,
};

ELEMENT(SetTimestampDelta) = {
    .name = "SetTimestampDelta",
    .state_size = sizeof(struct set_timestamp_delta),
    .ports = "1/1",
    .args = set_timestamp_delta_args,
    .handlers = set_timestamp_delta_handlers,
    .configure = set_timestamp_delta_configure,
    .push = set_timestamp_delta_push,
    .pull = set_timestamp_delta_pull,
};
