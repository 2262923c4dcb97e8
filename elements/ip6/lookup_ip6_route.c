// SPDX-License-Identifier: BSD-3-Clause
/*
 * LookupIP6Route -- send IPv6 packets where the route of their destination goes
 *
 * Usage:    LookupIP6Route(ADDR/MASK [GATEWAY] OUTPUT, ...)
 * Ports:    1 in, 1 or more out; push
 * Args:     ADDR/MASK [GATEWAY] OUTPUT  a route; any number
 * Counters: drops  packets without a route
 * Handlers: table   (read) all routes, one a line, in the order in which they came
 *           lookup  (read, parameter) output and gateway for an address
 *           add     (write) a route, as the arguments
 *           remove  (write) ADDR/MASK
 *           ctrl    (write) "add ROUTE" or "remove ADDR/MASK"
 * Example:  ... -> GetIP6Address(24) -> rt :: LookupIP6Route(2001:db8::/32 0, ::/0 fe80::1 1);
 * See also: GetIP6Address, RadixIPLookup
 *
 * Looks at the destination annotation (GetIP6Address sets it). If the route has a gateway
 * other than ::, the annotation becomes that. The longest prefix wins; a full Internet
 * table of IPv6 takes some MiB (see engine/ip6_routes.h). Routes that handlers have added
 * survive an exchange of configurations.
 */

#include "engine/element.h"
#include "engine/args.h"
#include "engine/ip6_routes.h"
#include "engine/net_headers.h"
#include "engine/words.h"

#include <stdlib.h>

struct lookup_ip6_route {
    struct ip6_routes routes;
};

enum { C_DROPS };
static const struct counter_spec lookup_ip6_route_counters[] = {
    [C_DROPS] = {"drops", "packets without a route"},
    {NULL, NULL},
};

static bool route_prefix(const struct element *e, const char *text, struct ip6_route *r)
{
    unsigned len = 128;

    if (!parse_ip6_prefix(e, text, &r->addr, &len) && !parse_ip6(e, text, &r->addr))
        return false;
    r->len = len;
    return true;
}

/* "ADDR/MASK [GATEWAY] OUTPUT" of the configuration. */
static bool route_parse(struct element *e, const char *text, struct ip6_route *r)
{
    char word[3][WORD_ROOM], extra[WORD_ROOM];
    unsigned n = 0;
    int64_t port;

    while (n < 3 && word_next(&text, word[n]))
        n++;
    if (n < 2 || word_next(&text, extra))
        return false;
    memset(r, 0, sizeof *r);
    if (!route_prefix(e, word[0], r) || !parse_i64(word[n - 1], 0, &port) || port < 0 ||
        port > INT32_MAX)
        return false;
    r->port = (uint32_t)port;
    return n == 2 || parse_ip6(e, word[1], &r->gateway);
}

static int lookup_ip6_route_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct lookup_ip6_route *s = element_state(e);
    uint32_t outputs = 0;
    struct ip6_route r;
    int rc = 0;

    for (int i = 0; i < c->argc; i++) {
        if (!route_parse(e, c->argv[i], &r)) {
            rc = diag_err(d, "argument %d should be DADDR/MASK [GW] OUTPUT", i + 1);
            continue;
        }
        outputs = r.port < outputs ? outputs : r.port + 1;
        if (ip6_routes_add(&s->routes, &r) < 0)
            return diag_err(d, "out of memory");
    }
    if (rc < 0)
        return rc;
    if (!outputs)
        diag_warn(d, "no routes");
    return outputs > e->n_out ? diag_err(d, "need %u or more output ports", outputs)
                              : 0;
}

/* Routes that handlers have added live on, unless the new configuration has others to the
 * same network. */
static void lookup_ip6_route_take_state(struct element *e, struct element *old)
{
    struct lookup_ip6_route *s = element_state(e);
    const struct lookup_ip6_route *o = element_state(old);

    for (uint32_t i = 0; i < o->routes.n; i++) {
        const struct ip6_route *r = &o->routes.route[i];

        if (r->by_handler && r->port < e->n_out &&
            !ip6_routes_has(&s->routes, &r->addr, r->len))
            (void)ip6_routes_add(&s->routes, r);
    }
}

