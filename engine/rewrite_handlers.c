// SPDX-License-Identifier: BSD-3-Clause
/* rewrite_handlers.c -- handlers of rewriters: see rewrite.h */

#include "engine/rewrite.h"
#include "engine/words.h"

enum { H_TABLE, H_TCP, H_UDP };
enum { H_NMAPPINGS, H_FAILURES, H_SIZE, H_CAPACITY };

static void unparse_id(const struct flow_id *f, struct sbuf *out)
{
    char src[64], dst[64];

    sbuf_printf(out, "(%s, %u, %s, %u)", unparse_ip(f->src, src), be16(f->sport),
                unparse_ip(f->dst, dst), be16(f->dport));
}

static void unparse_mapping(const struct rewriter *rw, const struct flow *f,
                            unsigned direction, uint32_t now_ms, struct sbuf *out)
{
    struct flow_id becomes = flow_id_reverse(f->id[!direction]);

    unparse_id(&f->id[direction], out);
    sbuf_puts(out, " => ");
    unparse_id(&becomes, out);
    sbuf_printf(out, " [%s%u %s%u] i%u exp%d\n", direction ? "" : "*", f->out[0],
                direction ? "*" : "", f->out[1], f->input,
                ((int32_t)(f->expiry_ms - now_ms) + 500) / 1000);
    (void)rw;
}

static int read_table(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    uint32_t at = 0, now = rewriter_now_ms(e);
    struct flow *f;

    while ((f = flow_next(&rw->flows, &at)))
        for (unsigned direction = 0; direction < 2; direction++)
            if (h->user == H_TABLE || (h->user == H_TCP) == (f->proto == IP_PROTO_TCP))
                unparse_mapping(rw, f, direction, now, out);
    return 0;
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
        n = rw->flows.count;
    if (h->user == H_CAPACITY)
        n = rw->capacity;
    sbuf_printf(out, "%llu", (unsigned long long)n);
    return 0;
}

static int write_capacity(struct element *e, const struct handler_spec *h,
                          const char *value, size_t len, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    uint64_t n;

    if (!parse_u64(value, 0, &n) || n > INT32_MAX)
        return diag_err(d, "CAPACITY: parse error");
    rw->capacity = (uint32_t)n;
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
        sbuf_printf(out, " %u %u %d\n", f->input, f->state,
                    (int32_t)(f->expiry_ms - now));
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

/* One line of `flows`. */
static bool add_flow(struct element *e, const char *line)
{
    struct rewriter *rw = element_state(e);
    uint32_t now = rewriter_now_ms(e);
    struct flow_id from, to;
    int64_t proto, input, state, left_ms;
    struct flow *f;
    flow_ref ref;

    if (!next_number(&line, 0, 255, &proto) || !next_id(e, &line, &from) ||
        !next_id(e, &line, &to) ||
        !next_number(&line, 0, (int64_t)rw->n_inputs - 1, &input) ||
        !next_number(&line, 0, 255, &state) ||
        !next_number(&line, INT32_MIN, INT32_MAX, &left_ms))
        return false;
    ref = flow_lookup(&rw->flows, &from, (uint8_t)proto);
    if (ref)
        rewriter_remove(rw, flow_ref_flow(&rw->flows, ref));
    ref = rewriter_add(rw, now, (unsigned)input, (uint8_t)proto, &from, &to);
    if (ref) {
        f = flow_ref_flow(&rw->flows, ref);
        f->state = (uint8_t)state;
        f->expiry_ms = now + (uint32_t)left_ms;
    }
    return true;
}

static int write_flows(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    const char *at = value, *end = value + len;
    struct sbuf line = SBUF_INIT;
    char word[WORD_ROOM];
    unsigned number = 1;
    int rc = 0;

    for (; rc == 0 && at < end; number++) {
        const char *nl = memchr(at, '\n', (size_t)(end - at)), *blank;
        nl = nl ? nl : end;
        sbuf_reset(&line);
        sbuf_add(&line, at, (size_t)(nl - at));
        blank = sbuf_text(&line);
        if (word_next(&blank, word) && !add_flow(e, sbuf_text(&line)))
            rc = diag_err(d,
                          "line %u: expected PROTO SADDR SPORT DADDR DPORT SADDR "
                          "SPORT DADDR DPORT INPUT STATE MS",
                          number);
        at = nl + 1;
    }
    sbuf_fini(&line);
    return rc;
}

/* Where a packet of the flow "SADDR SPORT DADDR DPORT" would go. */
static int read_lookup(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d)
{
    struct rewriter *rw = element_state(e);
    struct flow_id id, becomes;
    const char *text = param ? param : "";
    flow_ref ref;

    if (!next_id(e, &text, &id))
        return diag_err(d, "expected SADDR SPORT DADDR DPORT");
    ref = flow_lookup(&rw->flows, &id,
                      rw->kind == REWRITE_UDP ? IP_PROTO_UDP : IP_PROTO_TCP);
    if (!ref)
        return 0;
    becomes = flow_id_reverse(
        flow_ref_flow(&rw->flows, ref)->id[!flow_ref_direction(ref)]);
    unparse_words(&becomes, out);
    memmove(out->data, out->data + 1, out->len--); /* the blank in front */
    return 0;
}

#define NUMBER(name_, user_, help_)                                                    \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ, .user = user_,            \
        .read = read_number                                                            \
    }
