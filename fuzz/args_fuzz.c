// SPDX-License-Identifier: BSD-3-Clause
/*
 * args_fuzz.c -- any text at all as the configuration string of one element
 *
 * The table has one argument of every kind. Parsing must end with values or with errors,
 * a failed parse must leave the state alone, and a value that was written out must read
 * back the same.
 */

#include "engine/args.h"
#include "engine/handler_impl.h"
#include "engine/router.h"

#include <stdlib.h>
#include <string.h>

struct all {
    bool flag;
    uint8_t u8;
    uint16_t u16, port;
    uint32_t u32, ip;
    uint64_t u64, rate;
    int32_t i32;
    int64_t i64, time;
    double real, fraction;
    struct text string, word, raw;
    struct ip_prefix prefix;
    struct ip6_addr ip6;
    struct ether_addr ether;
    struct anno_ref anno;
    struct element *element;
};

#define A(kind_, member_, flags_)                                                      \
    {                                                                                  \
        .name = #kind_, .kind = ARG_KIND_##kind_, .flags = (flags_),                   \
        .offset = offsetof(struct all, member_)                                        \
    }
static const struct arg_spec table[] = {
    A(U32, u32, ARG_POS),    A(STRING, string, ARG_POS),
    A(BOOL, flag, 0),        A(U8, u8, 0),
    A(U16, u16, 0),          A(U64, u64, 0),
    A(I32, i32, 0),          A(I64, i64, 0),
    A(DOUBLE, real, 0),      A(TIME, time, 0),
    A(BANDWIDTH, rate, 0),   A(WORD, word, 0),
    A(RAW, raw, 0),          A(IP, ip, 0),
    A(IP_PREFIX, prefix, 0), A(IP6, ip6, 0),
    A(ETHER, ether, 0),      A(PORT_TCP, port, 0),
    A(ANNO, anno, 0),        A(FRACTION, fraction, 0),
    A(ELEMENT, element, 0),  ARG_END,
};
static struct element_class cls = {
    .name = "All", .state_size = sizeof(struct all), .args = table};

static int64_t no_time(void *ctx)
{
    return 0;
}

/* Kinds whose text says all of the value. */
static bool is_exact(uint8_t kind)
{
    switch (kind) {
    case ARG_KIND_DOUBLE:
    case ARG_KIND_FRACTION:
    case ARG_KIND_STRING:
    case ARG_KIND_WORD:
    case ARG_KIND_RAW:
    case ARG_KIND_FILENAME:
    case ARG_KIND_ELEMENT:
        return false;
    }
    return true;
}

static void check_round_trip(struct element *e, const struct arg_spec *a)
{
    const uint8_t *member = (uint8_t *)element_state(e) + a->offset;
    const struct handler_spec h = {
        .name = a->name, .kind = a->kind, .offset = a->offset};
    alignas(16) uint8_t again[ARGS_VALUE_MAX];
    struct sbuf s = SBUF_INIT;

    if (is_exact(a->kind)) {
        handler_value_read(&h, member, &s);
        /* a negative time can be printed but not be configured: there is none here */
        if (args_value(e, a, sbuf_text(&s), NULL, again, NULL) < 0 ||
            memcmp(member, again, args_value_size(a->kind)) != 0)
            __builtin_trap();
    }
    sbuf_fini(&s);
}

static void run(struct element *e, const char *text, bool any)
{
    struct arena *scratch = arena_new(1 << 24);
    struct all before;
    struct conf conf;
    struct diag d = DIAG_INIT;

    cls.any_args = any;
    memcpy(&before, e->state, sizeof before);
    if (args_parse(e, text, &conf, scratch, &d) < 0) {
        if (!d.n_errors || memcmp(&before, e->state, sizeof before) != 0)
            __builtin_trap();
    } else {
        for (const struct arg_spec *a = table; a->name; a++)
            check_round_trip(e, a);
    }
    diag_fini(&d);
    arena_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t room = (sizeof(struct element) + sizeof(struct all) + 63) / 64 * 64;
    struct platform platform = {.now = no_time};
    struct element *e = aligned_alloc(64, room);
    char *text = malloc(size + 1);
    struct router *r = router_new(&platform, "", 0, "fuzz", NULL, NULL);

    if (e && text && r) {
        memcpy(text, data, size);
        text[size] = 0;
        memset(e, 0, room);
        e->cls = &cls;
        e->router = r;
        e->name = "a/all";
        run(e, text, false);
        run(e, text, true);
    }
    router_free(r);
    free(text);
    free(e);
    return 0;
}
