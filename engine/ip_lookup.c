// SPDX-License-Identifier: BSD-3-Clause
/* ip_lookup.c -- the routing table elements: see ip_lookup.h */

#include "engine/ip_lookup.h"

#include "engine/ip4_plain.h"
#include "engine/spread.h"
#include "engine/turns.h"
#include "engine/words.h"

#include <stdlib.h>

/* The rest of a line, behind the output, goes into `port`. */
static bool parse_rest(struct element *e, const char *text, bool for_remove,
                       int32_t *port, struct diag *d)
{
    const struct ip_lookup *s = element_state(e);
    char word[WORD_ROOM];
    const char *at = text;
    int32_t number;

    if (!word_next(&at, word))
        return true;
    if (!s->kind || *port < 0 || *port > 0xffff)
        return false;
    if (for_remove)
        return true; /* the network says which */
    number = s->kind->parse(e, text, d);
    *port |= (int32_t)((uint32_t)number << 16);
    return number >= 0;
}

bool ip_lookup_parse(struct element *e, const char *text, bool for_remove,
                     struct ip_route *out, struct diag *d)
{
    char word[WORD_ROOM];
    struct ip_route r = {.port = -1};
    struct ip_prefix net;
    int64_t port = -1;
    bool more;

    if (!word_next(&text, word) || !parse_ip_prefix(e, word, true, &net))
        return false;
    r.addr = net.addr & net.mask;
    r.mask = net.mask;
    more = word_next(&text, word);
    if (more && (strcmp(word, "-") == 0 || parse_ip(e, word, &r.gw)))
        more = word_next(&text, word);
    if (!more && !for_remove)
        return false;
    if (more && (!parse_i64(word, 0, &port) || port < INT32_MIN || port > INT32_MAX))
        return false;
    r.port = (int32_t)port;
    if (!parse_rest(e, text, for_remove, &r.port, d))
        return false;
    *out = r;
    return true;
}

/* Columns with tabs for the table, or words with blanks for messages. */
static void unparse_route(const struct element *e, const struct ip_route *r, bool tabs,
                          struct sbuf *out)
{
    const struct ip_lookup *s = element_state(e);
    char text[64];
    char tab = tabs ? '\t' : ' ';
    size_t at = out->len;

    sbuf_printf(out, "%s%c",
                unparse_ip_prefix((struct ip_prefix){r->addr, r->mask}, text), tab);
    if (tabs && out->len < at + 17)
        sbuf_putc(out, '\t');
    at = out->len;
    sbuf_printf(out, "%s%c", r->gw ? unparse_ip(r->gw, text) : "-", tab);
    if (tabs && out->len < at + 9)
        sbuf_putc(out, '\t');
    sbuf_printf(out, "%d", ip_lookup_output(s, r->port));
    if (s->kind && r->port > 0xffff)
        s->kind->unparse(e, ip_lookup_number(r->port), out);
}

/* An empty table. */
static void start(struct ip_lookup *s)
{
    ip_routes_fini(&s->routes);
    s->routes.stale = true;
    s->routes.newest_hole = s->order == IP_LOOKUP_RADIX;
}

int ip_lookup_configure(struct element *e, struct conf *c, struct diag *d)
{
    return ip_lookup_configure_order(e, c, IP_LOOKUP_LINEAR, d);
}

int ip_lookup_configure_order(struct element *e, struct conf *c,
                              enum ip_lookup_order order, struct diag *d)
{
    struct ip_lookup *s = element_state(e);
    struct ip_route r;
    int rc = 0, replaced = 0, added;

