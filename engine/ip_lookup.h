// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_lookup.h -- what the routing table elements have in common
 *
 * StaticIPLookup, LinearIPLookup, RadixIPLookup, SortedIPLookup, DirectIPLookup and
 * RangeIPLookup are one element under the names that configurations know: in Click they
 * differ in their data structures, which here shows only in the order of the handler
 * `table`. Each file in elements/ip/ says what is special about
 * it; its state is a struct ip_lookup.
 *
 * A table whose routes say more than an output gives a struct ip_lookup_kind: it keeps a
 * number with each route, in the upper half of `port`.
 */

#ifndef ENGINE_IP_LOOKUP_H
#define ENGINE_IP_LOOKUP_H

#include "engine/element.h"
#include "engine/ip_routes.h"

struct ip_lookup_kind {
    /* What stands behind OUTPUT: a number to go with the route, 0 to IP_LOOKUP_MAX, or -1
     * with a message. */
    int32_t (*parse)(struct element *e, const char *text, struct diag *d);
    void (*unparse)(const struct element *e, uint32_t number, struct sbuf *out);
    /* Routes have gone: numbers that none has any more may be used again. */
    void (*sweep)(struct element *e);
};

enum ip_lookup_order {
    IP_LOOKUP_LINEAR, /* as given, into the first hole */
    IP_LOOKUP_RADIX,  /* as given, into the newest hole */
    IP_LOOKUP_DIRECT, /* by a hash of the network */
    IP_LOOKUP_SORTED, /* before the networks that hold them */
};

struct ip_lookup {
    enum ip_lookup_order order;
    struct ip_routes routes;
    uint32_t complaints; /* about packets without a route; five are printed */
    const struct ip_lookup_kind *kind; /* borrowed; NULL: there is only the output */
};

enum { IP_LOOKUP_MAX = 32767 };

/* The output and the number in a route's or hop's port >= 0. */
static inline int32_t ip_lookup_output(const struct ip_lookup *s, int32_t port)
{
    return s->kind && port >= 0 ? port & 0xffff : port;
}

static inline uint32_t ip_lookup_number(int32_t port)
{
    return (uint32_t)port >> 16;
}

int ip_lookup_configure(struct element *e, struct conf *c, struct diag *d); /* LINEAR */
int ip_lookup_configure_order(struct element *e, struct conf *c,
                              enum ip_lookup_order order, struct diag *d);
void ip_lookup_take_state(struct element *e, struct element *old);
void ip_lookup_cleanup(struct element *e);
void ip_lookup_push(struct element *e, unsigned port, struct batch *b);
void ip_lookup_push_ip4(struct element *e, unsigned port, struct batch *b);

/* Handlers: table, lookup; with add, set, remove, ctrl; with flush. Those of ip_lookup_handlers
 * are IP_LOOKUP_HANDLERS, for tables with more of their own. */
extern const struct handler_spec ip_lookup_static_handlers[];
extern const struct handler_spec ip_lookup_linear_handlers[]; /* without flush */
extern const struct handler_spec ip_lookup_handlers[];
int ip_lookup_table(struct element *e, const struct handler_spec *h, const char *param,
                    struct sbuf *out, struct diag *d);
int ip_lookup_read_lookup(struct element *e, const struct handler_spec *h,
                          const char *param, struct sbuf *out, struct diag *d);
int ip_lookup_write(struct element *e, const struct handler_spec *h, const char *value,
                    size_t len, struct diag *d);
int ip_lookup_ctrl(struct element *e, const struct handler_spec *h, const char *value,
                   size_t len, struct diag *d);
int ip_lookup_flush(struct element *e, const struct handler_spec *h, const char *value,
                    size_t len, struct diag *d);

enum ip_lookup_command { IP_LOOKUP_ADD, IP_LOOKUP_SET, IP_LOOKUP_REMOVE };

#define IP_LOOKUP_READERS                                                              \
    {.name = "table",                                                                  \
     .help = "the routes, one a line",                                                 \
     .flags = HANDLER_READ | HANDLER_EXPENSIVE,                                        \
     .read = ip_lookup_table},                                                         \
    {                                                                                  \
        .name = "lookup", .help = "output and gateway for an address",                 \
        .flags = HANDLER_READ | HANDLER_PARAM, .read = ip_lookup_read_lookup           \
    }
#define IP_LOOKUP_WRITER_(name_, user_, help_)                                         \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_WRITE, .user = user_,           \
        .write = ip_lookup_write                                                       \
    }
#define IP_LOOKUP_LINEAR_HANDLERS                                                      \
    IP_LOOKUP_WRITER_("add", IP_LOOKUP_ADD, "add a route"),                            \
        IP_LOOKUP_WRITER_("set", IP_LOOKUP_SET, "add or replace a route"),             \
        IP_LOOKUP_WRITER_("remove", IP_LOOKUP_REMOVE, "remove a route"),               \
        {.name = "ctrl",                                                               \
         .help = "add, set and remove routes, a line each, all or none",               \
         .flags = HANDLER_WRITE | HANDLER_RAW,                                         \
         .write = ip_lookup_ctrl},                                                     \
        IP_LOOKUP_READERS
#define IP_LOOKUP_HANDLERS                                                             \
    IP_LOOKUP_LINEAR_HANDLERS,                                                         \
        HANDLER_PRESS(ip_lookup_flush, "flush", "remove all routes")

/* "ADDR/MASK [GATEWAY] OUTPUT"; with `for_remove` all but the network may be missing. `d`
 * gets a message only if the table's kind has one. */
bool ip_lookup_parse(struct element *e, const char *text, bool for_remove,
                     struct ip_route *out, struct diag *d);

#endif
