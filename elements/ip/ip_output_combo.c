// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPOutputCombo -- what a router does with a packet on its way out, in one
 *
 * Usage:    IPOutputCombo(COLOR, IPADDR, MTU)
 * Ports:    1 in, 5 out; push
 * Args:     COLOR   paint of the packets that came in by this interface
 *           IPADDR  the interface's address
 *           MTU     longest packet
 * Example:  rt[1] -> ip :: IPOutputCombo(1, 10.0.0.1, 1500) -> q;
 *           ip[1] -> ICMPError(10.0.0.1, redirect, host) -> rt; ...
 * See also: DropBroadcasts, PaintTee, IPGWOptions, FixIPSrc, DecIPTTL, IPFragmenter
 *
 * The work of DropBroadcasts, PaintTee(COLOR), IPGWOptions(IPADDR), FixIPSrc(IPADDR) and
 * DecIPTTL, and a look at the length. Good packets leave by output 0, copies of painted
 * ones also by 1; those with bad options by 2, whose time is up by 3, longer than MTU by
 * 4. Wants the IP header to be marked.
 */

#include "engine/checksum.h"
#include "engine/ip_options.h"
#include "engine/spread.h"

struct ip_output_combo {
    struct ip_options options;
    uint32_t mtu;
    uint8_t color;
};

static const struct arg_spec ip_output_combo_args[] = {
    ARG_U8(ip_output_combo, color, "COLOR", ARG_M, NULL, "paint of the interface"),
    ARG_IP(ip_output_combo, options.addr, "IPADDR", ARG_M, NULL, "its address"),
    ARG_U32(ip_output_combo, mtu, "MTU", ARG_M, NULL, "longest packet"),
    ARG_END,
};

static int32_t ip_output_combo_one(struct element *e, struct pkt *p)
{
    const struct ip_output_combo *s = element_state(e);
    struct pkt *copy;
    struct ip4_hdr *h;
    int r;

    if (p->type == PKT_BROADCAST || p->type == PKT_MULTICAST || !pkt_has_ip4(p))
        return -1;
    if (pkt_paint(p) == s->color && (copy = pkt_clone(p)))
        out_push_one(e, 1, copy);
    if (*p->network != 0x45 && (r = ip_options_process(e, &s->options, p)))
        return r == -1 ? 2 : -1;
    if (pkt_ip4(p)->ttl <= 1 && !p->anno[ANNO_FIX_IP_SRC])
        return 3;
    if (pkt_writable(p) < 0)
        return -1;
    h = pkt_ip4(p);
    if (p->anno[ANNO_FIX_IP_SRC]) {
        p->anno[ANNO_FIX_IP_SRC] = 0;
        h->sum = csum_replace32(h->sum, h->src, s->options.addr);
        h->src = s->options.addr;
        if (h->ttl <= 1)
            return 3;
    }
    ip4_count_down(h);
    return pkt_avail(p, p->network) > s->mtu ? 4 : 0;
}

static void ip_output_combo_push(struct element *e, unsigned port, struct batch *b)
{
    int32_t out[BATCH_MAX];

    for (uint32_t i = 0; i < b->n; i++)
        out[i] = ip_output_combo_one(e, b->p[i]);
    spread_push(e, b, out);
}

ELEMENT(IPOutputCombo) = {
    .name = "IPOutputCombo",
    .state_size = sizeof(struct ip_output_combo),
    .ports = "1/5",
    .processing = "h/h",
    .args = ip_output_combo_args,
    .push = ip_output_combo_push,
};
