// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_undead.c -- `click-undead`: a configuration without its dead parts
 *
 * An element is alive when packets can come to it from a source and go from it to a sink,
 * or when it has no ports at all. A source is an element without inputs, a sink one
 * without outputs, unless flags say otherwise. Packets go through elements along their
 * flow codes. What does nothing (Null, switches that never move) goes first, so that what
 * hangs behind it is seen to be dead; schedulers and tees with one port left go last.
 */

#include "driver/tools/tool.h"
#include "engine/catalogue.h"
#include "engine/element.h"
#include "engine/parse.h"
#include "engine/router_impl.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "'Click-undead' removes the parts of a configuration that no packet can pass "
    "through:\n"
    "elements that are not connected to a source and to a sink of packets. It also "
    "removes\n"
    "elements that do nothing, such as Null and StaticSwitch.\n"
    "\n"
    "Usage: click-undead [OPTION]... [ROUTERFILE] [VAR=VALUE]...\n"
    "\n"
    "Options:\n"
    "  -f, --file FILE           Read the configuration from FILE.\n"
    "  -e, --expression EXPR     Use EXPR as the configuration.\n"
    "  -o, --output FILE         Write to FILE.\n"
    "  -c, --config              Write the configuration only, not an archive.\n"
    "  -V, --verbose             Tell what is removed and why.\n"
    "  -u, --user; -k, --kernel  Accepted.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

static const struct option options[] = {
    TOOL_NEGATABLE("user", 'u'),
    TOOL_NEGATABLE("kernel", 'k'),
    TOOL_NEGATABLE("config", 'c'),
    TOOL_NEGATABLE("verbose", 'V'),
    {NULL, 0, NULL, 0},
};

static bool verbose;

static int set_option(struct tool *t, int c, const char *arg)
{
    bool yes;

    (void)arg;
    c = tool_option(c, &yes);
    if (c == 'c')
        t->only_config = yes;
    if (c == 'V')
        verbose = yes;
    return 0;
}

/* --- what is known about elements ---------------------------------------------------------- */

enum { SOURCE = 1, SINK = 2 };

/* Classes for which the numbers of their ports do not tell. */
static const struct {
    const char *name;
    uint8_t ends;
} flags[] = {
    {"DRRSched", 0},         {"Idle", 0},
    {"KernelTap", 3},        {"KernelTun", 3},
    {"PrioSched", 0},        {"RoundRobinSched", 0},
    {"RouterLink", 3},       {"SimplePrioSched", 0},
    {"SimpleRRSched", 0},    {"SimpleRoundRobinSched", 0},
    {"Socket", 3},           {"StrideSched", 0},
    {"ToDevice", SINK},      {"ToDump", SINK},
    {"ToIPFlowDumps", SINK}, {"ToIPSummaryDump", SINK},
};

/* Classes whose packets have to do with each other on all paths. */
static bool ignores_flow(const char *name)
{
    return strcmp(name, "ARPQuerier") == 0;
}

static int compare_names(const void *key, const void *member)
{
    return strcmp(key, *(const char *const *)member);
}

static const struct element_class *find_class(const char *name)
{
    const char *const *found = bsearch(name, catalogue_names, catalogue_n,
                                       sizeof *catalogue_names, compare_names);

    return found ? catalogue_classes[found - catalogue_names] : NULL;
}

/* What the tool knows beyond the net. */
struct undead {
    struct net n;
    /* Ports as they were at the start, by element: what was lost since gets an Idle.
     * UINT32_MAX: whatever it has. */
    uint32_t (*ports)[2];
    uint32_t room;
};

static struct place here(void)
{
    return (struct place){"<click-undead>", 0, 0};
}

