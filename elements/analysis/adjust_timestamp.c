// SPDX-License-Identifier: BSD-3-Clause
/*
 * AdjustTimestamp -- move timestamps by an amount of time
 *
 * Usage:    AdjustTimestamp([TIME, FIRST false, ALL false])
 * Ports:    1 in, 1 out; push or pull
 * Args:     TIME   what is added; may be negative; default 0
 *           FIRST  true: change the first-timestamp annotation instead
 *           ALL    true: change unset (zero) timestamps as well
 * Counters: none
 * Handlers: time  (rw) the argument TIME
 * Example:  FromDump(t.pcap) -> AdjustTimestamp(-3600) -> ToDump(u.pcap);
 * See also: SetTimestamp, SetTimestampDelta
 */

#include "engine/element.h"
#include "engine/unparse.h"

struct adjust_timestamp {
    int64_t by_ns;
    bool first, all;
};

/* Times with a sign: arg_spec.parse. */
static int adjust_timestamp_parse(struct element *e, const char *text, void *member,
                                  struct diag *d)
{
    bool negative = *text == '-';
    int64_t ns;

    if (!parse_time(text + negative, &ns))
        return diag_err(d, "parse error");
    *(int64_t *)member = negative ? -ns : ns;
    return 0;
}

static const struct arg_spec adjust_timestamp_args[] = {
    {.name = "TIME",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_POS,
     .offset = offsetof(struct adjust_timestamp, by_ns),
     .def = "0",
     .help = "what is added",
     .parse = adjust_timestamp_parse},
    ARG_BOOL(adjust_timestamp, first, "FIRST", 0, "false", "the first timestamp"),
    ARG_BOOL(adjust_timestamp, all, "ALL", 0, "false", "unset ones as well"),
    ARG_END,
};

static void adjust_timestamp_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct adjust_timestamp *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];
        uint64_t t = s->first ? p->anno_u64[ANNO_FIRST_TIMESTAMP / 8]
                              : (uint64_t)p->timestamp;

        if (!t && !s->all)
            continue;
        t += (uint64_t)s->by_ns;
        if (s->first)
            p->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = t;
        else
            p->timestamp = (int64_t)t;
    }
}
ELEMENT_BATCH(adjust_timestamp)

static int adjust_timestamp_read(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d)
{
    const struct adjust_timestamp *s = element_state(e);
    char buf[UNPARSE_ROOM];

    sbuf_puts(out, unparse_timestamp(s->by_ns, buf));
    return 0;
}

static int adjust_timestamp_write(struct element *e, const struct handler_spec *h,
                                  const char *value, size_t len, struct diag *d)
{
    struct adjust_timestamp *s = element_state(e);

    return adjust_timestamp_parse(e, value, &s->by_ns, d);
}

static const struct handler_spec adjust_timestamp_handlers[] = {
    {.name = "time",
     .help = "what is added",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .read = adjust_timestamp_read,
     .write = adjust_timestamp_write},
    HANDLER_END,
};

ELEMENT(AdjustTimestamp) = {
    .name = "AdjustTimestamp",
    .state_size = sizeof(struct adjust_timestamp),
    .ports = "1/1",
    .args = adjust_timestamp_args,
    .handlers = adjust_timestamp_handlers,
    .push = adjust_timestamp_push,
    .pull = adjust_timestamp_pull,
};
