// SPDX-License-Identifier: BSD-3-Clause
/*
 * config_string.c -- arguments, words and quotes: see lang.h
 *
 * A configuration string is a list of arguments between commas, an argument a list of
 * words between blanks. Quotes protect commas, blanks and comments, and stay in place
 * until lang_unquote() takes one level of them away.
 */

#include "engine/lang/lang.h"

#include "base/sbuf.h"
#include "engine/lang/text.h"

#include <string.h>

/* A growing array of strings in an arena. */
struct list {
    const char **v;
    size_t n, room;
};

static int list_add(struct arena *a, struct list *l, const char *text)
{
    if (!text)
        return -1;
    if (l->n == l->room) {
        size_t room = l->room ? l->room * 2 : 4;
        const char **v = arena_alloc_aligned(a, room, sizeof *v, sizeof *v);

        if (!v)
            return -1;
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
        l->room = room;
    }
    l->v[l->n++] = text;
    return 0;
}

static const char *skip_unit(const char *s, const char *end)
{
    if (*s == '"' || *s == '\'')
        return text_skip_quote(s, end);
    return text_at_data(s, end) ? text_skip_escape(s, end) : s + 1;
}

/* Copy from `s` up to `end`, or to the first comma outside quotes with `commas`: blanks
 * at both ends go, and a comment with the blanks around it becomes one blank. Returns
 * where it stopped. */
static const char *uncomment(struct sbuf *out, const char *s, const char *end,
                             bool commas)
{
    const char *left, *right;
    bool comment = false;

    left = right = s = text_skip_blank(s, end);
    while (s < end && !(commas && *s == ',')) {
        if (text_is_space(*s)) {
            s++;
        } else if (text_at_comment(s, end)) {
            s = text_skip_comment(s, end);
            comment = true;
        } else {
            if (comment) {
                sbuf_add(out, left, (size_t)(right - left));
                sbuf_putc(out, ' ');
                left = s;
                comment = false;
            }
            right = s = skip_unit(s, end);
        }
    }
    sbuf_add(out, left, (size_t)(right - left));
    return s;
}

int lang_split_args(struct arena *a, const char *config, const char *const **args)
{
    const char *s = config, *end = config + strlen(config);
    struct sbuf arg = SBUF_INIT;
    struct list l = {0};
    int rc = 0;

    while (s < end && rc == 0) {
        bool last;

        sbuf_reset(&arg);
        s = uncomment(&arg, s, end, true);
        last = s == end;
        if (arg.failed || (last && !arg.len))
            rc = arg.failed ? -1 : 0;
        else
            rc = list_add(a, &l, arena_strndup(a, arg.data, arg.len));
        s += !last;
    }
    sbuf_fini(&arg);
    *args = l.v;
    return rc < 0 ? -1 : (int)l.n;
}

int lang_split_words(struct arena *a, const char *arg, const char *const **words)
{
    const char *s = arg, *end = arg + strlen(arg), *word;
    struct list l = {0};

    while ((s = text_skip_blank(s, end)) < end) {
        word = s;
        s = text_skip_word(s, end);
        if (list_add(a, &l, arena_strndup(a, word, (size_t)(s - word))) < 0)
            return -1;
    }
    *words = l.v;
    return (int)l.n;
}

static const char *put_octal(struct sbuf *out, const char *s, const char *end)
{
    unsigned c = 0;

    for (int n = 0; n < 3 && s < end && *s >= '0' && *s <= '7'; n++)
        c = c * 8 + (unsigned)(*s++ - '0');
    sbuf_putc(out, (char)c);
    return s;
}

/* As in Click, any number of digits: the last two count. */
static const char *put_hex(struct sbuf *out, const char *s, const char *end)
{
    unsigned c = 0;

    for (; s < end && text_hex(*s) >= 0; s++)
        c = c * 16 + (unsigned)text_hex(*s);
    sbuf_putc(out, (char)c);
    return s;
}

