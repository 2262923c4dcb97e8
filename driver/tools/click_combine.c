// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_combine.c -- `click-combine`: several configurations as one
 *
 * Routers are joined at their devices: what one sends to a ToDevice comes out of another's
 * FromDevice. A RouterLink element takes the place of both; its arguments tell what stood
 * there, and the archive's file "componentmap" names the routers, so that click-uncombine
 * can take them apart again.
 */

#include "driver/tools/tool.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "'Click-combine' joins several configurations at their network devices and writes "
    "the\n"
    "combined configuration. Links tell which devices belong together. "
    "Click-uncombine\n"
    "takes a component out of it again.\n"
    "\n"
    "Usage: click-combine [OPTION]... [ROUTERFILE | ROUTERNAME=FILE | LINKSPEC]\n"
    "\n"
    "Options:\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -n, --name NAME           The next router is called NAME.\n"
    "  -f, --file FILE           Read a router's configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as a router's configuration.\n"
    "  -l, --link LINKSPEC       Link routers: 'NAME1.COMP1=NAME2.COMP2', where COMP "
    "is "
    "an\n"
    "                            element's name or a device's (of To-, From- or "
    "PollDevice).\n"
    "  -c, --config              Write the configuration only, not an archive.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

static const struct option options[] = {
    {"config", no_argument, NULL, 'c'},
    {"link", required_argument, NULL, 'l'},
    {"name", required_argument, NULL, 'n'},
    {NULL, 0, NULL, 0},
};

enum { MAX_ROUTERS = 1024, MAX_LINKS = 4096 };

struct router {
    const char *name;
    struct tool_config config;
};

struct end {
    uint32_t router, element;
};

struct link {
    struct end from, to;
    uint32_t id; /* links with ends in common have one */
};

static struct router *routers; /* [MAX_ROUTERS] */
static uint32_t n_routers, next_number = 1;
static const char *link_texts[MAX_LINKS];
static struct link links[MAX_LINKS];
static uint32_t n_link_texts, n_links;
static const char *next_name;
static struct tool *tool;

/* --- the command line ------------------------------------------------------------------------ */

static int add_link(const char *text)
{
    if (n_link_texts == MAX_LINKS) {
        tool_error(tool, "too many links");
        return -1;
    }
    link_texts[n_link_texts++] = text;
    return 0;
}

static int set_option(struct tool *t, int c, const char *arg)
{
    if (c == 'c')
        t->only_config = true;
    if (c == 'l')
        return add_link(arg);
    if (c != 'n')
        return 0;
    if (next_name)
        fprintf(stderr, "click-combine: warning: router name specified twice\n");
    next_name = arg;
    return 0;
}

static void check_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "_/@0123456789";
    size_t len = strlen(name);

    if (name[strspn(name, letters)] || strstr(name, "//") || name[0] == '/' ||
        name[len - 1] == '/') {
        fprintf(stderr, "router name '%s' is not a legal Click identifier\n", name);
        tool->errors++;
    }
}

static int read_router(const char *name, const char *file, const char *expression)
{
    struct router *r = &routers[n_routers];

    if (n_routers == MAX_ROUTERS) {
        tool_error(tool, "too many routers");
        return -1;
    }
    if (name && next_name)
        fprintf(stderr, "warning: router name specified twice ('%s' and '%s')\n",
                next_name, name);
    else if (name)
        next_name = name;
    if (tool_read(tool, file, expression, true, &r->config) == 0) {
        if (next_name && *next_name)
            check_name(next_name);
        else
            next_name = net_format(&r->config.net, "%u", next_number);
        r->name = next_name;
        n_routers++;
    }
    next_name = NULL;
    next_number++;
    return 0;
}

/* NAME:FILE, NAME=FILE, a link, or a file. */
static int take_source(struct tool *t, int how, const char *arg)
{
    const char *colon = strchr(arg, ':'), *equals = strchr(arg, '=');
    const char *dot = strchr(arg, '.'), *at = colon ? colon : equals;
    char *name;

    (void)t;
    if (how)
        return read_router(NULL, how == 'f' ? arg : NULL, how == 'e' ? arg : NULL);
    if (!at)
        return read_router(NULL, arg, NULL);
    if (!colon && dot && dot < equals)
        return add_link(arg);
    name = arena_strndup(tool->arena, arg, (size_t)(at - arg));
    if (!name)
        err(1, NULL);
    return read_router(name, at + 1, NULL);
}

