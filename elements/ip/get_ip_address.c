// SPDX-License-Identifier: BSD-3-Clause
/*
 * GetIPAddress -- copy an IPv4 address from the packet into an annotation
 *
 * Usage:    GetIPAddress(OFFSET | IP src|dst [, ANNO DST_IP])
 * Ports:    1 in, 1 out; push or pull
 * Args:     OFFSET  where the address stands in the data; 16 is the destination of an IP
 *                   header at the front
 *           IP      "src" or "dst": take it from the marked IP header instead
 *           ANNO    4-byte annotation to set, default DST_IP
 * Example:  ... -> Strip(14) -> GetIPAddress(16) -> rt;
 * See also: SetIPAddress, StoreIPAddress, CheckIPHeader
 *
 * When the packet is too short the annotation becomes 0.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct get_ip_address {
    int32_t offset;
    bool from_header;
    struct text ip;
    struct anno_ref anno;
    uint32_t at; /* in the data, or in the IP header */
};

static const struct arg_spec get_ip_address_args[] = {
    {.name = "OFFSET",
     .kind = ARG_KIND_I32,
     .flags = ARG_POS,
     .offset = offsetof(struct get_ip_address, offset),
     .def = "-1",
     .help = "where the address stands in the data"},
    {.name = "ANNO",
     .kind = ARG_KIND_ANNO,
     .offset = offsetof(struct get_ip_address, anno),
     .def = "DST_IP",
     .max = 4,
     .flags = ARG_POS,
     .help = "annotation to set"},
    ARG_WORD(get_ip_address, ip, "IP", 0, NULL, "\"src\" or \"dst\" of the IP header"),
    ARG_END,
};

static int get_ip_address_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct get_ip_address *s = element_state(e);

    if ((s->offset >= 0) == (s->ip.s != NULL))
        return diag_err(d, "set one of OFFSET, IP");
    s->from_header = s->offset < 0;
    if (!s->from_header)
        s->at = (uint32_t)s->offset;
    else if (strcmp(s->ip.s, "src") == 0)
        s->at = offsetof(struct ip4_hdr, src);
    else if (strcmp(s->ip.s, "dst") == 0)
        s->at = offsetof(struct ip4_hdr, dst);
    else
        return diag_err(d, "bad IP");
    return 0;
}

static void get_ip_address_batch(struct element *e, struct batch *b, uint32_t from)
{
    const struct get_ip_address *s = element_state(e);

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];
        const uint8_t *base = s->from_header ? p->network : p->data;
        uint32_t left = s->from_header ? pkt_avail(p, base) : p->len;
        bool fits = left >= 4 && s->at <= left - 4;

        store32(p->anno + s->anno.offset, fits ? load32(base + s->at) : 0);
    }
}
ELEMENT_BATCH(get_ip_address)

ELEMENT(GetIPAddress) = {
    .name = "GetIPAddress",
    .state_size = sizeof(struct get_ip_address),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = get_ip_address_args,
    .configure = get_ip_address_configure,
    .push = get_ip_address_push,
    .pull = get_ip_address_pull,
};
