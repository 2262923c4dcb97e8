// SPDX-License-Identifier: BSD-3-Clause
/* substitute.c -- $a, ${a} and $(a) in a configuration string: see substitute.h */

#include "engine/lang/substitute.h"

#include "engine/lang/lang.h"
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

static bool spend(const struct substitute *s, uint64_t n)
{
    return !s->spend || s->spend(s->ctx, n);
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

static void put_value(const struct substitute *sub, const struct sbuf *value,
                      char quote, struct sbuf *out)
{
    size_t before = out->len;

    /* Charged before and after: quoting may double the text, again and again. */
    if (!spend(sub, value->len))
        return;
    if (quote == '"')
        lang_quote_into(out, sbuf_text(value), value->len);
    else if (sub->quote_values) {
        sbuf_putc(out, '"');
        lang_quote_into(out, sbuf_text(value), value->len);
        sbuf_putc(out, '"');
    } else {
        sbuf_add(out, sbuf_text(value), value->len);
    }
    spend(sub, out->len - before);
}

/* Replace one reference, or copy it as it is. */
static void put_ref(const struct substitute *sub, const struct ref *r, char quote,
                    int level, struct sbuf *out)
{
    struct sbuf name = SBUF_INIT, value = SBUF_INIT;
    struct substitute inner = *sub;
    const char *s = r->name;
    size_t len = (size_t)(r->end - r->name);

    if (!spend(sub, REF_COST))
        return;
    if (r->nested) {
        inner.quote_values = false;
        lang_substitute(&inner, s, len, level + 1, &name);
        s = sbuf_text(&name);
        len = name.len;
    }
    if (sub->value(sub->ctx, r->kind, s, len, level, &value)) {
        put_value(sub, &value, quote, out);
    } else {
        sbuf_putc(out, '$');
        if (r->kind != 'a')
            sbuf_putc(out, r->kind);
        sbuf_add(out, s, len);
        if (r->kind != 'a')
            sbuf_putc(out, r->kind == '{' ? '}' : ')');
    }
    out->failed |= name.failed || value.failed;
    sbuf_fini(&name);
    sbuf_fini(&value);
}

void lang_substitute(const struct substitute *sub, const char *text, size_t len,
                     int level, struct sbuf *out)
{
    const char *s = text, *end = s + len, *plain = s;
    char quote = 0;
    struct ref r;

    if (!spend(sub, 1 + (uint64_t)len))
        return;
    while (s < end) {
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
            put_ref(sub, &r, quote, level, out);
            s = plain = r.after;
            if (!spend(sub, 0))
                break;
        } else {
            s++;
        }
    }
    sbuf_add(out, plain, (size_t)(s - plain));
}