/* --- links ----------------------------------------------------------------------------------- */

static const char *first_arg(const struct net *n, const char *config)
{
    const char *const *args;

    return lang_split_args(n->arena, config, &args) > 0 ? args[0] : NULL;
}

/* The element of that class for the device; NET_NONE: there is none, or are several. */
static uint32_t find_device(const struct router *r, const char *device,
                            const char *class_1, const char *class_2)
{
    const struct net *n = &r->config.net;
    const char *wanted = first_arg(n, device), *arg;
    uint32_t found = NET_NONE;

    for (uint32_t e = 0; wanted && e < n->n_elements; e++) {
        if (!net_is(n, e, class_1) && !(class_2 && net_is(n, e, class_2)))
            continue;
        arg = first_arg(n, n->elements[e].config);
        if (!arg || strcmp(arg, wanted) != 0)
            continue;
        if (found == NET_NONE) {
            found = e;
            continue;
        }
        if (class_2)
            tool_error(tool,
                       "more than one '%s(%s)' or '%s(%s)' element in router '%s'",
                       class_1, wanted, class_2, wanted, r->name);
        else
            tool_error(tool, "more than one '%s(%s)' element in router '%s'", class_1,
                       wanted, r->name);
        return NET_NONE;
    }
    return found;
}

static uint32_t find_router(const char *name)
{
    for (uint32_t i = 0; i < n_routers; i++)
        if (strcmp(routers[i].name, name) == 0)
            return i;
    return NET_NONE;
}

/* "a.x=b.y" in its four parts; blanks around them are ignored. */
static bool split_link(const char *text, char *part[4])
{
    static const char separators[] = {'.', '=', '.', '\0'};

    for (int i = 0; i < 4; i++) {
        size_t n;

        text += strspn(text, " \t\r\n");
        n = strcspn(text, ".= \t\r\n");
        part[i] = arena_strndup(tool->arena, text, n);
        if (!part[i])
            err(1, NULL);
        text += n;
        text += strspn(text, " \t\r\n");
        if (!n || *text != separators[i])
            return false;
        text++;
    }
    return true;
}

static void check_class(const struct end *e, const char *name, const char *expected,
                        bool fits)
{
    if (fits)
        return;
    fprintf(stderr,
            "click-combine: warning: router '%s' element '%s' has unexpected class\n",
            routers[e->router].name, name);
    fprintf(stderr, "click-combine:   expected %s, got %s\n", expected,
            routers[e->router].config.net.elements[e->element].class_name);
}

static void no_element(const char *router, const char *name)
{
    tool_error(tool, "router '%s' has no element or device named '%s'", router, name);
}

static void parse_link(const char *text)
{
    struct end from, to;
    const struct net *a, *b;
    char *part[4];

    if (!split_link(text, part)) {
        tool_error(tool, "bad link definition '%s'", text);
        return;
    }
    if ((from.router = find_router(part[0])) == NET_NONE)
        tool_error(tool, "no router named '%s'", part[0]);
    if ((to.router = find_router(part[2])) == NET_NONE)
        tool_error(tool, "no router named '%s'", part[2]);
    if (from.router == NET_NONE || to.router == NET_NONE)
        return;
    a = &routers[from.router].config.net;
    b = &routers[to.router].config.net;
    if ((from.element = net_find(a, part[1])) == NET_NONE)
        from.element = find_device(&routers[from.router], part[1], "ToDevice", NULL);
    if ((to.element = net_find(b, part[3])) == NET_NONE)
        to.element = find_device(&routers[to.router], part[3], "FromDevice",
                                 "PollDevice");
    if (from.element == NET_NONE)
        no_element(part[0], part[1]);
    if (to.element == NET_NONE)
        no_element(part[2], part[3]);
    if (from.element == NET_NONE || to.element == NET_NONE)
        return;
    check_class(&from, part[1], "ToDevice", net_is(a, from.element, "ToDevice"));
    check_class(&to, part[3], "FromDevice or PollDevice",
                net_is(b, to.element, "FromDevice") ||
                    net_is(b, to.element, "PollDevice"));
    links[n_links++] = (struct link){from, to, n_links};
}

static bool same_end(struct end a, struct end b)
{
    return a.router == b.router && a.element == b.element;
}

