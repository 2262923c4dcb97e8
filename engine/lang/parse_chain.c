// SPDX-License-Identifier: BSD-3-Clause
/*
 * parse_chain.c -- declarations and connections: see parse.h
 *
 * Both are one thing to the grammar: lists of elements with arrows between the lists.
 * What a name in a list is (an element, a class, a new element) is decided when the list
 * is complete, since `a, b :: C` gives a class to all of them.
 */

#include "base/suggest.h"
#include "engine/lang/parse.h"

#include <string.h>

static bool is_arrow(const struct token *t)
{
    return t->kind == T_ARROW || t->kind == T_ARROW2;
}

static struct endpoint *newest(struct side *s)
{
    return &s->v[s->n - 1];
}

static bool endpoint_open(struct lang *l, struct side *s)
{
    if (!lang_grow(l, (void **)&s->v, s->n, &s->room, sizeof *s->v))
        return false;
    s->v[s->n++] = (struct endpoint){.node = NO_ELEMENT};
    return true;
}

static bool pending_add(struct lang *l, struct frame *f, const struct pending *p)
{
    if (!lang_grow(l, (void **)&f->pending, f->n_pending, &f->pending_room,
                   sizeof *f->pending))
        return false;
    f->pending[f->n_pending++] = *p;
    return true;
}

/* --- an element that is not written: "-> x" and "x ->" inside a compound or group --- */

static bool may_be_implicit(const struct frame *f, const struct token *t)
{
    bool first = f->left.n == 0;
    bool has_ports = f->right.v[f->right.n - 1].ports[IN].n > 0;
    bool alone = has_ports || f->right.n == 1;

    if (!f->nested)
        return false;
    if (is_arrow(t))
        return first && alone;
    if (t->kind == ',')
        return has_ports;
    return t->kind != T_COLON2 && !first && alone;
}

static void implicit_element(struct lang *l, struct frame *f, struct token t)
{
    struct pending p = {.config = "", .at = t.at, .bare = false, .implicit = true};
    struct endpoint *e = newest(&f->right);
    bool first = f->left.n == 0;

    if (first && is_arrow(&t) && !e->ports[IN].n && !f->ends_output)
        diag_warn_at(l->d, t.at,
                     "suggest 'input %.2s' or '[0] %.2s' to start connection", t.text,
                     t.text);
    p.name = first ? "input" : "output";
    f->any_implicit = true;
    if (first) {
        e->ports[OUT] =
            e->ports[IN]; /* what was read as input ports are input's outputs */
        e->ports[IN] = (struct port_list){0};
    }
    if (e->ports[IN].n || e->ports[OUT].n)
        f->any_ports = true;
    lexer_put_back(&l->lex, t);
    pending_add(l, f, &p);
}

/* The list ends before an element: is that right? Returns false if it is empty. */
static bool no_element(struct lang *l, struct frame *f, struct token t)
{
    if (newest(&f->right)->ports[IN].n)
        lang_err(l, t.at, "stranded port ignored");
    f->right.n--;
    if (f->right.n) {
        /* a, b, ; is let pass, as Click does */
        if (is_arrow(&t))
            syntax_error(l, t);
        if (t.kind != T_COLON2)
            lexer_put_back(&l->lex, t);
        else
            syntax_error(l, t);
        return true;
    }
    if ((f->nested && f->left.n == 0) || t.kind == T_EOF)
        lexer_put_back(&l->lex, t);
    if (!f->nested || f->left.n)
        syntax_error(l, t);
    return false;
}

/* --- one element --- */

static struct class *parse_declared_class(struct lang *l, const char *name)
{
    struct token t = lexer_next(&l->lex);

    if (t.kind == T_IDENT)
        return scope_need_class(l, lang_copy(l, t.text, t.len), t.at, true);
    if (t.kind == '{')
        return parse_compound(l, "");
    lang_err(l, t.at, "missing element type in declaration");
    lexer_put_back(&l->lex, t);
    return scope_need_class(l, name, t.at, true);
}

/* What follows the name: ":: class", a configuration string, output ports. */
static void element_tail(struct lang *l, struct frame *f, struct pending *p)
{
    struct endpoint *e;

    if (lexer_accept(&l->lex, T_COLON2)) {
        p->bare = false;
        p->decl = parse_declared_class(l, p->name);
    }
    if (lexer_accept(&l->lex, '(')) {
        if (scope_find(l->c, p->name) != NO_ELEMENT)
            lang_err(l, lang_here(l, p->at),
                     "configuration string ignored on element reference");
        p->config = lexer_config(&l->lex);
        lexer_expect(&l->lex, ')');
        p->bare = false;
    }
    e = newest(&f->right);
    parse_ports(l, &f->right, &e->ports[OUT]);
    if (e->ports[IN].n || e->ports[OUT].n)
        f->any_ports = true;
}

/* Returns false if there is no element here and the list has none. `*more` says whether
 * the list may go on. */
static bool parse_element(struct lang *l, struct frame *f, bool *more)
{
    struct pending p = {.config = "", .name = ""};
    struct token t;

    *more = false;
    if (!endpoint_open(l, &f->right))
        return false;
    parse_ports(l, &f->right, &newest(&f->right)->ports[IN]);
    t = lexer_next(&l->lex);
    p.at = t.at;
    if (t.kind == T_IDENT) {
        p.name = lang_copy(l, t.text, t.len);
        p.type = scope_find_class(l, p.name);
        p.bare = true;
    } else if (t.kind == '{') {
        p.type = parse_compound(l, "");
    } else if (t.kind == '(') {
        p.name = scope_unnamed(l, l->c, "");
        parse_group(l, &f->right, newest(&f->right), p.name);
    } else {
        *more = may_be_implicit(f, &t);
        if (!*more)
            return no_element(l, f, t);
        implicit_element(l, f, t);
        return true;
    }
    if (l->fatal)
        return false;
    *more = true;
    element_tail(l, f, &p);
    return pending_add(l, f, &p);
}

