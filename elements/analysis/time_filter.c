// SPDX-License-Identifier: BSD-3-Clause
/*
 * TimeFilter -- pass packets whose timestamps lie in a range
 *
 * Usage:    TimeFilter([START, END, START_AFTER, END_AFTER, INTERVAL, STOP, ...])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     START        earliest timestamp that passes
 *           END          timestamps from here on do not pass
 *           START_DELAY  START, as time from the start of the configuration
 *           END_DELAY    END, as time from the start of the configuration
 *           START_AFTER  START, as time from the first packet
 *           END_AFTER    END, as time from the first packet
 *           INTERVAL     END, as time from START
 *           STOP         true: stop the driver at the first packet behind the range
 *           END_CALL     write this handler then; $t in it is the packet's timestamp
 * Counters: none
 * Handlers: start     (rw) START, as an absolute time
 *           end       (rw) END, as an absolute time
 *           interval  (rw) the time between both; writing moves END
 *           extend_interval  (write) move END by so much
 * Example:  FromDump(t.pcap) -> TimeFilter(START_AFTER 10s, INTERVAL 5s, STOP true) -> ...
 * See also: SetTimestamp, TimeRange
 *
 * At most one argument may say where the range starts, and one where it ends. Packets
 * outside leave by output 1 if that is connected. END_CALL may extend the range; then the
 * packet is looked at again.
 */

#include "engine/element.h"
#include "engine/handler_call.h"
#include "engine/router.h"
#include "engine/unparse.h"

struct time_filter {
    int64_t start, end; /* relative until `ready`, where the flags say so */
    int64_t start_arg, end_arg, start_delay, end_delay, start_after, end_after,
        interval;
    struct text end_call;
    bool stop, ready, armed;
};

static const struct arg_spec time_filter_args[] = {
    ARG_TIME(time_filter, start_arg, "START", ARG_POS, NULL, "earliest timestamp"),
    ARG_TIME(time_filter, end_arg, "END", ARG_POS, NULL, "first timestamp behind"),
    ARG_TIME(time_filter, start_delay, "START_DELAY", 0, NULL, "START from now"),
    ARG_TIME(time_filter, end_delay, "END_DELAY", 0, NULL, "END from now"),
    ARG_TIME(time_filter, start_after, "START_AFTER", 0, NULL,
             "START from the first packet"),
    ARG_TIME(time_filter, end_after, "END_AFTER", 0, NULL, "END from the first packet"),
    ARG_TIME(time_filter, interval, "INTERVAL", 0, NULL, "END from START"),
    ARG_BOOL(time_filter, stop, "STOP", 0, "false", "stop the driver at the end"),
    ARG_RAW(time_filter, end_call, "END_CALL", 0, NULL, "handler to write at the end"),
    ARG_END,
};

static int time_filter_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct time_filter *s = element_state(e);

    if (!!s->start_arg + !!s->start_delay + !!s->start_after > 1)
        return diag_err(
            d, "START, START_AFTER, and START_AFTER_INIT are mutually exclusive");
    if (!!s->end_arg + !!s->end_delay + !!s->end_after + !!s->interval > 1)
        return diag_err(
            d, "END, END_AFTER, END_AFTER_INIT, and INTERVAL are mutually exclusive");
    if (s->stop && s->end_call.len)
        return diag_err(d, "END_CALL and STOP are mutually exclusive");
    s->start = s->start_arg;
    s->end = s->end_arg ? s->end_arg : INT64_MAX;
    s->armed = s->stop || s->end_call.len;
    return 0;
}

static int time_filter_initialize(struct element *e, struct diag *d)
{
    struct time_filter *s = element_state(e);
    struct handler_call call = {0};
    int rc;

    if (s->start_delay)
        s->start = element_wall_now(e) + s->start_delay;
    if (s->end_delay)
        s->end = element_wall_now(e) + s->end_delay;
    if (!s->end_call.len)
        return 0;
    if (handler_call_set(&call, s->end_call.s) < 0)
        return diag_err(d, "out of memory");
    rc = handler_call_check(&call, e, HANDLER_WRITE, d);
    handler_call_fini(&call);
    return rc;
}

