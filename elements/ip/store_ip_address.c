// SPDX-License-Identifier: BSD-3-Clause
/*
 * StoreIPAddress -- write an IPv4 address into the packet
 *
 * Usage:    StoreIPAddress(OFFSET) or StoreIPAddress(ADDR, OFFSET)
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     ADDR    the address; without it, that of the destination annotation, if not 0
 *           OFFSET  where in the data, or "src" or "dst" of the marked IP header
 * Example:  ... -> StoreIPAddress(10.0.0.1, src) -> ...
 * See also: GetIPAddress, SetIPAddress, FixIPSrc
 *
 * With "src" and "dst" the checksums of IP, TCP and UDP are updated; with a number nothing
 * but the four bytes changes. Packets into which the address does not fit leave by output
 * 1, or are dropped.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/parse_chars.h"

struct store_ip_address {
    uint32_t addr, offset;
    bool use_addr, in_header;
};

/* The value of "KEYWORD value", or NULL. */
static const char *keyword_value(const char *arg, const char *keyword)
{
    size_t len = strlen(keyword);

    if (strncmp(arg, keyword, len) != 0 || !char_is_space(arg[len]))
        return NULL;
    for (arg += len; char_is_space(*arg); arg++)
        ;
    return arg;
}

/* One argument is OFFSET, two are ADDR and OFFSET unless keywords say otherwise. */
static int store_ip_address_read(struct conf *c, const char **addr, const char **offset,
                                 struct diag *d)
{
    if (c->argc > 2)
        return diag_err(d, "too many arguments");
    for (int i = 0; i < c->argc; i++) {
        const char *a = keyword_value(c->argv[i], "ADDR");
        const char *o = keyword_value(c->argv[i], "OFFSET");

        if (a && c->argc == 2)
            *addr = a;
        else if (o)
            *offset = o;
        else if (c->argc == 2 && !*addr)
            *addr = c->argv[i];
        else
            *offset = c->argv[i];
    }
    if (c->argc == 2 && !*addr)
        return diag_err(d, "ADDR: required argument missing");
    return *offset ? 0 : diag_err(d, "OFFSET: required argument missing");
}

static int store_ip_address_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct store_ip_address *s = element_state(e);
    const char *offset = NULL, *addr = NULL;
    uint64_t n;

    if (store_ip_address_read(c, &addr, &offset, d) < 0)
        return -1;
    s->use_addr = addr != NULL;
    if (addr && !parse_ip(e, addr, &s->addr))
        return diag_err(d, "ADDR: parse error");
    s->in_header = true;
    if (char_is_word(offset, "src"))
        s->offset = offsetof(struct ip4_hdr, src);
    else if (char_is_word(offset, "dst"))
        s->offset = offsetof(struct ip4_hdr, dst);
    else if (parse_u64(offset, 0, &n) && n <= INT32_MAX)
        s->in_header = false, s->offset = (uint32_t)n;
    else
        return diag_err(d, "type mismatch: OFFSET requires integer");
    return 0;
}

static verdict_t store_ip_address_header(const struct store_ip_address *s,
                                         struct pkt *p, uint32_t addr)
{
    struct ip4_hdr *h = pkt_ip4_writable(p);
    uint32_t left, was;
    uint64_t delta;

    if (!h)
        return VERDICT_DROP;
    was = load32(p->network + s->offset);
    store32(p->network + s->offset, addr);
    delta = csum_delta32(was, addr);
    h->sum = csum_apply(h->sum, delta);
    left = ip4_is_later_fragment(h) ? 0 : pkt_avail(p, p->transport);
    if (h->proto == IP_PROTO_TCP && left >= sizeof(struct tcp_hdr))
        pkt_tcp(p)->sum = csum_apply(pkt_tcp(p)->sum, delta);
    if (h->proto == IP_PROTO_UDP && left >= sizeof(struct udp_hdr) && pkt_udp(p)->sum)
        pkt_udp(p)->sum = csum_apply(pkt_udp(p)->sum, delta);
    return 0;
}

static inline verdict_t store_ip_address_one(struct element *e, struct pkt *p)
{
    const struct store_ip_address *s = element_state(e);
    uint32_t addr = s->use_addr ? s->addr : pkt_dst_ip(p);

    if (s->in_header && pkt_has_ip4(p))
        return store_ip_address_header(s, p, addr);
    if (s->in_header || (!addr && !s->use_addr) || p->len < 4 || s->offset > p->len - 4)
        return e->n_out > 1 ? 1 : VERDICT_DROP;
    if (pkt_writable(p) < 0)
        return VERDICT_DROP;
    store32(p->data + s->offset, addr);
    return 0;
}
ELEMENT_LOOP(store_ip_address)

ELEMENT(StoreIPAddress) = {
    .name = "StoreIPAddress",
    .state_size = sizeof(struct store_ip_address),
    .plain = true,
    .apart = APART_SUMS,
    .ports = "1/1-2",
    .processing = "a/ah",
    .any_args = true,
    .configure = store_ip_address_configure,
    .push = store_ip_address_push,
    .pull = store_ip_address_pull,
};
