// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateCounter -- count packets or bytes by aggregate annotation
 *
 * Usage:    AggregateCounter([BYTES false, IP_BYTES false, AGGREGATE_CALL N HANDLER, ...])
 * Ports:    1-2 in, 1-2 out; push or pull
 * Args:     BYTES         true: count bytes, not packets
 *           IP_BYTES      true: count bytes from the IP header on
 *           MULTIPACKET   false: ignore the extra-packets annotation
 *           EXTRA_LENGTH  false: ignore the extra-length annotation
 *           AGGREGATE_FREEZE  freeze once so many aggregates have been seen
 *           AGGREGATE_STOP    stop the driver then
 *           AGGREGATE_CALL    write this handler then: N HANDLER [VALUE]
 *           COUNT_FREEZE      freeze once the count is so large
 *           COUNT_STOP        stop the driver then
 *           COUNT_CALL        write this handler then: N HANDLER [VALUE]
 *           BANNER            text at the head of files
 *           FREEZE_AFTER_AGG, STOP_AFTER_AGG, CALL_AFTER_AGG, FREEZE_AFTER_COUNT,
 *           STOP_AFTER_COUNT, CALL_AFTER_COUNT  old names
 * Counters: none
 * Handlers: count, nagg    (read) what has been counted, number of aggregates
 *           freeze         (rw) true: aggregates that have not been seen are not counted
 *           active         (rw) false: nothing is counted
 *           stop           (write) count no more, and stop the driver
 *           clear          (write) start from 0
 *           banner         (rw) text at the head of files
 *           aggregate_call, count_call  (rw) as the arguments
 *           reaggregate_counts, counts_pdf  (write) how often did each count appear?
 *           write_file     (write) all counts into this file, in binary
 *           write_text_file, write_ascii_file  (write) the same as text
 *           write_ip_file  (write) the same, aggregates as addresses
 *           write_pdf_file (write) the same, counts as fractions of all
 *           table          (read) all counts as text
 * Example:  ... -> AggregateIP(ip dst) -> ac :: AggregateCounter -> Discard;
 * See also: AggregateIP, AggregateIPFlows, AggregatePacketCounter
 *
 * Packets on the second input are counted as if the element were frozen. With two outputs,
 * in push context, packets that were not counted leave by the second. Files need an
 * operating system; "-" is the standard output. Counts survive an exchange.
 */

#include "engine/agg_set.h"
#include "engine/element.h"
#include "engine/handler_call.h"
#include "engine/net_headers.h"
#include "engine/platform.h"
#include "engine/router.h"

#include <stdlib.h>

struct agg_trigger {
    uint64_t at; /* UINT64_MAX: never */
    uint8_t what;
    struct handler_call call;
};
enum { DO_FREEZE = 1, DO_STOP, DO_CALL };

struct aggregate_counter {
    struct agg_set set;
    uint64_t count;
    struct agg_trigger on_agg, on_count;
    bool bytes, ip_bytes, multipacket, extra_length, frozen, active;
    uint64_t agg_freeze, agg_stop, count_freeze, count_stop;
    bool have[4];
    struct text agg_call, count_call, banner_arg;
    struct sbuf banner;
};

#define AGG_U64(member_, seen_, flags_, name_, help_)                                  \
    {                                                                                  \
        .name = (name_), .kind = ARG_KIND_U64, .flags = (flags_), .help = (help_),     \
        .offset = offsetof(struct aggregate_counter, member_),                         \
        .seen = 1 + offsetof(struct aggregate_counter, have) + (seen_)                 \
    }