    s->order = order;
    start(s);
    for (int i = 0; i < c->argc; i++) {
        if (!ip_lookup_parse(e, c->argv[i], false, &r, d)) {
            rc = diag_err(d, "argument %d should be 'ADDR/MASK [GATEWAY] OUTPUT'",
                          i + 1);
        } else if (r.port < 0 || ip_lookup_output(s, r.port) >= e->n_out) {
            rc = diag_err(d, "argument %d bad OUTPUT", i + 1);
        } else {
            added = ip_routes_add(&s->routes, &r, false, NULL);
            replaced += added == ROUTES_EXIST;
            if (added == ROUTES_NO_MEMORY)
                rc = diag_err(d, "out of memory");
        }
    }
    if (replaced)
        diag_warn(d, "%d %s replaced by later versions", replaced,
                  replaced > 1 ? "routes" : "route");
    if (rc == 0)
        ip_routes_distill(&s->routes);
    return rc;
}

/* Routes that were added by handler live on, unless the new configuration has others to the
 * same network. */
void ip_lookup_take_state(struct element *e, struct element *old)
{
    struct ip_lookup *s = element_state(e);
    const struct ip_lookup *o = element_state(old);

    for (uint32_t i = 0; i < o->routes.n; i++) {
        const struct ip_route *r = &o->routes.route[i];
        if (r->port >= 0 && r->port < e->n_out && r->by_handler)
            (void)ip_routes_add(&s->routes, r, false, NULL);
    }
}

void ip_lookup_cleanup(struct element *e)
{
    struct ip_lookup *s = element_state(e);

    ip_routes_fini(&s->routes);
}

/* As in Click: some are silent, and those that are linear there speak for themselves. */
static bool ip_lookup_complains(const struct ip_lookup *s)
{
    return s->complaints < 5 && s->order != IP_LOOKUP_DIRECT;
}

static void ip_lookup_complain(struct element *e, const struct pkt *p)
{
    struct ip_lookup *s = element_state(e);
    char text[64];

    s->complaints++;
    if (s->order == IP_LOOKUP_SORTED)
        element_say(e, "SortedIPLookup: no gw for %x\n", pkt_dst_ip(p));
    else
        element_say(e, "%s: no route for %s\n",
                    s->order == IP_LOOKUP_LINEAR ? "LinearIPLookup" : "IPRouteTable",
                    unparse_ip(pkt_dst_ip(p), text));
}

/* A batch whose packets all go to one place: one look-up and no look at outputs. False: it
 * is not one. */
static inline bool ip_lookup_push_same(struct element *e, struct batch *b, bool plain)
{
    const struct ip_lookup *s = element_state(e);
    const uint32_t n = b->n, dst = pkt_dst_ip(b->p[0]);
    struct ip_hop hop;

#pragma GCC unroll 4
    for (uint32_t i = 1; i < n; i++)
        if (pkt_dst_ip(b->p[i]) != dst)
            return false;
    hop = ip_routes_find(&s->routes, dst);
    if (hop.port < 0)
        return false;
    for (uint32_t i = 0; hop.gw && i < n; i++)
        pkt_set_dst_ip(b->p[i], hop.gw);
    (plain ? out_push_ip4 : out_push)(e, (unsigned)hop.port, b);
    return true;
}

/* Nothing is known about packet `at`, which is to be said: those before it go first, and the
 * others behind it one by one. */
static __attribute__((cold, noinline)) void ip_lookup_push_unknown(struct element *e,
                                                                   struct batch *b,
                                                                   const int32_t *port,
                                                                   uint32_t at)
{
    struct batch first;

    if (b->n == 1) {
        ip_lookup_complain(e, b->p[0]);
        batch_free(b);
        return;
    }
    first.n = at;
    memcpy(first.p, b->p, at * sizeof(struct pkt *));
    spread_push(e, &first, port);
    turns_push_singly(e, 0, b, at);
}

/* Packets that follow one another often go to the same place, so a look-up that would be the
 * same again is not made. */
