// SPDX-License-Identifier: BSD-3-Clause
/*
 * StringMatcher -- sort out packets that contain one of many strings
 *
 * Usage:    StringMatcher(PATTERN, ... [, keywords MATCHER])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     PATTERN  a string of 1 to 1024 bytes: abc, "a b", \<0a 0b>
 *           MATCHER  which algorithm; accepted and without effect
 * Counters: matches  packets that contain a pattern
 * Handlers: reset_count  (w) set matches to 0
 *           patterns     (r) the patterns, one a line, quoted where they must be
 *           length       (r) number of patterns
 *           add          (w) add a pattern
 *           remove       (w) remove a pattern
 * Example:  ... -> s :: StringMatcher("GET /admin", \<deadbeef>) -> ...; s[1] -> Discard;
 * See also: Classifier, IPFilter
 *
 * Packets that contain no pattern leave by output 0, others by output 1 if that is
 * connected. All bytes of the packet are searched, upper and lower case are different. It
 * does not matter how many patterns there are, but one shorter than four bytes makes the
 * search slower for all.
 */

#include "engine/args.h"
#include "engine/element.h"
#include "engine/lang/lang.h"
#include "engine/multi_match.h"

#include <stdlib.h>

struct string_matcher {
    struct multi_match match;
    struct multi_pattern *p; /* owned, and so are the bytes */
    size_t n, room, bytes;
    struct text matcher;
};

static const struct arg_spec string_matcher_args[] = {
    ARG_WORD(string_matcher, matcher, "MATCHER", 0, NULL, "without effect"),
    ARG_END,
};

enum { C_MATCHES };
static const struct counter_spec string_matcher_counters[] = {
    [C_MATCHES] = {"matches", "packets that contain a pattern"},
    {NULL, NULL},
};

static size_t find_pattern(const struct string_matcher *s, const char *text, size_t len)
{
    size_t i = 0;

    while (i < s->n && (s->p[i].len != len || memcmp(s->p[i].s, text, len) != 0))
        i++;
    return i;
}

/* At the end of the list, not yet in the automaton. */
static int append_pattern(struct string_matcher *s, const char *text, size_t len)
{
    uint8_t *copy;

    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct multi_pattern *more = realloc(s->p, room * sizeof *more);

        if (!more)
            return -1;
        s->p = more;
        s->room = room;
    }
    copy = malloc(len);
    if (!copy)
        return -1;
    memcpy(copy, text, len);
    s->p[s->n++] = (struct multi_pattern){copy, len};
    s->bytes += len;
    return 0;
}

static void drop_last(struct string_matcher *s)
{
    struct multi_pattern *last = &s->p[--s->n];

    s->bytes -= last->len;
    free((void *)(uintptr_t)last->s);
}

static int parse_pattern(struct string_matcher *s, struct arena *a, int number,
                         const char *text, struct text *out, struct diag *d)
{
    size_t len;
    const char *clean = lang_unquote(a, text, &len);

    if (!clean)
        return diag_err(d, "out of memory");
    if (len == 0)
        return diag_err(d, "Pattern #%d has zero length", number);
    if (len > MULTI_MATCH_MAX)
        return diag_err(d, "Pattern #%d is too long", number);
    if (s->bytes + len >= MULTI_MATCH_BYTES)
        return diag_err(d, "Too many patterns added");
    *out = (struct text){clean, len};
    return 0;
}

/* Equal patterns stand next to each other, in the order of the arguments. */
static int compare_patterns(const void *a, const void *b)
{
    const struct multi_pattern *x = *(const struct multi_pattern *const *)a;
    const struct multi_pattern *y = *(const struct multi_pattern *const *)b;
    int order = memcmp(x->s, y->s, x->len < y->len ? x->len : y->len);

    return order             ? order
           : x->len < y->len ? -1
           : x->len > y->len ? 1
           : x < y           ? -1
                             : x > y;
}

static int warn_duplicates(struct string_matcher *s, struct diag *d)
{
    const struct multi_pattern **v = calloc(s->n + 1, sizeof(struct multi_pattern *));

    if (!v)
        return diag_err(d, "out of memory");
    for (size_t i = 0; i < s->n; i++)
        v[i] = &s->p[i];
    qsort(v, s->n, sizeof(struct multi_pattern *), compare_patterns);
    for (size_t i = 1; i < s->n; i++)
        if (v[i]->len == v[i - 1]->len && memcmp(v[i]->s, v[i - 1]->s, v[i]->len) == 0)
            diag_warn(d, "Pattern #%zu is a duplicate", (size_t)(v[i] - s->p));
    free(v);
    return 0;
}