__attribute__((format(printf, 3, 4))) static void say(const struct net *n, uint32_t e,
                                                      const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s:%u: ", n->elements[e].at.file ? n->elements[e].at.file : "",
            n->elements[e].at.line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static const char *declaration(struct net *n, uint32_t e)
{
    return net_format(n, "%s :: %s", n->elements[e].name, n->elements[e].class_name);
}

static void *need(struct net *n, size_t count, size_t size)
{
    void *p = arena_alloc_aligned(n->arena, count + 1, size, 16);

    if (!p)
        err(1, NULL);
    return p;
}

/* The newest connection of each port. Returns how many ports there are. */
static uint32_t connections(struct net *n, uint32_t e, enum net_end end,
                            uint32_t **list)
{
    uint32_t n_ports = n->elements[e].n_ports[end];

    *list = need(n, n_ports, sizeof **list);
    for (uint32_t p = 0; p < n_ports; p++)
        (*list)[p] = net_first(n, (struct net_port){e, p}, end);
    return n_ports;
}

/* --- what does nothing --------------------------------------------------------------------- */

/* A switch that always takes one of its ports at `many`: what is connected to its other
 * side goes there, the other ports go to an Idle. */
static void remove_static(struct net *n, uint32_t e, enum net_end many)
{
    struct net_port one = {e, 0}, to;
    uint32_t *list, count = connections(n, e, many, &list), idle, at[2] = {0, 0};
    struct sbuf config = SBUF_INIT;
    int64_t value;

    lang_uncomment_into(&config, n->elements[e].config, strlen(n->elements[e].config));
    if (!parse_i64(sbuf_text(&config), 0, &value)) {
        say(n, e, "%s: bad configuration 'StaticSwitch(%s)'", n->elements[e].name,
            sbuf_text(&config));
        value = -1;
    }
    sbuf_fini(&config);
    for (uint32_t i = 0; i < count; i++)
        if (net_sole(n, (struct net_port){e, i}, many) == NET_NONE) {
            say(n, e, "odd connections %s '%s'", many == NET_FROM ? "from" : "to",
                declaration(n, e));
            break;
        }
    idle = net_element_unnamed(n, "Idle", here());
    to = (struct net_port){idle, 0};
    if (value >= 0 && value < count &&
        net_sole(n, (struct net_port){e, (uint32_t)value}, many) != NET_NONE)
        to = n->connections[list[value]].end[!many];
    else
        at[!many]++;
    net_move(n, one, to, !many);
    for (uint32_t i = 0; i < count; i++)
        if (i != value && list[i] != NET_NONE)
            net_change(n, list[i], many, (struct net_port){idle, at[many]++});
    n->elements[e].dead = true;
}

static void remove_useless(struct net *n)
{
    for (uint32_t e = 0, end = n->n_elements; e < end; e++)
        if (net_is(n, e, "StaticSwitch"))
            remove_static(n, e, NET_FROM);
    for (uint32_t e = 0, end = n->n_elements; e < end; e++)
        if (net_is(n, e, "StaticPullSwitch"))
            remove_static(n, e, NET_TO);
    for (uint32_t e = 0; e < n->n_elements; e++) {
        const struct net_element *x = &n->elements[e];

        if (!net_is(n, e, "Null"))
            continue;
        if (x->n_ports[NET_TO] != 1 || x->n_ports[NET_FROM] != 1) {
            say(n, e, "warning: odd connections to '%s'", declaration(n, e));
        } else if (!net_splice(n, e)) {
            say(n, e, "warning: odd connections to '%s'", declaration(n, e));
            n->elements[e].dead = true;
        }
    }
    net_remove_dead(n);
}

/* --- liveness --------------------------------------------------------------------------------- */

struct walk {
    struct net *n;
    const char **flow; /* by element */
    uint32_t *base;    /* by element: of its ports at the end that is entered */
    bool *seen;        /* by port */
    struct net_port *queue;
    uint32_t n_queue;
    enum net_end end; /* NET_TO: down, from output to input */
};

/* Follow the connections that leave a port. */
static void walk_port(struct walk *w, struct net_port p)
{
    struct net *n = w->n;

    for (uint32_t c = net_first(n, p, !w->end); c != NET_NONE;
         c = net_next(n, c, !w->end)) {
        struct net_port to = n->connections[c].end[w->end];
        bool *seen = &w->seen[w->base[to.element] + to.port];

        if (!*seen) {
            *seen = true;
            w->queue[w->n_queue++] = to;
        }
    }
}

static void walk_through(struct walk *w, struct net_port in)
{
    uint32_t n_out = w->n->elements[in.element].n_ports[!w->end];
    const char *flow = w->flow[in.element];

    for (uint32_t i = 0; i < n_out; i++)
        if (w->end == NET_TO ? flow_connects(flow, in.port, i)
                             : flow_connects(flow, i, in.port))
            walk_port(w, (struct net_port){in.element, i});
}

/* Mark the elements that can be reached from those in `marks` with `bit`. */
static void spread(struct net *n, const char **flow, uint8_t *marks, uint8_t bit,
                   enum net_end end)
{
    struct walk w = {.n = n, .flow = flow, .end = end};
    uint32_t total = 0;

    w.base = need(n, n->n_elements, sizeof *w.base);
    for (uint32_t e = 0; e < n->n_elements; e++) {
        w.base[e] = total;
        total += n->elements[e].n_ports[end];
    }
    w.seen = need(n, total, sizeof *w.seen);
    w.queue = need(n, total, sizeof *w.queue);
    for (uint32_t e = 0; e < n->n_elements; e++)
        for (uint32_t p = 0; (marks[e] & bit) && p < n->elements[e].n_ports[!end]; p++)
            walk_port(&w, (struct net_port){e, p});
    for (uint32_t i = 0; i < w.n_queue; i++)
        walk_through(&w, w.queue[i]);
    for (uint32_t i = 0; i < w.n_queue; i++)
        if (!net_is(n, w.queue[i].element, "Idle"))
            marks[w.queue[i].element] |= bit;
}

static uint8_t find_ends(struct net *n, uint32_t e)
{
    const struct net_element *x = &n->elements[e];
    const char *assuming = "assuming ";
    uint8_t ends = (uint8_t)((x->n_ports[NET_TO] ? 0 : SOURCE) |
                             (x->n_ports[NET_FROM] ? 0 : SINK));

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].name, x->class_name) == 0) {
            ends = flags[i].ends;
            assuming = "";
        }
    if (verbose && ends)
        say(n, e, "%s'%s' is %s", assuming, declaration(n, e),
            ends == SINK     ? "sink"
            : ends == SOURCE ? "source"
                             : "source and sink");
    return ends;
}

