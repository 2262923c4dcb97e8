// SPDX-License-Identifier: BSD-3-Clause
/*
 * variables.c -- $a, ${a}, ${a-default} and ${a[1]} in configuration strings
 *
 * A value is put in as it is, but between double quotes it is escaped so that it stays
 * one string. Nothing is replaced between single quotes or in comments, and a reference
 * to what is not defined stays as it is: $(...) belongs to scripts. Values may refer to
 * variables in turn, MAX_LEVEL deep.
 */

#include "engine/lang/parse.h"
#include "engine/lang/text.h"

#include <string.h>

enum { MAX_LEVEL = 10 };

/* What a reference takes beside its bytes, in steps of the budget. */
enum { REF_COST = 64 };

/* A reference to a variable. */
struct ref {
    char kind;              /* 'a', '{' or '(' */
    const char *name, *end; /* what stands inside */
    const char *after;
    bool nested; /* there is another "$" inside */
};

static void expand(struct lang *l, const struct env *e, const char *s, const char *end,
                   int level, struct sbuf *out);

static const char *lookup(const struct env *e, const char *name, size_t len)
{
    for (; e; e = e->parent) {
        uintptr_t at = (uintptr_t)strmap_get(&e->scope->variables, name, len);

        if (at && at <= e->n)
            return e->values[at - 1];
    }
    return NULL;
}

/* The end of $( ... ), with its quotes and inner parentheses; NULL if it is open. */
static const char *find_paren(const char *s, const char *end, bool *nested)
{
    unsigned depth = 1;
    char quote = 0;

    for (; s < end; s++) {
        if (*s == '\\' && quote != '\'' && s + 1 < end)
            s++;
        else if ((*s == '"' || *s == '\'') && (!quote || quote == *s))
            quote = quote ? 0 : *s;
        else if (*s == '(' && !quote)
            depth++;
        else if (*s == ')' && !quote && --depth == 0)
            return s;
        else if (*s == '$' && quote != '\'')
            *nested = true;
    }
    return NULL;
}

/* Read the reference at the dollar sign `s`. */
static bool read_ref(struct ref *r, const char *s, const char *end)
{
    *r = (struct ref){.kind = 'a', .name = s + 1};
    if (s + 1 == end)
        return false;
    if (s[1] == '{' || s[1] == '(') {
        r->kind = s[1];
        r->name = s + 2;
        r->end = s[1] == '(' ? find_paren(s + 2, end, &r->nested)
                             : memchr(s + 2, '}', (size_t)(end - s - 2));
        if (!r->end)
            return false;
        if (s[1] == '{')
            r->nested = memchr(r->name, '$', (size_t)(r->end - r->name)) != NULL;
        r->after = r->end + 1;
        return true;
    }
    r->end = s + 1;
    if (*r->end == '?' || *r->end == '#' || *r->end == '$')
        r->end++;
    else
        while (r->end < end && text_is_name(*r->end))
            r->end++;
    r->after = r->end;
    return r->end > r->name;
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
static bool ref_value(struct lang *l, const struct env *e, char kind, const char *name,
                      const char *end, int level, struct sbuf *out)
{
    struct brace b = {.name = name, .name_end = end};
    const char *value;

    if (kind == '{')
        b = read_brace(name, end);
    value = lookup(e, b.name, (size_t)(b.name_end - b.name));
    if (value) {
        expand(l, e, value, value + strlen(value), level + 1, out);
        if (b.indexed)
            pick_word(out, b.index);
        return true;
    }
    if (b.fallback)
        expand(l, e, b.fallback, end, level + 1, out);
    return b.fallback != NULL;
}

static void put_value(struct lang *l, const struct sbuf *value, char quote,
                      struct sbuf *out)
{
    size_t before = out->len;

    /* Charged before and after: quoting may double the text, again and again. */
    if (!lang_spend(l, value->len))
        return;
    if (quote == '"')
        lang_quote_into(out, sbuf_text(value), value->len);
    else
        sbuf_add(out, sbuf_text(value), value->len);
    lang_spend(l, out->len - before);
}

/* Replace one reference, or copy it as it is. */
static void put_ref(struct lang *l, const struct env *e, const struct ref *r,
                    char quote, int level, struct sbuf *out)
{
    struct sbuf name = SBUF_INIT, value = SBUF_INIT;
    const char *s = r->name, *end = r->end;

    if (!lang_spend(l, REF_COST))
        return;
    if (r->nested) {
        expand(l, e, s, end, level + 1, &name);
        s = sbuf_text(&name);
        end = s + name.len;
    }
    if (ref_value(l, e, r->kind, s, end, level, &value))
        put_value(l, &value, quote, out);
    else if (r->kind == 'a')
        sbuf_printf(out, "$%.*s", (int)(end - s), s);
    else
        sbuf_printf(out, "$%c%.*s%c", r->kind, (int)(end - s), s,
                    r->kind == '{' ? '}' : ')');
    out->failed |= name.failed || value.failed;
    sbuf_fini(&name);
    sbuf_fini(&value);
}

static void expand(struct lang *l, const struct env *e, const char *s, const char *end,
                   int level, struct sbuf *out)
{
    const char *plain = s;
    char quote = 0;
    struct ref r;

    if (!lang_spend(l, 1 + (uint64_t)(end - s)))
        return;
    while (s < end && !l->fatal) {
        if (*s == '\\' && quote == '"' && s + 1 < end) {
            s += 2;
        } else if (*s == '"' || *s == '\'') {
            if (!quote || quote == *s)
                quote = quote ? 0 : *s;
            s++;
        } else if (!quote && text_at_comment(s, end)) {
            s = text_skip_comment(s, end);
        } else if (*s == '$' && quote != '\'' && level <= MAX_LEVEL &&
                   read_ref(&r, s, end)) {
            sbuf_add(out, plain, (size_t)(s - plain));
            put_ref(l, e, &r, quote, level, out);
            s = plain = r.after;
        } else {
            s++;
        }
    }
    sbuf_add(out, plain, (size_t)(s - plain));
}

const char *variables_expand(struct lang *l, const struct env *e, const char *config)
{
    struct sbuf out = SBUF_INIT;
    const char *copy;

    if (!strchr(config, '$'))
        return config;
    expand(l, e, config, config + strlen(config), 0, &out);
    if (out.failed)
        lang_out_of_memory(l);
    copy = lang_copy(l, sbuf_text(&out), out.len);
    sbuf_fini(&out);
    return copy;
}
