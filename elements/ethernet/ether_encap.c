// SPDX-License-Identifier: BSD-3-Clause
/*
 * EtherEncap -- put an Ethernet header in front
 *
 * Usage:    EtherEncap(ETHERTYPE, SRC, DST)
 * Ports:    1 in, 1 out; push or pull
 * Args:     ETHERTYPE  the type field, 0x0800 for IP
 *           SRC        source address
 *           DST        destination address
 * Handlers: src        (rw) source address
 *           dst        (rw) destination address
 *           ethertype  (rw) the type field
 * Example:  ... -> EtherEncap(0x0800, 00:00:00:00:00:01, 00:00:00:00:00:02) -> ...
 * See also: ARPQuerier, EnsureEther, EtherRewrite, Strip
 */

#include "engine/element.h"
#include "engine/net_headers.h"

struct ether_encap {
    struct eth_hdr h; /* as it is copied into packets */
    uint16_t type;
    struct ether_addr src, dst;
};

static const struct arg_spec ether_encap_args[] = {
    ARG_U16(ether_encap, type, "ETHERTYPE", ARG_M, NULL, "type field"),
    ARG_ETHER(ether_encap, src, "SRC", ARG_M, NULL, "source address"),
    ARG_ETHER(ether_encap, dst, "DST", ARG_M, NULL, "destination address"),
    ARG_END,
};

static int ether_encap_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ether_encap *s = element_state(e);

    s->h = (struct eth_hdr){s->dst, s->src, be16(s->type)};
    return 0;
}

static inline verdict_t ether_encap_one(struct element *e, struct pkt *p)
{
    const struct ether_encap *s = element_state(e);
    struct eth_hdr *h = pkt_push_eth(p);

    if (__builtin_expect(!h, 0))
        return VERDICT_DROP;
    *h = s->h;
    return 0;
}
ELEMENT_LOOP(ether_encap)

enum { H_SRC, H_DST, H_TYPE };

static int ether_encap_read(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d)
{
    const struct ether_encap *s = element_state(e);
    char text[64];

    if (h->user == H_TYPE)
        sbuf_printf(out, "%u", be16(s->h.type));
    else
        sbuf_puts(out, unparse_ether(h->user == H_SRC ? &s->h.src : &s->h.dst, text));
    return 0;
}

static int ether_encap_write(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    struct ether_encap *s = element_state(e);
    struct ether_addr a;
    uint64_t type;

    if (h->user == H_TYPE) {
        if (!parse_u64(value, 0, &type) || type > 0xffff)
            return diag_err(d, "parse error");
        s->h.type = be16((uint16_t)type);
        return 0;
    }
    if (!parse_ether(e, value, &a))
        return diag_err(d, "parse error");
    *(h->user == H_SRC ? &s->h.src : &s->h.dst) = a;
    return 0;
}

#define ENCAP_HANDLER(name_, user_, help_)                                             \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ | HANDLER_WRITE,           \
        .user = user_, .read = ether_encap_read, .write = ether_encap_write            \
    }
static const struct handler_spec ether_encap_handlers[] = {
    ENCAP_HANDLER("src", H_SRC, "source address"),
    ENCAP_HANDLER("dst", H_DST, "destination address"),
    ENCAP_HANDLER("ethertype", H_TYPE, "type field"),
    ENCAP_HANDLER("etht", H_TYPE, "old name of ethertype"),
    HANDLER_END,
};

ELEMENT(EtherEncap) = {
    .name = "EtherEncap",
    .state_size = sizeof(struct ether_encap),
    .ports = "1/1",
    .args = ether_encap_args,
    .live = true,
    .handlers = ether_encap_handlers,
    .configure = ether_encap_configure,
    .push = ether_encap_push,
    .pull = ether_encap_pull,
};