static const struct arg_spec aggregate_counter_args[] = {
    ARG_BOOL(aggregate_counter, bytes, "BYTES", 0, "false", "count bytes"),
    ARG_BOOL(aggregate_counter, ip_bytes, "IP_BYTES", 0, "false", "from IP on"),
    ARG_BOOL(aggregate_counter, multipacket, "MULTIPACKET", 0, "true", "extra packets"),
    ARG_BOOL(aggregate_counter, extra_length, "EXTRA_LENGTH", 0, "true",
             "extra length"),
    AGG_U64(agg_freeze, 0, 0, "AGGREGATE_FREEZE", "freeze after so many aggregates"),
    AGG_U64(agg_stop, 1, 0, "AGGREGATE_STOP", "stop after so many aggregates"),
    ARG_RAW(aggregate_counter, agg_call, "AGGREGATE_CALL", 0, NULL,
            "handler to write then"),
    AGG_U64(count_freeze, 2, 0, "COUNT_FREEZE", "freeze when so much was counted"),
    AGG_U64(count_stop, 3, 0, "COUNT_STOP", "stop when so much was counted"),
    ARG_RAW(aggregate_counter, count_call, "COUNT_CALL", 0, NULL,
            "handler to write then"),
    ARG_STRING(aggregate_counter, banner_arg, "BANNER", 0, NULL, "head of files"),
    AGG_U64(agg_freeze, 0, ARG_OLD, "FREEZE_AFTER_AGG", "old name"),
    AGG_U64(agg_stop, 1, ARG_OLD, "STOP_AFTER_AGG", "old name"),
    ARG_RAW(aggregate_counter, agg_call, "CALL_AFTER_AGG", ARG_OLD, NULL, "old name"),
    AGG_U64(count_freeze, 2, ARG_OLD, "FREEZE_AFTER_COUNT", "old name"),
    AGG_U64(count_stop, 3, ARG_OLD, "STOP_AFTER_COUNT", "old name"),
    ARG_RAW(aggregate_counter, count_call, "CALL_AFTER_COUNT", ARG_OLD, NULL,
            "old name"),
    ARG_END,
};

/* Set a trigger from "N HANDLER [VALUE]". */
static int trigger_parse(struct agg_trigger *t, const char *text)
{
    char number[24];
    size_t n = strcspn(text, " \t\r\n");
    uint64_t at;

    if (!n || n >= sizeof number)
        return -1;
    memcpy(number, text, n);
    number[n] = '\0';
    if (!parse_u64(number, 0, &at) || handler_call_set(&t->call, text + n) < 0)
        return -1;
    t->at = at;
    t->what = DO_CALL;
    return 0;
}

static int trigger_configure(struct agg_trigger *t, const char *kind,
                             const struct text *call, const uint64_t *freeze,
                             const uint64_t *stop, struct diag *d)
{
    t->at = UINT64_MAX;
    if ((freeze != NULL) + (stop != NULL) + (call->len > 0) > 1)
        return diag_err(d,
                        "'%s_FREEZE', '%s_STOP', and '%s_CALL' are mutually exclusive",
                        kind, kind, kind);
    if (freeze) {
        t->at = *freeze;
        t->what = DO_FREEZE;
    } else if (stop) {
        t->at = *stop;
        t->what = DO_STOP;
    } else if (call->len && trigger_parse(t, call->s) < 0) {
        return diag_err(d, "%s_CALL first word should be unsigned (%s)", kind,
                        *kind == 'A' ? "number of aggregates" : "count");
    }
    return 0;
}

static int aggregate_counter_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct aggregate_counter *s = element_state(e);

    s->active = true;
    sbuf_add(&s->banner, s->banner_arg.len ? s->banner_arg.s : "", s->banner_arg.len);
    if (trigger_configure(&s->on_agg, "AGGREGATE", &s->agg_call,
                          s->have[0] ? &s->agg_freeze : NULL,
                          s->have[1] ? &s->agg_stop : NULL, d) < 0)
        return -1;
    return trigger_configure(&s->on_count, "COUNT", &s->count_call,
                             s->have[2] ? &s->count_freeze : NULL,
                             s->have[3] ? &s->count_stop : NULL, d);
}

static int aggregate_counter_initialize(struct element *e, struct diag *d)
{
    struct aggregate_counter *s = element_state(e);

    if (handler_call_check(&s->on_agg.call, e, HANDLER_WRITE, d) < 0)
        return -1;
    return handler_call_check(&s->on_count.call, e, HANDLER_WRITE, d);
}

static void aggregate_counter_cleanup(struct element *e)
{
    struct aggregate_counter *s = element_state(e);

    agg_set_fini(&s->set);
    handler_call_fini(&s->on_agg.call);
    handler_call_fini(&s->on_count.call);
    sbuf_fini(&s->banner);
}

