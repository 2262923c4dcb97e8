// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPFragmenter -- split IPv4 packets that are too long
 *
 * Usage:    IPFragmenter(MTU [, HONOR_DF true, VERBOSE false, keyword HEADROOM])
 * Ports:    1 in, 1-2 out; push
 * Args:     MTU       longest packet, header included; at least 8
 *           HONOR_DF  false: split packets that say "do not fragment" too
 *           VERBOSE   complain about every packet that cannot be split, not only five
 *           HEADROOM  bytes left in front of new fragments
 * Counters: fragments  fragments made
 *           drops      packets that could not be split
 * Example:  fr :: IPFragmenter(1500) -> ...;
 *           fr[1] -> ICMPError(10.0.0.1, unreachable, needfrag) -> ...
 * See also: IPReassembler, ICMPError
 *
 * Wants the IP header to be marked, at the front. Packets that must not be split leave by
 * output 1, or are dropped. Options that say so are copied to all fragments; annotations
 * are copied too.
 */

#include "engine/checksum.h"
#include "engine/ip4_plain.h"

struct ip_fragmenter {
    uint32_t mtu, headroom;
    bool honor_df, verbose;
};

static const struct arg_spec ip_fragmenter_args[] = {
    ARG_U32(ip_fragmenter, mtu, "MTU", ARG_M, NULL, "longest packet"),
    ARG_BOOL(ip_fragmenter, honor_df, "HONOR_DF", ARG_POS, "true",
             "leave packets that say so alone"),
    ARG_BOOL(ip_fragmenter, verbose, "VERBOSE", ARG_POS, "false",
             "complain about every packet that cannot be split"),
    {.name = "HEADROOM",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct ip_fragmenter, headroom),
     .def = "130",
     .max = 4096,
     .help = "bytes left in front of fragments"},
    ARG_END,
};

enum { C_FRAGMENTS, C_DROPS };
static const struct counter_spec ip_fragmenter_counters[] = {
    [C_FRAGMENTS] = {"fragments", "fragments made"},
    [C_DROPS] = {"drops", "packets that could not be split"},
    {NULL, NULL},
};

static int ip_fragmenter_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct ip_fragmenter *s = element_state(e);

    if (s->mtu < 8)
        return diag_err(d, "MTU must be at least 8");
    return 0;
}

/* Bytes of the options that belong into all fragments, and those to `out` unless NULL. */
static uint32_t ip_fragmenter_options(const struct ip4_hdr *h, uint8_t *out)
{
    const uint8_t *o = (const uint8_t *)(h + 1),
                  *end = (const uint8_t *)h + ip4_hlen(h);
    uint32_t n = 0;

    while (o < end && *o != IPOPT_EOL) {
        if (*o == IPOPT_NOP) {
            o++;
            continue;
        }
        if (end - o < 2 || o[1] < 2 || o[1] > end - o)
            break;
        if (*o & 0x80) {
            if (out)
                memcpy(out + n, o, o[1]);
            n += o[1];
        }
        o += o[1];
    }
    for (; n & 3; n++)
        if (out)
            out[n] = IPOPT_EOL;
    return n;
}

static void ip_fragmenter_refuse(struct element *e, struct pkt *p)
{
    const struct ip_fragmenter *s = element_state(e);
    char src[64], dst[64];
    struct batch b;

    if (s->verbose || e->counters[C_DROPS] < 5)
        element_say(e, "IPFragmenter(%u) DF %s %s len=%u\n", s->mtu,
                    unparse_ip(pkt_ip4(p)->src, src), unparse_ip(pkt_ip4(p)->dst, dst),
                    p->len);
    element_count(e, C_DROPS, 1);
    b.n = 1;
    b.p[0] = p;
    out_push_or_free(e, 1, &b);
}

static void ip_fragmenter_annotations(struct pkt *to, const struct pkt *from)
{
    memcpy(to->anno, from->anno, sizeof to->anno);
    to->timestamp = from->timestamp;
    to->type = from->type;
    to->device = from->device;
}

/* The fragment of `p` (whose header `h` is the first fragment's) with `len` bytes from
 * `off` on; NULL when memory ran out. */
static struct pkt *ip_fragmenter_piece(struct element *e, const struct pkt *p,
                                       uint32_t off, uint32_t len, bool last)
{
    const struct ip_fragmenter *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t hlen = (uint32_t)sizeof *h + ip_fragmenter_options(h, NULL);
    struct pkt *q = pkt_new(element_pool(e), s->headroom, NULL, hlen + len, 0);
    struct ip4_hdr *qh;

    if (!q)
        return NULL;
    qh = (struct ip4_hdr *)(void *)q->data;
    pkt_set_ip4(q, q->data, hlen);
    *qh = *h;
    (void)ip_fragmenter_options(h, (uint8_t *)(qh + 1));
    memcpy(q->transport, p->transport + off, len);
    qh->vhl = (uint8_t)(0x40 | hlen / 4);
    qh->off = be16((uint16_t)(be16(h->off) + (off >> 3)));
    if (last)
        qh->off &= BE16((uint16_t)~IP_MF);
    qh->len = be16((uint16_t)(hlen + len));
    qh->sum = 0;
    qh->sum = csum_ip4(qh);
    ip_fragmenter_annotations(q, p);
    return q;
}

