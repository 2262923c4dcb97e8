// SPDX-License-Identifier: BSD-3-Clause
/*
 * Counter -- count packets and bytes, and how many a second
 *
 * Usage:    Counter(COUNT_CALL N HANDLER [VALUE], BYTE_COUNT_CALL N HANDLER [VALUE])
 * Ports:    1 in, 1 out; push or pull
 * Args:     COUNT_CALL       write HANDLER once the N-th packet has been counted
 *           BYTE_COUNT_CALL  write HANDLER once N bytes have been counted
 * Counters: count       packets
 *           byte_count  bytes
 * Handlers: rate, byte_rate, bit_rate  (read) averages a second
 *           reset, reset_counts        (write) start from 0
 *           count_call                 (read/write) the argument; reads as N
 *           byte_count_call            (write) the argument
 * Example:  FromDevice(0) -> Counter(COUNT_CALL 1000 stop) -> Discard;
 * See also: AverageCounter, BandwidthMeter
 *
 * Rates are moving averages over some tens of milliseconds. Each call is made once; a
 * reset or a new call arms it again.
 */

#include "engine/ewma.h"
#include "engine/handler_call.h"
#include "engine/ip4_plain.h"
#include "engine/llrpc.h"
#include "engine/unparse.h"

struct trigger {
    uint64_t at;
    struct handler_call call;
    bool armed;
};

struct counter {
    struct ewma rate, byte_rate;
    bool watching; /* one of the two triggers is armed */
    struct trigger count, bytes;
    struct text count_call, byte_count_call;
};

static const struct arg_spec counter_args[] = {
    ARG_RAW(counter, count_call, "COUNT_CALL", ARG_KEY, NULL,
            "packet count and the handler to write then"),
    ARG_RAW(counter, byte_count_call, "BYTE_COUNT_CALL", ARG_KEY, NULL,
            "byte count and the handler to write then"),
    ARG_END,
};

enum { C_COUNT, C_BYTES };
static const struct counter_spec counter_counters[] = {
    [C_COUNT] = {"count", "packets"},
    [C_BYTES] = {"byte_count", "bytes"},
    {NULL, NULL},
};

/* Set a trigger from "N HANDLER [VALUE]"; the text of an error is the caller's. */
static int trigger_set(struct trigger *t, const char *text)
{
    char number[24];
    uint64_t at;
    size_t n = strcspn(text, " \t\r\n");

    if (n >= sizeof number)
        return -1;
    memcpy(number, text, n);
    number[n] = '\0';
    if (!parse_u64(number, 0, &at) || handler_call_set(&t->call, text + n) < 0)
        return -1;
    t->at = at;
    t->armed = true;
    return 0;
}

static void counter_watch(struct counter *s)
{
    s->watching = (s->count.armed && s->count.call.name) ||
                  (s->bytes.armed && s->bytes.call.name);
}

static int counter_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct counter *s = element_state(e);

    ewma_init(&s->rate, EWMA_PACKET_BITS);
    ewma_init(&s->byte_rate, EWMA_BYTE_BITS);
    if (s->count_call.len && trigger_set(&s->count, s->count_call.s) < 0)
        return diag_err(d, "COUNT_CALL type mismatch");
    if (s->byte_count_call.len && trigger_set(&s->bytes, s->byte_count_call.s) < 0)
        return diag_err(d, "BYTE_COUNT_CALL type mismatch");
    counter_watch(s);
    return 0;
}

static int counter_initialize(struct element *e, struct diag *d)
{
    struct counter *s = element_state(e);

    if (handler_call_check(&s->count.call, e, HANDLER_WRITE, d) < 0)
        return -1;
    return handler_call_check(&s->bytes.call, e, HANDLER_WRITE, d);
}

static void counter_cleanup(struct element *e)
{
    struct counter *s = element_state(e);

    handler_call_fini(&s->count.call);
    handler_call_fini(&s->bytes.call);
}

static void counter_batch(struct element *e, struct batch *b, uint32_t from)
{
    struct counter *s = element_state(e);
    int64_t now = element_coarse_now(e);
    uint32_t packets = b->n - from, bytes = batch_bytes(b, from);

    element_count(e, C_COUNT, packets);
    element_count(e, C_BYTES, bytes);
    ewma_update(&s->rate, now, packets);
    ewma_update(&s->byte_rate, now, bytes);
}

static void trigger_check(struct element *e, struct trigger *t, bool reached)
{
    struct counter *s = element_state(e);

    if (!t->armed || !reached)
        return;
    t->armed = false;
    counter_watch(s);
    handler_call_write(&t->call, e);
}

/* Count one packet and call what is due. */
static void counter_watch_one(struct element *e, struct batch *one)
{
    struct counter *s = element_state(e);

    element_not_plain(e);
    counter_batch(e, one, 0);
    trigger_check(e, &s->count, e->counters[C_COUNT] == s->count.at);
    trigger_check(e, &s->bytes, e->counters[C_BYTES] >= s->bytes.at);
}

/* While a call is armed, packets go one by one, so that it comes at the right one. */
static void counter_push(struct element *e, unsigned port, struct batch *b)
{
    const struct counter *s = element_state(e);
    struct batch one;

    if (__builtin_expect(!s->watching, 1)) {
        counter_batch(e, b, 0);
        out_push(e, 0, b);
        return;
    }
    for (uint32_t i = 0; i < b->n; i++) {
        one.n = 1;
        one.p[0] = b->p[i];
        counter_watch_one(e, &one);
        out_push(e, 0, &one);
    }
}