static void aggregate_counter_take_state(struct element *e, struct element *old)
{
    struct aggregate_counter *s = element_state(e), *from = element_state(old);

    s->set = from->set;
    from->set = (struct agg_set){0};
    s->count = from->count;
    s->frozen = from->frozen;
    s->active = from->active;
}

/* --- counting --------------------------------------------------------------------------- */

static void trigger_fire(struct element *e, struct agg_trigger *t)
{
    struct aggregate_counter *s = element_state(e);

    t->at = UINT64_MAX;
    if (t->what == DO_FREEZE) {
        s->frozen = true;
    } else if (t->what == DO_STOP) {
        s->active = false;
        router_stop(e->router);
    } else {
        handler_call_write(&t->call, e);
    }
}

static uint32_t agg_amount(const struct aggregate_counter *s, const struct pkt *p)
{
    if (!s->bytes)
        return 1 + (s->multipacket ? p->anno_u32[ANNO_EXTRA_PACKETS / 4] : 0);
    return (s->ip_bytes && p->network ? pkt_network_len(p) : p->len) +
           (s->extra_length ? p->anno_u32[ANNO_EXTRA_LENGTH / 4] : 0);
}

/* Whether the packet was counted. */
static bool agg_count(struct element *e, const struct pkt *p, bool frozen)
{
    struct aggregate_counter *s = element_state(e);
    uint32_t agg = p->anno_u32[ANNO_AGGREGATE / 4], amount = agg_amount(s, p);
    struct agg_value *v;

    if (!s->active)
        return false;
    v = agg_set_get(&s->set, agg);
    if (__builtin_expect(!v, 0)) {
        if (frozen || s->frozen)
            return false;
        if (!amount)
            return true;
        if (s->set.used >= s->on_agg.at) {
            trigger_fire(e, &s->on_agg);
            return agg_count(e, p,
                             frozen); /* the handler may have changed everything */
        }
        if (!(v = agg_set_put(&s->set, agg)))
            return false;
    }
    v->value += amount;
    s->count += amount;
    if (__builtin_expect(s->count >= s->on_count.at, 0))
        trigger_fire(e, &s->on_count);
    return true;
}

static void agg_push(struct element *e, unsigned port, struct batch *b)
{
    struct batch rest;
    uint32_t kept = 0;

    rest.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        if (agg_count(e, b->p[i], port == 1) || e->n_out == 1)
            b->p[kept++] = b->p[i];
        else
            batch_add(&rest, b->p[i]);
    }
    b->n = kept;
    out_push(e, 0, b);
    if (rest.n)
        out_push(e, 1, &rest);
}

/* While something is to happen at a count, packets go one by one, so that it comes between
 * the right two. */
static void aggregate_counter_push(struct element *e, unsigned port, struct batch *b)
{
    const struct aggregate_counter *s = element_state(e);
    struct batch one;

    if (s->on_agg.at == UINT64_MAX && s->on_count.at == UINT64_MAX) {
        agg_push(e, port, b);
        return;
    }
    for (uint32_t i = 0; i < b->n; i++) {
        one.n = 1;
        one.p[0] = b->p[i];
        agg_push(e, port, &one);
    }
}

static uint32_t aggregate_counter_pull(struct element *e, unsigned port,
                                       struct batch *b, uint32_t max)
{
    uint32_t from = b->n;

    in_pull(e, e->n_in == 1 ? 0 : port, b, max);
    for (uint32_t i = from; i < b->n; i++)
        agg_count(e, b->p[i], port == 1);
    return b->n - from;
}

/* --- results ---------------------------------------------------------------------------- */

enum agg_format { AS_BINARY, AS_TEXT, AS_IP, AS_PDF };

static void agg_write_entries(const struct aggregate_counter *s, enum agg_format format,
                              struct sbuf *out)
{
    size_t n;
    struct agg_value *all = agg_set_sorted(&s->set, &n);
    char buf[64];

