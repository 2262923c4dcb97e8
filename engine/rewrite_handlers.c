// SPDX-License-Identifier: BSD-3-Clause
/* rewrite_handlers.c -- handlers of rewriters: see rewrite.h */

#include "engine/args.h"
#include "engine/llrpc.h"
#include "engine/rewrite.h"
#include "engine/words.h"

#include <stdio.h>

enum { H_NMAPPINGS, H_FAILURES, H_SIZE };

static void unparse_id(const struct flow_id *f, struct sbuf *out)
{
    char src[64], dst[64];

    sbuf_printf(out, "(%s, %u, %s, %u)", unparse_ip(f->src, src), be16(f->sport),
                unparse_ip(f->dst, dst), be16(f->dport));
}

/* The two sides of a mapping: what identifies a flow depends on the kind. */
static void unparse_sides(const struct rewriter *rw, const struct flow *f,
                          unsigned direction, struct sbuf *out)
{
    const struct flow_id *is = &f->id[direction], *other = &f->id[!direction];
    struct flow_id becomes = flow_id_reverse(*other);
    char a[64], b[64];

    switch (rw->kind) {
    case REWRITE_ADDR:
        sbuf_printf(out, "%s => %s", unparse_ip(is->src, a), unparse_ip(other->dst, b));
        break;
    case REWRITE_PAIR:
        sbuf_printf(out, "(%s, %s)", unparse_ip(is->src, a), unparse_ip(is->dst, b));
        sbuf_printf(out, " => (%s, %s)", unparse_ip(other->dst, a),
                    unparse_ip(other->src, b));
        break;
    case REWRITE_PING: /* Click adds one, in network order, for replies */
        sbuf_printf(out, "(%s, %s, %u)", unparse_ip(is->src, a), unparse_ip(is->dst, b),
                    be16(direction ? (uint16_t)(is->dport + 1) : is->sport));
        sbuf_printf(out, " => (%s, %s, %u)", unparse_ip(becomes.src, a),
                    unparse_ip(becomes.dst, b),
                    be16(direction ? (uint16_t)(becomes.dport + 1) : becomes.sport));
        break;
    default:
        unparse_id(is, out);
        sbuf_puts(out, " => ");
        unparse_id(&becomes, out);
    }
}

static void unparse_mapping(const struct rewriter *rw, const struct flow *f,
                            unsigned direction, uint32_t now_ms, struct sbuf *out)
{
    const struct flow_seq *seq = flow_seq_of(&rw->flows, f);

    unparse_sides(rw, f, direction, out);
    if (seq && flow_seq_delta(seq, direction))
        sbuf_printf(out, " seq %+d", flow_seq_delta(seq, direction));
    sbuf_printf(out, " [%s%u %s%u] i%u exp%d\n", direction ? "" : "*", f->out[0],
                direction ? "*" : "", f->out[1], f->input,
                ((int32_t)(f->expiry_ms - now_ms) + 500) / 1000);
}

struct listing {
    const struct rewriter *rw;
    uint32_t now_ms;
    struct sbuf *out;
};

static void say_mapping(void *ctx, const struct flow *f, unsigned direction)
{
    const struct listing *to = ctx;

    unparse_mapping(to->rw, f, direction, to->now_ms, to->out);
}

static int read_table(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    struct listing to = {element_state(e), rewriter_now_ms(e), out};

    return rewrite_list(to.rw, (enum rewrite_table)h->user, say_mapping, &to) < 0
               ? diag_err(d, "out of memory")
               : 0;
}

static int read_number(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d)
{
    const struct rewriter *rw = element_state(e);
    uint64_t n = 0;

    for (uint32_t i = 0; i < rw->n_inputs; i++) {
        n += h->user == H_NMAPPINGS ? rw->inputs[i].count : 0;
        n += h->user == H_FAILURES ? rw->inputs[i].failures : 0;
    }
    if (h->user == H_SIZE)
        n = rewrite_heap_size(rw->heap);
    sbuf_printf(out, "%llu", (unsigned long long)n);
    return 0;
}

static int read_capacity(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    const struct rewriter *rw = element_state(e);

    sbuf_printf(out, "%d", rw->heap->capacity);
    return 0;
}

static int write_capacity(struct element *e, const struct handler_spec *h,
                          const char *value, size_t len, struct diag *d)
{
    static const struct arg_spec words[] = {
        ARG_I32(rewrite_heap, capacity, "CAPACITY", ARG_M, NULL, NULL),
        ARG_END,
    };
    struct rewriter *rw = element_state(e);

    if (args_words(e, value, words, rw->heap, d) < 0)
        return -1;
    rewriter_shrink(rw, false);
    return 0;
}

