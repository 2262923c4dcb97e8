// SPDX-License-Identifier: BSD-3-Clause
/* ip_lang.c -- words and grammar of the IP filter language: see ip_lang.h */

#include "engine/classify/ip_lang.h"

#include "engine/classify/ip_prim.h"
#include "engine/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parentheses and "?" nest on the machine's stack, which is small in a VM. */
enum { DEPTH_MAX = 100 };

void ip_lang_init(struct ip_lang *l, struct arena *a, const struct element *context,
                  struct diag *d)
{
    *l = (struct ip_lang){.arena = a, .context = context, .diag = d};
}

void ip_lang_fini(struct ip_lang *l)
{
    strmap_fini(&l->names);
    arena_free(l->names_arena);
    l->names_arena = NULL;
    free(l->text);
    free(l->words);
    l->text = NULL;
    l->words = NULL;
}

int ip_lang_err(struct ip_lang *l, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return diag_err(l->diag, "pattern %u: %s", l->number, text);
}

void ip_lang_warn(struct ip_lang *l, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    diag_warn(l->diag, "pattern %u: %s", l->number, text);
}

/* --- words ------------------------------------------------------------------------ */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-./@_:", c));
}

/* Length of the word at `s`, which is not blank. Operators of two characters are a
 * doubled & or |, and a relation with "=". */
static size_t word_len(const char *s)
{
    size_t n = 0;

    if ((*s == '&' || *s == '|') && s[1] == *s)
        return 2;
    if (*s && strchr("<>!=", *s) && s[1] == '=')
        return 2;
    while (is_word_char(s[n]))
        n++;
    return n ? n : 1;
}

static int words_room(struct ip_lang *l, size_t len)
{
    /* every byte may be a word, and then has a NUL */
    size_t text = 2 * len + 1;
    void *p;

    if (text > UINT32_MAX / sizeof *l->words)
        return -1;
    if (text > l->room_text) {
        p = realloc(l->text, text);
        if (!p)
            return -1;
        l->text = p;
        l->room_text = text;
    }
    if (len + 1 > l->room_words) {
        p = realloc(l->words, (len + 1) * sizeof *l->words);
        if (!p)
            return -1;
        l->words = p;
        l->room_words = (uint32_t)len + 1;
    }
    return 0;
}

int ip_lang_split(struct ip_lang *l, unsigned number, const char *text)
{
    char *out;

    l->number = number;
    l->n_words = 0;
    if (words_room(l, strlen(text)) < 0)
        return -1;
    out = l->text;
    for (;;) {
        size_t n;

        while (is_blank(*text))
            text++;
        if (!*text)
            return 0;
        n = word_len(text);
        memcpy(out, text, n);
        out[n] = '\0';
        l->words[l->n_words++] = out;
        out += n + 1;
        text += n;
    }
}

/* --- one test --------------------------------------------------------------------- */

static const char *word_at(const struct ip_lang *l, uint32_t pos)
{
    return pos < l->n_words ? l->words[pos] : "";
}

static bool is(const struct ip_lang *l, uint32_t pos, const char *word)
{
    return pos < l->n_words && strcmp(l->words[pos], word) == 0;
}

static bool either(const struct ip_lang *l, uint32_t pos, const char *a, const char *b)
{
    return is(l, pos, a) || is(l, pos, b);
}

/* A test in the making. */
struct test {
    struct ip_prim prim;
    int header; /* 'i', 'e' or 0 */
    int mask_kind;
    union prim_data mask;
    bool negated;
};

/* "src", "src or dst", "src and dst": returns the position of the last word. */
static uint32_t parse_src(struct ip_lang *l, struct test *t, uint32_t pos)
{
    bool two = either(l, pos + 2, "dst", "dest");
    bool both = two && either(l, pos + 1, "and", "&&");
    bool any = two && either(l, pos + 1, "or", "||");

    ip_prim_set_srcdst(&t->prim, both ? SD_AND : any ? SD_OR : SD_SRC, l);
    return both || any ? pos + 2 : pos;
}

static uint32_t parse_qualifiers(struct ip_lang *l, struct test *t, uint32_t pos)
{
    for (; pos < l->n_words; pos++) {
        const char *w = l->words[pos];
        uint32_t data = 0;
        int kind = ip_prim_lookup(l, w, PRIM_NONE, PROTO_UNKNOWN, true, &data);
        int type = (int)data;

        if (kind == PRIM_TYPE) {
            ip_prim_set_type(&t->prim, type, l);
            if ((type & PRIM_FIELD) && PRIM_FIELD_PROTO(type))
                ip_prim_set_proto(&t->prim, PRIM_FIELD_PROTO(type), l);
        } else if (kind == PRIM_PROTO) {
            ip_prim_set_proto(&t->prim, type, l);
        } else if (kind != -1) {
            break;
        } else if (strcmp(w, "src") == 0) {
            pos = parse_src(l, t, pos);
        } else if (either(l, pos, "dst", "dest")) {
            ip_prim_set_srcdst(&t->prim, SD_DST, l);
        } else if (either(l, pos, "ip", "ether") || (l->ip6 && is(l, pos, "ip6"))) {
            if (t->header)
                break;
            t->header = *w;
        } else if (either(l, pos, "not", "!")) {
            t->negated = !t->negated;
        } else {
            break;
        }
    }
    return pos;
}