static int64_t time_sum(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* What counts from the first packet can be told now. */
static void time_filter_first(struct time_filter *s, int64_t t)
{
    s->ready = true;
    if (s->start_after || (!s->start_arg && !s->start_delay))
        s->start = time_sum(t, s->start_after);
    if (s->end_after)
        s->end = time_sum(t, s->end_after);
    else if (s->interval)
        s->end = time_sum(s->start, s->interval);
}

/* END_CALL's text with $t and ${t} replaced. */
static void time_filter_expand(const char *text, const char *t, struct sbuf *out)
{
    for (; *text; text++) {
        bool braces = !strncmp(text, "${t}", 4);
        bool name = !strncmp(text, "$t", 2) &&
                    !((text[2] >= 'a' && text[2] <= 'z') ||
                      (text[2] >= 'A' && text[2] <= 'Z') ||
                      (text[2] >= '0' && text[2] <= '9') || text[2] == '_');

        if (braces || name) {
            sbuf_puts(out, t);
            text += braces ? 3 : 1;
        } else {
            sbuf_putc(out, *text);
        }
    }
}

static void time_filter_call(struct element *e, int64_t t)
{
    const struct time_filter *s = element_state(e);
    struct handler_call call = {0};
    struct sbuf text = SBUF_INIT;
    char buf[UNPARSE_ROOM];

    if (s->stop) {
        router_stop(e->router);
        return;
    }
    time_filter_expand(s->end_call.s, unparse_timestamp(t, buf), &text);
    if (handler_call_set(&call, sbuf_text(&text)) == 0)
        handler_call_write(&call, e);
    handler_call_fini(&call);
    sbuf_fini(&text);
}

static inline verdict_t time_filter_one(struct element *e, struct pkt *p)
{
    struct time_filter *s = element_state(e);
    int64_t t = p->timestamp, before;

    if (__builtin_expect(!s->ready, 0))
        time_filter_first(s, t);
    if (t < s->start)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    while (__builtin_expect(t >= s->end && s->armed, 0)) {
        before = s->end;
        s->armed = false;
        time_filter_call(e, t);
        if (s->end <= before)
            break;
    }
    if (t < s->end)
        return 0;
    return e->n_out > 1 ? 1 : VERDICT_DROP;
}
ELEMENT_LOOP(time_filter)

enum { H_START, H_END, H_INTERVAL, H_EXTEND };

static int time_filter_read(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d)
{
    const struct time_filter *s = element_state(e);
    int64_t t = h->user == H_START ? s->start
                : h->user == H_END ? s->end
                                   : s->end - s->start;
    char buf[UNPARSE_ROOM];

    sbuf_puts(out, unparse_timestamp(t, buf));
    return 0;
}

static int time_filter_write(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    struct time_filter *s = element_state(e);
    int64_t t;

    if (!parse_time(value, &t))
        return diag_err(d, "expected time");
    if (h->user == H_START) {
        if (!s->ready)
            time_filter_first(s, t);
        s->start = t;
        return 0;
    }
    s->end = h->user == H_END        ? t
             : h->user == H_INTERVAL ? time_sum(s->start, t)
                                     : time_sum(s->end, t);
    if (h->user == H_END)
        s->end_after = s->interval = 0;
    s->armed = s->stop || s->end_call.len;
    return 0;
}

#define TIME_FILTER_RW(user_, name_, help_)                                            \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_READ | HANDLER_WRITE,       \
        .user = (user_), .read = time_filter_read, .write = time_filter_write          \
    }

static const struct handler_spec time_filter_handlers[] = {
    TIME_FILTER_RW(H_START, "start", "earliest timestamp that passes"),
    TIME_FILTER_RW(H_END, "end", "timestamps from here on do not pass"),
    TIME_FILTER_RW(H_INTERVAL, "interval", "the time between both"),
    {.name = "extend_interval",
     .help = "move END by so much",
     .flags = HANDLER_WRITE,
     .user = H_EXTEND,
     .write = time_filter_write},
    HANDLER_END,
};

ELEMENT(TimeFilter) = {
    .name = "TimeFilter",
    .state_size = sizeof(struct time_filter),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = time_filter_args,
    .handlers = time_filter_handlers,
    .configure = time_filter_configure,
    .initialize = time_filter_initialize,
    .push = time_filter_push,
    .pull = time_filter_pull,
};
