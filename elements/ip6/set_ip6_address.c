// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIP6Address -- set the destination annotation to an IPv6 address
 *
 * Usage:    SetIP6Address(IPADDR)
 * Ports:    1 in, 1 out; push or pull
 * Args:     IPADDR  the address
 * Counters: none
 * Handlers: addr  (rw) the argument IPADDR
 * Example:  ... -> SetIP6Address(2001:db8::1) -> IP6NDSolicitor(...)
 * See also: GetIP6Address, SetIPAddress
 */

#include "engine/element.h"

struct set_ip6_address {
    struct ip6_addr addr;
};

static const struct arg_spec set_ip6_address_args[] = {
    ARG_IP6(set_ip6_address, addr, "IPADDR", ARG_M, NULL, "the address"),
    ARG_END,
};

static void set_ip6_address_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_ip6_address *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++)
        memcpy(b->p[i]->anno + ANNO_DST_IP6, s->addr.b, 16);
}
ELEMENT_BATCH(set_ip6_address)

static const struct handler_spec set_ip6_address_handlers[] = {
    HANDLER_VALUE(set_ip6_address, addr, ARG_KIND_IP6, HANDLER_READ | HANDLER_WRITE,
                  "addr", "the address"),
    HANDLER_END,
};

ELEMENT(SetIP6Address) = {
    .name = "SetIP6Address",
    .state_size = sizeof(struct set_ip6_address),
    .ports = "1/1",
    .args = set_ip6_address_args,
    .handlers = set_ip6_address_handlers,
    .push = set_ip6_address_push,
    .pull = set_ip6_address_pull,
};
