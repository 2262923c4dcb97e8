// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_xform.c -- `click-xform`: patterns of elements are replaced by others
 *
 * A file of patterns declares compound elements in pairs: what Foo consists of is replaced
 * by what Foo_Replacement consists of, until no pattern matches any more. The patterns are
 * tried in their order, from the first one after every replacement.
 */

#include "driver/tools/tool.h"
#include "driver/tools/xform_match.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "'Click-xform' replaces patterns of elements in a configuration by other elements. "
    "The\n"
    "patterns are compound elements: Foo becomes Foo_Replacement.\n"
    "\n"
    "Usage: click-xform [OPTION]... [ROUTERFILE] [PATTERNFILE]...\n"
    "\n"
    "Options:\n"
    "  -p, --patterns FILE       Read patterns from FILE; may be given several times.\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -r, --reverse             Replace Foo_Replacement by Foo.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

enum { MAX_PATTERNS = 4096, MAX_REPLACEMENTS = 100000 };

static const struct option options[] = {
    {"patterns", required_argument, NULL, 'p'},
    TOOL_NEGATABLE("reverse", 'r'),
    {NULL, 0, NULL, 0},
};

struct pattern {
    const char *name;
    struct net what, by;
    uint32_t next_prefix; /* "Foo@3" */
};

static struct pattern *patterns; /* [MAX_PATTERNS] */
static uint32_t n_patterns;
static bool any_files, any_arguments;

/* --- the command line ------------------------------------------------------------------------ */

static bool is_compound(const struct lang_graph *g, const char *name)
{
    for (uint32_t i = 0; i < g->n_compounds; i++)
        if (strcmp(g->compounds[i], name) == 0)
            return true;
    return false;
}

static void read_patterns(struct tool *t, const char *file)
{
    static const char suffix[] = "_Replacement";
    struct tool_config c;

    any_files = true;
    if (tool_read(t, file, NULL, false, &c) < 0)
        return;
    for (uint32_t i = 0; i < c.graph.n_compounds; i++) {
        const char *full = c.graph.compounds[i];
        size_t len = strlen(full), cut = sizeof suffix - 1;
        struct pattern *p = &patterns[n_patterns];

        if (len <= cut || strcmp(full + len - cut, suffix) != 0)
            continue;
        *p = (struct pattern){arena_strndup(t->arena, full, len - cut),
                              .next_prefix = 1};
        if (!p->name)
            err(1, NULL);
        if (!is_compound(&c.graph, p->name))
            continue;
        if (n_patterns + 1 == MAX_PATTERNS)
            errx(1, "more than %d patterns", MAX_PATTERNS);
        if (tool_read_body(t, &c, p->name, &p->what) == 0 &&
            tool_read_body(t, &c, full, &p->by) == 0)
            n_patterns++;
    }
    tool_config_fini(&c);
}

static int set_option(struct tool *t, int c, const char *arg)
{
    if (c == 'p')
        read_patterns(t, arg);
    else
        tool_option(c, &t->reverse);
    return 0;
}

/* The first argument is the configuration, the others are patterns. */
static int take_source(struct tool *t, int how, const char *arg)
{
    bool known = t->file || t->expression;

    if (!how && any_arguments) {
        read_patterns(t, arg);
        return 0;
    }
    if (known) {
        fprintf(stderr, "router configuration specified twice\n");
        return -1;
    }
    any_arguments |= !how;
    *(how == 'e' ? &t->expression : &t->file) = arg;
    return 0;
}

/* --- replacement ----------------------------------------------------------------------------- */

/* A prefix that no element's name starts with. */
static const char *new_prefix(struct net *n, struct pattern *p)
{
    for (;;) {
        const char *prefix = net_format(n, "%s@%u/", p->name, p->next_prefix++);
        size_t len = strlen(prefix);
        bool taken = false;

        for (uint32_t e = 0; e < n->n_elements && !taken; e++)
            taken = !n->elements[e].dead &&
                    strncmp(n->elements[e].name, prefix, len) == 0 &&
                    n->elements[e].name[len];
        if (!taken)
            return net_format(n, "%.*s", (int)len - 1, prefix);
    }
}

/* Give the variables in the arguments of a new element their values. */
static void fill_config(const struct match *m, struct net_element *e)
{
    const char *const *args, **filled;
    int n = lang_split_args(m->body->arena, e->config, &args);
    bool changed = false;

    if (n <= 0)
        return;
    filled = arena_alloc_aligned(m->body->arena, (size_t)n, sizeof *filled, 16);
    if (!filled)
        err(1, NULL);
    for (int i = 0; i < n; i++) {
        const char *value = args[i][0] == '$' ? strmap_gets(&m->variables, args[i])
                                              : NULL;

        filled[i] = value ? value : args[i];
        changed |= value != NULL;
    }
    if (changed)
        e->config = net_join_args(m->body, filled, n);
}

