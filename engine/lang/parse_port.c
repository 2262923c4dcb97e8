// SPDX-License-Identifier: BSD-3-Clause
/*
 * parse_port.c -- port numbers, and which port is joined to which: see parse.h
 *
 * "->" joins one port to one or more; "=>" pairs a list of outputs with a list of inputs.
 * A side that names no port, or ends in "-]", stretches to what the other side has.
 */

#include "engine/lang/parse.h"
#include "engine/lang/text.h"

bool side_push_port(struct lang *l, struct side *s, struct port_list *list, uint32_t p)
{
    if (!lang_spend(l, 4) ||
        !lang_grow(l, (void **)&s->ports, s->n_ports, &s->ports_room, sizeof *s->ports))
        return false;
    if (!list->n)
        list->start = s->n_ports;
    s->ports[s->n_ports++] = p;
    list->n++;
    return true;
}

/* A port number as Click's integers: decimal, 0octal, 0xhex. */
static uint32_t port_number(struct lang *l, const struct token *t)
{
    const char *s = t->text, *end = t->text + t->len;
    uint32_t base = 10, port = 0;

    if (t->len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
        base = 16, s += 2;
    else if (t->len > 1 && s[0] == '0')
        base = 8, s++;
    for (; s < end; s++) {
        if (text_hex(*s) < 0 || (uint32_t)text_hex(*s) >= base) {
            lang_err(l, t->at, "syntax error: port number should be integer");
            return 0;
        }
        port = port * base + (uint32_t)text_hex(*s);
        if (port > LANG_MAX_PORT) {
            lang_err(l, t->at, "port number %.*s too large", (int)t->len, t->text);
            return 0;
        }
    }
    return port;
}

/* Ports from after `last` up to `port`, of "[2-4]". */
static void push_range(struct lang *l, struct side *s, struct port_list *list,
                       uint32_t last, uint32_t port)
{
    while (last < port && side_push_port(l, s, list, last + 1))
        last++;
}

/* One item and what separates it from the next. Returns false after the last. */
static bool port_item(struct lang *l, struct side *s, struct port_list *list,
                      uint32_t *last, bool *dash)
{
    struct token t = lexer_next(&l->lex);

    if (t.kind == ']') { /* "[]", "[1-]" and "[1,]" are open */
        if (!list->n)
            side_push_port(l, s, list, 0);
        list->open = true;
        return false;
    }
    if (t.kind != T_IDENT) {
        lang_err(l, t.at, "syntax error: expected port number");
        lexer_put_back(&l->lex, t);
        return false;
    }
    uint32_t port = port_number(l, &t);
    if (*dash)
        push_range(l, s, list, *last, port);
    else
        side_push_port(l, s, list, port);
    *last = port;
    t = lexer_next(&l->lex);
    if (t.kind == ']')
        return false;
    if (t.kind == ',' || (t.kind == '-' && !*dash)) {
        *dash = t.kind == '-';
        return true;
    }
    lang_err(l, t.at, "syntax error: expected ','");
    lexer_put_back(&l->lex, t);
    return true;
}

void parse_ports(struct lang *l, struct side *s, struct port_list *list)
{
    uint32_t last = 0;
    bool dash = false;

    if (!lexer_accept(&l->lex, '['))
        return;
    *list = (struct port_list){0}; /* in place of those that a group implies */
    while (!l->fatal && port_item(l, s, list, &last, &dash))
        ;
}

/* --- joining --- */

/* One side while it is walked through. */
struct walk {
    const struct side *side;
    int which;         /* IN or OUT */
    uint32_t least;    /* ports it has without stretching */
    uint32_t n_open;   /* lists that may stretch */
    bool stretches;    /* it does */
    bool steps;        /* it advances with each connection */
    uint32_t extra;    /* ports still to be had from stretching */
    uint32_t item, at; /* where it stands: element, place in its port list */
};

static struct walk walk_start(const struct side *s, int which)
{
    struct walk w = {.side = s, .which = which};

    for (uint32_t i = 0; i < s->n; i++) {
        const struct port_list *p = &s->v[i].ports[which];

        w.least += p->n ? p->n : 1;
        w.n_open += p->open;
    }
    w.stretches = w.n_open > 0;
    return w;
}

static uint32_t walk_port(const struct walk *w)
{
    const struct port_list *p = &w->side->v[w->item].ports[w->which];

    if (!p->n)
        return w->at;
    if (w->at < p->n)
        return w->side->ports[p->start + w->at];
    return w->side->ports[p->start + p->n - 1] + (w->at - (p->n - 1));
}

static void walk_on(struct walk *w)
{
    const struct port_list *p = &w->side->v[w->item].ports[w->which];
    bool may_stretch = p->open || (!p->n && w->least == 1);

    w->at++;
    if (w->at < p->n)
        return;
    if (may_stretch && w->extra) {
        w->extra--;
        return;
    }
    w->item++;
    w->at = 0;
}

/* With "=>" one element without ports stands for as many as the other side has. */
static void stretch_bare(struct walk *w, const struct walk *other)
{
    if (w->least == 1 && other->least > 1 && !w->side->v[0].ports[w->which].n)
        w->stretches = true;
}

static void check_match(struct lang *l, const struct frame *f, const struct walk *out,
                        const struct walk *in)
{
    struct place at = f->errors_at;

    if (f->connector != T_ARROW2)
        lang_err(l, at, "syntax error: many-to-many connections require '=>'");
    if (!in->stretches && !out->stretches && in->least != out->least)
        lang_err(l, at, "connection mismatch: %u outputs connected to %u inputs",
                 out->least, in->least);
    else if (!in->stretches && in->least < out->least)
        lang_err(l, at,
                 "connection mismatch: %u or more outputs connected to %u inputs",
                 out->least, in->least);
    else if (!out->stretches && out->least < in->least)
        lang_err(l, at,
                 "connection mismatch: %u outputs connected to %u or more inputs",
                 out->least, in->least);
}

static void plan(struct lang *l, const struct frame *f, struct walk *out,
                 struct walk *in)
{
    if (out->n_open + in->n_open > 1) {
        lang_err(l, f->errors_at, "at most one expandable port allowed per connection");
        if (in->least < out->least)
            out->stretches = false;
        else
            in->stretches = false;
    }
    if (f->connector == T_ARROW2) {
        stretch_bare(in, out);
        stretch_bare(out, in);
    }
    in->steps = in->least > 1 || in->stretches;
    out->steps = out->least > 1 || out->stretches;
    if (in->stretches && out->least > in->least)
        in->extra = out->least - in->least;
    if (out->stretches && in->least > out->least)
        out->extra = in->least - out->least;
    if (in->steps && out->steps)
        check_match(l, f, out, in);
    else if (!in->steps && !out->steps)
        in->steps = true;
}

/* Connect f->left to f->right through f->connector. */
void join_sides(struct lang *l, struct frame *f)
{
    struct walk out = walk_start(&f->left, OUT), in = walk_start(&f->right, IN);

    f->errors_at = lang_here(l, f->connector_at);
    plan(l, f, &out, &in);
    while (!l->fatal && out.item < f->left.n && in.item < f->right.n) {
        struct link k = {.from = f->left.v[out.item].node,
                         .from_port = walk_port(&out),
                         .to = f->right.v[in.item].node,
                         .to_port = walk_port(&in),
                         .at = f->connector_at};

        if (k.from_port > LANG_MAX_PORT || k.to_port > LANG_MAX_PORT) {
            lang_err(l, k.at, "connection needs more than %d ports", LANG_MAX_PORT + 1);
            return;
        }
        if (k.from != NO_ELEMENT && k.to != NO_ELEMENT)
            scope_add_link(l, l->c, &k);
        if (out.steps)
            walk_on(&out);
        if (in.steps)
            walk_on(&in);
    }
}