/* A comma-separated list into f->right and f->pending; false if there is none. */
static bool parse_list(struct lang *l, struct frame *f)
{
    bool more;

    f->right.n = f->right.n_ports = f->n_pending = 0;
    f->any_implicit = f->any_ports = false;
    do
        if (!parse_element(l, f, &more) || l->fatal)
            return false;
    while (more && lexer_accept(&l->lex, ','));
    return true;
}

/* --- what the names of a list are --- */

/* a, b, c :: Class(config) declares all three. */
static void spread_declaration(struct lang *l, struct frame *f)
{
    struct token t = lexer_next(&l->lex);
    struct pending *last;

    lexer_put_back(&l->lex, t);
    if (f->any_implicit && f->left.n && is_arrow(&t))
        lang_err(l, t.at, "implicit ports used in the middle of a chain");
    if (f->n_pending < 2 || f->left.n || is_arrow(&t) || f->any_ports ||
        f->any_implicit)
        return;
    last = &f->pending[f->n_pending - 1];
    for (struct pending *p = f->pending; p < last; p++)
        if (!p->bare)
            return;
    for (struct pending *p = f->pending; p < last; p++) {
        p->decl = last->decl;
        p->config = last->config;
    }
}

static void suggest_name(struct lang *l, const char *name)
{
    const struct lang_options *o = l->options;
    struct strmap_entry *e;
    struct suggest s;
    size_t at = 0;

    suggest_init(&s, name);
    while (lang_spend(l, 8) && (e = strmap_next(&l->c->names, &at)))
        if (e->key[0] != ';')
            suggest_add(&s, e->key);
    for (size_t i = 0; o && o->classes && i < o->n_classes; i++)
        suggest_add(&s, o->classes[i]);
    if (s.best)
        diag_hint(l->d, "did you mean '%s'?", s.best);
}

static void new_element(struct lang *l, struct pending *p, struct endpoint *e)
{
    bool any = !l->options || !l->options->classes;
    struct node n = {.config = p->config, .at = p->at};

    if (p->decl && p->type) {
        lang_err(l, p->at, "class '%s' used as element name", p->name);
    } else if (!p->decl && !p->type) {
        if (!any && !l->fatal) {
            lang_err(l, p->at, "undeclared element '%s'", p->name);
            suggest_name(l, p->name);
        }
        p->type = scope_need_class(l, p->name, p->at, false);
    }
    n.type = p->type ? p->type : p->decl;
    n.name = p->type ? scope_unnamed(l, l->c, p->name) : p->name;
    e->node = scope_add_node(l, l->c, &n);
}

static void old_element(struct lang *l, const struct pending *p, uint32_t index)
{
    const struct node *old = &l->c->nodes[index];

    if (!p->decl)
        return;
    lang_err(l, p->at, "redeclaration of element '%s'", p->name);
    if (old->kind == NODE_ELEMENT)
        lang_err(l, old->at, "element '%s' previously declared here", p->name);
}

static void resolve_names(struct lang *l, struct frame *f)
{
    for (uint32_t i = 0; i < f->n_pending && !l->fatal; i++) {
        struct pending *p = &f->pending[i];
        struct endpoint *e = &f->right.v[i];

        e->node = p->type ? NO_ELEMENT : scope_find(l->c, p->name);
        if (e->node == NO_ELEMENT)
            new_element(l, p, e);
        else
            old_element(l, p, e->node);
    }
}

/* --- chains --- */

static void check_useless(struct lang *l, const struct side *s, int side,
                          struct place at)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->v[i].ports[side].n) {
            lang_err(l, lang_here(l, at),
                     side == OUT ? "output ports ignored at end of chain"
                                 : "input ports ignored at start of chain");
            return;
        }
}

/* Read what stands after a list. Returns true if the chain goes on. */
static bool parse_connector(struct lang *l, struct frame *f)
{
    for (;;) {
        struct token t = lexer_next(&l->lex);

        if (is_arrow(&t)) {
            f->connector = t.kind;
            f->connector_at = t.at;
            return true;
        }
        switch (t.kind) {
        case ';':
            return false;
        case ',':
        case T_COLON2:
            syntax_error(l, t);
            continue;
        case T_IDENT:
        case '{':
        case '}':
        case '[':
        case ')':
        case T_BAR2:
        case T_ELEMENTCLASS:
        case T_REQUIRE:
        case T_PROVIDE:
        case T_DEFINE:
        case T_EOF:
            break;
        default:
            syntax_error(l, t);
            if (t.kind < T_EOF)
                return false;
        }
        lexer_put_back(&l->lex, t);
        return false;
    }
}

static void chain_step(struct lang *l, struct frame *f, struct place at)
{
    struct side swap;

    spread_declaration(l, f);
    resolve_names(l, f);
    if (f->left.n)
        join_sides(l, f);
    else
        check_useless(l, &f->right, IN, at);
    swap = f->left;
    f->left = f->right;
    f->right = swap;
}

void parse_chain(struct lang *l, struct frame *f)
{
    struct place at;

    f->left.n = 0;
    do {
        at = lexer_place(&l->lex);
        if (!parse_list(l, f))
            break;
        chain_step(l, f, f->n_pending ? f->pending[0].at : at);
    } while (!l->fatal && parse_connector(l, f));
    if (l->fatal)
        return;
    check_useless(l, &f->left, OUT, f->n_pending ? f->pending[0].at : at);
    f->ends_output = f->left.n == 1 && f->left.v[0].node == scope_find(l->c, "output");
    f->left.n = 0;
}