static int write_clear(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    rewriter_shrink(element_state(e), true);
    return 0;
}

static void unparse_input(const struct rewrite_input *is, struct sbuf *out)
{
    static const char *const names[] = {
        [RW_KIND_DROP] = "<drop>",
        [RW_KIND_PASS] = "<nochange>",
        [RW_KIND_KEEP] = "<keep>",
        [RW_KIND_MAPPER] = "<mapper>",
    };

    if (is->what == RW_KIND_PATTERN)
        rewrite_pattern_text(is->pattern, out);
    else
        sbuf_puts(out, names[is->what]);
    if (is->count)
        sbuf_printf(out, " [%u]", is->count);
    sbuf_putc(out, '\n');
}

static int read_patterns(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    const struct rewriter *rw = element_state(e);

    for (uint32_t i = 0; i < rw->n_inputs; i++)
        if (h->user < 0 || (uint32_t)h->user == i)
            unparse_input(&rw->inputs[i], out);
    return 0;
}

/* A new specification for an input; the mappings that the old one has made go. */
static int write_pattern(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    unsigned input = (unsigned)h->user;
    struct rewrite_input is;
    struct flow *f;
    uint32_t at = 0;

    if (input >= rw->n_inputs)
        return diag_err(d, "there is no input %u", input);
    if (rewrite_input_parse(e, value, input, &is, d) < 0)
        return -1;
    while ((f = flow_next(&rw->flows, &at)))
        if (f->input == input)
            rewriter_remove(rw, f);
    rw->inputs[input] = is;
    return 0;
}

static void unparse_words(const struct flow_id *f, struct sbuf *out)
{
    char src[64], dst[64];

    sbuf_printf(out, " %s %u %s %u", unparse_ip(f->src, src), be16(f->sport),
                unparse_ip(f->dst, dst), be16(f->dport));
}

/* The annotation of replies, and changes of sequence numbers: DIRECTION TRIGGER DELTA, with
 * "-" for the trigger of what is older than all that are known. */
static void unparse_more(const struct rewriter *rw, const struct flow *f,
                         struct sbuf *out)
{
    const struct flow_seq *seq = flow_seq_of(&rw->flows, f);

    if (f->reply_anno || seq)
        sbuf_printf(out, " %u", f->reply_anno);
    for (unsigned d = 0; seq && d < 2; d++) {
        if (seq->delta[d][0])
            sbuf_printf(out, " %u - %d", d, seq->delta[d][0]);
        for (unsigned i = 0; i < seq->n[d]; i++)
            sbuf_printf(out, " %u %u %d", d, seq->trigger[d][i], seq->delta[d][i + 1]);
    }
}

/* All mappings in a form that `flows` reads back, here or in another machine. */
static int read_flows(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    uint32_t at = 0, now = rewriter_now_ms(e);
    struct flow *f;

    while ((f = flow_next(&rw->flows, &at))) {
        struct flow_id becomes = flow_id_reverse(f->id[1]);
        sbuf_printf(out, "%u", f->proto);
        unparse_words(&f->id[0], out);
        unparse_words(&becomes, out);
        sbuf_printf(out, " %u %u %d", f->input, f->state,
                    (int32_t)(f->expiry_ms - now));
        unparse_more(rw, f, out);
        sbuf_putc(out, '\n');
    }
    return 0;
}

/* The next word as a number of at most `max`. */
static bool next_number(const char **text, int64_t min, int64_t max, int64_t *n)
{
    char word[WORD_ROOM];

    return word_next(text, word) && parse_i64(word, 10, n) && *n >= min && *n <= max;
}

static bool next_id(struct element *e, const char **text, struct flow_id *f)
{
    char word[WORD_ROOM];
    int64_t sport, dport;

    if (!word_next(text, word) || !parse_ip(e, word, &f->src) ||
        !next_number(text, 0, 65535, &sport) || !word_next(text, word) ||
        !parse_ip(e, word, &f->dst) || !next_number(text, 0, 65535, &dport))
        return false;
    f->sport = be16((uint16_t)sport);
    f->dport = be16((uint16_t)dport);
    return true;
}

