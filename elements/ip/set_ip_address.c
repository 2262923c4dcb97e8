// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetIPAddress -- set an annotation to an IPv4 address
 *
 * Usage:    SetIPAddress(IPADDR [, ANNO])
 * Ports:    1 in, 1 out; push or pull
 * Args:     IPADDR  the address
 *           ANNO  4-byte annotation to set, default DST_IP
 * Handlers: addr  (rw) as ADDR
 * Example:  ... -> SetIPAddress(10.0.0.254) -> q :: ARPQuerier(10.0.0.1, 0:0:0:0:0:1);
 * See also: GetIPAddress, StoreIPAddress, SetRandIPAddress
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct set_ip_address {
    uint32_t addr;
    struct anno_ref anno;
};

static const struct arg_spec set_ip_address_args[] = {
    ARG_IP(set_ip_address, addr, "IPADDR", ARG_M, NULL, "the address"),
    {.name = "ANNO",
     .kind = ARG_KIND_ANNO,
     .offset = offsetof(struct set_ip_address, anno),
     .def = "DST_IP",
     .max = 4,
     .help = "annotation to set"},
    ARG_END,
};

static void set_ip_address_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct set_ip_address *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++)
        store32(b->p[i]->anno + s->anno.offset, s->addr);
}
ELEMENT_BATCH(set_ip_address)

static const struct handler_spec set_ip_address_handlers[] = {
    HANDLER_VALUE(set_ip_address, addr, ARG_KIND_IP, HANDLER_READ | HANDLER_WRITE,
                  "addr", "the address"),
    HANDLER_END,
};

ELEMENT(SetIPAddress) = {
    .name = "SetIPAddress",
    .state_size = sizeof(struct set_ip_address),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = set_ip_address_args,
    .live = true,
    .handlers = set_ip_address_handlers,
    .push = set_ip_address_push,
    .pull = set_ip_address_pull,
};
