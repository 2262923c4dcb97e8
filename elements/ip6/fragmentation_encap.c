// SPDX-License-Identifier: BSD-3-Clause
/*
 * FragmentationEncap -- put an IPv6 fragment header in front of packets
 *
 * Usage:    FragmentationEncap(PROTO, OFFSET, M [, ID 0])
 * Ports:    1 in, 1 out; push or pull
 * Args:     PROTO   number of the header that follows
 *           OFFSET  where the fragment lies, in units of 8 bytes, up to 8191
 *           M       whether more fragments follow
 *           ID      which packet it is a fragment of
 * Counters: drops  packets for which memory ran out
 * Example:  ... -> FragmentationEncap(17, 0, false, 7) -> IP6Encap(44, 2001:db8::1, 2001:db8::2) -> ...
 * See also: IP6Fragmenter, HopByHopEncap, IP6Encap
 *
 * The packet is taken as the fragment that the arguments describe; nothing is cut.
 * IP6Encap(44, ...) has to follow.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { OFFSET_MAX = 8191 };

struct fragmentation_encap {
    uint32_t id;
    uint16_t offset;
    uint8_t proto;
    bool more;
};

static const struct arg_spec fragmentation_encap_args[] = {
    ARG_U8(fragmentation_encap, proto, "PROTO", ARG_M, NULL, "header that follows"),
    ARG_U16(fragmentation_encap, offset, "OFFSET", ARG_M, NULL,
            "place of the fragment, in 8 bytes"),
    ARG_BOOL(fragmentation_encap, more, "M", ARG_M, NULL, "more fragments follow"),
    ARG_U32(fragmentation_encap, id, "ID", ARG_POS, "0", "identification"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec fragmentation_encap_counters[] = {
    [C_DROPS] = {"drops", "packets for which memory ran out"},
    {NULL, NULL},
};

static int fragmentation_encap_configure(struct element *e, struct conf *c,
                                         struct diag *d)
{
    const struct fragmentation_encap *s = element_state(e);

    return s->offset <= OFFSET_MAX
               ? 0
               : diag_err(d, "OFFSET should be an integer between 0 and %d",
                          OFFSET_MAX);
}

static inline verdict_t fragmentation_encap_one(struct element *e, struct pkt *p)
{
    const struct fragmentation_encap *s = element_state(e);
    const uint16_t place = (uint16_t)(s->offset << 3 | s->more);
    uint32_t id = be32(s->id);

    if (!pkt_push(p, 8))
        return drop(e, C_DROPS);
    p->data[0] = s->proto;
    p->data[1] = 0;
    p->data[2] = (uint8_t)(place >> 8);
    p->data[3] = (uint8_t)place;
    memcpy(p->data + 4, &id, sizeof id);
    return 0;
}
ELEMENT_LOOP(fragmentation_encap)

ELEMENT(FragmentationEncap) = {
    .name = "FragmentationEncap",
    .state_size = sizeof(struct fragmentation_encap),
    .ports = "1/1",
    .args = fragmentation_encap_args,
    .counters = fragmentation_encap_counters,
    .configure = fragmentation_encap_configure,
    .push = fragmentation_encap_push,
    .pull = fragmentation_encap_pull,
};