static void remove_dead(struct net *n)
{
    uint8_t *marks = need(n, n->n_elements, sizeof *marks);
    const char **flow = need(n, n->n_elements, sizeof *flow);

    for (uint32_t e = 0; e < n->n_elements; e++) {
        const struct element_class *k = find_class(n->elements[e].class_name);

        flow[e] = !k || ignores_flow(k->name) ? NULL : k->flow;
        marks[e] = find_ends(n, e);
    }
    spread(n, flow, marks, SOURCE, NET_TO);
    spread(n, flow, marks, SINK, NET_FROM);
    for (uint32_t e = 0; e < n->n_elements; e++) {
        struct net_element *x = &n->elements[e];

        if (marks[e] == (SOURCE | SINK))
            continue;
        if (!x->n_ports[NET_TO] && !x->n_ports[NET_FROM]) {
            if (verbose)
                say(n, e, "assuming '%s' is live", declaration(n, e));
            continue;
        }
        if (verbose)
            say(n, e, "removing '%s'", declaration(n, e));
        x->dead = true;
    }
    net_drop_dead_connections(n);
}

/* --- schedulers and tees ------------------------------------------------------------------------ */

/* Take port `p` out of the list; those behind it move up. */
static void remove_port(struct net *n, uint32_t e, enum net_end end, uint32_t *list,
                        uint32_t count, uint32_t p)
{
    if (list[p] != NET_NONE)
        net_disconnect(n, list[p]);
    for (uint32_t i = p + 1; i < count; i++) {
        if (list[i] != NET_NONE)
            net_change(n, list[i], end, (struct net_port){e, i - 1});
        list[i - 1] = list[i];
    }
}

/* A scheduler (its inputs) that has nothing to choose from is taken out. With `args` it has
 * an argument for each input. */
static bool shrink_scheduler(struct undead *u, uint32_t e, bool args)
{
    struct net *n = &u->n;
    const char *const *old = NULL, **argv;
    uint32_t *list, count = connections(n, e, NET_TO, &list);
    int n_args = args ? lang_split_args(n->arena, n->elements[e].config, &old) : 0;

    if (args && n_args != (int)count)
        return false;
    argv = need(n, (size_t)n_args, sizeof *argv);
    if (n_args > 0)
        memcpy(argv, old, (size_t)n_args * sizeof *argv);
    for (uint32_t p = 0; p < count;) {
        if (list[p] != NET_NONE &&
            !net_is(n, n->connections[list[p]].end[NET_FROM].element, "Idle")) {
            p++;
            continue;
        }
        remove_port(n, e, NET_TO, list, count, p);
        if (args) {
            memmove(argv + p, argv + p + 1, (count - p - 1) * sizeof *argv);
            n->elements[e].config = net_join_args(n, argv, --n_args);
        }
        count--;
    }
    u->ports[e][NET_TO] = count;
    if (count != 1)
        return false;
    if (verbose)
        say(n, e, "removing redundant scheduler '%s'", declaration(n, e));
    net_move(n, (struct net_port){e, 0}, n->connections[list[0]].end[NET_FROM],
             NET_FROM);
    n->elements[e].dead = true;
    return true;
}

/* The same for a tee and its outputs; a pulled one keeps its first. */
static bool shrink_tee(struct undead *u, uint32_t e, bool pull)
{
    struct net *n = &u->n;
    uint32_t *list, count = connections(n, e, NET_FROM, &list), in;

    for (uint32_t p = count; p-- > (pull ? 1 : 0);)
        if (list[p] == NET_NONE)
            remove_port(n, e, NET_FROM, list, count--, p);
    u->ports[e][NET_FROM] = count;
    n->elements[e].config = net_format(n, "%u", count);
    if (count != 1 || list[0] == NET_NONE)
        return false;
    if (verbose)
        say(n, e, "removing redundant tee '%s'", declaration(n, e));
    in = net_first(n, (struct net_port){e, 0}, NET_TO);
    if (pull && in != NET_NONE)
        net_move(n, (struct net_port){e, 0}, n->connections[in].end[NET_FROM],
                 NET_FROM);
    else if (!pull)
        net_move(n, (struct net_port){e, 0}, n->connections[list[0]].end[NET_TO],
                 NET_TO);
    n->elements[e].dead = true;
    return true;
}

