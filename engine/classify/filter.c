// SPDX-License-Identifier: BSD-3-Clause
/* filter.c -- classifiers as elements: see filter.h */

#include "engine/classify/filter.h"

#include "engine/args.h"
#include "engine/classify/program.h"
#include "engine/lang/lang.h"

/* Programs grow faster than classifiers do, so that the outputs of very large filters are
 * taken to be in use. */
enum { PROGRAM_RULES_MAX = 200 };

/* --- configuration ---------------------------------------------------------------- */

/* Where rules go: into a classifier, a program, or both. */
struct sink {
    struct classify_builder *builder;
    struct program *program;
};

/* Trees go as soon as they are used, so each has an arena to itself. */
static int one_rule(const struct filter_parser *parser, struct ip_lang *words,
                    struct element *e, unsigned i, const char *text,
                    const struct sink *to, struct diag *d)
{
    struct filter_rule rule = {.output = CLASSIFY_NONE};
    struct arena *a = arena_new(0);
    int rc = -1;

    if (!a)
        return diag_err(d, "out of memory");
    words->arena = a;
    if (parser->rule(words, e, a, i, text, &rule, d) == 0) {
        rc = 0;
        if (to->builder && classify_add(to->builder, rule.x, rule.output) < 0)
            rc = diag_err(d, "out of memory");
        if (to->program && program_add(to->program, rule.x, rule.output) < 0)
            rc = diag_err(d, "out of memory");
    }
    arena_free(a);
    return rc;
}

static int all_rules(const struct filter_parser *parser, struct element *e, unsigned n,
                     const char *const *args, const struct sink *to, struct diag *d)
{
    struct ip_lang words;
    int rc = 0;

    ip_lang_init(&words, NULL, e, d);
    words.ip6 = parser->ip6;
    for (unsigned i = 0; i < n; i++)
        if (one_rule(parser, &words, e, i, args[i], to, d) < 0)
            rc = -1;
    ip_lang_fini(&words);
    return rc;
}

/* IPClassifier says it once, Classifier whenever it gets new patterns. */
static void warn_unused(struct element *e, struct program *p,
                        const struct filter_parser *parser, struct diag *d)
{
    if (parser->ip && e->initialized)
        return;
    program_finish(p, true);
    for (unsigned i = 0; i < e->n_out; i++)
        if (!program_uses(p, (int)i))
            diag_warn(d, "output %u matches no packets", i);
}

int filter_configure(struct filter *f, const struct filter_parser *parser,
                     struct element *e, struct conf *c, struct diag *d)
{
    unsigned n = (unsigned)c->argc;
    bool program = parser->one_per_output && n <= PROGRAM_RULES_MAX;
    struct sink to = {.builder = NULL};
    struct classify *match = NULL;
    int rc = -1;

    if (parser->one_per_output && n != e->n_out)
        return diag_err(d, "need %u arguments, one per output port", e->n_out);
    to.builder = classify_builder_new();
    to.program = program ? program_new(parser->ip) : NULL;
    if (!to.builder || (program && !to.program)) {
        diag_err(d, "out of memory");
    } else if (all_rules(parser, e, n, c->argv, &to, d) == 0) {
        if (parser->ip6)
            classify_builder_ip6(to.builder);
        match = classify_build(to.builder);
        to.builder = NULL;
        if (!match)
            diag_err(d, "out of memory");
    }
    if (match) {
        if (program)
            warn_unused(e, to.program, parser, d);
        classify_free(f->match);
        f->match = match;
        rc = 0;
    }
    classify_builder_free(to.builder);
    program_free(to.program);
    return rc;
}

void filter_cleanup(struct filter *f)
{
    classify_free(f->match);
    f->match = NULL;
}

/* --- packets ---------------------------------------------------------------------- */

/* Packets for several outputs: those of one output leave together, in their order. */
static void push_split(struct element *e, struct batch *b, int *output)
{
    struct batch one;
    uint32_t left = 0;

    for (uint32_t i = 0; i < b->n; i++)
        if (output[i] < 0 || output[i] >= e->n_out) {
            pkt_free(b->p[i]);
        } else {
            output[left] = output[i];
            b->p[left++] = b->p[i];
        }
    while (left) {
        uint32_t rest = 0;
        int port = output[0];

        one.n = 0;
        for (uint32_t i = 0; i < left; i++)
            if (output[i] == port) {
                one.p[one.n++] = b->p[i];
            } else {
                output[rest] = output[i];
                b->p[rest++] = b->p[i];
            }
        left = rest;
        out_push(e, (unsigned)port, &one);
    }
}

void filter_push(const struct filter *f, struct element *e, struct batch *b)
{
    int output[BATCH_MAX];
    uint32_t same = 1;

    if (!b->n)
        return;
    if (classify_match_batch(f->match, b->p, b->n, output))
        same = b->n;
    while (same < b->n && output[same] == output[0])
        same++;
    if (same < b->n)
        push_split(e, b, output);
    else if (output[0] >= 0 && output[0] < e->n_out)
        out_push(e, (unsigned)output[0], b);
    else
        batch_free(b);
}

/* --- handlers --------------------------------------------------------------------- */

int filter_program(const struct filter_parser *parser, struct element *e,
                   struct sbuf *out, struct diag *d)
{
    struct sink to = {.program = program_new(parser->ip)};
    struct arena *a = arena_new(0);
    const char *const *args = NULL;
    int n = a ? lang_split_args(a, e->config, &args) : -1, rc = -1;

    if (!to.program || n < 0) {
        diag_err(d, "out of memory");
    } else if (all_rules(parser, e, (unsigned)n, args, &to, d) == 0) {
        program_finish(to.program, n <= PROGRAM_RULES_MAX);
        program_text(to.program, out);
        rc = 0;
    }
    program_free(to.program);
    arena_free(a);
    return rc;
}

/* The element's arguments, in `a`; -1 when memory ran out or there is no number `i`. */
static int arguments(const struct element *e, struct arena *a, intptr_t i,
                     const char *const **args, struct diag *d)
{
    int n = a ? lang_split_args(a, e->config, args) : -1;

    if (n < 0)
        return diag_err(d, "out of memory");
    return i < n ? n : diag_err(d, "no pattern %d", (int)i);
}

int filter_pattern_read(struct element *e, const struct handler_spec *h,
                        const char *param, struct sbuf *out, struct diag *d)
{
    struct arena *a = arena_new(0);
    const char *const *args = NULL;
    int n = arguments(e, a, h->user, &args, d);

    (void)param;
    if (n >= 0)
        sbuf_puts(out, args[h->user]);
    arena_free(a);
    return n < 0 ? -1 : 0;
}

int filter_pattern_write(struct element *e, const struct handler_spec *h,
                         const char *value, size_t len, struct diag *d)
{
    struct arena *a = arena_new(0);
    const char *const *args = NULL;
    struct sbuf config = SBUF_INIT;
    int n = arguments(e, a, h->user, &args, d), rc = -1;

    (void)len;
    for (int i = 0; i < n; i++) {
        sbuf_puts(&config, i ? ", " : "");
        sbuf_puts(&config, i == h->user ? value : args[i]);
    }
    if (n >= 0)
        rc = args_reconfigure(e, sbuf_text(&config), d);
    sbuf_fini(&config);
    arena_free(a);
    return rc;
}