    for (size_t i = 0; i < n; i++) {
        uint32_t pair[2] = {all[i].agg, (uint32_t)all[i].value};

        if (format == AS_BINARY)
            sbuf_add(out, pair, sizeof pair);
        else if (format == AS_IP)
            sbuf_printf(out, "%s %u\n", unparse_ip(be32(pair[0]), buf), pair[1]);
        else if (format == AS_PDF)
            sbuf_printf(out, "%u %.12g\n", pair[0], pair[1] / (double)s->count);
        else
            sbuf_printf(out, "%u %u\n", pair[0], pair[1]);
    }
    free(all);
}

static int agg_write_file(struct element *e, const struct handler_spec *h,
                          const char *value, size_t len, struct diag *d)
{
    const struct aggregate_counter *s = element_state(e);
    const struct platform *p = element_platform(e);
    struct sbuf out = SBUF_INIT;
    const char *why;
    int rc = 0;

    sbuf_puts(&out, "!IPAggregate 1.0\n");
    sbuf_add(&out, sbuf_text(&s->banner), s->banner.len);
    if (s->banner.len && s->banner.data[s->banner.len - 1] != '\n')
        sbuf_putc(&out, '\n');
    sbuf_printf(&out, "!num_nonzero %u\n", s->set.used);
    sbuf_puts(&out, h->user == AS_BINARY ? "!packed_le\n"
                    : h->user == AS_IP   ? "!ip\n"
                                         : "");
    agg_write_entries(s, (enum agg_format)h->user, &out);
    if (out.failed)
        rc = diag_err(d, "out of memory");
    else if (!len)
        rc = diag_err(d, "argument should be filename");
    else if (!strcmp(value, "-"))
        (p->output ? p->output : p->console)(p->ctx, sbuf_text(&out), out.len);
    else if (!p->write_file)
        rc = diag_err(d, "%s: there are no files here", value);
    else if ((why = p->write_file(p->ctx, value, false, out.data, out.len)))
        rc = diag_err(d, "%s: %s", value, why);
    sbuf_fini(&out);
    return rc;
}

static int agg_reaggregate(struct element *e, const struct handler_spec *h,
                           const char *value, size_t len, struct diag *d)
{
    struct aggregate_counter *s = element_state(e);
    struct agg_set counts = {0};

    s->count = 0;
    for (uint32_t i = 0; i < s->set.n_slots; i++) {
        struct agg_value *v;

        if (!s->set.slots[i].value)
            continue;
        v = agg_set_put(&counts, (uint32_t)s->set.slots[i].value);
        if (!v) {
            agg_set_fini(&counts);
            return diag_err(d, "out of memory");
        }
        v->value++;
        s->count++;
    }
    agg_set_fini(&s->set);
    s->set = counts;
    return 0;
}

enum { H_COUNT, H_NAGG, H_BANNER, H_TABLE, H_ON_AGG, H_ON_COUNT };

static int agg_read(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d)
{
    const struct aggregate_counter *s = element_state(e);
    const struct agg_trigger *t = h->user == H_ON_AGG ? &s->on_agg : &s->on_count;

    if (h->user == H_COUNT) {
        sbuf_printf(out, "%llu", (unsigned long long)s->count);
    } else if (h->user == H_NAGG) {
        sbuf_printf(out, "%u", s->set.used);
    } else if (h->user == H_BANNER) {
        sbuf_add(out, sbuf_text(&s->banner), s->banner.len);
    } else if (h->user == H_TABLE) {
        agg_write_entries(s, AS_TEXT, out);
    } else if (t->at != UINT64_MAX) {
        sbuf_printf(out, "%llu", (unsigned long long)t->at);
        if (t->call.name)
            sbuf_printf(out, " %s%s%s", t->call.name,
                        t->call.value && *t->call.value ? " " : "",
                        t->call.value ? t->call.value : "");
        else
            sbuf_printf(out, " %s.%s", e->name,
                        t->what == DO_FREEZE ? "freeze true" : "stop");
    }
    return 0;
}

static int agg_write_banner(struct element *e, const struct handler_spec *h,
                            const char *value, size_t len, struct diag *d)
{
    struct aggregate_counter *s = element_state(e);

    sbuf_reset(&s->banner);
    sbuf_add(&s->banner, value, len);
    if (len && value[len - 1] != '\n')
        sbuf_putc(&s->banner, '\n');
    else if (len == 1)
        sbuf_reset(&s->banner);
    return 0;
}

