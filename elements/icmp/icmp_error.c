// SPDX-License-Identifier: BSD-3-Clause
/*
 * ICMPError -- answer IPv4 packets with ICMP error messages
 *
 * Usage:    ICMPError(SRC, TYPE [, CODE, BADADDRS, keywords])
 * Ports:    1 in, 1 out; push or pull
 * Args:     SRC       source address of the messages, the router's own
 *           TYPE      ICMP type, a number or name: unreachable, timeexceeded, redirect,
 *                     parameterproblem, sourcequench
 *           CODE      ICMP code, a number or name, default 0
 *           BADADDRS  addresses that get no message: the local broadcast addresses
 *           MTU       longest message, default 576
 *           PMTU      next hop MTU that "unreachable needfrag" messages report
 *           SET_FIX_ANNO  set the Fix IP Source annotation, default true
 * Handlers: src   (rw) as SRC
 *           mtu   (rw) as MTU
 *           pmtu  (rw) as PMTU
 * Example:  dt :: DecIPTTL; dt[1] -> ICMPError(10.0.0.1, timeexceeded) -> [0]rt;
 * See also: DecIPTTL, FixIPSrc, IPFragmenter, ICMPPingResponder
 *
 * Wants the IP header to be marked. Follows RFC 1812, 4.3.2.7, about when not to send:
 * nothing about ICMP errors, broadcasts and multicasts, fragments but the first, or bad
 * sources. A source route is reversed into the message. Redirects name the destination
 * annotation, parameter problems point where the ICMP_PARAMPROB annotation says.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/nameinfo.h"
#include "engine/router.h"
#include "engine/words.h"

struct icmp_error {
    uint32_t src;
    struct text type_text, code_text;
    struct ip_list bad_addrs;
    uint32_t mtu, pmtu;
    bool set_fix;
    uint8_t type, code;
    uint16_t *next_id; /* all in a router count on: router_shared() */
};

static const struct arg_spec icmp_error_args[] = {
    ARG_IP(icmp_error, src, "SRC", ARG_M, NULL, "source address of the messages"),
    ARG_WORD(icmp_error, type_text, "TYPE", ARG_M, NULL, "ICMP type"),
    ARG_WORD(icmp_error, code_text, "CODE", ARG_POS, "0", "ICMP code"),
    {.name = "BADADDRS",
     .kind = ARG_KIND_CUSTOM,
     .flags = ARG_POS,
     .offset = offsetof(struct icmp_error, bad_addrs),
     .help = "addresses that get no message",
     .parse = ip_list_parse},
    ARG_U32(icmp_error, mtu, "MTU", 0, "576", "longest message"),
    ARG_U32(icmp_error, pmtu, "PMTU", 0, "0", "next hop MTU to report"),
    ARG_BOOL(icmp_error, set_fix, "SET_FIX_ANNO", 0, "true",
             "set the Fix IP Source annotation"),
    ARG_END,
};

static bool icmp_error_is_error(uint32_t type)
{
    return type == ICMP_UNREACH || type == ICMP_SOURCEQUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIMXCEED || type == ICMP_PARAMPROB;
}

static int icmp_error_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct icmp_error *s = element_state(e);
    uint32_t type, code;

    if (!name_query_int(e, NAME_ICMP_TYPE, s->type_text.s, &type))
        return diag_err(d, "TYPE: parse error");
    if (type > 255)
        return diag_err(d, "ICMP type must be between 0 and 255");
    if (!icmp_error_is_error(type))
        return diag_err(d, "ICMP type %u is not an error type", type);
    if (!name_query_int(e, NAME_ICMP_CODE + type, s->code_text.s, &code) || code > 255)
        return diag_err(d, "argument 2 takes ICMP code (integer between 0 and 255)");
    s->type = (uint8_t)type;
    s->code = (uint8_t)code;
    s->next_id = router_shared(e->router, "ICMPError", sizeof *s->next_id);
    if (!s->next_id)
        return diag_err(d, "out of memory");
    if (!*s->next_id)
        *s->next_id = 1;
    return 0;
}

static bool icmp_error_unicast(const struct icmp_error *s, uint32_t addr)
{
    return addr != 0xffffffffu && be32(addr) >> 28 != 14 &&
           !ip_list_has(&s->bad_addrs, addr);
}

/* RFC 1812, 5.3.7: somebody whom a message can reach. */
static bool icmp_error_valid_source(const struct icmp_error *s, uint32_t addr)
{
    uint32_t net = be32(addr) >> 24;

    return icmp_error_unicast(s, addr) && net != 0 && net != 127 && net < 0xf0;
}

/* The source route option of a header, of which there are `hlen` bytes; NULL: none. */
static const uint8_t *icmp_error_source_route(const struct ip4_hdr *h, uint32_t hlen)
{
    const uint8_t *o = (const uint8_t *)(h + 1), *end = (const uint8_t *)h + hlen;

    while (o < end && *o != IPOPT_EOL) {
        if (*o == IPOPT_NOP) {
            o++;
            continue;
        }
        if (end - o < 3 || o[1] < 2 || o[1] > end - o)
            return NULL;
        if ((*o == IPOPT_LSRR || *o == IPOPT_SSRR) && o[2] >= 4 && o[2] % 4 == 0 &&
            o[2] <= o[1] + 1)
            return o;
        o += o[1];
    }
    return NULL;
}

