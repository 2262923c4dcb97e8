// SPDX-License-Identifier: BSD-3-Clause
/*
 * filter_fuzz.c -- any text as filter rules, any bytes as a packet
 *
 * Input: lines of rules up to an empty line, then a packet. A line that begins with a
 * digit, "!", "-" or "?" is a pattern of Classifier, any other an expression of
 * IPClassifier. The classifier, the decision program and a walk over the trees must agree
 * about the packet and about every shorter one.
 */

#include "engine/classify/filter.h"
#include "engine/classify/program.h"

#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 32, PACKET_MAX = 128, NET = 14 };

struct rules {
    struct arena *arena;
    struct expr *x[RULES_MAX];
    unsigned n;
};

/* Lines that are no rules are left out; their messages must make sense all the same. */
static void add_line(struct rules *r, const char *line)
{
    bool data = *line && strchr("0123456789!-", *line);
    const struct filter_parser *parser = data ? &filter_data_patterns
                                              : &filter_ip_patterns;
    struct diag d = DIAG_INIT;
    struct filter_rule rule;
    struct ip_lang words;

    ip_lang_init(&words, r->arena, NULL, &d);
    if (parser->rule(&words, NULL, r->arena, r->n, line, &rule, &d) == 0)
        r->x[r->n++] = rule.x;
    else if (!d.n_errors || !*diag_text(&d))
        __builtin_trap();
    ip_lang_fini(&words);
    diag_fini(&d);
}

/* Returns where the packet begins. */
static const uint8_t *read_rules(struct rules *r, const uint8_t *p, const uint8_t *end)
{
    char line[1024];

    while (p < end) {
        const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((nl ? nl : end) - p);

        if (len && len < sizeof line && r->n < RULES_MAX) {
            memcpy(line, p, len);
            line[len] = '\0';
            add_line(r, line);
        }
        p = nl ? nl + 1 : end;
        if (!len)
            break;
    }
    return p;
}

static void make_view(struct expr_view *v, const uint8_t *bytes, uint32_t len)
{
    uint32_t header = len > NET ? (bytes[NET] & 15) * 4u : 0;

    memset(v, 0, sizeof *v);
    v->base[BASE_DATA] = v->base[BASE_MAC] = bytes;
    v->len[BASE_DATA] = v->len[BASE_MAC] = len;
    if (len <= NET)
        return;
    v->base[BASE_NET] = bytes + NET;
    v->len[BASE_NET] = len - NET;
    if (len - NET <= header)
        return;
    v->base[BASE_TRANSP] = bytes + NET + header;
    v->len[BASE_TRANSP] = len - NET - header;
}

static int walk(const struct rules *r, const struct expr_view *v)
{
    for (unsigned i = 0; i < r->n; i++)
        if (expr_eval(r->x[i], v))
            return (int)i;
    return CLASSIFY_NONE;
}

/* Programs take comparisons apart into bits, and may know the answer before the last byte
 * of a field; so they are asked only about packets that end between words. */
static bool whole_words(const struct expr_view *v)
{
    return v->len[BASE_NET] % 4 == 0 && v->len[BASE_TRANSP] % 4 == 0 &&
           v->len[BASE_DATA] >= NET + 20;
}

static void compare(const struct rules *r, const struct classify *c,
                    const struct program *p, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t n = 0; n <= len; n++) {
        struct expr_view v;
        int want;

        make_view(&v, bytes, n);
        want = walk(r, &v);
        if (classify_match(c, &v) != want)
            __builtin_trap();
        if (whole_words(&v) && program_match(p, &v) != want)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rules r = {.arena = arena_new(0)};
    struct classify_builder *b = classify_builder_new();
    struct program *p = program_new(size % 2), *optimized = program_new(size % 2);
    struct sbuf text = SBUF_INIT;
    const uint8_t *packet;
    struct classify *c;
    size_t len;

    packet = read_rules(&r, data, data + size);
    for (unsigned i = 0; i < r.n; i++)
        if (classify_add(b, r.x[i], (int)i) < 0 || program_add(p, r.x[i], (int)i) < 0 ||
            program_add(optimized, r.x[i], (int)i) < 0)
            abort();
    c = classify_build(b);
    program_finish(p, false);
    program_finish(optimized, true);
    program_text(optimized, &text);
    len = (size_t)(data + size - packet);
    if (c)
        compare(&r, c, p, packet, (uint32_t)(len < PACKET_MAX ? len : PACKET_MAX));
    classify_free(c);
    program_free(p);
    program_free(optimized);
    sbuf_fini(&text);
    arena_free(r.arena);
    return 0;
}
