// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMP6Error -- answer IPv6 packets with an ICMPv6 error
 *
 * Usage:    ICMP6Error(SRC, TYPE, CODE [, MTU 1500])
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC   source address of the errors
 *           TYPE  1 (unreachable), 2 (too big), 3 (time exceeded), 4 (parameter problem)
 *                 or 137 (redirect)
 *           CODE  what exactly
 *           MTU   what errors of type 2 say
 * Counters: drops  packets that must not be answered
 * Handlers: none
 * Example:  d[1] -> ICMP6Error(2001:db8::1, 3, 0) -> GetIP6Address(24) -> rt;
 * See also: ICMPError, DecIP6HLIM, CheckIP6Header
 *
 * RFC 4443. Errors carry the packet's first 568 bytes at most. ICMPv6 errors are not
 * answered, nor are packets to multicast or link-level broadcast addresses, from
 * multicast addresses or from ::. A redirect names the destination annotation as the better
 * next hop; a parameter problem points where the annotation says. The destination
 * annotation becomes the error's destination. The network header must be marked.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum {
    ICMP6_UNREACH = 1,
    ICMP6_TOOBIG = 2,
    ICMP6_PARAMPROB = 4,
    ICMP6_REDIRECT = 137,
    ICMP6_INFO = 128, /* types from here on are no errors */
    MOST = 568,       /* bytes of a packet that an error carries, as in Click */
};

struct icmp6_error {
    struct ip6_addr src;
    int32_t type, code;
    uint32_t mtu;
};

static const struct arg_spec icmp6_error_args[] = {
    ARG_IP6(icmp6_error, src, "SRC", ARG_M, NULL, "source of the errors"),
    ARG_I32(icmp6_error, type, "TYPE", ARG_M, NULL, "ICMPv6 type"),
    ARG_I32(icmp6_error, code, "CODE", ARG_M, NULL, "ICMPv6 code"),
    ARG_U32(icmp6_error, mtu, "MTU", 0, "1500", "what errors of type 2 say"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec icmp6_error_counters[] = {
    [C_DROPS] = {"drops", "packets that must not be answered"},
    {NULL, NULL},
};

static int icmp6_error_initialize(struct element *e, struct diag *d)
{
    static const struct ip6_addr none;
    const struct icmp6_error *s = element_state(e);

    if (s->type < 0 || s->code < 0 || memcmp(s->src.b, none.b, sizeof none.b) == 0)
        return diag_err(d, "not configured -a");
    if ((s->type < ICMP6_UNREACH || s->type > ICMP6_PARAMPROB) &&
        s->type != ICMP6_REDIRECT)
        return diag_err(d, "ICMP6 type %d is not an error or redirect type", s->type);
    return 0;
}

static bool answerable(const struct pkt *p)
{
    static const struct ip6_addr none;
    const struct ip6_hdr *h = pkt_ip6(p);
    uint32_t n = pkt_avail(p, p->network);

    if (n < sizeof *h || p->network[0] >> 4 != 6)
        return false;
    if (h->next == IP_PROTO_ICMP6 &&
        (n == sizeof *h || p->network[sizeof *h] < ICMP6_INFO))
        return false;
    return h->dst.b[0] != 0xff && h->src.b[0] != 0xff &&
           memcmp(h->src.b, none.b, 16) != 0 && p->type != PKT_BROADCAST &&
           p->type != PKT_MULTICAST;
}

/* Fill in the ICMPv6 header; returns its length. */
static uint32_t icmp6_header(const struct icmp6_error *s, const struct pkt *p,
                             uint8_t *at)
{
    uint32_t word = 0;

    if (s->type == ICMP6_TOOBIG)
        word = s->mtu;
    else if (s->type == ICMP6_PARAMPROB)
        word = p->anno[ANNO_ICMP_PARAMPROB];
    at[0] = (uint8_t)s->type;
    at[1] = (uint8_t)s->code;
    store16(at + 2, 0);
    store32(at + 4, be32(word));
    if (s->type != ICMP6_REDIRECT)
        return 8;
    memcpy(at + 8, p->anno + ANNO_DST_IP6, 16);
    memcpy(at + 24, pkt_ip6(p)->dst.b, 16);
    return 40;
}

static struct pkt *icmp6_answer(struct element *e, const struct pkt *p)
{
    const struct icmp6_error *s = element_state(e);
    uint32_t head = s->type == ICMP6_REDIRECT ? 40 : 8;
    uint32_t n = p->len < MOST ? p->len : MOST;
    struct ip6_hdr *h;
    struct pkt *q;

    q = pkt_new(element_pool(e), PKT_HEADROOM, NULL, sizeof *h + head + n, 0);
    if (!q)
        return NULL;
    pkt_set_ip4(q, q->data, sizeof *h);
    h = pkt_ip6(q);
    *h = (struct ip6_hdr){.flow = BE32(6u << 28),
                          .len = be16((uint16_t)(head + n)),
                          .next = IP_PROTO_ICMP6,
                          .hlim = 255,
                          .src = s->src,
                          .dst = pkt_ip6(p)->src};
    icmp6_header(s, p, q->transport);
    memcpy(q->transport + head, p->data, n);
    store16(
        q->transport + 2,
        csum_finish(csum_add(csum_pseudo6(&h->src, &h->dst, IP_PROTO_ICMP6, head + n),
                             q->transport, head + n)));
    memcpy(q->anno + ANNO_DST_IP6, h->dst.b, 16);
    q->anno[ANNO_FIX_IP_SRC] = 1;
    return q;
}

static void icmp6_error_batch(struct element *e, struct batch *b, uint32_t from)
{
    uint32_t kept = from;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i], *q = answerable(p) ? icmp6_answer(e, p) : NULL;

        if (q)
            b->p[kept++] = q;
        else
            element_count(e, C_DROPS, 1);
        pkt_free(p);
    }
    b->n = kept;
}
ELEMENT_BATCH(icmp6_error)

ELEMENT(ICMP6Error) = {
    .name = "ICMP6Error",
    .state_size = sizeof(struct icmp6_error),
    .ports = "1/1",
    .args = icmp6_error_args,
    .counters = icmp6_error_counters,
    .initialize = icmp6_error_initialize,
    .push = icmp6_error_push,
    .pull = icmp6_error_pull,
};