/* Whether a message about `p` may be sent: RFC 1812, 4.3.2.7. */
static bool icmp_error_allowed(const struct icmp_error *s, const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);

    if (!pkt_has_ip4(p))
        return false;
    if (h->proto == IP_PROTO_ICMP &&
        (pkt_avail(p, p->transport) < 4 || icmp_error_is_error(pkt_icmp(p)->type)))
        return false;
    return icmp_error_unicast(s, h->dst) && p->type != PKT_BROADCAST &&
           p->type != PKT_MULTICAST && icmp_error_valid_source(s, h->src) &&
           !ip4_is_later_fragment(h);
}

/* The route back: the hops that were passed, in reverse. Returns bytes of options. */
static uint32_t icmp_error_reverse_route(uint8_t *o, const uint8_t *route)
{
    uint32_t len = route[2] - 1u, padded = (len + 3) & ~3u;

    memset(o, IPOPT_EOL, padded);
    o[0] = route[0];
    o[1] = (uint8_t)len;
    o[2] = 4;
    o += 3;
    for (uint32_t at = route[2]; at >= 8; at -= 4, o += 4)
        memcpy(o, route + at - 5, 4);
    return padded;
}

static void icmp_error_fill_icmp(const struct icmp_error *s, struct icmp_hdr *icmp,
                                 const struct pkt *about)
{
    *icmp = (struct icmp_hdr){.type = s->type, .code = s->code};
    if (s->type == ICMP_PARAMPROB && s->code == 0)
        icmp->pointer = about->anno[ANNO_ICMP_PARAMPROB];
    else if (s->type == ICMP_REDIRECT)
        icmp->gateway = pkt_dst_ip(about);
    else if (s->type == ICMP_UNREACH && s->code == ICMP_UNREACH_NEEDFRAG)
        icmp->mtu = be16((uint16_t)s->pmtu);
}

/* The message about `p`; NULL when memory ran out. */
static struct pkt *icmp_error_make(struct element *e, const struct pkt *p,
                                   const uint8_t *route)
{
    struct icmp_error *s = element_state(e);
    uint32_t about = pkt_avail(p, p->network);
    uint32_t options = route ? (route[2] - 1u + 3) & ~3u : 0;
    uint32_t head = sizeof(struct ip4_hdr) + options + sizeof(struct icmp_hdr);
    struct icmp_hdr *icmp;
    struct ip4_hdr *h;
    struct pkt *q;

    if (s->mtu < head)
        return NULL;
    if (about > s->mtu - head)
        about = s->mtu - head;
    q = pkt_new(element_pool(e), PKT_HEADROOM, NULL, head + about, 0);
    if (!q)
        return NULL;
    h = (struct ip4_hdr *)(void *)q->data;
    *h = (struct ip4_hdr){
        .vhl = (uint8_t)(0x40 | (20 + options) / 4),
        .len = be16((uint16_t)q->len),
        .id = be16((*s->next_id)++),
        .ttl = 200,
        .proto = IP_PROTO_ICMP,
        .src = s->src,
        .dst = pkt_ip4(p)->src,
    };
    if (route)
        icmp_error_reverse_route((uint8_t *)(h + 1), route);
    pkt_set_ip4(q, q->data, 20 + options);
    icmp = pkt_icmp(q);
    icmp_error_fill_icmp(s, icmp, p);
    memcpy(icmp + 1, p->network, about);
    icmp->sum = csum(icmp, sizeof *icmp + about);
    h->sum = csum_ip4(h);

    pkt_set_dst_ip(q, h->dst);
    if (s->set_fix)
        q->anno[ANNO_FIX_IP_SRC] = 1;
    q->timestamp = element_wall_now(e);
    return q;
}

/* The message about `p`, which is released; NULL if there is none to send. */
static struct pkt *icmp_error_about(struct element *e, struct pkt *p)
{
    const struct icmp_error *s = element_state(e);
    const uint8_t *route, *problem;
    struct pkt *q = NULL;

    if (icmp_error_allowed(s, p)) {
        route = icmp_error_source_route(pkt_ip4(p), ip4_hlen(pkt_ip4(p)));
        problem = p->network + p->anno[ANNO_ICMP_PARAMPROB];
        /* A route that is itself the problem is not followed: RFC 1812, 4.3.2.6. */
        if (route && s->type == ICMP_PARAMPROB && s->code == 0 && route <= problem &&
            problem < route + route[1])
            route = NULL;
        if (!route || s->type != ICMP_REDIRECT)
            q = icmp_error_make(e, p, route);
    }
    pkt_free(p);
    return q;
}

/* Packets leave as others than they came: the batch is filled anew. */
static void icmp_error_batch(struct element *e, struct batch *b, uint32_t from)
{
    uint32_t n = from;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *q = icmp_error_about(e, b->p[i]);
        if (q)
            b->p[n++] = q;
    }
    b->n = n;
}
ELEMENT_BATCH(icmp_error)

static const struct handler_spec icmp_error_handlers[] = {
    HANDLER_VALUE(icmp_error, src, ARG_KIND_IP, HANDLER_READ | HANDLER_WRITE, "src",
                  "source address of the messages"),
    HANDLER_VALUE(icmp_error, mtu, ARG_KIND_U32, HANDLER_READ | HANDLER_WRITE, "mtu",
                  "longest message"),
    HANDLER_VALUE(icmp_error, pmtu, ARG_KIND_U32, HANDLER_READ | HANDLER_WRITE, "pmtu",
                  "next hop MTU to report"),
    HANDLER_END,
};

ELEMENT(ICMPError) = {
    .name = "ICMPError",
    .state_size = sizeof(struct icmp_error),
    .ports = "1/1",
    .args = icmp_error_args,
    .handlers = icmp_error_handlers,
    .configure = icmp_error_configure,
    .push = icmp_error_push,
    .pull = icmp_error_pull,
};