static void lookup_ip6_route_cleanup(struct element *e)
{
    ip6_routes_fini(&((struct lookup_ip6_route *)element_state(e))->routes);
}

/* The route of a packet whose destination annotation is `dst`; NULL: none. */
static const struct ip6_route *route_of(struct element *e, const uint8_t *dst)
{
    struct lookup_ip6_route *s = element_state(e);
    struct ip6_addr addr;

    memcpy(addr.b, dst, sizeof addr.b);
    return ip6_routes_lookup(&s->routes, &addr);
}

static inline bool has_gateway(const struct ip6_route *r)
{
    return (load64(r->gateway.b) | load64(r->gateway.b + 8)) != 0;
}

static inline verdict_t take_route(struct element *e, struct pkt *p,
                                   const struct ip6_route *r)
{
    if (!r)
        return drop(e, C_DROPS);
    if (has_gateway(r))
        memcpy(p->anno + ANNO_DST_IP6, r->gateway.b, 16);
    return (verdict_t)r->port;
}

static inline verdict_t lookup_ip6_route_one(struct element *e, struct pkt *p)
{
    return take_route(e, p, route_of(e, p->anno + ANNO_DST_IP6));
}

/* Packets come in trains to one destination, which is looked up once. */
static bool one_destination(const struct batch *b)
{
    const uint64_t *first = b->p[0]->anno_u64 + ANNO_DST_IP6 / 8;

    for (uint32_t i = 1; i < b->n; i++) {
        const uint64_t *dst = b->p[i]->anno_u64 + ANNO_DST_IP6 / 8;

        if (dst[0] != first[0] || dst[1] != first[1])
            return false;
    }
    return true;
}

/* False: there is no route. */
static bool lookup_ip6_route_push_same(struct element *e, struct batch *b)
{
    const struct ip6_route *r = route_of(e, b->p[0]->anno + ANNO_DST_IP6);

    if (!r)
        return false;
    if (has_gateway(r))
        for (uint32_t i = 0; i < b->n; i++)
            (void)take_route(e, b->p[i], r);
    out_push(e, r->port, b);
    return true;
}

static void lookup_ip6_route_push(struct element *e, unsigned port, struct batch *b)
{
    verdict_t v;
    struct strays s;
    uint32_t kept = 0;

    if (b->n && one_destination(b) && lookup_ip6_route_push_same(e, b))
        return;
    s.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        v = lookup_ip6_route_one(e, b->p[i]);
        if (v == 0)
            b->p[kept++] = b->p[i];
        else
            strays_add(&s, b->p[i], v);
    }
    b->n = kept;
    strays_deliver(e, &s);
    out_push(e, 0, b);
}

static void unparse_route(const struct ip6_route *r, struct sbuf *out)
{
    char addr[64], gateway[64];

    sbuf_printf(out, "%s/%u\t%s\t%u\n", unparse_ip6(&r->addr, addr), r->len,
                unparse_ip6(&r->gateway, gateway), r->port);
}

/* In the order in which they came, but that new ones fill gaps. */
static int read_table(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct lookup_ip6_route *s = element_state(e);
    const struct ip6_routes *t = &s->routes;
    uint32_t *at = calloc(t->n_slots + 1, sizeof *at); /* number plus one */

    if (!at)
        return diag_err(d, "out of memory");
    if (t->n_slots)
        sbuf_puts(out, "# Active routes\n");
    for (uint32_t i = 0; i < t->n; i++)
        at[t->route[i].slot] = i + 1;
    for (uint32_t i = 0; i < t->n_slots; i++)
        if (at[i])
            unparse_route(&t->route[at[i] - 1], out);
    free(at);
    return 0;
}

static int read_lookup(struct element *e, const struct handler_spec *h,
                       const char *param, struct sbuf *out, struct diag *d)
{
    struct lookup_ip6_route *s = element_state(e);
    const struct ip6_route *r;
    struct ip6_addr a;
    char gateway[64];

    if (!param || !parse_ip6(e, param, &a))
        return diag_err(d, "expected IPv6 address");
    r = ip6_routes_lookup(&s->routes, &a);
    if (r)
        sbuf_printf(out, "%u %s", r->port, unparse_ip6(&r->gateway, gateway));
    else
        sbuf_puts(out, "-1");
    return 0;
}

