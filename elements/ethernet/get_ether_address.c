// SPDX-License-Identifier: BSD-3-Clause
/*
 * GetEtherAddress -- copy an Ethernet address from the packet into an annotation
 *
 * Usage:    GetEtherAddress(ANNO, OFFSET)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ANNO    6-byte annotation to set
 *           OFFSET  where in the data, or "src" or "dst" of an Ethernet header in front
 * Example:  FromDevice(0) -> GetEtherAddress(0, src) -> ...
 * See also: StoreEtherAddress, GetIPAddress
 *
 * When the packet is too short the annotation becomes all ones.
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
    uint64_t n = 0;

    if (strcmp(s->offset_text.s, "src") == 0)
        n = offsetof(struct eth_hdr, src);
    else if (strcmp(s->offset_text.s, "dst") != 0 &&
             (!parse_u64(s->offset_text.s, 0, &n) || n > INT32_MAX))
        return diag_err(d, "type mismatch: OFFSET requires integer");
    s->offset = (uint32_t)n;
    return 0;
}

static void get_ether_address_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct get_ether_address *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (p->len >= 6 && s->offset <= p->len - 6)
            memcpy(p->anno + s->anno.offset, p->data + s->offset, 6);
        else
            memset(p->anno + s->anno.offset, 0xff, 6);
    }
}
ELEMENT_BATCH(get_ether_address)

ELEMENT(GetEtherAddress) = {
    .name = "GetEtherAddress",
    .state_size = sizeof(struct get_ether_address),
    .ports = "1/1",
    .args = get_ether_address_args,
    .configure = get_ether_address_configure,
    .push = get_ether_address_push,
    .pull = get_ether_address_pull,
};