/* The element of the replacement that stands for `name` keeps the old one's name. */
static void keep_names(const struct match *m, const char *const *old,
                       const char *prefix)
{
    for (uint32_t i = 0; i < m->pattern->n_elements; i++) {
        uint32_t e;

        if (!old[i])
            continue;
        e = net_find(m->body, net_format(m->body, "%s/%s", prefix,
                                         m->pattern->elements[i].name));
        if (e != NET_NONE)
            net_rename(m->body, e, old[i]);
    }
}

/* Put the replacement in, as a compound element would be, under the name `prefix`. */
static uint32_t insert(struct net *n, const struct pattern *p, const char *prefix)
{
    uint32_t tunnel = net_element(n, prefix, NULL, "", NO_PLACE);
    const char *inner = net_format(n, "%s/", prefix);

    net_join_tunnel(
        n, tunnel, net_element(n, net_format(n, "%sinput", inner), NULL, "", NO_PLACE));
    net_join_tunnel(
        n, net_element(n, net_format(n, "%soutput", inner), NULL, "", NO_PLACE),
        tunnel);
    net_add_net(n, &p->by, inner);
    return tunnel;
}

static void replace(struct pattern *p, struct match *m)
{
    struct net *n = m->body;
    const char *prefix = new_prefix(n, p), *inner = net_format(n, "%s/", prefix);
    const char **old = arena_alloc_aligned(n->arena, p->what.n_elements + 1,
                                           sizeof *old, 16);
    uint32_t tunnel;

    if (!old)
        err(1, NULL);
    for (uint32_t i = 0; i < p->what.n_elements; i++)
        if (m->to[i] != NET_NONE) {
            old[i] = n->elements[m->to[i]].name;
            net_free(n, m->to[i]);
        }
    tunnel = insert(n, p, prefix);
    for (uint32_t e = 0; e < n->n_elements; e++)
        if (!n->elements[e].dead &&
            strncmp(n->elements[e].name, inner, strlen(inner)) == 0) {
            n->elements[e].mark = m->id;
            fill_config(m, &n->elements[e]);
        }
    keep_names(m, old, prefix);
    for (uint32_t i = 0; i < m->n_into; i++)
        net_connect(n, m->into[i].outside,
                    (struct net_port){tunnel, m->into[i].pattern.port});
    for (uint32_t i = 0; i < m->n_out_of; i++)
        net_connect(n, (struct net_port){tunnel, m->out_of[i].pattern.port},
                    m->out_of[i].outside);
    net_remove_tunnels(n);
}

static bool replace_one(struct net *n)
{
    for (uint32_t i = 0; i < n_patterns; i++) {
        struct match m;
        bool found;

        match_init(&m, &patterns[i].what, n, i + 1);
        found = match_find(&m);
        if (found)
            replace(&patterns[i], &m);
        match_fini(&m);
        if (found)
            return true;
    }
    return false;
}

/* Patterns from the last to the first, the other way round. */
static void turn_round(void)
{
    for (uint32_t i = 0; i < n_patterns; i++) {
        struct net what = patterns[i].what;

        patterns[i].what = patterns[i].by;
        patterns[i].by = what;
    }
    for (uint32_t i = 0; i < n_patterns / 2; i++) {
        struct pattern other = patterns[n_patterns - 1 - i];
        const char *name = patterns[i].name;

        patterns[n_patterns - 1 - i] = patterns[i];
        patterns[n_patterns - 1 - i].name = other.name;
        patterns[i] = other;
        patterns[i].name = name; /* names are not turned round: Click's */
    }
}

static void transform(struct net *n, bool reverse)
{
    uint32_t count = 0;

    if (!any_files)
        fprintf(stderr, "warning: no patterns read\n");
    if (reverse)
        turn_round();
    while (replace_one(n))
        if (++count == MAX_REPLACEMENTS)
            errx(1, "patterns still match after %d replacements", MAX_REPLACEMENTS);
    if (count)
        net_remove_dead(n);
}

static int work(struct tool *t, struct tool_config *c)
{
    int status;

    transform(&c->net, t->reverse);
    status = tool_write_config(t, c);
    for (uint32_t i = 0; i < n_patterns; i++) {
        net_fini(&patterns[i].what);
        net_fini(&patterns[i].by);
    }
    return status;
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-xform",
                     .usage = usage,
                     .summary = "[ROUTERFILE] [PATTERNFILE]...",
                     .short_options = "p:r",
                     .long_options = options,
                     .option = set_option,
                     .source = take_source};
    int status;

    patterns = calloc(MAX_PATTERNS, sizeof *patterns);
    if (!patterns)
        err(1, NULL);
    status = tool_main(&t, argc, argv, work);
    free(patterns);
    return status;
}
