// SPDX-License-Identifier: BSD-3-Clause
/*
 * click_undead.c -- `click-undead`: a configuration without its dead parts
 *
 * An element is alive when packets can come to it from a source and go from it to a sink,
 * or when it has no ports at all. A source is an element without inputs, a sink one
 * without outputs; Idle is neither. What does nothing (Null and its like, switches that
 * never move) goes first, so that what hangs behind it is seen to be dead.
 */

#include "driver/tools/tool.h"

#include <err.h>
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
    "  -u, --user; -k, --kernel; -c, --config; -V, --verbose   Accepted.\n"
    "  -C, --clickpath PATH      Look for libraries there.\n"
    "      --help                Print this message and exit.\n"
    "  -v, --version             Print the version and exit.\n";

static const struct option options[] = {
    {"user", no_argument, NULL, 'u'},
    {"kernel", no_argument, NULL, 'k'},
    {"config", no_argument, NULL, 'c'},
    {"verbose", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static int ignore_option(int c, const char *arg)
{
    (void)c, (void)arg;
    return 0;
}

static bool is_class(const struct net *n, uint32_t i, const char *name)
{
    return !n->elements[i].dead && strcmp(n->elements[i].e.class_name, name) == 0;
}

/* One Idle for all ports that lose their other end. */
struct idle {
    uint32_t element; /* UINT32_MAX: there is none yet */
    uint32_t n_in, n_out;
};

static uint32_t need_idle(struct net *n, struct idle *idle)
{
    if (idle->element == UINT32_MAX)
        idle->element = net_add_anonymous(n, "Idle");
    return idle->element;
}

static void remove_nulls(struct net *n)
{
    static const char *const names[] = {"Null", "PushNull", "PullNull"};

    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (uint32_t i = 0; i < n->n_elements; i++)
            if (is_class(n, i, names[k]))
                net_splice(n, i);
}

/* A switch that always takes one of its `many` side's ports: the connection there becomes
 * port 0, the others go to Idle. */
static void remove_static(struct net *n, uint32_t i, bool many_out, struct idle *idle)
{
    char *end;
    long keep = strtol(n->elements[i].e.config, &end, 0);
    uint32_t all = n->n_connections;

    if (end == n->elements[i].e.config || *end)
        return; /* not a plain number: somebody else complains about it */
    for (uint32_t k = 0; k < all; k++) {
        struct net_connection *c = &n->connections[k];
        uint32_t *port = many_out ? &c->c.from_port : &c->c.to_port;

        if (c->dead || (many_out ? c->c.from : c->c.to) != i)
            continue;
        if (*port == (uint32_t)keep && keep >= 0) {
            *port = 0;
            continue;
        }
        c->dead = true;
        if (many_out)
            net_connect(n, need_idle(n, idle), idle->n_out++, c->c.to, c->c.to_port);
        else
            net_connect(n, c->c.from, c->c.from_port, need_idle(n, idle), idle->n_in++);
    }
    net_splice(n, i);
}

static void remove_switches(struct net *n, struct idle *idle)
{
    for (uint32_t i = 0; i < n->n_elements; i++) {
        if (is_class(n, i, "StaticSwitch"))
            remove_static(n, i, true, idle);
        else if (is_class(n, i, "StaticPullSwitch"))
            remove_static(n, i, false, idle);
    }
}

/* --- liveness -------------------------------------------------------------------------------- */

struct reach {
    bool *in, *out; /* has inputs, outputs */
    bool *from_source, *to_sink;
    uint32_t *stack;
};

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    if (!p)
        err(1, NULL);
    return p;
}

/* Mark all that can be reached from what is marked, along the connections or back. */
static void spread(const struct net *n, bool *mark, uint32_t *stack, bool back)
{
    uint32_t *first = zeroed(n->n_elements + 1, sizeof *first);
    uint32_t *list = zeroed(n->n_connections, sizeof *list), top = 0;

    for (uint32_t k = 0; k < n->n_connections; k++)
        if (!n->connections[k].dead)
            first[(back ? n->connections[k].c.to : n->connections[k].c.from) + 1]++;
    for (uint32_t i = 0; i < n->n_elements; i++)
        first[i + 1] += first[i];
    for (uint32_t k = n->n_connections; k-- > 0;)
        if (!n->connections[k].dead) {
            uint32_t at = back ? n->connections[k].c.to : n->connections[k].c.from;

            list[--first[at + 1]] = k;
        }
    /* Now the connections of element i are list[first[i + 1]] .. list[first[i + 2] - 1]. */
    for (uint32_t i = 0; i < n->n_elements; i++)
        if (mark[i])
            stack[top++] = i;
    while (top > 0) {
        uint32_t i = stack[--top];
        uint32_t end = i + 2 <= n->n_elements ? first[i + 2] : n->n_connections;

        for (uint32_t k = first[i + 1]; k < end; k++) {
            const struct net_connection *c = &n->connections[list[k]];
            uint32_t next = back ? c->c.from : c->c.to;

            if (c->dead || (back ? c->c.to : c->c.from) != i || mark[next] ||
                is_class(n, next, "Idle"))
                continue;
            mark[next] = true;
            stack[top++] = next;
        }
    }
    free(first);
    free(list);
}

static void find_ends(const struct net *n, struct reach *r)
{
    for (uint32_t k = 0; k < n->n_connections; k++)
        if (!n->connections[k].dead) {
            r->out[n->connections[k].c.from] = true;
            r->in[n->connections[k].c.to] = true;
        }
    for (uint32_t i = 0; i < n->n_elements; i++) {
        bool idle = is_class(n, i, "Idle") || n->elements[i].dead;

        r->from_source[i] = !idle && !r->in[i];
        r->to_sink[i] = !idle && !r->out[i];
    }
}

/* Take out what is dead. Ports that were connected to it are given to Idle. */
static void remove_dead(struct net *n, struct idle *idle)
{
    uint32_t size = n->n_elements, all = n->n_connections;
    struct reach r = {zeroed(size, 1), zeroed(size, 1), zeroed(size, 1),
                      zeroed(size, 1), zeroed(size, sizeof *r.stack)};

    find_ends(n, &r);
    spread(n, r.from_source, r.stack, false);
    spread(n, r.to_sink, r.stack, true);
    for (uint32_t i = 0; i < size; i++)
        if (!(r.from_source[i] && r.to_sink[i]))
            n->elements[i].dead = true;
    if (idle->element != UINT32_MAX)
        n->elements[idle->element].dead = true;
    *idle = (struct idle){UINT32_MAX, 0, 0};
    for (uint32_t k = 0; k < all; k++) {
        struct lang_connection c = n->connections[k].c;
        bool from = !n->elements[c.from].dead, to = !n->elements[c.to].dead;

        if (n->connections[k].dead || from == to)
            continue;
        if (from)
            net_connect(n, c.from, c.from_port, need_idle(n, idle), idle->n_in++);
        else
            net_connect(n, need_idle(n, idle), idle->n_out++, c.to, c.to_port);
    }
    free(r.in);
    free(r.out);
    free(r.from_source);
    free(r.to_sink);
    free(r.stack);
}

int main(int argc, char **argv)
{
    struct tool t = {.name = "click-undead",
                     .usage = usage,
                     .short_options = "ukcV",
                     .long_options = options,
                     .option = ignore_option};
    struct idle idle = {UINT32_MAX, 0, 0};
    struct lang_graph g;
    struct net n;
    int status;

    tool_options(&t, argc, argv);
    tool_load(&t, t.file, t.expression, &g);
    net_init(&n, t.arena, &g);
    remove_switches(&n, &idle);
    remove_nulls(&n);
    remove_dead(&n, &idle);
    net_graph(&n, &g);
    status = tool_write_graph(&t, &g);
    arena_free(t.arena);
    return status;
}