static int string_matcher_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct string_matcher *s = element_state(e);
    struct text t;
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        if (parse_pattern(s, c->scratch, i, c->argv[i], &t, d) < 0)
            rc = -1;
        else if (append_pattern(s, t.s, t.len) < 0)
            return diag_err(d, "out of memory");
    }
    if (rc < 0 || warn_duplicates(s, d) < 0)
        return -1;
    return multi_match_build(&s->match, s->p, s->n) < 0 ? diag_err(d, "out of memory")
                                                        : 0;
}

static void string_matcher_cleanup(struct element *e)
{
    struct string_matcher *s = element_state(e);

    while (s->n)
        drop_last(s);
    free(s->p);
    multi_match_fini(&s->match);
}

static inline verdict_t string_matcher_one(struct element *e, struct pkt *p)
{
    const struct string_matcher *s = element_state(e);

    return multi_match_any(&s->match, p->data, p->len) ? spill(e, 1, C_MATCHES) : 0;
}
ELEMENT_LOOP(string_matcher)

static int string_matcher_reset(struct element *e, const struct handler_spec *h,
                                const char *value, size_t len, struct diag *d)
{
    e->counters[C_MATCHES] = 0;
    return 0;
}

static int string_matcher_read(struct element *e, const struct handler_spec *h,
                               const char *param, struct sbuf *out, struct diag *d)
{
    const struct string_matcher *s = element_state(e);
    struct arena *a = arena_new(0);

    for (size_t i = 0; a && i < s->n; i++) {
        char *text = lang_quote(a, (const char *)s->p[i].s, s->p[i].len);

        if (text)
            sbuf_printf(out, "%s\n", text);
    }
    arena_free(a);
    return 0;
}

static int string_matcher_length(struct element *e, const struct handler_spec *h,
                                 const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_printf(out, "%zu", ((const struct string_matcher *)element_state(e))->n);
    return 0;
}

static int add_one(struct string_matcher *s, const struct text *t, struct diag *d)
{
    if (find_pattern(s, t->s, t->len) < s->n)
        return diag_err(d, "pattern is a duplicate");
    if (append_pattern(s, t->s, t->len) < 0)
        return diag_err(d, "out of memory");
    if (multi_match_build(&s->match, s->p, s->n) < 0) {
        drop_last(s);
        return diag_err(d, "out of memory");
    }
    return 0;
}

/* The pattern goes to the end of the list, and comes back if memory runs out. */
static int remove_one(struct string_matcher *s, const struct text *t, struct diag *d)
{
    size_t i = find_pattern(s, t->s, t->len), last = s->n - 1;
    struct multi_pattern gone;

    if (i == s->n)
        return diag_err(d, "no such pattern");
    gone = s->p[i];
    memmove(&s->p[i], &s->p[i + 1], (last - i) * sizeof gone);
    s->p[last] = gone;
    if (multi_match_build(&s->match, s->p, last) < 0)
        return diag_err(d, "out of memory");
    drop_last(s);
    return 0;
}

enum { H_ADD, H_REMOVE };

static int string_matcher_change(struct element *e, const struct handler_spec *h,
                                 const char *value, size_t len, struct diag *d)
{
    struct string_matcher *s = element_state(e);
    struct arena *a = arena_new(0);
    struct text t;
    int rc;

    if (!a)
        return diag_err(d, "out of memory");
    rc = parse_pattern(s, a, (int)s->n, value, &t, d);
    if (rc == 0)
        rc = h->user == H_ADD ? add_one(s, &t, d) : remove_one(s, &t, d);
    arena_free(a);
    return rc;
}

static const struct handler_spec string_matcher_handlers[] = {
    HANDLER_PRESS(string_matcher_reset, "reset_count", "set matches to 0"),
    HANDLER_READER(string_matcher_read, "patterns", "the patterns, one a line"),
    HANDLER_READER(string_matcher_length, "length", "number of patterns"),
    {.name = "add",
     .help = "add a pattern",
     .flags = HANDLER_WRITE | HANDLER_RAW,
     .user = H_ADD,
     .write = string_matcher_change},
    {.name = "remove",
     .help = "remove a pattern",
     .flags = HANDLER_WRITE | HANDLER_RAW,
     .user = H_REMOVE,
     .write = string_matcher_change},
    HANDLER_END,
};

ELEMENT(StringMatcher) = {
    .name = "StringMatcher",
    .state_size = sizeof(struct string_matcher),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = string_matcher_args,
    .any_args = true,
    .counters = string_matcher_counters,
    .handlers = string_matcher_handlers,
    .configure = string_matcher_configure,
    .cleanup = string_matcher_cleanup,
    .push = string_matcher_push,
    .pull = string_matcher_pull,
};