enum { DO_ADD, DO_REMOVE, DO_CTRL };

/* What stands behind the prefix of a route. */
struct route_way {
    struct ip6_addr gateway;
    int32_t port;
};

static const struct arg_spec no_words[] = {ARG_END};
static const struct arg_spec port_words[] = {
    ARG_I32(route_way, port, "PORT", ARG_M, NULL, NULL),
    ARG_END,
};
static const struct arg_spec gateway_words[] = {
    ARG_IP6(route_way, gateway, "GATEWAY", ARG_M, NULL, NULL),
    ARG_I32(route_way, port, "PORT", ARG_M, NULL, NULL),
    ARG_END,
};

/* "PREFIX" and the words of `specs`; all that is wrong is said. */
static int route_words(struct element *e, const char *text,
                       const struct arg_spec *specs, struct ip6_route *r,
                       struct route_way *way, struct diag *d)
{
    char word[WORD_ROOM];
    int rc = 0;

    memset(r, 0, sizeof *r);
    memset(way, 0, sizeof *way);
    if (!word_next(&text, word))
        rc = diag_err(d, "PREFIX: required argument missing");
    else if (!route_prefix(e, word, r))
        rc = diag_err(d, "PREFIX: parse error");
    return args_words(e, text, specs, way, d) < 0 ? -1 : rc;
}

static int add_route(struct element *e, const char *text, struct diag *d)
{
    struct lookup_ip6_route *s = element_state(e);
    const char *rest = text;
    struct route_way way;
    char word[WORD_ROOM];
    struct ip6_route r;
    unsigned n = 0;

    while (word_next(&rest, word))
        n++;
    if (route_words(e, text, n == 2 ? port_words : gateway_words, &r, &way, d) < 0)
        return -1;
    if (way.port < 0 || way.port >= e->n_out)
        return diag_err(d, "output port out of range");
    r.gateway = way.gateway;
    r.by_handler = true;
    r.port = (uint32_t)way.port;
    return ip6_routes_add(&s->routes, &r) < 0 ? diag_err(d, "out of memory") : 0;
}

/* A route that is not there is no error, as in Click. */
static int remove_route(struct element *e, const char *text, struct diag *d)
{
    struct lookup_ip6_route *s = element_state(e);
    struct route_way way;
    struct ip6_route r;

    if (route_words(e, text, no_words, &r, &way, d) < 0)
        return -1;
    (void)ip6_routes_remove(&s->routes, &r.addr, r.len);
    return 0;
}

static int write_route(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    char word[WORD_ROOM];

    if (h->user == DO_ADD)
        return add_route(e, value, d);
    if (h->user == DO_REMOVE)
        return remove_route(e, value, d);
    if (!word_next(&value, word))
        word[0] = '\0';
    if (strcmp(word, "add") == 0)
        return add_route(e, value, d);
    if (strcmp(word, "remove") == 0)
        return remove_route(e, value, d);
    return diag_err(d, "bad command, should be `add' or `remove'");
}

#define ROUTE_WRITER(user_, name_, help_)                                              \
    {                                                                                  \
        .name = (name_), .help = (help_), .flags = HANDLER_WRITE, .user = (user_),     \
        .write = write_route                                                           \
    }

static const struct handler_spec lookup_ip6_route_handlers[] = {
    HANDLER_READER(read_table, "table", "all routes, one a line"),
    {.name = "lookup",
     .help = "output and gateway for an address",
     .flags = HANDLER_READ | HANDLER_PARAM,
     .read = read_lookup},
    ROUTE_WRITER(DO_ADD, "add", "a route"),
    ROUTE_WRITER(DO_REMOVE, "remove", "ADDR/MASK"),
    ROUTE_WRITER(DO_CTRL, "ctrl", "add ROUTE or remove ADDR/MASK"),
    HANDLER_END,
};

ELEMENT(LookupIP6Route) = {
    .name = "LookupIP6Route",
    .state_size = sizeof(struct lookup_ip6_route),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .counters = lookup_ip6_route_counters,
    .handlers = lookup_ip6_route_handlers,
    .configure = lookup_ip6_route_configure,
    .take_state = lookup_ip6_route_take_state,
    .cleanup = lookup_ip6_route_cleanup,
    .push = lookup_ip6_route_push,
};
