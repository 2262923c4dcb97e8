// SPDX-License-Identifier: BSD-3-Clause
/*
 * GetEtherAddress -- copy an Ethernet address from the packet into an annotation
 *
 * Usage:    GetEtherAddress(ANNO, OFFSET)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ANNO    6-byte annotation to set
 *           OFFSET  where in the data, or "src" or "dst" of an Ethernet header in front
 * Example:  FromDevice(0) -> GetEtherAddress(0, src) -> ...
 * See also: StoreEtherAddress, GetIPAddress
 *
 * Packets that are too short leave by output 1, or are dropped.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct get_ether_address {
    struct anno_ref anno;
    struct text offset_text;
    uint32_t offset;
};

static const struct arg_spec get_ether_address_args[] = {
    {.name = "ANNO",
     .kind = ARG_KIND_ANNO,
     .flags = ARG_M,
     .offset = offsetof(struct get_ether_address, anno),
     .max = 6,
     .help = "annotation to set"},
    ARG_WORD(get_ether_address, offset_text, "OFFSET", ARG_M, NULL,
             "where in the data, src or dst"),
    ARG_END,
};

static int get_ether_address_configure(struct element *e, struct conf *c,
                                       struct diag *d)
{
    struct get_ether_address *s = element_state(e);

    return parse_ether_offset(s->offset_text.s, &s->offset)
               ? 0
               : diag_err(d, "type mismatch: bad OFFSET");
}

static inline verdict_t get_ether_address_one(struct element *e, struct pkt *p)
{
    const struct get_ether_address *s = element_state(e);

    if (p->len < 6 || s->offset > p->len - 6)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    memcpy(p->anno + s->anno.offset, p->data + s->offset, 6);
    return 0;
}
ELEMENT_LOOP(get_ether_address)

ELEMENT(GetEtherAddress) = {
    .name = "GetEtherAddress",
    .state_size = sizeof(struct get_ether_address),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = get_ether_address_args,
    .live = true,
    .configure = get_ether_address_configure,
    .push = get_ether_address_push,
    .pull = get_ether_address_pull,
};
