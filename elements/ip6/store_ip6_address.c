// SPDX-License-Identifier: BSD-3-Clause
/*
 * StoreIP6Address -- write an IPv6 address into the packet
 *
 * Usage:    StoreIP6Address(OFFSET) or StoreIP6Address(ADDR, OFFSET)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ADDR    the address; without it, that of the destination annotation
 *           OFFSET  where behind the start of the marked IPv6 header, or "src" or "dst"
 * Example:  ... -> CheckIP6Header -> StoreIP6Address(2001:db8::3, src) -> ...
 * See also: SetIP6Address, GetIP6Address, StoreIPAddress
 *
 * Nothing but the sixteen bytes changes. Packets without a network header, and those into
 * which the address does not fit, leave by output 1, or are dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"
#include "engine/parse_chars.h"

struct store_ip6_address {
    struct text addr_arg, offset_arg;
    struct ip6_addr addr;
    uint32_t offset;
    bool use_addr;
};

static const struct arg_spec store_ip6_address_args[] = {
    ARG_WORD(store_ip6_address, addr_arg, "ADDR", ARG_POS, NULL, "the address"),
    ARG_WORD(store_ip6_address, offset_arg, "OFFSET", ARG_POS, NULL, "where it goes"),
    ARG_END,
};

static int store_ip6_address_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct store_ip6_address *s = element_state(e);
    const char *offset = s->offset_arg.s ? s->offset_arg.s : s->addr_arg.s;
    uint64_t n;

    s->use_addr = s->addr_arg.s && s->offset_arg.s;
    if (!offset)
        return diag_err(d, "OFFSET: required argument missing");
    if (s->use_addr && !parse_ip6(e, s->addr_arg.s, &s->addr))
        return diag_err(d, "ADDR: parse error");
    if (char_is_word(offset, "src"))
        s->offset = offsetof(struct ip6_hdr, src);
    else if (char_is_word(offset, "dst"))
        s->offset = offsetof(struct ip6_hdr, dst);
    else if (parse_u64(offset, 0, &n) && n <= INT32_MAX)
        s->offset = (uint32_t)n;
    else
        return diag_err(d, "OFFSET: should be an integer, 'src' or 'dst'");
    return 0;
}

static inline verdict_t store_ip6_address_one(struct element *e, struct pkt *p)
{
    const struct store_ip6_address *s = element_state(e);
    uint32_t room = pkt_avail(p, p->network);

    if (room < sizeof s->addr || s->offset > room - sizeof s->addr)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    memcpy(p->network + s->offset, s->use_addr ? s->addr.b : p->anno + ANNO_DST_IP6,
           sizeof s->addr);
    return 0;
}
ELEMENT_LOOP(store_ip6_address)

ELEMENT(StoreIP6Address) = {
    .name = "StoreIP6Address",
    .state_size = sizeof(struct store_ip6_address),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = store_ip6_address_args,
    .configure = store_ip6_address_configure,
    .push = store_ip6_address_push,
    .pull = store_ip6_address_pull,
};
