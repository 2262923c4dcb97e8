// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimeRange -- note the earliest and the latest timestamp
 *
 * Usage:    TimeRange([SIMPLE false])
 * Ports:    1 in, 1 out; push or pull
 * Args:     SIMPLE  true: timestamps come in order, look no further
 * Counters: none
 * Handlers: first, last  (read) the earliest and the latest timestamp
 *           range        (read) both
 *           interval     (read) the time between them
 *           reset        (write) forget them
 * Example:  FromDump(t.pcap, STOP true) -> tr :: TimeRange -> Discard;
 * See also: TimeFilter, SetTimestamp
 */

#include "engine/element.h"
#include "engine/unparse.h"

struct time_range {
    int64_t first, last;
    bool simple;
};

static const struct arg_spec time_range_args[] = {
    ARG_BOOL(time_range, simple, "SIMPLE", 0, "false", "timestamps come in order"),
    ARG_END,
};

static void time_range_batch(struct element *e, struct batch *b, uint32_t from)
{
    struct time_range *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        int64_t t = b->p[i]->timestamp;

        if (!s->first)
            s->first = s->last = t;
        else if (s->simple || s->last < t)
            s->last = t;
        else if (t < s->first)
            s->first = t;
    }
}
ELEMENT_BATCH(time_range)

static void time_range_take_state(struct element *e, struct element *old)
{
    struct time_range *s = element_state(e);
    const struct time_range *from = element_state(old);

    s->first = from->first;
    s->last = from->last;
}

enum { RANGE_FIRST, RANGE_LAST, RANGE_BOTH, RANGE_INTERVAL };

static int time_range_read(struct element *e, const struct handler_spec *h,
                           const char *param, struct sbuf *out, struct diag *d)
{
    const struct time_range *s = element_state(e);
    char buf[UNPARSE_ROOM];

    if (h->user == RANGE_FIRST || h->user == RANGE_BOTH)
        sbuf_puts(out, unparse_timestamp(s->first, buf));
    if (h->user == RANGE_BOTH)
        sbuf_putc(out, ' ');
    if (h->user == RANGE_LAST || h->user == RANGE_BOTH)
        sbuf_puts(out, unparse_timestamp(s->last, buf));
    if (h->user == RANGE_INTERVAL)
        sbuf_puts(out, unparse_timestamp(s->last - s->first, buf));
    return 0;
}

static int time_range_reset(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d)
{
    struct time_range *s = element_state(e);

    s->first = s->last = 0;
    return 0;
}

#define TIME_RANGE_READER(user_, name_, help_)                                         \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_READ, .user = (user_),      \
        .read = time_range_read                                                        \
    }

static const struct handler_spec time_range_handlers[] = {
    TIME_RANGE_READER(RANGE_FIRST, "first", "the earliest timestamp"),
    TIME_RANGE_READER(RANGE_LAST, "last", "the latest timestamp"),
    TIME_RANGE_READER(RANGE_BOTH, "range", "both"),
    TIME_RANGE_READER(RANGE_INTERVAL, "interval", "the time between them"),
    HANDLER_PRESS(time_range_reset, "reset", "forget them"),
    HANDLER_END,
};

ELEMENT(TimeRange) = {
    .name = "TimeRange",
    .state_size = sizeof(struct time_range),
    .ports = "1/1",
    .args = time_range_args,
    .handlers = time_range_handlers,
    .take_state = time_range_take_state,
    .push = time_range_push,
    .pull = time_range_pull,
};