static int agg_write_call(struct element *e, const struct handler_spec *h,
                          const char *value, size_t len, struct diag *d)
{
    struct aggregate_counter *s = element_state(e);
    struct agg_trigger *t = h->user == H_ON_AGG ? &s->on_agg : &s->on_count;
    struct agg_trigger fresh = {.at = UINT64_MAX};

    if (len && trigger_parse(&fresh, value) < 0)
        return diag_err(d, "argument to '%s' should be 'N HANDLER [VALUE]'", h->name);
    if (handler_call_check(&fresh.call, e, HANDLER_WRITE, d) < 0) {
        handler_call_fini(&fresh.call);
        return -1;
    }
    handler_call_fini(&t->call);
    *t = fresh;
    return 0;
}

static int agg_stop(struct element *e, const struct handler_spec *h, const char *value,
                    size_t len, struct diag *d)
{
    ((struct aggregate_counter *)element_state(e))->active = false;
    router_stop(e->router);
    return 0;
}

static int agg_clear(struct element *e, const struct handler_spec *h, const char *value,
                     size_t len, struct diag *d)
{
    struct aggregate_counter *s = element_state(e);

    agg_set_fini(&s->set);
    s->count = 0;
    return 0;
}

#define AGG_READ(user_, name_, help_)                                                  \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_READ, .user = (user_),      \
        .read = agg_read                                                               \
    }
#define AGG_FILE(user_, name_, help_)                                                  \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_WRITE, .user = (user_),     \
        .write = agg_write_file                                                        \
    }
#define AGG_RW(user_, flags_, write_, name_, help_)                                    \
    {                                                                                  \
        .name = (name_), .help = (help_),                                              \
        .flags = HANDLER_READ | HANDLER_WRITE | (flags_), .user = (user_),             \
        .read = agg_read, .write = (write_)                                            \
    }

/* In Click's order, which `handlers` shows from the end. */
static const struct handler_spec aggregate_counter_handlers[] = {
    AGG_READ(H_TABLE, "table", "all counts as text"),
    AGG_FILE(AS_TEXT, "write_text_file", "all counts as text"),
    AGG_FILE(AS_TEXT, "write_ascii_file", "all counts as text"),
    AGG_FILE(AS_BINARY, "write_file", "all counts in binary"),
    AGG_FILE(AS_IP, "write_ip_file", "aggregates as addresses"),
    AGG_FILE(AS_PDF, "write_pdf_file", "counts as fractions"),
    HANDLER_VALUE(aggregate_counter, frozen, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX, "freeze",
                  "no new aggregates"),
    HANDLER_VALUE(aggregate_counter, active, ARG_KIND_BOOL,
                  HANDLER_READ | HANDLER_WRITE | HANDLER_CHECKBOX, "active",
                  "whether it counts"),
    HANDLER_PRESS(agg_stop, "stop", "count no more, and stop the driver"),
    HANDLER_WRITER(agg_reaggregate, "reaggregate_counts",
                   "how often each count appears"),
    HANDLER_WRITER(agg_reaggregate, "counts_pdf", "the same"),
    AGG_RW(H_BANNER, HANDLER_RAW, agg_write_banner, "banner", "head of files"),
    HANDLER_WRITER(agg_clear, "clear", "start from 0"),
    AGG_RW(H_ON_AGG, 0, agg_write_call, "aggregate_call", "as AGGREGATE_CALL"),
    AGG_RW(H_ON_COUNT, 0, agg_write_call, "count_call", "as COUNT_CALL"),
    AGG_READ(H_COUNT, "count", "what has been counted"),
    AGG_READ(H_NAGG, "nagg", "number of aggregates"),
    HANDLER_END,
};

ELEMENT(AggregateCounter) = {
    .name = "AggregateCounter",
    .state_size = sizeof(struct aggregate_counter),
    .ports = "1-2/1-2",
    .args = aggregate_counter_args,
    .handlers = aggregate_counter_handlers,
    .configure = aggregate_counter_configure,
    .initialize = aggregate_counter_initialize,
    .take_state = aggregate_counter_take_state,
    .cleanup = aggregate_counter_cleanup,
    .push = aggregate_counter_push,
    .pull = aggregate_counter_pull,
};