static void ip_lookup_push_each(struct element *e, struct batch *b)
{
    const struct ip_lookup *s = element_state(e);
    uint32_t last = ~pkt_dst_ip(b->p[0]), n = b->n;
    struct ip_hop hop = {.port = -1};
    int32_t port[BATCH_MAX];

    for (uint32_t i = 0; i < n; i++) {
        struct pkt *p = b->p[i];
        uint32_t dst = pkt_dst_ip(p);

        if (dst != last) {
            hop = ip_routes_find(&s->routes, dst);
            last = dst;
        }
        if (__builtin_expect(hop.port < 0, 0) && ip_lookup_complains(s)) {
            ip_lookup_push_unknown(e, b, port, i);
            return;
        }
        if (hop.port >= 0 && hop.gw)
            pkt_set_dst_ip(p, hop.gw);
        port[i] = hop.port;
    }
    spread_push(e, b, port);
}

static inline void ip_lookup_route(struct element *e, struct batch *b, bool plain)
{
    struct ip_lookup *s = element_state(e);

    if (__builtin_expect(s->routes.stale, 0))
        ip_routes_distill(&s->routes);
    if (b->n && !ip_lookup_push_same(e, b, plain))
        ip_lookup_push_each(e, b);
}

void ip_lookup_push(struct element *e, unsigned port, struct batch *b)
{
    (void)port;
    ip_lookup_route(e, b, false);
}

void ip_lookup_push_ip4(struct element *e, unsigned port, struct batch *b)
{
    (void)port;
    ip_lookup_route(e, b, true);
}

/* --- the order of `table` ------------------------------------------------------------- */

struct listed {
    const struct ip_route *r;
    uint32_t key;    /* DIRECT: the chain in Click's hash table */
    uint32_t inside; /* SORTED: networks inside it that are not yet in the list */
};

/* Click's hash: of host byte order, and of shifts that are at most 8 and 32. */
static uint32_t chain_of(const struct ip_route *r)
{
    uint32_t prefix = be32(r->addr), len = (uint32_t)__builtin_popcount(r->mask);
    uint32_t h = prefix ^ len << 5 ^ ((prefix >> (len >> 2)) - len);

    h ^= h >> 23 ^ (h >> 15) * len ^ (prefix >> 17) * 53;
    /* x86 shifts by 32 as by 0 */
    h -= prefix >> 3 ^ (h >> (len & 31)) * 7 ^ (h >> 11) * 103;
    return (h ^ h >> 17) & 0xffff;
}

/* Newer ones come first in a chain; the default route was there before all. */
static int compare_chained(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (!a->r->mask || !b->r->mask)
        return a->r->mask ? -1 : b->r->mask ? 1 : 0;
    return a->r->seq > b->r->seq ? -1 : 1;
}

static int compare_age(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;

    return a->r->seq < b->r->seq ? -1 : 1;
}

static bool holds(const struct ip_route *a, const struct ip_route *b)
{
    return a != b && ((a->addr ^ b->addr) & a->mask) == 0 &&
           (a->mask & b->mask) == a->mask;
}

/* One after the other: a network with none inside it, then those that it was the last one
 * inside of. */
static void sort_networks(struct listed *v, const struct ip_route **to, uint32_t n)
{
    uint32_t done = 0, looked_at = 0;

    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            v[i].inside += holds(v[i].r, v[j].r);
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].inside)
            continue;
        to[done++] = v[i].r;
        v[i].inside = UINT32_MAX; /* it is in the list */
        for (; looked_at < done; looked_at++)
            for (uint32_t j = 0; j < n; j++)
                if (v[j].inside != UINT32_MAX && holds(v[j].r, to[looked_at]) &&
                    --v[j].inside == 0) {
                    to[done++] = v[j].r;
                    v[j].inside = UINT32_MAX;
                }
    }
}

/* Put the routes into `to`, in order. */
static void list_routes(const struct ip_lookup *s, struct listed *v,
                        const struct ip_route **to, uint32_t n)
{
    enum { SORTED_AT_MOST = 1024 }; /* it takes n * n steps */

    if (s->order == IP_LOOKUP_DIRECT)
        qsort(v, n, sizeof *v, compare_chained);
    if (s->order == IP_LOOKUP_SORTED)
        qsort(v, n, sizeof *v, compare_age);
    if (s->order == IP_LOOKUP_SORTED && n <= SORTED_AT_MOST)
        sort_networks(v, to, n);
    else
        for (uint32_t i = 0; i < n; i++)
            to[i] = v[i].r;
}