static bool parse_i32(const char *s, int32_t *out)
{
    int64_t v;

    if (!parse_i64(s, 0, &v) || v < INT32_MIN || v > INT32_MAX)
        return false;
    *out = (int32_t)v;
    return true;
}

/* "POS", "POS:LEN" or "FIRST,LAST" between the brackets. */
static bool parse_field(char *text, int32_t *first, int32_t *len)
{
    char *colon = strchr(text, ':'), *comma = strchr(text, ',');
    char *split = colon && colon[1] ? colon : comma && comma[1] ? comma : NULL;
    int32_t last;

    *len = 1;
    if (!split)
        return parse_i32(text, first);
    *split = '\0';
    if (!parse_i32(text, first) || !parse_i32(split + 1, &last))
        return false;
    *len = split == colon ? last : (int32_t)((uint32_t)last - (uint32_t)*first + 1);
    return true;
}

static uint32_t parse_brackets(struct ip_lang *l, struct test *t, uint32_t pos)
{
    int proto = t->prim.proto == PROTO_UNKNOWN ? 0 : t->prim.proto;
    uint32_t first_pos = pos + 1;
    char text[32] = "";
    int32_t first, len;

    for (pos++; pos < l->n_words && !is(l, pos, "]"); pos++)
        strncat(text, l->words[pos], sizeof text - 1 - strlen(text));
    if (pos >= l->n_words) {
        ip_lang_err(l, "missing ']'");
        return first_pos;
    }
    pos++;
    if (!parse_field(text, &first, &len))
        ip_lang_err(l, "syntax error after '[', expected '[POS]' or '[POS:LEN]'");
    else if (len < 1 || len > 4)
        ip_lang_err(l, "LEN in '[POS:LEN]' out of range, should be between 1 and 4");
    else if (first < 0 || first >= 8192)
        ip_lang_err(l, "POS in '[POS:LEN]' out of range, should be between 0 and 8191");
    else if ((first & ~3) != ((first + len - 1) & ~3))
        ip_lang_err(l, "field [%d:%d] does not fit in a single word", first, len);
    else
        ip_prim_set_type(&t->prim, PRIM_FIELD_CODE(proto, 8 * first, 8 * len), l);
    return pos;
}

static bool all_zero(const union prim_data *v, size_t size)
{
    size_t i = 0;

    while (i < size && !v->ip6.b[i])
        i++;
    return i == size;
}

static uint32_t parse_mask(struct ip_lang *l, struct test *t, uint32_t pos)
{
    const char *w = word_at(l, pos + 1);
    struct ether_addr ether;
    uint64_t v;

    if (parse_u64(w, 0, &v) && v <= UINT32_MAX) {
        t->mask_kind = PRIM_INT;
        t->mask.u = (uint32_t)v;
    } else if (t->header != 'e' && (l->ip6 ? parse_ip6(l->context, w, &t->mask.ip6)
                                           : parse_ip(l->context, w, &t->mask.u))) {
        t->mask_kind = PRIM_HOST;
    } else if (t->header != 'i' && parse_ether(l->context, w, &ether)) {
        t->mask_kind = PRIM_ETHER;
        memcpy(t->mask.c, ether.b, 6);
    } else {
        return pos;
    }
    if (t->mask_kind != PRIM_ETHER &&
        all_zero(&t->mask, l->ip6 && t->mask_kind == PRIM_HOST ? 16 : 4)) {
        ip_lang_err(l, "zero mask ignored");
        t->mask_kind = 0;
    }
    return pos + 2;
}

static uint32_t parse_relation(struct ip_lang *l, struct test *t, uint32_t pos)
{
    static const struct {
        const char *text;
        int op;
        bool negated;
    } ops[] = {{"=", PRIM_EQ, false}, {"==", PRIM_EQ, false}, {"!=", PRIM_EQ, true},
               {">", PRIM_GT, false}, {"<", PRIM_LT, false},  {">=", PRIM_LT, true},
               {"<=", PRIM_GT, true}};

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (is(l, pos, ops[i].text)) {
            t->prim.op = ops[i].op;
            t->prim.negated = ops[i].negated;
            return pos + 1;
        }
    return pos;
}

