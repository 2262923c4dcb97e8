// SPDX-License-Identifier: BSD-3-Clause
/* lexer.c -- the tokens of a Click configuration: see lexer.h */

#include "engine/lang/lexer.h"

#include "base/sbuf.h"
#include "engine/lang/parse.h"
#include "engine/lang/text.h"

#include <string.h>

void lexer_init(struct lexer *lx, struct lang *l, const char *text, size_t len,
                const char *file)
{
    *lx = (struct lexer){.lang = l, .line = 1};
    lx->begin = lx->pos = lx->line_start = text;
    lx->end = text + len;
    lx->file = lx->own_file = file;
}

struct place lexer_place(const struct lexer *lx)
{
    return (struct place){lx->file, lx->line, (uint32_t)(lx->pos - lx->line_start) + 1};
}

/* Go to `to`, counting the lines on the way; CR LF is one line end, and so is CR. */
static void advance(struct lexer *lx, const char *to)
{
    for (const char *s = lx->pos; s < to; s++)
        if (*s == '\n' || (*s == '\r' && (s + 1 == lx->end || s[1] != '\n'))) {
            lx->line++;
            lx->line_start = s + 1;
        }
    lx->pos = to;
}

static bool at_line_start(const struct lexer *lx, const char *s)
{
    return s == lx->begin || s[-1] == '\n' || s[-1] == '\r';
}

static const char *skip_tabs(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    return s;
}

static const char *find_line_end(const char *s, const char *end)
{
    while (s < end && *s != '\n' && *s != '\r')
        s++;
    return s;
}

/* The quoted file name of a directive; an empty one means the file's own. */
static void directive_file(struct lexer *lx, const char *s, const char *end)
{
    const char *stop = text_skip_quote(s, end);
    struct arena *scratch = lx->lang->scratch;
    char *quoted = arena_strndup(scratch, s, (size_t)(stop - s));
    char *name = quoted ? lang_unquote(scratch, quoted, NULL) : NULL;

    if (!name)
        lang_out_of_memory(lx->lang);
    else
        lx->file = *name ? lang_intern_file(lx->lang, name) : lx->own_file;
}

/* Carry out `# 12 "file"` or `#line 12 "file"` and go to the end of its line. */
static void directive(struct lexer *lx)
{
    const char *end = find_line_end(lx->pos, lx->end);
    const char *s = skip_tabs(lx->pos + 1, end);
    uint32_t line = 0;

    if (end - s >= 5 && memcmp(s, "line", 4) == 0 && (s[4] == ' ' || s[4] == '\t'))
        s = skip_tabs(s + 5, end);
    if (s == end || !text_is_digit(*s)) {
        lang_err(lx->lang, lexer_place(lx), "unknown preprocessor directive");
        advance(lx, end);
        return;
    }
    for (; s < end && text_is_digit(*s); s++)
        line = line > UINT32_MAX / 10 - 1 ? line : line * 10 + (uint32_t)(*s - '0');
    s = skip_tabs(s, end);
    if (s < end && *s == '"')
        directive_file(lx, s, end);
    lx->pos = end;
    lx->line = line - 1; /* the end of this line counts one */
}

static void skip_to_token(struct lexer *lx)
{
    for (;;) {
        advance(lx, text_skip_blank(lx->pos, lx->end));
        if (lx->pos == lx->end || *lx->pos != '#' || !at_line_start(lx, lx->pos))
            return;
        directive(lx);
    }
}

/* Identifiers are joined by single slashes: a/b, but not a//b or a/ */
static const char *skip_ident(const char *s, const char *end)
{
    for (;;) {
        while (s < end && text_is_ident(*s))
            s++;
        if (end - s < 2 || *s != '/' || !text_is_ident(s[1]))
            return s;
        s++;
    }
}