int ip_lookup_table(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d)
{
    const struct ip_lookup *s = element_state(e);
    const struct ip_route **to = malloc((s->routes.n + 1) * sizeof(*to));
    struct listed *v = malloc((s->routes.n + 1) * sizeof *v);
    uint32_t n = 0;

    if (v && to) {
        for (uint32_t i = 0; i < s->routes.n; i++)
            if (s->routes.route[i].port >= 0) {
                const struct ip_route *r = &s->routes.route[i];
                v[n++] = (struct listed){.r = r, .key = chain_of(r)};
            }
        list_routes(s, v, to, n);
    }
    for (uint32_t i = 0; i < n; i++) {
        unparse_route(e, to[i], true, out);
        sbuf_putc(out, '\n');
    }
    free(to);
    free(v);
    return to && v ? 0 : diag_err(d, "out of memory");
}

int ip_lookup_read_lookup(struct element *e, const struct handler_spec *h,
                          const char *param, struct sbuf *out, struct diag *d)
{
    struct ip_lookup *s = element_state(e);
    struct ip_hop hop;
    char text[64];
    uint32_t addr;

    if (!param || !parse_ip(e, param, &addr))
        return diag_err(d, "expected IP address");
    if (s->routes.stale)
        ip_routes_distill(&s->routes);
    hop = ip_routes_find(&s->routes, addr);
    sbuf_printf(out, "%d", ip_lookup_output(s, hop.port));
    if (hop.gw)
        sbuf_printf(out, " %s", unparse_ip(hop.gw, text));
    return 0;
}

/* What a command has done, to take it back. */
struct undo {
    struct ip_route old; /* port -1: there was none */
    struct ip_route now;
    enum ip_lookup_command command;
};

static int say_why(const struct element *e, int rc, const struct undo *u,
                   struct diag *d)
{
    struct sbuf text = SBUF_INIT;

    unparse_route(e, rc == ROUTES_EXIST ? &u->old : &u->now, false, &text);
    if (rc == ROUTES_EXIST)
        diag_err(d, "conflict with existing route '%s'", sbuf_text(&text));
    else if (rc == ROUTES_MISSING)
        diag_err(d, "route '%s' not found", sbuf_text(&text));
    else
        diag_err(d, "no memory to store route '%s'", sbuf_text(&text));
    sbuf_fini(&text);
    return -1;
}

/* A route to be removed is the one to its network, whatever number goes with that. */
static void add_number(const struct ip_lookup *s, struct ip_route *r)
{
    const struct ip_route *there = ip_routes_get(&s->routes, r->addr, r->mask);

    if (there && ip_lookup_output(s, there->port) == r->port)
        r->port = there->port;
}

/* When a route has gone, Click's linear tables move the one to 0.0.0.0/32 up into the first
 * hole, so that it stands before all others that have gone. */
static void move_zero_route(struct ip_lookup *s)
{
    const struct ip_route *there = ip_routes_get(&s->routes, 0, 0xffffffffu);
    struct ip_route zero;

    if (!there || s->order != IP_LOOKUP_LINEAR)
        return;
    zero = *there;
    (void)ip_routes_remove(&s->routes, &zero, NULL);
    (void)ip_routes_add(&s->routes, &zero, false, NULL);
}

