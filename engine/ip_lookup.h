// SPDX-License-Identifier: BSD-3-Clause
/*
 * ip_lookup.h -- what the routing table elements have in common
 *
 * StaticIPLookup, LinearIPLookup, RadixIPLookup, SortedIPLookup, DirectIPLookup and
 * RangeIPLookup are one element under the names that configurations know: in Click they
 * differ in their data structures. Each file in elements/ip/ says what is special about
 * it; its state is a struct ip_lookup.
 */

#ifndef ENGINE_IP_LOOKUP_H
#define ENGINE_IP_LOOKUP_H

#include "engine/element.h"
#include "engine/ip_routes.h"

struct ip_lookup {
    struct ip_routes routes;
    uint32_t complaints; /* about packets without a route; five are printed */
};

int ip_lookup_configure(struct element *e, struct conf *c, struct diag *d);
void ip_lookup_cleanup(struct element *e);
void ip_lookup_push(struct element *e, unsigned port, struct batch *b);

/* Handlers: table, lookup; then add, set, remove, ctrl, flush. */
extern const struct handler_spec ip_lookup_static_handlers[];
extern const struct handler_spec ip_lookup_handlers[];

/* "ADDR/MASK [GATEWAY] OUTPUT"; with `for_remove` all but the network may be missing. */
bool ip_lookup_parse(const struct element *e, const char *text, bool for_remove,
                     struct ip_route *out);

#endif