static bool parse_ether_address(struct ip_lang *l, struct ip_prim *p, const char *w)
{
    struct ether_addr ether;

    if (!parse_ether(l->context, w, &ether))
        return false;
    memcpy(p->u.c, ether.b, 6);
    p->data = PRIM_ETHER;
    return true;
}

/* The same as below for IPv6. */
static bool parse_address6(struct ip_lang *l, struct test *t, uint32_t *pos)
{
    struct ip_prim *p = &t->prim;
    const char *w = word_at(l, *pos);
    unsigned bits;

    if (t->header != 'e' && parse_ip6(l->context, w, &p->u.ip6)) {
        p->data = PRIM_HOST;
        if (is(l, *pos + 1, "mask") && *pos + 2 < l->n_words &&
            parse_ip6(l->context, l->words[*pos + 2], &p->mask.ip6)) {
            *pos += 2;
            p->data = PRIM_NET;
            return true;
        }
        if (p->type != PRIM_NET || !parse_ip6_prefix(l->context, w, &p->u.ip6, &bits))
            return true;
    } else if (t->header == 'e' || !parse_ip6_prefix(l->context, w, &p->u.ip6, &bits)) {
        return t->header != 'i' && parse_ether_address(l, p, w);
    }
    p->data = PRIM_NET;
    memset(&p->mask, 0, sizeof p->mask);
    for (unsigned i = 0; i < bits; i++)
        p->mask.ip6.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return true;
}

/* An address in one of its forms; false when it is none. */
static bool parse_address(struct ip_lang *l, struct test *t, uint32_t *pos)
{
    struct ip_prim *p = &t->prim;
    const char *w = word_at(l, *pos);
    struct ip_prefix prefix;

    if (l->ip6)
        return parse_address6(l, t, pos);
    if (t->header != 'e' && parse_ip(l->context, w, &p->u.u)) {
        if (is(l, *pos + 1, "mask") && *pos + 2 < l->n_words &&
            parse_ip(l->context, l->words[*pos + 2], &p->mask.u)) {
            *pos += 2;
            p->data = PRIM_NET;
            return true;
        }
        p->data = PRIM_HOST;
        if (p->type != PRIM_NET || !parse_ip_prefix(l->context, w, false, &prefix))
            return true;
    } else if (t->header == 'e' || !parse_ip_prefix(l->context, w, false, &prefix)) {
        return t->header != 'i' && parse_ether_address(l, p, w);
    }
    p->data = PRIM_NET;
    p->u.u = prefix.addr;
    p->mask.u = prefix.mask;
    return true;
}

static uint32_t parse_value(struct ip_lang *l, struct test *t, uint32_t pos)
{
    struct ip_prim *p = &t->prim;
    const char *w = word_at(l, pos);
    uint32_t data = 0;
    int kind;

    if (pos >= l->n_words)
        return pos;
    kind = ip_prim_lookup(l, w, p->type, p->proto, false, &data);
    if (kind == -2) { /* the message is out: go on behind the word */
        p->type = -2;
    } else if (kind != -1 && kind != PRIM_TYPE) {
        p->data = kind;
        p->u.u = data;
    } else if (parse_i32(w, &p->u.i)) {
        p->data = PRIM_INT;
    } else if (!parse_address(l, t, &pos)) {
        if (p->op != PRIM_EQ || p->negated)
            ip_lang_err(l, "dangling operator near '%s'", w);
        return pos;
    }
    return pos + 1;
}

/* The test at *pos, if there is one: *pos stays otherwise. `before` is the test before,
 * then this one. */
static struct expr *parse_test(struct ip_lang *l, uint32_t *pos, struct ip_prim *before)
{
    struct test t = {.header = 0};
    uint32_t first = *pos, at;
    struct expr *x;

    if (first >= l->n_words || is(l, first, ")") || either(l, first, "||", "or") ||
        either(l, first, "?", ":"))
        return expr_true(l->arena);
    if (either(l, first, "true", "false")) {
        *pos = first + 1;
        return is(l, first, "true") ? expr_true(l->arena) : expr_false(l->arena);
    }
    ip_prim_clear(&t.prim);
    at = parse_qualifiers(l, &t, first);
    if (at != first) /* then the test before has nothing to say */
        ip_prim_clear(before);
    if (before->data == PRIM_ETHER)
        t.header = 'e';
    /* none of these is the last word */
    if (is(l, at, "[") && at + 1 < l->n_words && at > first && t.prim.type == PRIM_NONE)
        at = parse_brackets(l, &t, at);
    if (is(l, at, "&") && at + 1 < l->n_words)
        at = parse_mask(l, &t, at);
    if (at + 1 < l->n_words)
        at = parse_relation(l, &t, at);
    at = parse_value(l, &t, at);
    *pos = at;
    if (at == first) {
        ip_lang_err(l, "empty term near '%s'", word_at(l, at));
        return expr_true(l->arena);
    }
    if (ip_prim_check(&t.prim, before, t.header, t.mask_kind, &t.mask, l) < 0)
        return expr_true(l->arena);
    x = ip_prim_expr(&t.prim, l);
    *before = t.prim;
    return t.negated ? expr_not(l->arena, x) : x;
}

