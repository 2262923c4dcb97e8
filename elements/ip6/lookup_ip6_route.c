// SPDX-License-Identifier: BSD-3-Clause
/*
 * LookupIP6Route -- send IPv6 packets where the route of their destination goes
 *
 * Usage:    LookupIP6Route(ADDR/MASK [GATEWAY] OUTPUT, ...)
 * Ports:    1 in, 1 or more out; push
 * Args:     ADDR/MASK [GATEWAY] OUTPUT  a route; any number
 * Counters: drops  packets without a route
 * Handlers: table   (read) all routes, one a line
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
 * survive an exchange of configurations only if the new one names them.
 */

#include "engine/element.h"
#include "engine/ip6_routes.h"
#include "engine/words.h"

struct lookup_ip6_route {
    struct ip6_routes routes;
};

enum { C_DROPS };
static const struct counter_spec lookup_ip6_route_counters[] = {
    [C_DROPS] = {"drops", "packets without a route"},
    {NULL, NULL},
};

/* "ADDR/MASK [GATEWAY] OUTPUT", or "ADDR MASK GATEWAY OUTPUT" as in old configurations;
 * with `only_prefix` the first word alone. */
static bool route_parse(const struct element *e, const char *text, bool only_prefix,
                        struct ip6_route *r)
{
    char word[4][WORD_ROOM], extra[WORD_ROOM], both[2 * WORD_ROOM];
    unsigned n = 0, len;
    uint64_t port;

    while (n < 4 && word_next(&text, word[n]))
        n++;
    if (!n || word_next(&text, extra))
        return false;
    memset(r, 0, sizeof *r);
    if (n == 4) {
        size_t a = strlen(word[0]), b = strlen(word[1]);

        memcpy(both, word[0], a);
        both[a] = '/';
        memcpy(both + a + 1, word[1], b + 1);
        if (!parse_ip6_prefix(e, both, &r->addr, &len))
            return false;
    } else if (!parse_ip6_prefix(e, word[0], &r->addr, &len)) {
        if (!parse_ip6(e, word[0], &r->addr))
            return false;
        len = 128;
    }
    r->len = len;
    if (only_prefix)
        return true;
    if (n < 2 || !parse_u64(word[n - 1], 0, &port) || port >= e->n_out)
        return false;
    r->port = (uint32_t)port;
    return n == 2 || parse_ip6(e, word[n - 2], &r->gateway);
}

static int lookup_ip6_route_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct lookup_ip6_route *s = element_state(e);
    struct ip6_route r;
    int rc = 0;

    for (int i = 0; i < c->argc; i++)
        if (!route_parse(e, c->argv[i], false, &r))
            rc = diag_err(d, "argument %d should be 'DST/MASK [GATEWAY] OUTPUT'",
                          i + 1);
        else if (ip6_routes_add(&s->routes, &r) < 0)
            return diag_err(d, "out of memory");
    if (!c->argc)
        diag_warn(d, "no routes");
    return rc;
}

static void lookup_ip6_route_cleanup(struct element *e)
{
    ip6_routes_fini(&((struct lookup_ip6_route *)element_state(e))->routes);
}

static inline verdict_t lookup_ip6_route_one(struct element *e, struct pkt *p)
{
    static const struct ip6_addr none;
    struct lookup_ip6_route *s = element_state(e);
    struct ip6_addr dst;
    const struct ip6_route *r;

    memcpy(dst.b, p->anno + ANNO_DST_IP6, 16);
    r = ip6_routes_lookup(&s->routes, &dst);
    if (!r)
        return drop(e, C_DROPS);
    if (memcmp(r->gateway.b, none.b, 16) != 0)
        memcpy(p->anno + ANNO_DST_IP6, r->gateway.b, 16);
    return (verdict_t)r->port;
}
ELEMENT_LOOP(lookup_ip6_route)

static int read_table(struct element *e, const struct handler_spec *h,
                      const char *param, struct sbuf *out, struct diag *d)
{
    const struct lookup_ip6_route *s = element_state(e);
    char addr[64], gateway[64];

    for (uint32_t i = 0; i < s->routes.n; i++) {
        const struct ip6_route *r = &s->routes.route[i];

        sbuf_printf(out, "%s/%u\t%s\t%u\n", unparse_ip6(&r->addr, addr), r->len,
                    unparse_ip6(&r->gateway, gateway), r->port);
    }
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

static int write_route(struct element *e, const struct handler_spec *h,
                       const char *value, size_t len, struct diag *d)
{
    struct lookup_ip6_route *s = element_state(e);
    intptr_t what = h->user;
    struct ip6_route r;

    if (what == DO_CTRL) {
        if (!strncmp(value, "add ", 4))
            what = DO_ADD;
        else if (!strncmp(value, "remove ", 7))
            what = DO_REMOVE;
        else
            return diag_err(d, "expected 'add ROUTE' or 'remove ADDR/MASK'");
        value += what == DO_ADD ? 4 : 7;
    }
    if (!route_parse(e, value, what == DO_REMOVE, &r))
        return diag_err(d, "expected 'DST/MASK [GATEWAY] OUTPUT'");
    if (what == DO_ADD)
        return ip6_routes_add(&s->routes, &r) < 0 ? diag_err(d, "out of memory") : 0;
    return ip6_routes_remove(&s->routes, &r.addr, r.len) ? 0
                                                         : diag_err(d, "no such route");
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
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .counters = lookup_ip6_route_counters,
    .handlers = lookup_ip6_route_handlers,
    .configure = lookup_ip6_route_configure,
    .cleanup = lookup_ip6_route_cleanup,
    .push = lookup_ip6_route_push,
    .pull = lookup_ip6_route_pull,
};
