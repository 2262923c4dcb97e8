// SPDX-License-Identifier: BSD-3-Clause
/* xform_match.c -- where a pattern of elements occurs: see xform_match.h */

#include "driver/tools/xform_match.h"

#include <ctype.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

static void *need(struct net *n, size_t count, size_t size)
{
    void *p = arena_alloc_aligned(n->arena, count + 1, size, 16);

    if (!p)
        err(1, NULL);
    return p;
}

void match_init(struct match *m, const struct net *pattern, struct net *body,
                uint32_t id)
{
    *m = (struct match){.pattern = pattern, .body = body, .id = id};
    m->to = malloc((pattern->n_elements + 1) * sizeof *m->to);
    m->back = malloc((body->n_elements + 1) * sizeof *m->back);
    if (!m->to || !m->back)
        err(1, NULL);
    memset(m->to, 0xff, (pattern->n_elements + 1) * sizeof *m->to);
    memset(m->back, 0xff, (body->n_elements + 1) * sizeof *m->back);
}

void match_fini(struct match *m)
{
    free(m->to);
    free(m->back);
    free(m->into);
    free(m->out_of);
    strmap_fini(&m->variables);
}

static bool is_tunnel(const struct net *n, uint32_t e)
{
    return !n->elements[e].class_name;
}

/* --- arguments ------------------------------------------------------------------------------- */