static const char *put_data(struct sbuf *out, const char *s, const char *end)
{
    unsigned c = 0, digits = 0;

    while (s < end && *s != '>') {
        if (text_at_comment(s, end)) {
            s = text_skip_comment(s, end);
            continue;
        }
        if (text_hex(*s) >= 0) {
            c = c * 16 + (unsigned)text_hex(*s);
            if (++digits % 2 == 0)
                sbuf_putc(out, (char)c);
        }
        s++;
    }
    return s < end ? s + 1 : end;
}

/* Carry out the escape at the backslash `s`. */
static const char *put_escape(struct sbuf *out, const char *s, const char *end)
{
    static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
    const char *known;

    if (end - s < 2) {
        sbuf_putc(out, '\\');
        return end;
    }
    if (s[1] == '<')
        return put_data(out, s + 2, end);
    if (s[1] == 'x')
        return put_hex(out, s + 2, end);
    if (s[1] >= '0' && s[1] <= '7')
        return put_octal(out, s + 1, end);
    if (s[1] == '\n' || s[1] == '\r')
        return text_skip_escape(s, end);
    known = s[1] ? strchr(from, s[1]) : NULL;
    sbuf_putc(out, known ? to[known - from] : s[1]);
    return s + 2;
}

static void unquote(struct sbuf *out, const char *s, const char *end)
{
    char quote = 0;

    while (s < end) {
        if ((*s == '"' || *s == '\'') && (!quote || quote == *s))
            quote = quote ? 0 : *s, s++;
        else if (*s == '\\' && (quote == '"' || (!quote && text_at_data(s, end))))
            s = put_escape(out, s, end);
        else
            sbuf_putc(out, *s++);
    }
}

/* Hand an sbuf's bytes to the arena. */
static char *keep(struct arena *a, struct sbuf *s, size_t *len)
{
    char *copy = s->failed ? NULL : arena_strndup(a, s->data, s->len);

    if (len)
        *len = s->len;
    sbuf_fini(s);
    return copy;
}

void lang_uncomment_into(struct sbuf *out, const char *text, size_t len)
{
    uncomment(out, text, text + len, false);
}

void lang_unquote_into(struct sbuf *out, const char *text, size_t len)
{
    struct sbuf bare = SBUF_INIT;

    uncomment(&bare, text, text + len, false);
    if (bare.len)
        unquote(out, bare.data, bare.data + bare.len);
    out->failed |= bare.failed;
    sbuf_fini(&bare);
}

char *lang_unquote(struct arena *a, const char *text, size_t *len)
{
    struct sbuf out = SBUF_INIT;

    lang_unquote_into(&out, text, strlen(text));
    return keep(a, &out, len);
}

/* Can `text` stand without quotes? */
static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] >= 127 || strchr("\"'\\,$()", text[i]) ||
            text_at_comment(text + i, text + len))
            return false;
    return len > 0;
}

/* The escape that stands for `c` between double quotes; 0 if it stands for itself. */
static size_t escape(unsigned char c, char text[4])
{
    text[0] = '\\';
    text[1] = (char)c;
    if (c == '\\' || c == '"' || c == '$')
        return 2;
    if (c == '\t' || c == '\r' || c == '\n') {
        text[1] = c == '\t' ? 't' : c == '\r' ? 'r' : 'n';
        return 2;
    }
    if (c >= 32 && c < 127)
        return 0;
    text[1] = (char)('0' + (c >> 6));
    text[2] = (char)('0' + (c >> 3 & 7));
    text[3] = (char)('0' + (c & 7));
    return 4;
}

void lang_quote_into(struct sbuf *out, const char *text, size_t len)
{
    size_t plain = 0;
    char e[4];

    for (size_t i = 0; i < len; i++) {
        size_t n = escape((unsigned char)text[i], e);

        if (!n)
            continue;
        sbuf_add(out, text + plain, i - plain);
        sbuf_add(out, e, n);
        plain = i + 1;
    }
    sbuf_add(out, text + plain, len - plain);
}

char *lang_quote(struct arena *a, const char *text, size_t len)
{
    struct sbuf out = SBUF_INIT;

    if (is_plain(text, len))
        return arena_strndup(a, text, len);
    sbuf_putc(&out, '"');
    lang_quote_into(&out, text, len);
    sbuf_putc(&out, '"');
    return keep(a, &out, NULL);
}
