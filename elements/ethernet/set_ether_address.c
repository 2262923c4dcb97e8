// SPDX-License-Identifier: BSD-3-Clause
/*
 * SetEtherAddress -- set an Ethernet address annotation
 *
 * Usage:    SetEtherAddress(ADDR, ANNO)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ADDR  the address
 *           ANNO  6-byte annotation to set
 * Counters: none
 * Handlers: addr  (rw) as ADDR
 * Example:  ... -> SetEtherAddress(1:1:1:1:1:1, 0) -> ...
 * See also: StoreEtherAddress, GetEtherAddress
 */

#include "engine/element.h"

struct set_ether_address {
    struct ether_addr addr;
    struct anno_ref anno;
};

static const struct arg_spec set_ether_address_args[] = {
    ARG_ETHER(set_ether_address, addr, "ADDR", ARG_M, NULL, "the address"),
    ARG_ANNO_SIZED(set_ether_address, anno, "ANNO", ARG_M, NULL, 6,
                   "annotation to set"),
    ARG_END,
};

static inline void set_ether_address_batch(struct element *e, struct batch *b,
                                           uint32_t from)
{
    const struct set_ether_address *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++)
        memcpy(b->p[i]->anno + s->anno.offset, s->addr.b, sizeof s->addr.b);
}
ELEMENT_BATCH(set_ether_address)

static const struct handler_spec set_ether_address_handlers[] = {
    HANDLER_VALUE(set_ether_address, addr, ARG_KIND_ETHER, HANDLER_READ | HANDLER_WRITE,
                  "addr", "the address"),
    HANDLER_END,
};

ELEMENT(SetEtherAddress) = {
    .name = "SetEtherAddress",
    .state_size = sizeof(struct set_ether_address),
    .ports = "1/1",
    .args = set_ether_address_args,
    .live = true,
    .handlers = set_ether_address_handlers,
    .push = set_ether_address_push,
    .pull = set_ether_address_pull,
};