static bool counter_is_apart(const struct element *e)
{
    const struct counter *s = element_state(e);

    return !s->watching;
}

static void counter_push_ip4(struct element *e, unsigned port, struct batch *b)
{
    const struct counter *s = element_state(e);

    if (__builtin_expect(s->watching, 0)) {
        counter_push(e, port, b);
        return;
    }
    counter_batch(e, b, 0);
    out_push_ip4(e, 0, b);
}

static uint32_t counter_pull(struct element *e, unsigned port, struct batch *b,
                             uint32_t max)
{
    const struct counter *s = element_state(e);
    uint32_t from = b->n;
    struct batch one;

    if (__builtin_expect(!s->watching, 1)) {
        if (in_pull(e, 0, b, max))
            counter_batch(e, b, from);
        return b->n - from;
    }
    for (one.n = 0; b->n - from < max && in_pull(e, 0, &one, 1); one.n = 0) {
        counter_watch_one(e, &one);
        batch_add(b, one.p[0]);
    }
    return b->n - from;
}

enum { RATE_PACKETS, RATE_BYTES, RATE_BITS };

static int counter_read_rate(struct element *e, const struct handler_spec *h,
                             const char *param, struct sbuf *out, struct diag *d)
{
    struct counter *s = element_state(e);
    struct ewma *r = h->user == RATE_PACKETS ? &s->rate : &s->byte_rate;
    char buf[UNPARSE_ROOM];

    ewma_update(r, element_now(e), 0); /* idle time counts */
    sbuf_puts(out, unparse_fixed(ewma_rate_fixed(r) * (h->user == RATE_BITS ? 8 : 1),
                                 r->bits, buf));
    return 0;
}

static int counter_reset(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    struct counter *s = element_state(e);

    e->counters[C_COUNT] = e->counters[C_BYTES] = 0;
    s->count.armed = s->count.call.name != NULL;
    s->bytes.armed = s->bytes.call.name != NULL;
    counter_watch(s);
    return 0;
}

static int counter_read_call(struct element *e, const struct handler_spec *h,
                             const char *param, struct sbuf *out, struct diag *d)
{
    const struct counter *s = element_state(e);

    if (s->count.call.name)
        sbuf_printf(out, "%llu", (unsigned long long)s->count.at);
    return 0;
}

static int counter_write_call(struct element *e, const struct handler_spec *h,
                              const char *value, size_t len, struct diag *d)
{
    struct counter *s = element_state(e);
    struct trigger *t = h->user ? &s->bytes : &s->count;
    struct trigger fresh = {0};

    if (trigger_set(&fresh, value) < 0)
        return diag_err(d, "'%s' first word should be unsigned (count)", h->name);
    if (handler_call_check(&fresh.call, e, HANDLER_WRITE, d) < 0) {
        handler_call_fini(&fresh.call);
        return -1;
    }
    handler_call_fini(&t->call);
    *t = fresh;
    counter_watch(s);
    return 0;
}

/* The number that goes in says of what: 0 packets, 1 bytes. */
static const char *counter_llrpc(struct element *e, uint32_t call, void *data)
{
    struct counter *s = element_state(e);
    uint32_t *value = data;

    if (call == LLRPC_GET_RATE && *value == 0) {
        ewma_update(&s->rate, element_now(e), 0);
        *value = (uint32_t)ewma_rate(&s->rate);
        return NULL;
    }
    if (call == LLRPC_GET_COUNT && *value <= 1) {
        *value = (uint32_t)e->counters[*value ? C_BYTES : C_COUNT];
        return NULL;
    }
    return LLRPC_EINVAL;
}

static const struct handler_spec counter_handlers[] = {
    {.name = "rate",
     .help = "packets a second",
     .flags = HANDLER_READ,
     .user = RATE_PACKETS,
     .read = counter_read_rate},
    {.name = "bit_rate",
     .help = "bits a second",
     .flags = HANDLER_READ,
     .user = RATE_BITS,
     .read = counter_read_rate},
    {.name = "byte_rate",
     .help = "bytes a second",
     .flags = HANDLER_READ,
     .user = RATE_BYTES,
     .read = counter_read_rate},
    HANDLER_PRESS(counter_reset, "reset", "start from 0"),
    HANDLER_PRESS(counter_reset, "reset_counts", "start from 0"),
    {.name = "count_call",
     .help = "the argument COUNT_CALL; reads as the count",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .read = counter_read_call,
     .write = counter_write_call},
    {.name = "byte_count_call",
     .help = "the argument BYTE_COUNT_CALL",
     .flags = HANDLER_WRITE,
     .user = 1,
     .write = counter_write_call},
    HANDLER_END,
};

ELEMENT(Counter) = {
    .name = "Counter",
    .state_size = sizeof(struct counter),
    .keeps = PKT_PARTS,
    .plain = true,
    .apart = APART_SUMS,
    .is_apart = counter_is_apart,
    .ports = "1/1",
    .args = counter_args,
    .counters = counter_counters,
    .handlers = counter_handlers,
    .configure = counter_configure,
    .initialize = counter_initialize,
    .cleanup = counter_cleanup,
    .push = counter_push,
    .push_ip4 = counter_push_ip4,
    .pull = counter_pull,
    .llrpc = counter_llrpc,
};