static bool is_variable(const char *s)
{
    if (s[0] != '$' || !s[1])
        return false;
    for (s++; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_')
            return false;
    return true;
}

static bool match_config(struct match *m, uint32_t p, uint32_t b)
{
    const char *const *pattern, *const *config;
    struct arena *a = m->body->arena;
    const char *known;
    int n = lang_split_args(a, m->pattern->elements[p].config, &pattern);

    if (lang_split_args(a, m->body->elements[b].config, &config) != n)
        return false;
    for (int i = 0; i < n; i++) {
        if (strcmp(pattern[i], config[i]) == 0)
            continue;
        if (!is_variable(pattern[i]))
            return false;
        known = strmap_gets(&m->variables, pattern[i]);
        if (known && strcmp(known, config[i]) != 0)
            return false;
        if (!known &&
            strmap_puts(&m->variables, pattern[i], (void *)(uintptr_t)config[i]) < 0)
            err(1, NULL);
    }
    return true;
}

/* --- connections to the rest ------------------------------------------------------------------ */

static bool before(struct net_port a, struct net_port b)
{
    return a.element != b.element ? a.element < b.element : a.port < b.port;
}

/* Are all connections of the pattern's pseudo port there at the port outside? */
static bool covers(const struct match *m, struct net_port pseudo,
                   struct net_port outside, enum net_end end)
{
    const struct net *p = m->pattern;

    for (uint32_t c = net_first(p, pseudo, end); c != NET_NONE;
         c = net_next(p, c, end)) {
        struct net_port want = p->connections[c].end[!end];

        want.element = m->to[want.element];
        if (want.element == NET_NONE ||
            (end == NET_FROM ? !net_connected(m->body, outside, want)
                             : !net_connected(m->body, want, outside)))
            return false;
    }
    return true;
}

/* Find the pattern's port through which a connection between `outside` and `inside` goes:
 * `end` is NET_FROM when it enters, from "input". */
static bool cross(struct match *m, struct net_port outside, struct net_port inside,
                  enum net_end end)
{
    const struct net *p = m->pattern;
    struct net_port at = {m->back[inside.element], inside.port}, found = {NET_NONE, 0};
    const char *name = end == NET_FROM ? "input" : "output";
    struct crossing **list = end == NET_FROM ? &m->into : &m->out_of;
    uint32_t *n = end == NET_FROM ? &m->n_into : &m->n_out_of;
    uint32_t *room = end == NET_FROM ? &m->room_into : &m->room_out_of;

    for (uint32_t c = net_first(p, at, !end); c != NET_NONE; c = net_next(p, c, !end)) {
        struct net_port pseudo = p->connections[c].end[end];

        if (is_tunnel(p, pseudo.element) &&
            strcmp(p->elements[pseudo.element].name, name) == 0 &&
            (found.element == NET_NONE || before(pseudo, found)) &&
            covers(m, pseudo, outside, end))
            found = pseudo;
    }
    if (found.element == NET_NONE)
        return false;
    if (*n == *room) {
        *room = 2 * *room + 8;
        *list = realloc(*list, *room * sizeof **list);
        if (!*list)
            err(1, NULL);
    }
    (*list)[(*n)++] = (struct crossing){outside, found};
    return true;
}

static bool is_used(const struct crossing *list, uint32_t n, struct net_port p)
{
    for (uint32_t i = 0; i < n; i++)
        if (net_port_same(list[i].pattern, p))
            return true;
    return false;
}

static bool check_connection(struct match *m, const struct net_connection *k)
{
    struct net_port from = k->end[NET_FROM], to = k->end[NET_TO];
    uint32_t pf = m->back[from.element], pt = m->back[to.element];

    if (pf != NET_NONE && pt != NET_NONE)
        return net_connected(m->pattern, (struct net_port){pf, from.port},
                             (struct net_port){pt, to.port});
    if (pt != NET_NONE)
        return cross(m, from, to, NET_FROM);
    return cross(m, to, from, NET_TO);
}

static int compare_numbers(const void *va, const void *vb)
{
    uint32_t a = *(const uint32_t *)va, b = *(const uint32_t *)vb;

    return (a > b) - (a < b);
}

/* All connections of the matched elements, each once, in the order they were made: those
 * numbers grow. */
static uint32_t *touching(const struct match *m, uint32_t *count)
{
    const struct net *p = m->pattern, *b = m->body;
    uint32_t *list = NULL, n = 0, room = 0, kept = 0;

    for (uint32_t i = 0; i < p->n_elements; i++)
        for (int end = 0; m->to[i] != NET_NONE && end < 2; end++)
            for (uint32_t c = b->elements[m->to[i]].first[end]; c != NET_NONE;
                 c = b->connections[c].next[end]) {
                if (n == room &&
                    !(list = realloc(list, (room = 2 * room + 16) * sizeof *list)))
                    err(1, NULL);
                list[n++] = c;
            }
    if (n)
        qsort(list, n, sizeof *list, compare_numbers);
    for (uint32_t i = 0; i < n; i++)
        if (!i || list[i] != list[i - 1])
            list[kept++] = list[i];
    *count = kept;
    return list;
}

static bool check_connections(struct match *m)
{
    const struct net *p = m->pattern;
    uint32_t count, *list = touching(m, &count);
    bool good = true;

    for (uint32_t i = 0; i < count && good; i++)
        good = check_connection(m, &m->body->connections[list[i]]);
    free(list);
    for (uint32_t c = p->head; good && c != NET_NONE; c = p->connections[c].after) {
        const struct net_port *end = p->connections[c].end;

        if (is_tunnel(p, end[NET_FROM].element))
            good = is_used(m->into, m->n_into, end[NET_FROM]);
        if (good && is_tunnel(p, end[NET_TO].element))
            good = is_used(m->out_of, m->n_out_of, end[NET_TO]);
    }
    return good;
}

/* Elements that this pattern made itself are no match alone: there would be no end. */
static bool check(struct match *m)
{
    bool any_new = false;

    strmap_fini(&m->variables);
    m->variables = STRMAP_INIT;
    m->n_into = m->n_out_of = 0;
    for (uint32_t i = 0; i < m->pattern->n_elements; i++) {
        if (m->to[i] == NET_NONE)
            continue;
        any_new |= m->body->elements[m->to[i]].mark != m->id;
        if (!match_config(m, i, m->to[i]))
            return false;
    }
    return any_new && check_connections(m);
}

/* --- search ----------------------------------------------------------------------------------- */

/* Has the body all connections between element `i` and those before it? */
static bool fits(const struct match *m, uint32_t i)
{
    const struct net *p = m->pattern;

    for (int end = 0; end < 2; end++)
        for (uint32_t c = p->elements[i].first[end]; c != NET_NONE;
             c = p->connections[c].next[end]) {
            struct net_port from = p->connections[c].end[NET_FROM];
            struct net_port to = p->connections[c].end[NET_TO];
            uint32_t other = end == NET_FROM ? to.element : from.element;

            if (other > i || is_tunnel(p, other))
                continue;
            from.element = m->to[from.element];
            to.element = m->to[to.element];
            if (!net_connected(m->body, from, to))
                return false;
        }
    return true;
}

/* A connection of the pattern between `i` and one before it; it narrows the search. */
static uint32_t anchor(const struct match *m, uint32_t i, enum net_end *end)
{
    const struct net *p = m->pattern;

    for (int side = 0; side < 2; side++)
        for (uint32_t c = p->elements[i].first[side]; c != NET_NONE;
             c = p->connections[c].next[side]) {
            uint32_t other = p->connections[c].end[!side].element;

            if (other < i && !is_tunnel(p, other)) {
                *end = (enum net_end)side;
                return c;
            }
        }
    return NET_NONE;
}

static bool could_be(const struct match *m, uint32_t i, uint32_t b)
{
    const struct net_element *x = &m->body->elements[b];

    return !x->dead && x->class_name && m->back[b] == NET_NONE &&
           strcmp(x->class_name, m->pattern->elements[i].class_name) == 0;
}

/* The next element from `from` on that could be element `i`; NET_NONE: there is none. */
static uint32_t candidate(const struct match *m, uint32_t i, uint32_t from)
{
    const struct net *b = m->body;
    uint32_t best = NET_NONE, c;
    enum net_end end = NET_TO;
    struct net_port p;

    c = anchor(m, i, &end);
    if (c == NET_NONE) {
        while (from < b->n_elements && !could_be(m, i, from))
            from++;
        return from < b->n_elements ? from : NET_NONE;
    }
    p = m->pattern->connections[c].end[!end];
    p.element = m->to[p.element];
    for (c = net_first(b, p, !end); c != NET_NONE; c = net_next(b, c, !end)) {
        uint32_t e = b->connections[c].end[end].element;

        if (e >= from && e < best && could_be(m, i, e))
            best = e;
    }
    return best;
}

static void place(struct match *m, uint32_t i, uint32_t b)
{
    if (m->to[i] != NET_NONE)
        m->back[m->to[i]] = NET_NONE;
    m->to[i] = b;
    if (b != NET_NONE)
        m->back[b] = i;
}

/* Put element `i` on the next place after the one it has. */
static bool advance(struct match *m, uint32_t i)
{
    uint32_t b = m->to[i] == NET_NONE ? 0 : m->to[i] + 1;

    place(m, i, NET_NONE);
    while ((b = candidate(m, i, b)) != NET_NONE) {
        place(m, i, b);
        if (fits(m, i))
            return true;
        place(m, i, NET_NONE);
        b++;
    }
    return false;
}

bool match_find(struct match *m)
{
    const struct net *p = m->pattern;
    uint32_t *real = need(m->body, p->n_elements, sizeof *real), n = 0, at = 0;

    for (uint32_t i = 0; i < p->n_elements; i++)
        if (!is_tunnel(p, i))
            real[n++] = i;
    while (n) {
        if (advance(m, real[at])) {
            if (at + 1 < n)
                at++;
            else if (check(m))
                return true;
        } else if (at-- == 0) {
            return false;
        }
    }
    return false;
}
