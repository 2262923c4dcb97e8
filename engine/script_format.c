// SPDX-License-Identifier: BSD-3-Clause
/*
 * script_format.c -- sprintf for scripts: see script.h
 *
 * A conversion is copied, checked character by character, into a format of our own, so
 * that nothing of what a script wrote reaches printf unread.
 */

#include "engine/script.h"

#include <stdio.h>
#include <stdlib.h>

/* Longer fields are an error: one number must not print a gigabyte. */
enum { MAX_FIELD = 65536 };

struct format {
    const char *at, *end; /* the format */
    struct slice values;  /* the other words */
    struct sbuf *out;
};

/* One conversion: %[flags][width][.precision][length]letter */
struct conversion {
    char flags[6];
    int width, precision; /* -1: none */
    char length;          /* 0, 'h', 'l', or 'q' for the longer ones */
    char letter;
};

static bool next_int(struct format *f, int64_t *v)
{
    char word[SCRIPT_WORD_MAX];

    return script_word(script_shift(&f->values), word) && parse_i64(word, 0, v);
}

/* A field's width or precision: digits, or a star for one of the values. */
static bool read_field(struct format *f, int *field)
{
    int64_t v = 0;

    *field = -1;
    if (f->at < f->end && *f->at == '*') {
        f->at++;
        if (!next_int(f, &v))
            return false;
    } else {
        if (f->at == f->end || *f->at < '0' || *f->at > '9')
            return true;
        while (f->at < f->end && *f->at >= '0' && *f->at <= '9' && v <= MAX_FIELD)
            v = v * 10 + (*f->at++ - '0');
    }
    if (v < -MAX_FIELD || v > MAX_FIELD)
        return false;
    *field = (int)v;
    return true;
}

static void read_flags(struct format *f, struct conversion *c)
{
    size_t n = 0;

    for (; f->at < f->end && *f->at && strchr("0#- +", *f->at); f->at++)
        if (!memchr(c->flags, *f->at, n))
            c->flags[n++] = *f->at;
    c->flags[n] = '\0';
}

static void read_length(struct format *f, struct conversion *c)
{
    for (; f->at < f->end; f->at++) {
        if (*f->at == 'h')
            c->length = 'h';
        else if (*f->at == 'l')
            c->length = c->length == 'l' ? 'q' : 'l';
        else if (*f->at == 'L' || *f->at == 'q')
            c->length = 'q';
        else
            return;
    }
}

static bool read_conversion(struct format *f, struct conversion *c)
{
    *c = (struct conversion){.width = -1, .precision = -1};
    f->at++;
    read_flags(f, c);
    if (!read_field(f, &c->width))
        return false;
    /* A negative width from a star means what the flag '-' does. */
    if (c->width < -1 || (c->width == -1 && f->at[-1] == '*')) {
        c->width = -c->width;
        if (!strchr(c->flags, '-'))
            strcat(c->flags, "-");
    }
    if (f->at < f->end && *f->at == '.') {
        f->at++;
        if (!read_field(f, &c->precision) || (c->precision < 0 && f->at[-1] == '*'))
            return false;
        /* A lone dot is dropped, as Click does. */
    }
    read_length(f, c);
    if (f->at == f->end)
        return false;
    c->letter = *f->at++;
    return true;
}

/* "%-08.3" and what follows for the type. */
static void make_format(const struct conversion *c, const char *type, char out[48])
{
    int n = snprintf(out, 48, "%%%s", c->flags);

    if (c->width >= 0)
        n += snprintf(out + n, 48 - (size_t)n, "%d", c->width);
    if (c->precision >= 0)
        n += snprintf(out + n, 48 - (size_t)n, ".%d", c->precision);
    snprintf(out + n, 48 - (size_t)n, "%s", type);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static bool put_integer(struct format *f, const struct conversion *c)
{
    char fmt[48], type[4] = {'l', 'l', c->letter, '\0'}, word[SCRIPT_WORD_MAX];
    bool is_signed = c->letter == 'd' || c->letter == 'i';
    int64_t i = 0;
    uint64_t u = 0;

    if (!script_word(script_shift(&f->values), word) ||
        !(is_signed ? parse_i64(word, 0, &i) : parse_u64(word, 0, &u)))
        return false;
    if (c->length == 'h') {
        i = (int16_t)i;
        u = (uint16_t)u;
    }
    make_format(c, type, fmt);
    sbuf_printf(f->out, fmt, is_signed ? (unsigned long long)i : (unsigned long long)u);
    return true;
}

static bool put_string(struct format *f, const struct conversion *c)
{
    struct slice word = script_shift(&f->values);
    struct sbuf text = SBUF_INIT;
    char fmt[48];

    if (word.s == word.end)
        return false;
    script_unquote(word, &text);
    make_format(c, "s", fmt);
    sbuf_printf(f->out, fmt, sbuf_text(&text));
    sbuf_fini(&text);
    return true;
}
#pragma GCC diagnostic pop

static bool put_conversion(struct format *f)
{
    struct conversion c;

    if (!read_conversion(f, &c))
        return false;
    switch (c.letter) {
    case 'o':
    case 'x':
    case 'X':
    case 'u':
    case 'd':
    case 'i':
        return put_integer(f, &c);
    case 's':
        return put_string(f, &c);
    case '%':
        sbuf_putc(f->out, '%');
        return true;
    }
    return false;
}

int script_sprintf(struct element *e, const struct handler_spec *h, const char *param,
                   struct sbuf *out, struct diag *d)
{
    struct format f = {.values = slice_of(param, strlen(param))};
    struct sbuf text = SBUF_INIT, result = SBUF_INIT;
    bool ok = true;

    script_unquote(script_shift(&f.values), &text);
    f.out = &result;
    f.at = sbuf_text(&text);
    f.end = f.at + text.len;
    while (ok && f.at < f.end) {
        if (*f.at == '%')
            ok = put_conversion(&f);
        else
            sbuf_putc(&result, *f.at++);
        ok = ok && script_spend(e, 1, d) && result.len <= SCRIPT_MAX_VALUE;
    }
    ok = ok && f.values.s == f.values.end;
    if (ok)
        sbuf_add(out, sbuf_text(&result), result.len);
    sbuf_fini(&text);
    sbuf_fini(&result);
    return ok ? 0 : diag_err(d, "syntax error");
}
