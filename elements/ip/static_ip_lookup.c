// SPDX-License-Identifier: BSD-3-Clause
/*
 * StaticIPLookup -- route IPv4 packets by a table that does not change
 *
 * Usage:    StaticIPLookup(ADDR/MASK [GATEWAY] OUTPUT, ...)
 * Ports:    1 in, any number out; push
 * Args:     each is a route: where to send packets for the network, by which output and,
 *           if given, gateway; the longest prefix wins
 * Handlers: table   (r) the routes, one a line
 *           lookup  (r) output and gateway for an address
 * Example:  GetIPAddress(16) -> rt :: StaticIPLookup(10.0.0.0/8 0, 0/0 10.0.0.1 1);
 * See also: LinearIPLookup, RadixIPLookup, LookupIPRoute
 *
 * Looks up the destination annotation; a gateway replaces it. Packets without a route are
 * dropped, the first five with a complaint. The table
 * comes from the configuration alone.
 */

#include "engine/ip_lookup.h"

ELEMENT(StaticIPLookup) = {
    .name = "StaticIPLookup",
    .state_size = sizeof(struct ip_lookup),
    .keeps = PKT_PARTS & ~PKT_ANNO,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .handlers = ip_lookup_static_handlers,
    .configure = ip_lookup_configure,
    .cleanup = ip_lookup_cleanup,
    .push = ip_lookup_push,
    .push_ip4 = ip_lookup_push_ip4,
};

/* Its names in old configurations. */
ELEMENT_ALIAS(LookupIPRoute, StaticIPLookup);
ELEMENT_ALIAS(LookupIPRouteMP, StaticIPLookup);