/* Links that share an end are one; no element may be both a source and a destination. */
static void combine_links(void)
{
    bool changed = true;

    for (uint32_t i = 1; i < n_links; i++)
        for (uint32_t j = 0; j < i; j++)
            if (same_end(links[i].from, links[j].to) ||
                same_end(links[j].from, links[i].to)) {
                struct end e = links[i].from;

                tool_error(tool,
                           "router '%s' element '%s' used as both source and "
                           "destination",
                           routers[e.router].name,
                           routers[e.router].config.net.elements[e.element].name);
            }
    if (tool->errors)
        exit(1);
    while (changed) {
        changed = false;
        for (uint32_t i = 1; i < n_links; i++)
            for (uint32_t j = 0; j < i; j++)
                if (links[i].id != links[j].id &&
                    (same_end(links[i].from, links[j].from) ||
                     same_end(links[i].to, links[j].to))) {
                    links[i].id = links[j].id;
                    changed = true;
                }
    }
}

/* The ends at one side of the links with this id, each once, in order. */
static uint32_t collect(uint32_t id, enum net_end side, struct end *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_links; i++) {
        struct end e = side == NET_FROM ? links[i].from : links[i].to;
        bool there = links[i].id != id;

        for (uint32_t k = 0; k < n && !there; k++)
            there = same_end(out[k], e);
        if (!there)
            out[n++] = e;
    }
    return n;
}

/* --- the combination ----------------------------------------------------------------------------- */

/* A link of a router that is a combination itself: its parts have longer names now. */
static void fix_nested(struct net *n, uint32_t e)
{
    const char *name = n->elements[e].name, *slash = strchr(name, '/');
    const char *const *args, **fixed;
    int n_args = lang_split_args(n->arena, n->elements[e].config, &args);

    if (n_args <= 0 || !slash)
        return;
    fixed = arena_alloc_aligned(n->arena, (size_t)n_args, sizeof *fixed, 16);
    if (!fixed)
        err(1, NULL);
    for (int i = 0; i < n_args; i++)
        fixed[i] = i % 2 ? args[i]
                         : net_format(n, "%.*s%s", (int)(slash + 1 - name), name,
                                      args[i]);
    n->elements[e].config = net_join_args(n, fixed, n_args);
}

static void make_link(struct net *n, uint32_t id)
{
    static uint32_t number;
    static struct end ends[2 * MAX_LINKS];
    uint32_t n_from = collect(id, NET_FROM, ends);
    uint32_t total = n_from + collect(id, NET_TO, ends + n_from), link;
    const char **words = arena_alloc_aligned(n->arena, 2 * (size_t)total, sizeof *words,
                                             16);
    uint32_t *inner = arena_alloc_aligned(n->arena, total, sizeof *inner, 16);

    if (!words || !inner)
        err(1, NULL);
    for (uint32_t i = 0; i < total; i++) {
        const struct router *r = &routers[ends[i].router];
        const struct net_element *e = &r->config.net.elements[ends[i].element];

        inner[i] = net_find(n, net_format(n, "%s/%s", r->name, e->name));
        words[2 * i] = net_format(n, "%s %s %s", r->name, e->name, e->class_name);
        words[2 * i + 1] = e->config;
    }
    link = net_element(n, net_format(n, "link%u", ++number), "RouterLink",
                       net_join_args(n, words, (int)(2 * total)),
                       (struct place){"<click-combine>", 0, 0});
    for (uint32_t i = 0; i < total; i++) {
        struct net_port at = {link, i < n_from ? i : i - n_from}, old = {inner[i], 0};

        if (i < n_from)
            net_insert_before(n, at, old);
        else
            net_insert_after(n, at, old);
        net_free(n, inner[i]);
    }
}

static void add_links(struct net *n)
{
    static bool done[MAX_LINKS];

    if (!n_links)
        fprintf(stderr, "warning: no links between routers\n");
    for (uint32_t i = 0; i < n_links; i++)
        if (!done[links[i].id]) {
            done[links[i].id] = true;
            make_link(n, links[i].id);
        }
}

static void set_file(struct archive *a, const char *name, const struct sbuf *text)
{
    struct archive_file *f = archive_put(a, tool->arena, name, 0600);

    if (!f || text->failed ||
        !(f->data = arena_strndup(tool->arena, sbuf_text(text), text->len)))
        err(1, NULL);
    f->len = text->len;
}