static int word_kind(const char *s, size_t len)
{
    static const struct {
        const char *word;
        int kind;
    } keywords[] = {{"elementclass", T_ELEMENTCLASS},
                    {"require", T_REQUIRE},
                    {"provide", T_PROVIDE},
                    {"define", T_DEFINE}};

    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (strlen(keywords[i].word) == len && memcmp(s, keywords[i].word, len) == 0)
            return keywords[i].kind;
    return T_IDENT;
}

static int sign_kind(const char *s, const char *end, size_t *len)
{
    static const struct {
        char text[4];
        int kind;
    } signs[] = {{"->", T_ARROW},
                 {"=>", T_ARROW2},
                 {"::", T_COLON2},
                 {"||", T_BAR2},
                 {"...", T_DOT3}};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        *len = strlen(signs[i].text);
        if ((size_t)(end - s) >= *len && memcmp(s, signs[i].text, *len) == 0)
            return signs[i].kind;
    }
    *len = 1;
    return (unsigned char)*s;
}

struct token lexer_next(struct lexer *lx)
{
    struct token t = {.kind = T_EOF, .text = ""};
    const char *s;

    if (lx->lang->fatal)
        return t;
    if (lx->n_back)
        return lx->back[--lx->n_back];
    skip_to_token(lx);
    t.at = lexer_place(lx);
    s = lx->pos;
    if (s == lx->end || lx->lang->fatal)
        return t;
    t.text = s;
    if (text_is_ident(*s)) {
        t.len = (size_t)(skip_ident(s, lx->end) - s);
        t.kind = word_kind(s, t.len);
    } else if (*s == '$' && s + 1 < lx->end && text_is_name(s[1])) {
        while (s + t.len + 1 < lx->end && text_is_name(s[t.len + 1]))
            t.len++;
        t.text = ++s;
        t.kind = T_VARIABLE;
    } else {
        t.kind = sign_kind(s, lx->end, &t.len);
    }
    advance(lx, s + t.len);
    return t;
}

void lexer_put_back(struct lexer *lx, struct token t)
{
    if (lx->n_back < sizeof lx->back / sizeof lx->back[0])
        lx->back[lx->n_back++] = t;
}

bool lexer_accept(struct lexer *lx, int kind)
{
    struct token t = lexer_next(lx);

    if (t.kind == kind)
        return true;
    lexer_put_back(lx, t);
    return false;
}

bool lexer_expect(struct lexer *lx, int kind)
{
    struct token t = lexer_next(lx);

    if (t.kind == kind)
        return true;
    lexer_put_back(lx, t);
    if (kind < T_EOF)
        lang_err(lx->lang, t.at, "expected '%c'", kind);
    return false;
}

/* One character of a configuration string, or what it opens. */
static const char *skip_config_unit(const char *s, const char *end)
{
    if (text_at_comment(s, end))
        return text_skip_comment(s, end);
    if (*s == '"' || *s == '\'')
        return text_skip_quote(s, end);
    return text_at_data(s, end) ? text_skip_escape(s, end) : s + 1;
}

const char *lexer_config(struct lexer *lx)
{
    struct sbuf text = SBUF_INIT;
    const char *start = lx->pos, *copy;
    unsigned depth = 1;

    while (lx->pos < lx->end) {
        const char *s = lx->pos;

        depth += *s == '(';
        if (*s == ')' && --depth == 0)
            break;
        if (*s == '#' && at_line_start(lx, s)) {
            /* Directives say where the text comes from; they are no part of it. */
            sbuf_add(&text, start, (size_t)(s - start));
            directive(lx);
            start = lx->pos;
        } else {
            advance(lx, skip_config_unit(s, lx->end));
        }
    }
    sbuf_add(&text, start, (size_t)(lx->pos - start));
    copy = text.failed ? NULL : arena_strndup(lx->lang->scratch, text.data, text.len);
    if (!copy)
        lang_out_of_memory(lx->lang);
    else if (text.len && memchr(copy, 0, text.len))
        lang_err(lx->lang, lexer_place(lx), "NUL character in configuration string");
    sbuf_fini(&text);
    return copy ? copy : "";
}