/* --- grammar ---------------------------------------------------------------------- */

static struct expr *parse_expr(struct ip_lang *l, uint32_t *pos,
                               struct ip_prim *before);

static bool enter(struct ip_lang *l, uint32_t *pos)
{
    if (l->depth < DEPTH_MAX) {
        l->depth++;
        return true;
    }
    ip_lang_err(l, "expression is nested too deeply");
    *pos = l->n_words;
    return false;
}

static struct expr *parse_parens(struct ip_lang *l, uint32_t *pos,
                                 struct ip_prim *before)
{
    uint32_t first = ++*pos;
    struct expr *x;

    if (!enter(l, pos))
        return expr_true(l->arena);
    x = parse_expr(l, pos, before);
    l->depth--;
    if (*pos == first)
        ip_lang_err(l, "missing expression after '('");
    if (is(l, *pos, ")"))
        ++*pos;
    else if (*pos != first)
        ip_lang_err(l, "missing ')'");
    return x;
}

static struct expr *parse_factor(struct ip_lang *l, uint32_t *pos,
                                 struct ip_prim *before)
{
    bool negated = false;
    uint32_t behind_not = UINT32_MAX;
    struct expr *x;

    while (either(l, *pos, "not", "!")) {
        negated = !negated;
        behind_not = ++*pos;
    }
    if (is(l, *pos, "("))
        x = parse_parens(l, pos, before);
    else
        x = parse_test(l, pos, before);
    if (*pos == behind_not)
        ip_lang_err(l, "missing expression after '%s'", l->words[*pos - 1]);
    return negated ? expr_not(l->arena, x) : x;
}

/* A list of one is that one. */
static struct expr *simplify(struct expr *x)
{
    return x && x->n == 1 ? x->child[0] : x;
}

static struct expr *parse_term(struct ip_lang *l, uint32_t *pos, struct ip_prim *before)
{
    struct expr *x = expr_list(l->arena, EXPR_AND), *factor;
    bool wanted = true;

    for (;;) {
        uint32_t first = *pos;

        factor = parse_factor(l, pos, before);
        if (*pos == first) {
            if (wanted)
                ip_lang_err(l, "missing expression");
            return simplify(x);
        }
        expr_add(l->arena, &x, factor);
        wanted = either(l, *pos, "and", "&&");
        *pos += wanted;
    }
}

static struct expr *parse_or(struct ip_lang *l, uint32_t *pos, struct ip_prim *before)
{
    struct expr *x = expr_list(l->arena, EXPR_OR);

    expr_add(l->arena, &x, parse_term(l, pos, before));
    while (either(l, *pos, "or", "||")) {
        ++*pos;
        expr_add(l->arena, &x, parse_term(l, pos, before));
    }
    return simplify(x);
}

static struct expr *parse_expr(struct ip_lang *l, uint32_t *pos, struct ip_prim *before)
{
    struct expr *cond = parse_or(l, pos, before), *yes, *no;
    uint32_t first;

    if (!is(l, *pos, "?"))
        return cond;
    first = ++*pos;
    if (!enter(l, pos))
        return cond;
    yes = parse_expr(l, pos, before);
    if (*pos == first || !is(l, *pos, ":")) {
        ip_lang_err(l, "missing ':' in ternary expression");
        l->depth--;
        return cond;
    }
    ++*pos;
    no = parse_expr(l, pos, before);
    l->depth--;
    return expr_if(l->arena, cond, yes, no);
}

struct expr *ip_lang_parse(struct ip_lang *l, uint32_t from)
{
    size_t errors = l->diag ? l->diag->n_errors : 0;
    struct ip_prim before;
    struct expr *x;

    if (from >= l->n_words ||
        (from + 1 == l->n_words && (is(l, from, "-") || either(l, from, "any", "all"))))
        return expr_true(l->arena);
    ip_prim_clear(&before);
    l->depth = 0;
    x = parse_expr(l, &from, &before);
    if (from < l->n_words)
        ip_lang_err(l, "garbage after expression at '%s'", l->words[from]);
    return l->diag && l->diag->n_errors != errors ? NULL : x;
}