static int run_command(struct element *e, enum ip_lookup_command command,
                       const char *text, struct undo *u, struct diag *d)
{
    struct ip_lookup *s = element_state(e);
    int rc;

    u->command = command;
    u->old.port = -1;
    if (!ip_lookup_parse(e, text, command == IP_LOOKUP_REMOVE, &u->now, d))
        return diag_err(d, "expected 'ADDR/MASK [GATEWAY%s'",
                        command == IP_LOOKUP_REMOVE ? " OUTPUT]" : "] OUTPUT");
    if (u->now.port < (command == IP_LOOKUP_REMOVE ? -1 : 0) ||
        ip_lookup_output(s, u->now.port) >= e->n_out)
        return diag_err(d, "bad OUTPUT");
    u->now.by_handler = true;
    if (command == IP_LOOKUP_REMOVE && s->kind && u->now.port >= 0)
        add_number(s, &u->now);
    if (command == IP_LOOKUP_REMOVE)
        rc = ip_routes_remove(&s->routes, &u->now, &u->old);
    else
        rc = ip_routes_add(&s->routes, &u->now, command == IP_LOOKUP_SET, &u->old);
    if (rc == 0 && command == IP_LOOKUP_REMOVE)
        move_zero_route(s);
    return rc < 0 ? say_why(e, rc, u, d) : 0;
}

static void take_back(struct element *e, const struct undo *u)
{
    struct ip_lookup *s = element_state(e);

    if (u->old.port >= 0)
        (void)ip_routes_add(&s->routes, &u->old, true, NULL);
    else
        (void)ip_routes_remove(&s->routes, &u->now, NULL);
}

static void sweep(struct element *e)
{
    const struct ip_lookup *s = element_state(e);

    if (s->kind)
        s->kind->sweep(e);
}

int ip_lookup_write(struct element *e, const struct handler_spec *h, const char *value,
                    size_t len, struct diag *d)
{
    struct undo u;
    int rc = run_command(e, (enum ip_lookup_command)h->user, value, &u, d);

    sweep(e);
    return rc;
}

/* One line of `ctrl`: a command word and its route. Empty lines are nothing: returns 1. */
static int run_line(struct element *e, const char *line, struct undo *u, struct diag *d)
{
    static const char *const names[] = {"add", "set", "remove"};
    char word[WORD_ROOM];

    if (!word_next(&line, word))
        return 1;
    for (int i = 0; i < 3; i++)
        if (strcmp(word, names[i]) == 0)
            return run_command(e, (enum ip_lookup_command)i, line, u, d);
    return diag_err(d, "bad command '%s'", word);
}

/* All lines or none. */
int ip_lookup_ctrl(struct element *e, const struct handler_spec *h, const char *value,
                   size_t len, struct diag *d)
{
    struct sbuf undos = SBUF_INIT, line = SBUF_INIT;
    const char *at = value, *end = value + len;
    struct undo u;
    int rc = 0;

    while (rc >= 0 && at < end) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        nl = nl ? nl : end;
        sbuf_reset(&line);
        sbuf_add(&line, at, (size_t)(nl - at));
        rc = run_line(e, sbuf_text(&line), &u, d);
        if (rc == 0)
            sbuf_add(&undos, &u, sizeof u);
        at = nl + 1;
    }
    while (rc < 0 && undos.len >= sizeof u) {
        undos.len -= sizeof u;
        memcpy(&u, undos.data + undos.len, sizeof u);
        take_back(e, &u);
    }
    sweep(e);
    sbuf_fini(&undos);
    sbuf_fini(&line);
    return rc < 0 ? -1 : 0;
}

int ip_lookup_flush(struct element *e, const struct handler_spec *h, const char *value,
                    size_t len, struct diag *d)
{
    start(element_state(e));
    sweep(e);
    return 0;
}

const struct handler_spec ip_lookup_static_handlers[] = {IP_LOOKUP_READERS,
                                                         HANDLER_END};
const struct handler_spec ip_lookup_linear_handlers[] = {IP_LOOKUP_LINEAR_HANDLERS,
                                                         HANDLER_END};
const struct handler_spec ip_lookup_handlers[] = {IP_LOOKUP_HANDLERS, HANDLER_END};
