// SPDX-License-Identifier: BSD-3-Clause
/*
 * variables.c -- $a, ${a}, ${a-default} and ${a[1]} in configuration strings
 *
 * Values may refer to variables in turn. $(...) has no value here: it belongs to scripts.
 */

#include "engine/lang/parse.h"
#include "engine/lang/substitute.h"
#include "engine/lang/text.h"

#include <string.h>

struct variables {
    struct lang *lang;
    const struct env *env;
};

static void expand(const struct variables *v, const char *s, const char *end, int level,
                   struct sbuf *out);

static const char *lookup(const struct env *e, const char *name, size_t len)
{
    for (; e; e = e->parent) {
        uintptr_t at = (uintptr_t)strmap_get(&e->scope->variables, name, len);

        if (at && at <= e->n)
            return e->values[at - 1];
    }
    return NULL;
}

/* Keep only word `index` of `text`. */
static void pick_word(struct sbuf *text, unsigned long index)
{
    const char *s = sbuf_text(text), *end = s + text->len, *stop = s;
    struct sbuf word = SBUF_INIT;

    do {
        s = text_skip_blank(stop, end);
        stop = text_skip_word(s, end);
    } while (index-- && stop < end);
    if (index + 1 == 0)
        sbuf_add(&word, s, (size_t)(stop - s));
    sbuf_fini(text);
    *text = word;
}

/* Inside braces: name, "[word]", "-default". */
struct brace {
    const char *name, *name_end;
    const char *fallback; /* NULL: none */
    bool indexed;
    unsigned long index;
};

static struct brace read_brace(const char *s, const char *end)
{
    struct brace b = {.name = text_skip_space(s, end)};
    const char *t;

    for (s = b.name; s < end && text_is_name(*s); s++)
        ;
    b.name_end = s;
    s = text_skip_space(s, end);
    if (s < end && *s == '[') {
        t = text_skip_space(s + 1, end);
        for (; t < end && text_is_digit(*t) && b.index < 1000000; t++) {
            b.index = b.index * 10 + (unsigned long)(*t - '0');
            b.indexed = true;
        }
        b.indexed = b.indexed && t < end && *t == ']';
        if (b.indexed)
            s = text_skip_space(t + 1, end);
    }
    if (s < end && *s == '-')
        b.fallback = s + 1;
    return b;
}

/* Put the value of a reference into `out`; false if it has none. */
static bool ref_value(void *ctx, char kind, const char *name, size_t len, int level,
                      struct sbuf *out)
{
    const struct variables *v = ctx;
    const char *end = name + len;
    struct brace b = {.name = name, .name_end = end};
    const char *value;

    if (kind == '{')
        b = read_brace(name, end);
    value = lookup(v->env, b.name, (size_t)(b.name_end - b.name));
    if (value) {
        expand(v, value, value + strlen(value), level + 1, out);
        if (b.indexed)
            pick_word(out, b.index);
        return true;
    }
    if (b.fallback)
        expand(v, b.fallback, end, level + 1, out);
    return b.fallback != NULL;
}

static bool spend(void *ctx, uint64_t n)
{
    const struct variables *v = ctx;

    return n ? lang_spend(v->lang, n) : !v->lang->fatal;
}

static void expand(const struct variables *v, const char *s, const char *end, int level,
                   struct sbuf *out)
{
    const struct substitute sub = {
        .ctx = (void *)(uintptr_t)v, .value = ref_value, .spend = spend};

    lang_substitute(&sub, s, (size_t)(end - s), level, out);
}

const char *variables_expand(struct lang *l, const struct env *e, const char *config)
{
    const struct variables v = {l, e};
    struct sbuf out = SBUF_INIT;
    const char *copy;

    if (!strchr(config, '$'))
        return config;
    expand(&v, config, config + strlen(config), 0, &out);
    if (out.failed)
        lang_out_of_memory(l);
    copy = lang_copy(l, sbuf_text(&out), out.len);
    sbuf_fini(&out);
    return copy;
}
