// SPDX-License-Identifier: BSD-3-Clause
/*
 * StoreEtherAddress -- write an Ethernet address into the packet
 *
 * Usage:    StoreEtherAddress(ADDR, OFFSET) or StoreEtherAddress(OFFSET, ANNO)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ADDR    the address
 *           OFFSET  where in the data, or "src" or "dst" of an Ethernet header in front
 *           ANNO    6-byte annotation to take the address from, in place of ADDR
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
    struct anno_ref anno;
    bool have_addr, have_anno;
    struct text offset_text;
    uint32_t offset;
};

static const struct arg_spec store_ether_address_args[] = {
    {.name = "ADDR",
     .kind = ARG_KIND_ETHER,
     .flags = ARG_POS,
     .offset = offsetof(struct store_ether_address, addr),
     .seen = 1 + offsetof(struct store_ether_address, have_addr),
     .help = "the address"},
    ARG_WORD(store_ether_address, offset_text, "OFFSET", ARG_M, NULL,
             "where in the data, src or dst"),
    {.name = "ANNO",
     .kind = ARG_KIND_ANNO,
     .offset = offsetof(struct store_ether_address, anno),
     .seen = 1 + offsetof(struct store_ether_address, have_anno),
     .max = 6,
     .help = "annotation to take it from"},
    ARG_END,
};

static int store_ether_address_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    struct store_ether_address *s = element_state(e);

    if (s->have_addr == s->have_anno)
        return diag_err(d, "must specify exactly one of ADDR/ANNO");
    if (!parse_ether_offset(s->offset_text.s, &s->offset))
        return diag_err(d, "type mismatch: bad OFFSET");
    return 0;
}

static inline verdict_t store_ether_address_one(struct element *e, struct pkt *p)
{
    const struct store_ether_address *s = element_state(e);

    if (p->len < 6 || s->offset > p->len - 6)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    memcpy(p->data + s->offset, s->have_anno ? p->anno + s->anno.offset : s->addr.b, 6);
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
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = store_ether_address_args,
    .live = true,
    .handlers = store_ether_address_handlers,
    .configure = store_ether_address_configure,
    .push = store_ether_address_push,
    .pull = store_ether_address_pull,
};