static const struct {
    const char *name;
    enum net_end one; /* the side that must have one port */
    bool special;     /* scheduler: with arguments; tee: pulled */
} shrinking[] = {
    {"RoundRobinSched", NET_FROM, false},
    {"PrioSched", NET_FROM, false},
    {"StrideSched", NET_FROM, true},
    {"Tee", NET_TO, false},
    {"PullTee", NET_TO, true},
};

static bool shrink_class(struct undead *u, size_t k)
{
    struct net *n = &u->n;
    bool changed = false;

    for (uint32_t e = 0; e < n->n_elements; e++) {
        if (!net_is(n, e, shrinking[k].name))
            continue;
        if (n->elements[e].n_ports[shrinking[k].one] != 1)
            say(n, e, "warning: odd connections to '%s'", declaration(n, e));
        else if (shrinking[k].one == NET_FROM)
            changed |= shrink_scheduler(u, e, shrinking[k].special);
        else
            changed |= shrink_tee(u, e, shrinking[k].special);
    }
    return changed;
}

static void shrink(struct undead *u)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (size_t k = 0; k < sizeof shrinking / sizeof *shrinking; k++)
            changed |= shrink_class(u, k);
    }
}

/* --- ports that lost their other end ------------------------------------------------------------- */

static void save_ports(struct undead *u, uint32_t (*by_name)[2], struct strmap *names)
{
    struct net *n = &u->n;

    u->ports = need(n, n->n_elements, sizeof *u->ports);
    u->room = n->n_elements;
    for (uint32_t e = 0; e < n->n_elements; e++) {
        const char *name = n->elements[e].name;
        uintptr_t at = (uintptr_t)strmap_gets(names, name);

        for (int end = 0; end < 2; end++)
            u->ports[e][end] = at ? by_name[at - 1][end] : UINT32_MAX;
    }
}

static void fill_ports(struct undead *u)
{
    struct net *n = &u->n;
    uint32_t idle = net_element_unnamed(n, "Idle", here()), next[2] = {0, 0};

    for (uint32_t e = 0; e < u->room; e++) {
        if (n->elements[e].dead)
            continue;
        for (enum net_end end = NET_TO; end <= NET_FROM; end++) {
            uint32_t count = u->ports[e][end];

            for (uint32_t p = 0;
                 p < (count == UINT32_MAX ? n->elements[e].n_ports[end] : count); p++) {
                struct net_port x = {e, p}, i = {idle, next[!end]};

                if (net_first(n, x, end) != NET_NONE)
                    continue;
                next[!end]++;
                if (end == NET_TO)
                    net_connect(n, i, x);
                else
                    net_connect(n, x, i);
            }
        }
    }
    n->elements[idle].dead = !next[0] && !next[1];
}

static void check_classes(const struct net *n)
{
    struct strmap told = STRMAP_INIT;

    for (uint32_t e = 0; e < n->n_elements; e++) {
        const char *name = n->elements[e].class_name;

        if (find_class(name) || strcmp(name, "RouterLink") == 0 ||
            strmap_gets(&told, name))
            continue;
        fprintf(stderr, "unknown element class '%s'\n", name);
        if (strmap_puts(&told, name, (void *)1) < 0)
            err(1, NULL);
    }
    strmap_fini(&told);
}

static void undead(struct net *n)
{
    struct undead u = {.n = *n};
    struct strmap names = STRMAP_INIT;
    uint32_t(*ports)[2] = need(n, n->n_elements, sizeof *ports);

    for (uint32_t e = 0; e < n->n_elements; e++) {
        memcpy(ports[e], n->elements[e].n_ports, sizeof *ports);
        if (strmap_puts(&names, n->elements[e].name, (void *)(uintptr_t)(e + 1)) < 0)
            err(1, NULL);
    }
    remove_useless(&u.n);
    remove_dead(&u.n);
    save_ports(&u, ports, &names);
    shrink(&u);
    fill_ports(&u);
    net_remove_dead(&u.n);
    strmap_fini(&names);
    *n = u.n;
}

static int work(struct tool *t, struct tool_config *c)
{
    check_classes(&c->net);
    undead(&c->net);
    return tool_write_config(t, c);
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-undead",
                     .usage = usage,
                     .short_options = "ukcV",
                     .long_options = options,
                     .option = set_option};

    return tool_main(&t, argc, argv, work);
}