/* The names of all routers, and of those that they were combined from. */
static void add_component_map(struct archive *a)
{
    struct sbuf text = SBUF_INIT;

    for (uint32_t i = 0; i < n_routers; i++) {
        const struct archive_file *f = archive_find(&routers[i].config.archive,
                                                    "componentmap");
        const char *s = f ? f->data : "", *end = s + (f ? f->len : 0);

        sbuf_printf(&text, "%s\n", routers[i].name);
        while (s < end) {
            size_t n = 0;

            while (s + n < end && s[n] > ' ')
                n++;
            if (n)
                sbuf_printf(&text, "%s/%.*s\n", routers[i].name, (int)n, s);
            s += n + 1;
        }
    }
    set_file(a, "componentmap", &text);
    sbuf_fini(&text);
}

/* What Click's other tools must know about the element that was added. */
static void add_element_map(struct archive *a)
{
    struct sbuf text = SBUF_INIT;

    sbuf_puts(&text, "<?xml version=\"1.0\" standalone=\"yes\"?>\n"
                     "<elementmap xmlns=\"http://www.lcdf.org/click/xml/\">\n"
                     "  <entry name=\"RouterLink\" processing=\"l/h\" flowcode=\"x/x\" "
                     "flags=\"S3\" />\n"
                     "</elementmap>\n");
    set_file(a, "elementmap.xml", &text);
    sbuf_fini(&text);
}

static void add_files(struct archive *a)
{
    for (uint32_t i = 0; i < n_routers; i++) {
        const struct archive *from = &routers[i].config.archive;

        for (size_t k = 0; k < from->n; k++) {
            const char *name = from->files[k].name;
            struct archive_file *f;

            if (!name || !strcmp(name, "config") || !strcmp(name, "componentmap") ||
                !strcmp(name, "elementmap.xml"))
                continue;
            if (archive_find(a, name)) {
                tool_error(tool, "expansion confict: two archive elements named '%s'",
                           name);
            } else if ((f = archive_put(a, tool->arena, name, 0))) {
                *f = from->files[k];
            }
        }
    }
    if (n_links)
        add_element_map(a);
    add_component_map(a);
}

static void check_routers(void)
{
    if (!n_routers) {
        tool_error(tool, "no routers specified");
        exit(1);
    }
    for (uint32_t i = 0; i < n_routers; i++)
        if (find_router(routers[i].name) != i) {
            tool_error(tool, "two routers named '%s'", routers[i].name);
            exit(1);
        }
    for (uint32_t i = 0; i < n_link_texts; i++)
        parse_link(link_texts[i]);
    if (tool->errors)
        exit(1);
}

static void combine(struct tool_config *c)
{
    uint32_t n_requirements = 0;

    net_init(&c->net, tool->arena);
    for (uint32_t i = 0; i < n_routers; i++)
        n_requirements += routers[i].config.net.n_requirements;
    c->net.requirements = arena_alloc_aligned(tool->arena, n_requirements + 1,
                                              sizeof *c->net.requirements, 16);
    if (!c->net.requirements)
        err(1, NULL);
    for (uint32_t i = 0; i < n_routers; i++) {
        const struct net *n = &routers[i].config.net;

        net_add_net(&c->net, n, net_format(&c->net, "%s/", routers[i].name));
        for (uint32_t k = 0; k < n->n_requirements; k++)
            c->net.requirements[c->net.n_requirements++] = n->requirements[k];
    }
    for (uint32_t e = 0; e < c->net.n_elements; e++)
        if (net_is(&c->net, e, "RouterLink"))
            fix_nested(&c->net, e);
    combine_links();
    add_links(&c->net);
    if (!tool->only_config)
        add_files(&c->archive);
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-combine",
                     .usage = usage,
                     .short_options = "cl:n:",
                     .long_options = options,
                     .option = set_option,
                     .source = take_source,
                     .no_defines = true};
    struct tool_config c = {0};
    int status;

    tool = &t;
    routers = calloc(MAX_ROUTERS, sizeof *routers);
    if (!routers)
        err(1, NULL);
    tool_options(&t, argc, argv);
    check_routers();
    combine(&c);
    status = t.errors ? 1 : tool_write_config(&t, &c);
    tool_config_fini(&c);
    for (uint32_t i = 0; i < n_routers; i++)
        tool_config_fini(&routers[i].config);
    free(routers);
    arena_free(t.arena);
    return status;
}
