// SPDX-License-Identifier: BSD-3-Clause
/*
 * StoreEtherAddress -- write an Ethernet address into the packet
 *
 * Usage:    StoreEtherAddress(ADDR, OFFSET)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ADDR    the address
 *           OFFSET  where in the data, or "src" or "dst" of an Ethernet header in front
 * Handlers: addr  (rw) as ADDR
 * Example:  ... -> StoreEtherAddress(1:1:1:1:1:1, src) -> ...
 * See also: EtherRewrite, GetEtherAddress
 *
 * Packets into which the address does not fit leave by output 1, or are dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct store_ether_address {
    struct ether_addr addr;
    struct text offset_text;
    uint32_t offset;
};

static const struct arg_spec store_ether_address_args[] = {
    ARG_ETHER(store_ether_address, addr, "ADDR", ARG_M, NULL, "the address"),
    ARG_WORD(store_ether_address, offset_text, "OFFSET", ARG_M, NULL,
             "where in the data, src or dst"),
    ARG_END,
};

static int store_ether_address_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    struct store_ether_address *s = element_state(e);
    uint64_t n = 0;

    if (strcmp(s->offset_text.s, "src") == 0)
        n = offsetof(struct eth_hdr, src);
    else if (strcmp(s->offset_text.s, "dst") != 0 &&
             (!parse_u64(s->offset_text.s, 0, &n) || n > INT32_MAX))
        return diag_err(d, "type mismatch: OFFSET requires integer");
    s->offset = (uint32_t)n;
    return 0;
}

static inline verdict_t store_ether_address_one(struct element *e, struct pkt *p)
{
    const struct store_ether_address *s = element_state(e);

    if (p->len < 6 || s->offset > p->len - 6)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    memcpy(p->data + s->offset, s->addr.b, 6);
    return 0;
}
ELEMENT_LOOP(store_ether_address)

static const struct handler_spec store_ether_address_handlers[] = {
    HANDLER_VALUE(store_ether_address, addr, ARG_KIND_ETHER,
                  HANDLER_READ | HANDLER_WRITE, "addr", "the address"),
    HANDLER_END,
};

ELEMENT(StoreEtherAddress) = {
    .name = "StoreEtherAddress",
    .state_size = sizeof(struct store_ether_address),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = store_ether_address_args,
    .live = true,
    .handlers = store_ether_address_handlers,
    .configure = store_ether_address_configure,
    .push = store_ether_address_push,
    .pull = store_ether_address_pull,
};
