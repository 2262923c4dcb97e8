// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_uncombine.c -- `click-uncombine`: one of the routers that were combined
 *
 * The links tell which devices stood there: they come back. All that is connected to them
 * or carries the component's name is the component; the rest is dropped.
 */

#include "driver/tools/tool.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "'Click-uncombine' reads a configuration that click-combine wrote and writes one "
    "of "
    "its\n"
    "components.\n"
    "\n"
    "Usage: click-uncombine [OPTION]... [ROUTERFILE [COMPONENTNAME]]\n"
    "\n"
    "Options:\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -n, --name NAME           Write the component called NAME.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                        {NULL, 0, NULL, 0}};

static const char *component;
static struct tool *tool;

static int set_name(struct tool *t, int c, const char *arg)
{
    (void)c;
    if (component) {
        tool_error(t, "component name specified twice");
        return -1;
    }
    component = arg;
    return 0;
}

/* The first argument is the file, the second the component. */
static int take_source(struct tool *t, int how, const char *arg)
{
    if (how == 'e') {
        tool_error(t, "-e is not taken: only archives have components");
        return -1;
    }
    if (!t->file) {
        t->file = arg;
        return 0;
    }
    if (how == 'f') {
        tool_error(t, "combined router specified twice");
        return -1;
    }
    return set_name(t, 'n', arg);
}

/* --- links --------------------------------------------------------------------------------- */

struct part {
    const char *component, *element, *class_name, *config;
};

struct link {
    struct part *parts; /* those before `n_in` stood behind inputs */
    uint32_t n, n_in;
};

static int strange(const struct net *n, uint32_t e)
{
    fprintf(stderr, "RouterLink '%s' has strange configuration\n", n->elements[e].name);
    tool->errors++;
    return -1;
}

static int read_link(struct net *n, uint32_t e, struct link *l)
{
    const struct net_element *x = &n->elements[e];
    const char *const *args, *const *words;
    int n_args = lang_split_args(n->arena, x->config, &args);

    l->n_in = x->n_ports[NET_TO];
    l->n = l->n_in + x->n_ports[NET_FROM];
    if (n_args < 0 || (uint32_t)n_args != 2 * l->n || !l->n_in || l->n == l->n_in)
        return strange(n, e);
    l->parts = arena_alloc_aligned(n->arena, l->n, sizeof *l->parts, 16);
    if (!l->parts)
        err(1, NULL);
    for (uint32_t i = 0; i < l->n; i++) {
        if (lang_split_words(n->arena, args[2 * i], &words) != 3)
            return strange(n, e);
        l->parts[i] = (struct part){words[0], words[1], words[2], args[2 * i + 1]};
    }
    return 0;
}

static bool has_prefix(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 && name[n] == '/';
}

/* Put back what part `i` of the link says. */
static void restore(struct net *n, uint32_t link, const struct link *l, uint32_t i)
{
    const struct part *p = &l->parts[i];
    const char *full = net_format(n, "%s/%s", p->component, p->element);
    struct net_port at = {link, i < l->n_in ? i : i - l->n_in}, end = {0, 0};

    if (net_find(n, full) != NET_NONE) {
        fprintf(stderr, "RouterLink '%s' element '%s' already exists\n",
                n->elements[link].name, full);
        tool->errors++;
        return;
    }
    end.element = net_element(n, p->element, p->class_name, p->config,
                              (struct place){"<click-uncombine>", 0, 0});
    if (i < l->n_in)
        net_insert_before(n, end, at);
    else
        net_insert_after(n, end, at);
    n->elements[end.element].mark = 1;
}

static void remove_link(struct net *n, uint32_t e, const char *name)
{
    bool ours = false, inside = false;
    struct link l;

    if (read_link(n, e, &l) < 0)
        return;
    for (uint32_t i = 0; i < l.n; i++) {
        ours |= strcmp(l.parts[i].component, name) == 0;
        inside |= has_prefix(l.parts[i].component, name);
    }
    if (!ours) {
        n->elements[e].mark = inside; /* it links parts of the component */
        return;
    }
    for (uint32_t i = 0; i < l.n; i++)
        if (strcmp(l.parts[i].component, name) == 0)
            restore(n, e, &l, i);
    net_free(n, e);
}

/* --- the component -------------------------------------------------------------------------- */

/* Mark what is connected to what is marked. */
static void mark_connected(struct net *n)
{
    uint32_t *queue = arena_alloc_aligned(n->arena, n->n_elements + 1, sizeof *queue,
                                          16);
    uint32_t end = 0;

    if (!queue)
        err(1, NULL);
    for (uint32_t e = 0; e < n->n_elements; e++)
        if (n->elements[e].mark)
            queue[end++] = e;
    for (uint32_t i = 0; i < end; i++)
        for (int side = 0; side < 2; side++)
            for (uint32_t c = n->elements[queue[i]].first[side]; c != NET_NONE;
                 c = n->connections[c].next[side]) {
                uint32_t other = n->connections[c].end[!side].element;

                if (n->elements[other].mark)
                    continue;
                n->elements[other].mark = 1;
                queue[end++] = other;
            }
}