#define TABLE(name_, user_, help_)                                                     \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ | HANDLER_EXPENSIVE,       \
        .user = user_, .read = read_table                                              \
    }
#define LOOKUP(name_)                                                                  \
    {                                                                                  \
        .name = name_, .help = "what a flow becomes",                                  \
        .flags = HANDLER_READ | HANDLER_PARAM, .read = read_lookup                     \
    }
#define PATTERN(name_, user_)                                                          \
    {                                                                                  \
        .name = name_, .help = "specification of an input",                            \
        .flags = HANDLER_READ | HANDLER_WRITE, .user = user_, .read = read_patterns,   \
        .write = write_pattern                                                         \
    }

const struct handler_spec rewriter_handlers[] = {
    TABLE("table", H_TABLE, "all mappings, both directions"),
    TABLE("mappings", H_TABLE, "the same"),
    TABLE("tcp_table", H_TCP, "those of TCP"),
    TABLE("udp_table", H_UDP, "all others"),
    TABLE("tcp_mappings", H_TCP, "those of TCP"),
    TABLE("udp_mappings", H_UDP, "all others"),
    LOOKUP("lookup"),
    LOOKUP("tcp_lookup"),
    NUMBER("table_size", H_NMAPPINGS, "mappings"),
    NUMBER("nmappings", H_NMAPPINGS, "mappings"),
    NUMBER("mapping_failures", H_FAILURES, "flows that could not be mapped"),
    NUMBER("size", H_SIZE, "mappings"),
    {.name = "capacity",
     .help = "most mappings",
     .flags = HANDLER_READ | HANDLER_WRITE,
     .user = H_CAPACITY,
     .read = read_number,
     .write = write_capacity},
    HANDLER_PRESS(write_clear, "clear", "remove all mappings"),
    {.name = "flows",
     .help = "all mappings, to be written to another rewriter",
     .flags = HANDLER_READ | HANDLER_WRITE | HANDLER_RAW | HANDLER_EXPENSIVE,
     .read = read_flows,
     .write = write_flows},
    {.name = "patterns",
     .help = "the inputs' specifications",
     .flags = HANDLER_READ,
     .user = -1,
     .read = read_patterns},
    PATTERN("pattern0", 0),
    PATTERN("pattern1", 1),
    PATTERN("pattern2", 2),
    PATTERN("pattern3", 3),
    HANDLER_END,
};
