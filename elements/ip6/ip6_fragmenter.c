// SPDX-License-Identifier: BSD-3-Clause
/*
 * IP6Fragmenter -- cut IPv6 packets that are too long into fragments
 *
 * Usage:    IP6Fragmenter(MTU [, FRAGMENT true])
 * Ports:    1 in, 1-2 out; push
 * Args:     MTU       longest packet that passes; below 56 bytes nothing can be cut
 *           FRAGMENT  false: do not cut; packets that are too long leave by output 1
 * Counters: drops      packets that were too long and could not be cut
 *           fragments  fragments made
 * Handlers: none
 * Example:  ... -> f :: IP6Fragmenter(1280) -> ...; f[1] -> ICMP6Error(2001:db8::1, 2, 0) -> ...
 * See also: IPFragmenter, ICMP6Error
 *
 * Only hosts fragment IPv6; a router says FRAGMENT false and answers with ICMP6Error. The
 * packet must begin with its IPv6 header. A fragment header (RFC 8200, section 4.5) goes
 * behind that; packets with a fragment header there already, or without a header at all,
 * leave by output 1.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum { FRAGMENT_HEADER = 8, NEXT_FRAGMENT = 44, MTU_MIN = 56 };

struct ip6_fragmenter {
    uint32_t mtu, id;
    bool fragment;
};

static const struct arg_spec ip6_fragmenter_args[] = {
    {.name = "MTU",
     .kind = ARG_KIND_U32,
     .flags = ARG_M,
     .offset = offsetof(struct ip6_fragmenter, mtu),
     .help = "longest packet",
     .max = PKT_MAX_LEN},
    ARG_BOOL(ip6_fragmenter, fragment, "FRAGMENT", 0, "true", "cut long packets"),
    ARG_END,
};

enum { C_DROPS, C_FRAGMENTS };
static const struct counter_spec ip6_fragmenter_counters[] = {
    [C_DROPS] = {"drops", "packets that could not be cut"},
    [C_FRAGMENTS] = {"fragments", "fragments made"},
    {NULL, NULL},
};

static int ip6_fragmenter_configure(struct element *e, struct conf *c, struct diag *d)
{
    ((struct ip6_fragmenter *)element_state(e))->id = element_random(e);
    return 0;
}

/* The fragment with `n` bytes of payload from `off` on. */
static struct pkt *fragment(struct element *e, const struct pkt *p, uint32_t off,
                            uint32_t n, bool more)
{
    const struct ip6_fragmenter *s = element_state(e);
    const uint32_t head = sizeof(struct ip6_hdr) + FRAGMENT_HEADER;
    struct pkt *q = pkt_new(element_pool(e), PKT_HEADROOM, NULL, head + n, 0);
    struct ip6_hdr *h;
    uint8_t *f;

    if (!q)
        return NULL;
    memcpy(q->data, p->data, sizeof *h);
    memcpy(q->data + head, p->data + sizeof *h + off, n);
    pkt_set_ip4(q, q->data, sizeof *h);
    h = pkt_ip6(q);
    f = q->data + sizeof *h;
    f[0] = h->next;
    f[1] = 0;
    store16(f + 2, be16((uint16_t)(off | more)));
    store32(f + 4, be32(s->id));
    h->next = NEXT_FRAGMENT;
    h->len = be16((uint16_t)(FRAGMENT_HEADER + n));
    memcpy(q->anno, p->anno, sizeof q->anno);
    q->timestamp = p->timestamp;
    q->type = p->type;
    return q;
}

static void fragments(struct element *e, struct pkt *p)
{
    struct ip6_fragmenter *s = element_state(e);
    uint32_t left = p->len - (uint32_t)sizeof(struct ip6_hdr), off = 0;
    uint32_t most = (s->mtu - (uint32_t)sizeof(struct ip6_hdr) - FRAGMENT_HEADER) & ~7u;
    struct batch b;

    s->id++;
    while (left) {
        for (b.n = 0; left && b.n < BATCH_MAX;) {
            uint32_t n = left < most ? left : most;
            struct pkt *q = fragment(e, p, off, n, left > n);

            if (q)
                batch_add(&b, q);
            off += n;
            left -= n;
        }
        element_count(e, C_FRAGMENTS, b.n);
        out_push(e, 0, &b);
    }
    pkt_free(p);
}

static bool can_fragment(const struct ip6_fragmenter *s, const struct pkt *p)
{
    const struct ip6_hdr *h = (const void *)p->data;

    return s->fragment && s->mtu >= MTU_MIN && p->len > sizeof *h &&
           p->data[0] >> 4 == 6 && h->next != NEXT_FRAGMENT &&
           p->len <= sizeof *h + 0xffff && be16(h->len) == p->len - sizeof *h;
}

static void ip6_fragmenter_push(struct element *e, unsigned port, struct batch *b)
{
    const struct ip6_fragmenter *s = element_state(e);
    struct batch short_ones, rest;

    short_ones.n = rest.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (p->len <= s->mtu) {
            batch_add(&short_ones, p);
        } else if (can_fragment(s, p)) {
            out_push(e, 0, &short_ones); /* order is kept */
            short_ones.n = 0;
            fragments(e, p);
        } else {
            batch_add(&rest, p);
        }
    }
    out_push(e, 0, &short_ones);
    element_count(e, C_DROPS, rest.n);
    out_push_or_free(e, 1, &rest);
}

ELEMENT(IP6Fragmenter) = {
    .name = "IP6Fragmenter",
    .state_size = sizeof(struct ip6_fragmenter),
    .ports = "1/1-2",
    .processing = "h/h",
    .args = ip6_fragmenter_args,
    .counters = ip6_fragmenter_counters,
    .configure = ip6_fragmenter_configure,
    .push = ip6_fragmenter_push,
};
