// SPDX-License-Identifier: BSD-3-Clause
/* parse_statement.c -- statements, and the ones that are no connection: see parse.h */

#include "base/sbuf.h"
#include "engine/lang/parse.h"
#include "engine/lang/text.h"

#include <stdlib.h>
#include <string.h>

/* What a message shows of a token: not all of a long one, and nothing unprintable. */
static void show_token(struct sbuf *out, const struct token *t)
{
    enum { SHOWN = 60 };

    if (t->kind == T_VARIABLE)
        sbuf_putc(out, '$');
    for (size_t i = 0; i < t->len && i < SHOWN; i++) {
        unsigned char c = (unsigned char)t->text[i];

        if (c < 32 || c >= 127)
            sbuf_printf(out, "\\%03o", c);
        else
            sbuf_putc(out, (char)c);
    }
    if (t->len > SHOWN)
        sbuf_puts(out, "...");
}

void syntax_error(struct lang *l, struct token t)
{
    struct sbuf shown = SBUF_INIT;

    show_token(&shown, &t);
    lang_err(l, t.at, "syntax error near '%s'", sbuf_text(&shown));
    sbuf_fini(&shown);
}

/* elementclass NAME { ... }   or   elementclass NAME OTHER */
static void parse_elementclass(struct lang *l)
{
    struct token t = lexer_next(&l->lex);
    const char *name = "";
    struct class *k;

    if (t.kind == T_IDENT) {
        name = lang_copy(l, t.text, t.len);
    } else {
        lexer_put_back(&l->lex, t);
        lang_err(l, t.at, "expected element type name");
    }
    t = lexer_next(&l->lex);
    if (t.kind == '{') {
        k = parse_compound(l, name);
    } else if (t.kind == T_IDENT) {
        k = scope_need_class(l, lang_copy(l, t.text, t.len), t.at, true);
    } else {
        syntax_error(l, t);
        k = scope_new_class(l, name, NULL);
        if (k)
            k->bad = true;
    }
    scope_add_class(l, name, k);
}

/* The parenthesised text after a keyword, split into arguments. Returns their number.
 * `at` becomes the place behind it, where Click reports what is wrong in there. */
static int statement_args(struct lang *l, const char *const **args, struct place *at)
{
    const char *text;
    int n;

    if (!lexer_expect(&l->lex, '('))
        return 0;
    text = lexer_config(&l->lex);
    lexer_expect(&l->lex, ')');
    *at = lexer_place(&l->lex);
    n = lang_split_args(l->scratch, text, args);
    if (n < 0)
        lang_out_of_memory(l);
    return n < 0 ? 0 : n;
}

/* Each file is read once, however it was asked for. */
static void read_library(struct lang *l, const char *path, const char *text, size_t len)
{
    const char *name = lang_intern_file(l, path);

    if (strmap_puts(&l->libraries, name, NULL) < 0)
        lang_out_of_memory(l);
    else
        parse_text(l, text, len, name);
}

static void require_library(struct lang *l, const char *name, struct place at)
{
    const struct lang_options *o = l->options;
    char *path = NULL, *text = NULL;
    size_t len = 0;

    if (l->c->depth) {
        lang_err(l, at, "'require library' must be used at file scope");
        return;
    }
    if (!o || !o->library) {
        lang_err(l, at, "'require library' may not be used in this driver");
        return;
    }
    if (o->library(o->library_ctx, name, at.file, &path, &text, &len) < 0)
        lang_err(l, at, "library '%s' not found in CLICKPATH/conf", name);
    else if (l->depth >= LANG_MAX_DEPTH)
        lang_err(l, at, "libraries nested too deeply");
    else if (lang_spend(l, len) && !strmap_has(&l->libraries, path, strlen(path)))
        read_library(l, path, text, len);
    free(path);
    free(text);
}

/* A word that needs no quotes, as Click's WordArg. */
static bool is_word(const char *text)
{
    for (const char *s = text; *s; s++)
        if (*s <= ' ' || *s >= 127 || strchr("\"'\\,", *s))
            return false;
    return *text != 0;
}

static void add_requirement(struct lang *l, const char *type, const char *value)
{
    if (lang_grow(l, (void **)&l->requirements, l->n_requirements,
                  &l->requirements_room, sizeof *l->requirements))
        l->requirements[l->n_requirements++] = (struct lang_requirement){type, value};
}

/* Click would load it from a file; once. */
static void miss_package(struct lang *l, const char *name)
{
    for (size_t i = 0; i < l->n_requirements; i++)
        if (strcmp(l->requirements[i].type, "package") == 0 &&
            strcmp(l->requirements[i].value, name) == 0)
            return;
    lang_err(l, NO_PLACE,
             "While loading package '%s':\n  can't find required package '%s.uo'\n"
             "  in CLICKPATH or '/usr/local/lib'",
             name, name);
}

static void require_package(struct lang *l, const char *name)
{
    const struct lang_options *o = l->options;

    if (o && o->package && !o->package(name)) {
        if (o->library)
            miss_package(l, name);
        lang_err(l, NO_PLACE, "requirement '%s' not available", name);
    }
    add_requirement(l, "package", name);
}