/* Changes of sequence numbers, as unparse_more() has written them. */
static bool add_changes(struct rewriter *rw, struct flow *f, const char *text)
{
    char word[WORD_ROOM];
    int64_t d, trigger, delta;
    struct flow_seq *seq;

    while (word_next(&text, word)) {
        seq = flow_seq_make(&rw->flows, f);
        if (!seq || !parse_i64(word, 10, &d) || d < 0 || d > 1 ||
            !word_next(&text, word))
            return false;
        if (strcmp(word, "-") != 0 &&
            (!parse_i64(word, 10, &trigger) || trigger < 0 || trigger > UINT32_MAX))
            return false;
        if (!next_number(&text, INT32_MIN, INT32_MAX, &delta))
            return false;
        if (strcmp(word, "-") == 0)
            seq->delta[d][0] = (int32_t)delta;
        else if (flow_seq_change(seq, (unsigned)d, (uint32_t)trigger,
                                 (int32_t)((uint32_t)delta - (uint32_t)flow_seq_delta(
                                                                 seq, (unsigned)d))) <
                 0)
            return false;
    }
    return true;
}

/* One line of `flows`. */
static bool add_flow(void *ctx, const char *line)
{
    struct element *e = ctx;
    struct rewriter *rw = element_state(e);
    uint32_t now = rewriter_now_ms(e);
    struct flow_id from, to;
    int64_t proto, input, state, left_ms, anno = 0;
    const char *rest;
    char word[WORD_ROOM];
    struct flow *f;
    flow_ref ref;

    if (!next_number(&line, 0, 255, &proto) || !next_id(e, &line, &from) ||
        !next_id(e, &line, &to) ||
        !next_number(&line, 0, (int64_t)rw->n_inputs - 1, &input) ||
        !next_number(&line, 0, 255, &state) ||
        !next_number(&line, INT32_MIN, INT32_MAX, &left_ms))
        return false;
    rest = line;
    if (word_next(&rest, word) && !next_number(&line, 0, 255, &anno))
        return false;
    ref = flow_lookup(&rw->flows, &from, (uint8_t)proto);
    if (ref)
        rewriter_remove(rw, flow_ref_flow(&rw->flows, ref));
    ref = rewriter_add(rw, now, (unsigned)input, (uint8_t)proto, &from, &to);
    if (!ref)
        return true; /* no room, or no such outputs */
    f = flow_ref_flow(&rw->flows, ref);
    f->state = (uint8_t)state;
    f->reply_anno = (uint8_t)anno;
    f->expiry_ms = now + (uint32_t)left_ms;
    return add_changes(rw, f, line);
}

static int write_flows(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    return word_lines(
        value, len, add_flow, e,
        "PROTO SADDR SPORT DADDR DPORT SADDR SPORT DADDR DPORT INPUT STATE "
        "MS [ANNO [DIRECTION TRIGGER DELTA]...]",
        d);
}

/* Where a packet of the TCP flow "SADDR SPORT DADDR DPORT" would go. */
static int read_lookup(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d)
{
#define LOOKUP_PORT(member_, name_)                                                    \
    {                                                                                  \
        .name = name_, .kind = ARG_KIND_PORT_TCP, .flags = ARG_M,                      \
        .offset = offsetof(struct flow_id, member_)                                    \
    }
    static const struct arg_spec words[] = {
        ARG_IP(flow_id, src, "SADDR", ARG_M, NULL, NULL),
        LOOKUP_PORT(sport, "SPORT"),
        ARG_IP(flow_id, dst, "DADDR", ARG_M, NULL, NULL),
        LOOKUP_PORT(dport, "DPORT"),
        ARG_END,
    };
    struct rewriter *rw = element_state(e);
    struct flow_id id = {0, 0, 0, 0}, becomes;
    char src[64], dst[64];
    flow_ref ref;

    if (args_words(e, param ? param : "", words, &id, d) < 0)
        return -1;
    id.sport = be16(id.sport);
    id.dport = be16(id.dport);
    ref = flow_lookup(&rw->flows, &id, IP_PROTO_TCP);
    if (!ref)
        return 0;
    becomes = flow_id_reverse(
        flow_ref_flow(&rw->flows, ref)->id[!flow_ref_direction(ref)]);
    sbuf_printf(out, "%s %u %s %u", unparse_ip(becomes.src, src), be16(becomes.sport),
                unparse_ip(becomes.dst, dst), be16(becomes.dport));
    return 0;
}

/* --- pattern0, pattern1 ... --------------------------------------------------------------- */

enum { PATTERN_NAME_ROOM = 16 };

int rewriter_make_handlers(struct element *e, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    char *names = element_alloc(e, (size_t)rw->n_inputs * PATTERN_NAME_ROOM);

    rw->pattern_handlers = element_alloc(e, ((size_t)rw->n_inputs + 1) *
                                                sizeof *rw->pattern_handlers);
    if (!names || !rw->pattern_handlers)
        return diag_err(d, "out of memory");
    for (uint32_t i = 0; i < rw->n_inputs; i++) {
        char *name = names + (size_t)i * PATTERN_NAME_ROOM;
        snprintf(name, PATTERN_NAME_ROOM, "pattern%u", i);
        rw->pattern_handlers[i] = (struct handler_spec){
            .name = name,
            .help = "specification of an input",
            .flags = HANDLER_READ | HANDLER_WRITE,
            .user = (intptr_t)i,
            .read = read_patterns,
            .write = write_pattern,
        };
    }
    return 0;
}

