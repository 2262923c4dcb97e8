// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_fastclassifier.c -- `click-fastclassifier`: classifiers made one
 *
 * Click's program makes a Classifier that follows another one part of it, and then writes
 * C++ for each. Elements here compile their patterns when they are configured, so that the
 * second step has nothing left to do; its options are accepted for the sake of scripts.
 */

#include "driver/tools/tool.h"

#include <string.h>

static const char usage[] =
    "'Click-fastclassifier' makes adjacent Classifiers one, and writes the result, "
    "flat.\n"
    "There is no code to generate: elements compile their patterns themselves.\n"
    "\n"
    "Usage: click-fastclassifier [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "      --no-combine          Do not make adjacent Classifiers one.\n"
    "  -c, --config              Write the configuration only, not an archive.\n"
    "  -s, --source              Write generated code only: none.\n"
    "  -r, --reverse             Write the configuration as it is.\n"
    "  -k, --kernel; -u, --user; -q, --quiet; -V, --verbose; --no-classes\n"
    "                            Accepted.\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

enum { OPT_COMBINE = 2000, OPT_IGNORED };

static const struct option options[] = {
    TOOL_NEGATABLE("combine", OPT_COMBINE),
    TOOL_NEGATABLE("classes", OPT_IGNORED),
    TOOL_GENERATOR_OPTIONS,
    TOOL_NEGATABLE("quiet", 'q'),
    TOOL_NEGATABLE("verbose", 'V'),
    {NULL, 0, NULL, 0},
};

/* A configuration could have Classifiers that grow for ever. */
enum { WORDS_MAX = 4096, ROUNDS_MAX = 4096 };

static bool combine = true;

static int set_option(struct tool *t, int c, const char *arg)
{
    bool yes;

    if (tool_option(c, &yes) != OPT_COMBINE)
        return tool_generator_option(t, c, arg);
    combine = yes;
    return 0;
}

/* What one of the two consists of: its patterns, and the connection behind each. */
struct classifier {
    uint32_t element;
    const char *const *words;
    uint32_t *hops; /* [n], in the arena */
    uint32_t n;
};

/* False: not every pattern leads to one place. */
static bool look_at(struct net *n, uint32_t element, struct classifier *c)
{
    int words = lang_split_args(n->arena, n->elements[element].config, &c->words);

    c->element = element;
    c->n = n->elements[element].n_ports[NET_FROM];
    if (words <= 0 || (uint32_t)words != c->n)
        return false;
    c->hops = arena_alloc(n->arena, c->n * sizeof *c->hops);
    for (uint32_t i = 0; c->hops && i < c->n; i++) {
        c->hops[i] = net_sole(n, (struct net_port){element, i}, NET_FROM);
        if (c->hops[i] == NET_NONE ||
            n->connections[c->hops[i]].end[NET_TO].element == element)
            return false;
    }
    return c->hops != NULL;
}

/* Both patterns have to match: "-" always does. */
static const char *both(struct net *n, const char *a, const char *b)
{
    if (strcmp(b, "-") == 0)
        return a;
    return strcmp(a, "-") == 0 ? b : net_format(n, "%s %s", a, b);
}

/* Put the patterns of `to` in place of the one of `from` that leads there. */
static bool combine_two(struct net *n, struct net_port from_port, uint32_t to_element)
{
    struct classifier from, to;
    const char **words;
    uint32_t at = from_port.port, k = 0;

    if (from_port.element == to_element || !look_at(n, from_port.element, &from) ||
        !look_at(n, to_element, &to) || from.n + to.n > WORDS_MAX)
        return false;
    words = arena_alloc(n->arena, (from.n + to.n) * sizeof *words);
    if (!words)
        return false;
    for (uint32_t i = 0; i < at; i++)
        words[k++] = from.words[i];
    for (uint32_t i = 0; i < to.n; i++)
        words[k++] = both(n, from.words[at], to.words[i]);
    for (uint32_t i = at + 1; i < from.n; i++)
        words[k++] = from.words[i];
    n->elements[from.element].config = net_join_args(n, words, (int)k);
    net_disconnect(n, from.hops[at]);
    for (uint32_t i = from.n; i-- > at + 1;)
        net_change(n, from.hops[i], NET_FROM,
                   (struct net_port){from.element, i + to.n - 1});
    for (uint32_t i = 0; i < to.n; i++)
        net_connect(n, (struct net_port){from.element, at + i},
                    n->connections[to.hops[i]].end[NET_TO]);
    return true;
}

/* Make it part of a Classifier that leads to it; whether there was one. */
static bool combine_one(struct net *n, uint32_t element)
{
    struct net_port input = {element, 0};

    for (uint32_t c = net_first(n, input, NET_TO); c != NET_NONE;
         c = net_next(n, c, NET_TO)) {
        struct net_port from = n->connections[c].end[NET_FROM];

        if (net_is(n, from.element, "Classifier") && combine_two(n, from, element))
            return true;
    }
    return false;
}

static void combine_all(struct net *n)
{
    bool any = false;

    for (uint32_t i = 0; i < n->n_elements; i++)
        for (int rounds = 0;
             net_is(n, i, "Classifier") && rounds < ROUNDS_MAX && combine_one(n, i);
             rounds++)
            any = true;
    for (uint32_t i = 0; any && i < n->n_elements; i++)
        if (net_is(n, i, "Classifier") &&
            net_first(n, (struct net_port){i, 0}, NET_TO) == NET_NONE)
            n->elements[i].dead = true;
    if (any)
        net_remove_dead(n);
}

static int work(struct tool *t, struct tool_config *c)
{
    if (!t->reverse && combine)
        combine_all(&c->net);
    if (t->reverse || !t->only_source)
        return tool_write_config(t, c);
    tool_error(t, "no source code generated");
    return 1;
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-fastclassifier",
                     .usage = usage,
                     .short_options = "ckqrsuV",
                     .long_options = options,
                     .option = set_option};

    return tool_main(&t, argc, argv, work);
}