static void keep_component(struct net *n, const char *name)
{
    size_t len = strlen(name) + 1;

    for (uint32_t e = 0; e < n->n_elements; e++)
        if (!n->elements[e].dead && has_prefix(n->elements[e].name, name))
            n->elements[e].mark = 1;
    mark_connected(n);
    for (uint32_t e = 0; e < n->n_elements; e++)
        if (!n->elements[e].mark)
            n->elements[e].dead = true;
    net_free_dead(n);
    for (uint32_t e = 0; e < n->n_elements; e++) {
        const char *old = n->elements[e].name;

        if (!n->elements[e].dead && has_prefix(old, name) &&
            net_find(n, old + len) == NET_NONE)
            net_rename(n, e, old + len);
        n->elements[e].mark = 0;
    }
}

/* The links inside it lose the component's name in front of their parts'. */
static void fix_nested(struct net *n, uint32_t e, const char *name)
{
    const char *const *args, **fixed;
    int n_args = lang_split_args(n->arena, n->elements[e].config, &args);

    if (n_args <= 0)
        return;
    fixed = arena_alloc_aligned(n->arena, (size_t)n_args, sizeof *fixed, 16);
    if (!fixed)
        err(1, NULL);
    for (int i = 0; i < n_args; i++)
        fixed[i] = i % 2 == 0 && has_prefix(args[i], name) ? args[i] + strlen(name) + 1
                                                           : args[i];
    n->elements[e].config = net_join_args(n, fixed, n_args);
}

/* Is the component in the map? The map becomes that of its own components. */
static bool narrow_map(struct archive_file *map, const char *name)
{
    struct sbuf rest = SBUF_INIT;
    const char *s = map->data, *end = s + map->len;
    size_t len = strlen(name);
    bool found = false;

    while (s < end) {
        size_t n = 0;

        while (s + n < end && s[n] > ' ')
            n++;
        found |= n == len && memcmp(s, name, n) == 0;
        if (n > len + 1 && memcmp(s, name, len) == 0 && s[len] == '/')
            sbuf_printf(&rest, "%.*s\n", (int)(n - len - 1), s + len + 1);
        s += n + 1;
    }
    map->len = rest.len;
    map->data = arena_strndup(tool->arena, sbuf_text(&rest), rest.len);
    if (!map->data)
        err(1, NULL);
    sbuf_fini(&rest);
    return found;
}

static void take_out(struct tool_config *c, const char *name, const char *prefix)
{
    struct archive_file *map = archive_find(&c->archive, "componentmap");
    struct net *n = &c->net;
    uint32_t last = n->n_elements;

    if (!map || !narrow_map(map, name)) {
        fprintf(stderr, "%s: no '%s%s' component\n", c->name, prefix, name);
        exit(1);
    }
    for (uint32_t e = 0; e < last; e++)
        if (net_is(n, e, "RouterLink"))
            remove_link(n, e, name);
    keep_component(n, name);
    for (uint32_t e = 0; e < n->n_elements; e++)
        if (net_is(n, e, "RouterLink"))
            fix_nested(n, e, name);
    net_flatten(n);
    if (tool->errors)
        exit(1);
    if (!map->len)
        map->name = NULL;
}

static void uncombine(struct tool_config *c)
{
    char *rest = arena_strdup(tool->arena, component ? component : "");
    const char *prefix = "";

    if (!rest)
        err(1, NULL);
    if (!archive_find(&c->archive, "componentmap")) {
        fprintf(stderr, "%s: not created by 'click-combine' (no 'componentmap')\n",
                c->name);
        exit(1);
    }
    if (!*rest) {
        tool_error(tool, "no component specified");
        exit(1);
    }
    while (rest) {
        char *name = rest, *slash = strchr(rest, '/');

        if (slash)
            *slash = '\0';
        rest = slash ? slash + 1 : NULL;
        take_out(c, name, prefix);
        prefix = net_format(&c->net, "%s%s/", prefix, name);
    }
}

static int work(struct tool *t, struct tool_config *c)
{
    uncombine(c);
    return tool_write_config(t, c);
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-uncombine",
                     .usage = usage,
                     .short_options = "n:",
                     .long_options = options,
                     .option = set_name,
                     .source = take_source,
                     .no_defines = true};

    tool = &t;
    return tool_main(&t, argc, argv, work);
}