/* Push the fragments of `p`, whose first one has `first` bytes of data. */
static void ip_fragmenter_split(struct element *e, struct pkt *p, uint32_t first)
{
    const struct ip_fragmenter *s = element_state(e);
    struct ip4_hdr *h = pkt_ip4(p);
    uint32_t hlen = ip4_hlen(h), data = be16(h->len) - hlen, piece;
    bool had_more = h->off & BE16(IP_MF);
    struct pkt *q;

    if (h->off & BE16(IP_DF)) { /* its identification cannot be trusted */
        h->id = (uint16_t)element_random(e);
        h->off &= BE16((uint16_t)~IP_DF);
    }
    h->off |= BE16(IP_MF);
    h->len = be16((uint16_t)(hlen + first));
    h->sum = 0;
    h->sum = csum_ip4(h);
    q = pkt_clone(p);
    if (q) {
        q->len = (uint32_t)(q->transport + first - q->data);
        element_count(e, C_FRAGMENTS, 1);
        out_push_one(e, 0, q);
    }
    piece = (s->mtu - (uint32_t)sizeof *h - ip_fragmenter_options(h, NULL)) & ~7u;
    for (uint32_t off = first; off < data; off += piece) {
        uint32_t len = data - off < piece ? data - off : piece;
        q = ip_fragmenter_piece(e, p, off, len, off + len >= data && !had_more);
        if (!q)
            continue;
        element_count(e, C_FRAGMENTS, 1);
        out_push_one(e, 0, q);
    }
    pkt_free(p);
}

static void ip_fragmenter_long(struct element *e, struct pkt *p)
{
    const struct ip_fragmenter *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t hlen, first, len;

    if (!pkt_has_ip4(p)) {
        element_count(e, C_DROPS, 1);
        pkt_free(p);
        return;
    }
    hlen = ip4_hlen(h);
    len = be16(h->len);
    first = s->mtu > hlen ? (s->mtu - hlen) & ~7u : 0;
    if (((h->off & BE16(IP_DF)) && s->honor_df) || first < 8) {
        ip_fragmenter_refuse(e, p);
        return;
    }
    /* What the header promises must be there, behind the header where it stands. */
    if (len <= s->mtu || len > pkt_avail(p, p->network) ||
        p->transport != p->network + hlen || pkt_writable(p) < 0) {
        element_count(e, C_DROPS, 1);
        pkt_free(p);
        return;
    }
    ip_fragmenter_split(e, p, first);
}

/* Whether the packet begins with its IP header, or before, and is not too long. */
static inline bool ip_fragmenter_short(const struct element *e, const struct pkt *p)
{
    const struct ip_fragmenter *s = element_state(e);

    return p->len <= s->mtu && p->network >= p->data;
}

static __attribute__((noinline)) void ip_fragmenter_some(struct element *e,
                                                         struct batch *b)
{
    const struct ip_fragmenter *s = element_state(e);
    struct batch ready;

    element_not_plain(e);
    ready.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (__builtin_expect(pkt_avail(p, p->network) <= s->mtu, 1)) {
            batch_add(&ready, p);
            continue;
        }
        out_push(e, 0, &ready); /* the order stays */
        ready.n = 0;
        ip_fragmenter_long(e, p);
    }
    out_push(e, 0, &ready);
}

static void ip_fragmenter_push(struct element *e, unsigned port, struct batch *b)
{
    if (__builtin_expect(batch_while(e, b, 0, ip_fragmenter_short) == b->n, 1))
        out_push(e, 0, b);
    else
        ip_fragmenter_some(e, b);
}

static inline bool ip_fragmenter_short_plain(const struct element *e,
                                             const struct pkt *p)
{
    const struct ip_fragmenter *s = element_state(e);

    return p->len <= s->mtu;
}

static void ip_fragmenter_push_ip4(struct element *e, unsigned port, struct batch *b)
{
    if (__builtin_expect(batch_while(e, b, 0, ip_fragmenter_short_plain) == b->n, 1))
        out_push_ip4(e, 0, b);
    else
        ip_fragmenter_some(e, b);
}

ELEMENT(IPFragmenter) = {
    .name = "IPFragmenter",
    .state_size = sizeof(struct ip_fragmenter),
    .plain = true,
    .ports = "1/1-2",
    .processing = "h/h",
    .args = ip_fragmenter_args,
    .counters = ip_fragmenter_counters,
    .configure = ip_fragmenter_configure,
    .push = ip_fragmenter_push,
    .push_ip4 = ip_fragmenter_push_ip4,
};
