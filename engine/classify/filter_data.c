// SPDX-License-Identifier: BSD-3-Clause
/* filter_data.c -- Classifier's patterns as rules: see filter.h */

#include "engine/classify/filter.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '?';
}

/* A hex digit and which of its bits count; "?" says nothing. */
static void add_nibble(char c, uint8_t *value, uint8_t *mask)
{
    uint8_t v = (uint8_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);

    *value = (uint8_t)(*value << 4 | (c == '?' ? 0 : v));
    *mask = (uint8_t)(*mask << 4 | (c == '?' ? 0 : 0xF));
}

/* The clause "OFFSET/VALUE[%MASK]" as offsets into its text. */
struct clause {
    uint32_t offset;
    const char *value, *mask; /* mask: NULL if there is none */
    size_t digits;
    bool negated;
};

/* Digits of value and mask must be even in number and equally many. Says all that is
 * wrong. */
static void check_digits(struct clause *c, size_t value, size_t mask, unsigned i,
                         struct diag *d)
{
    if (value < 2) {
        diag_err(d, "pattern %u: value has less than 2 hex digits", i);
        c->digits = 0;
        return;
    }
    if (value % 2) {
        diag_err(d, "pattern %u: value has odd number of hex digits", i);
        value--;
        mask -= mask > 0;
    }
    if (c->mask && mask != value)
        diag_err(d, "pattern %u: mask has too %s hex digits", i,
                 mask > value ? "many" : "few");
    c->digits = value;
}

/* One clause at *s; moves *s behind it. -1 when what follows makes no sense either. */
static int parse_clause(const char **s, struct clause *c, unsigned i, struct diag *d)
{
    const char *p = *s;
    size_t value, mask = 0;

    *c = (struct clause){.negated = *p == '!'};
    for (p += c->negated; c->negated && is_blank(*p); p++)
        ;
    if (!is_digit(*p))
        return diag_err(d, "pattern %u: expected a digit", i);
    for (; is_digit(*p); p++)
        if (c->offset <= UINT16_MAX)
            c->offset = 10 * c->offset + (uint32_t)(*p - '0');
    if (*p != '/')
        return diag_err(d, "pattern %u: expected '/'", i);
    c->value = ++p;
    while (is_hex(*p))
        p++;
    value = (size_t)(p - c->value);
    if (*p == '%') {
        c->mask = ++p;
        while (is_hex(*p))
            p++;
        mask = (size_t)(p - c->mask);
    }
    *s = p;
    if (c->offset + value / 2 > UINT16_MAX - 8)
        return diag_err(d, "pattern %u: offset out of range", i);
    check_digits(c, value, mask, i, d);
    return 0;
}

/* A test for every four bytes, on multiples of four, that the clause has to do with. */
static struct expr *clause_expr(const struct clause *c, struct arena *a)
{
    struct expr *x = expr_list(a, EXPR_AND);
    struct expr_test t = {.base = BASE_DATA};

    for (size_t i = 0; i < c->digits; i += 2) {
        uint32_t at = c->offset + (uint32_t)(i / 2), shift = 24 - at % 4 * 8;
        uint8_t v = 0, m = 0, mv = 0xFF, mm = 0xFF;

        for (size_t n = 0; n < 2; n++) {
            add_nibble(c->value[i + n], &v, &m);
            if (c->mask)
                add_nibble(c->mask[i + n], &mv, &mm);
        }
        m &= mv & mm;
        if (i == 0 || at % 4 == 0) {
            if (i)
                expr_add(a, &x, expr_test(a, t));
            t.offset = (uint16_t)(at & ~3u);
            t.mask = t.value = 0;
        }
        t.mask |= (uint32_t)m << shift;
        t.value |= (uint32_t)(v & m) << shift;
    }
    expr_add(a, &x, expr_test(a, t));
    return c->negated ? expr_not(a, x) : x;
}

static int data_rule(struct ip_lang *l, struct element *e, struct arena *a, unsigned i,
                     const char *text, struct filter_rule *out, struct diag *d)
{
    struct expr *x = expr_list(a, EXPR_AND);
    size_t errors = d->n_errors;
    struct clause c;

    (void)l;
    (void)e;
    out->output = (int)i;
    if (strcmp(text, "-") == 0)
        text = "";
    while (is_blank(*text))
        text++;
    while (*text) {
        if (parse_clause(&text, &c, i, d) < 0)
            return -1;
        if (d->n_errors == errors)
            expr_add(a, &x, clause_expr(&c, a));
        while (is_blank(*text))
            text++;
    }
    out->x = x;
    if (d->n_errors != errors)
        return -1;
    return x ? 0 : diag_err(d, "out of memory");
}

const struct filter_parser filter_data_patterns = {.rule = data_rule,
                                                   .one_per_output = true};