const struct handler_spec *rewriter_more_handlers(struct element *e, const char *name,
                                                  size_t i)
{
    const struct rewriter *rw = element_state(e);

    if (!rw->pattern_handlers)
        return NULL;
    if (!name) /* newest first */
        return i < rw->n_inputs ? &rw->pattern_handlers[rw->n_inputs - 1 - i] : NULL;
    for (i = 0; i < rw->n_inputs; i++)
        if (strcmp(rw->pattern_handlers[i].name, name) == 0)
            return &rw->pattern_handlers[i];
    return NULL;
}

/* --- tables ------------------------------------------------------------------------------- */

#define NUMBER(name_, user_, help_)                                                    \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ, .user = user_,            \
        .read = read_number                                                            \
    }
#define TABLE(name_, user_, more_flags, help_)                                         \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ | (more_flags),            \
        .user = user_, .read = read_table                                              \
    }
#define LOOKUP(name_)                                                                  \
    {                                                                                  \
        .name = name_, .help = "what a flow becomes",                                  \
        .flags = HANDLER_READ | HANDLER_PARAM, .read = read_lookup                     \
    }
#define COMMON                                                                         \
    {.name = "flows",                                                                  \
     .help = "all mappings, to be written to another rewriter",                        \
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_RAW | HANDLER_EXPENSIVE,          \
     .read = read_flows,                                                               \
     .write = write_flows},                                                            \
        NUMBER("nmappings", H_NMAPPINGS, "mappings"),                                  \
        NUMBER("mapping_failures", H_FAILURES, "flows that could not be mapped"),      \
        {.name = "patterns",                                                           \
         .help = "the inputs' specifications",                                         \
         .flags = HANDLER_READ,                                                        \
         .user = -1,                                                                   \
         .read = read_patterns},                                                       \
        NUMBER("size", H_SIZE, "mappings of all that share the capacity"),             \
        {.name = "capacity",                                                           \
         .help = "most mappings",                                                      \
         .flags = HANDLER_READ | HANDLER_WRITE,                                        \
         .read = read_capacity,                                                        \
         .write = write_capacity},                                                     \
        HANDLER_WRITER(write_clear, "clear", "remove all mappings"), HANDLER_END

const char *rewriter_llrpc(struct element *e, uint32_t call, void *data)
{
    struct rewriter *rw = element_state(e);
    struct flow_id id;
    flow_ref ref;

    if (call != LLRPC_MAP_TCP && call != LLRPC_MAP_UDP)
        return LLRPC_EINVAL;
    memcpy(&id, data, sizeof id);
    ref = rewriter_get(rw, call == LLRPC_MAP_TCP ? IP_PROTO_TCP : IP_PROTO_UDP, &id,
                       REWRITE_CHECK);
    if (!ref)
        return LLRPC_EAGAIN;
    id = flow_id_reverse(flow_ref_flow(&rw->flows, ref)->id[!flow_ref_direction(ref)]);
    memcpy(data, &id, sizeof id);
    return NULL;
}

const struct handler_spec rewriter_ip_handlers[] = {
    TABLE("tcp_table", REWRITE_ONLY_TCP, 0, "mappings of TCP, both directions"),
    TABLE("udp_table", REWRITE_OTHERS, 0, "all others"),
    TABLE("tcp_mappings", REWRITE_ONLY_TCP, HANDLER_DEPRECATED,
          "old name of tcp_table"),
    TABLE("udp_mappings", REWRITE_OTHERS, HANDLER_DEPRECATED, "old name of udp_table"),
    LOOKUP("tcp_lookup"),
    COMMON,
};

const struct handler_spec rewriter_tcp_handlers[] = {
    TABLE("table", REWRITE_ALL, 0, "all mappings, both directions"),
    TABLE("mappings", REWRITE_ALL, HANDLER_DEPRECATED, "old name of table"),
    LOOKUP("lookup"),
    COMMON,
};

const struct handler_spec rewriter_handlers[] = {
    TABLE("table", REWRITE_ALL, 0, "all mappings, both directions"),
    TABLE("mappings", REWRITE_ALL, HANDLER_DEPRECATED, "old name of table"),
    COMMON,
};