static const char *bare_word(struct lang *l, const char *quoted)
{
    const char *word = lang_unquote(l->scratch, quoted, NULL);

    if (!word)
        lang_out_of_memory(l);
    return word ? word : "";
}

/* "package NAME", "library FILE", "compact_config", or only the name of a package. */
static void require_one(struct lang *l, const char *arg, struct place at)
{
    const char *const *words = NULL;
    int n = lang_split_words(l->scratch, arg, &words);
    const char *type, *value = "";

    if (n < 0)
        lang_out_of_memory(l);
    if (n <= 0)
        return;
    type = bare_word(l, words[0]);
    if (n == 2)
        value = bare_word(l, words[1]);
    if (n == 1 && strcmp(type, "compact_config") == 0)
        add_requirement(l, type, "");
    else if (n == 2 && strcmp(type, "library") == 0)
        require_library(l, value, at);
    else if (n == 2 && strcmp(type, "package") == 0)
        require_package(l, value);
    else if (n == 1 && is_word(type) && strcmp(type, "package") != 0 &&
             strcmp(type, "library") != 0)
        require_package(l, type);
    else
        lang_err(l, at, "syntax error at requirement");
}

void parse_require(struct lang *l, struct place at)
{
    const char *const *args = NULL;
    int n = statement_args(l, &args, &at);

    /* A library takes the lexer over, which may hold no token at that time. */
    if (lexer_accept(&l->lex, ';'))
        at = lexer_place(&l->lex);
    for (int i = 0; i < n && !l->fatal; i++)
        require_one(l, args[i], at);
}

static void define_one(struct lang *l, const char *arg, struct place at)
{
    const char *end = arg + strlen(arg), *name = text_skip_blank(arg, end), *s;
    const char *stop = text_skip_word(name, end);

    if (!*arg)
        return;
    s = name + (*name == '$');
    while (s < stop && *name == '$' && text_is_name(*s))
        s++;
    if (stop - name < 2 || s != stop) {
        lang_err(l, at, "bad 'define' declaration: not a variable");
        return;
    }
    scope_define(l, l->c, lang_copy(l, name + 1, (size_t)(stop - name - 1)),
                 text_skip_blank(stop, end), false, at);
}

void parse_define(struct lang *l, struct place at)
{
    const char *const *args = NULL;
    int n = statement_args(l, &args, &at);

    for (int i = 0; i < n && !l->fatal; i++)
        define_one(l, args[i], at);
}

/* A reserved word that Click gives no meaning; step over what belongs to it. */
static void parse_provide(struct lang *l, struct token t)
{
    syntax_error(l, t);
    if (lexer_accept(&l->lex, '(')) {
        lexer_config(&l->lex);
        lexer_expect(&l->lex, ')');
    }
}

/* Does the token end this frame? If it ends an outer one it is put back. */
static bool ends_frame(struct lang *l, enum frame_type type, struct token t)
{
    if (t.kind == T_EOF) {
        if (type != FRAME_FILE)
            lang_err(l, t.at, "expected '%c'", type == FRAME_GROUP ? ')' : '}');
        return true;
    }
    if (t.kind == '}' || t.kind == T_BAR2) {
        if (type == FRAME_COMPOUND)
            return true;
        syntax_error(l, t);
        /* Inside a compound the group was left open; elsewhere the brace is stray. */
        if (type == FRAME_GROUP)
            lexer_put_back(&l->lex, t);
        return type == FRAME_GROUP;
    }
    if (t.kind == ')' && type != FRAME_GROUP)
        syntax_error(l, t);
    return t.kind == ')' && type == FRAME_GROUP;
}

static void statement(struct lang *l, struct frame *f, struct token t)
{
    switch (t.kind) {
    case ';':
    case '}':
    case T_BAR2:
    case ')':
        break;
    case T_IDENT:
    case '[':
    case '{':
    case '(':
    case T_ARROW:
    case T_ARROW2:
        lexer_put_back(&l->lex, t);
        parse_chain(l, f);
        break;
    case T_ELEMENTCLASS:
        parse_elementclass(l);
        break;
    case T_REQUIRE:
        parse_require(l, t.at);
        break;
    case T_DEFINE:
        parse_define(l, t.at);
        break;
    case T_PROVIDE:
        parse_provide(l, t);
        break;
    default:
        syntax_error(l, t);
        break;
    }
}

/* Frames are kept for reuse, one a level, so that their arrays grow only once. */
static struct frame *frame_open(struct lang *l, enum frame_type type)
{
    struct frame *f = l->frames[l->depth];

    if (!f && !(f = l->frames[l->depth] = lang_alloc(l, sizeof *f)))
        return NULL;
    f->type = type;
    f->nested = type != FRAME_FILE;
    f->ends_output = true;
    f->left.n = f->right.n = 0;
    l->depth++;
    return f;
}

struct token parse_statements(struct lang *l, enum frame_type type)
{
    struct frame *f = frame_open(l, type);
    struct token t = {.kind = T_EOF, .text = ""};

    if (!f)
        return t;
    for (;;) {
        t = lexer_next(&l->lex);
        if (ends_frame(l, type, t))
            break;
        statement(l, f, t);
    }
    l->depth--;
    return t;
}
