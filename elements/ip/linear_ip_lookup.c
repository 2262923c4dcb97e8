// SPDX-License-Identifier: BSD-3-Clause
/*
 * LinearIPLookup -- route IPv4 packets by a table
 *
 * Usage:    LinearIPLookup(ADDR/MASK [GATEWAY] OUTPUT, ...)
 * Ports:    1 in, any number out; push
 * Args:     each is a route: where to send packets for the network, by which output and,
 *           if given, gateway; the longest prefix wins
 * Handlers: table   (r) the routes, one a line
 *           lookup  (r) output and gateway for an address
 *           add     (w) add a route, as in the arguments
 *           set     (w) the same, replacing one to the same network
 *           remove  (w) remove a route: ADDR/MASK [[GATEWAY] OUTPUT]
 *           ctrl    (w) "add ...", "set ..." and "remove ..." lines: all of them, or none
 * Example:  GetIPAddress(16) -> rt :: LinearIPLookup(10.0.0.0/8 0, 0/0 10.0.0.1 1);
 * See also: StaticIPLookup, RadixIPLookup
 *
 * Looks up the destination annotation; a gateway replaces it. Packets without a route are
 * dropped, the first five with a complaint. Masks may have
 * holes, which makes look-ups slow: they go through the list then.
 */

#include "engine/ip_lookup.h"

ELEMENT(LinearIPLookup) = {
    .name = "LinearIPLookup",
    .state_size = sizeof(struct ip_lookup),
    .keeps = PKT_PARTS & ~PKT_ANNO,
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/-",
    .processing = "h/h",
    .any_args = true,
    .handlers = ip_lookup_linear_handlers,
    .configure = ip_lookup_configure,
    .take_state = ip_lookup_take_state,
    .cleanup = ip_lookup_cleanup,
    .push = ip_lookup_push,
    .push_ip4 = ip_lookup_push_ip4,
};
