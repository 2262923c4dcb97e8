// SPDX-License-Identifier: BSD-3-Clause
/*
 * FixIPSrc -- fill in the router's own source address where it was left open
 *
 * Usage:    FixIPSrc(IPADDR)
 * Ports:    1 in, 1 out; push or pull
 * Args:     IPADDR  the address of the interface by which packets leave
 * Example:  rt[1] -> DropBroadcasts -> FixIPSrc(10.0.1.1) -> DecIPTTL -> ...
 * See also: ICMPError
 *
 * Where the Fix IP Source annotation is set, which ICMPError does, the source address
 * becomes IPADDR, the checksum is computed and the annotation cleared. Other packets pass.
 */

#include "engine/checksum.h"
#include "engine/ip4_plain.h"

struct fix_ip_src {
    uint32_t addr;
};

static const struct arg_spec fix_ip_src_args[] = {
    ARG_IP(fix_ip_src, addr, "IPADDR", ARG_M, NULL, "address of the interface"),
    ARG_END,
};

static inline bool fix_ip_src_idle(const struct element *e, const struct pkt *p)
{
    return !p->anno[ANNO_FIX_IP_SRC];
}

static inline verdict_t fix_ip_src_one(struct element *e, struct pkt *p)
{
    const struct fix_ip_src *s = element_state(e);
    struct ip4_hdr *h;

    if (fix_ip_src_idle(e, p) || !p->network)
        return 0;
    h = pkt_ip4_writable(p);
    if (!h)
        return VERDICT_DROP;
    p->anno[ANNO_FIX_IP_SRC] = 0;
    h->src = s->addr;
    h->sum = 0;
    h->sum = csum_ip4(h);
    return 0;
}

static uint32_t fix_ip_src_run(struct element *e, struct batch *b, uint32_t from)
{
    if (!batch_bits(b, from, offsetof(struct pkt, anno) + ANNO_FIX_IP_SRC))
        return b->n;
    return batch_while(e, b, from, fix_ip_src_idle);
}
ELEMENT_LOOP_RUN(fix_ip_src)
ELEMENT_IP4(fix_ip_src)

ELEMENT(FixIPSrc) = {
    .name = "FixIPSrc",
    .state_size = sizeof(struct fix_ip_src),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1",
    .args = fix_ip_src_args,
    .live = true,
    .push = fix_ip_src_push,
    .pull = fix_ip_src_pull,
    .push_ip4 = fix_ip_src_push_ip4,
};
