// SPDX-License-Identifier: BSD-3-Clause
/*
 * RFC2507Comp -- compress the headers of TCP packets
 *
 * Usage:    RFC2507Comp()
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: compressed  packets with compressed headers
 *           full        packets of a connection with whole headers
 *           other       packets that belong to no connection that is compressed
 *           drops       packets that do not begin with an IP header, or without memory
 * Handlers: none
 * Example:  ... -> Strip(14) -> MarkIPHeader -> RFC2507Comp -> Queue -> slow link
 * See also: RFC2507Decomp
 *
 * After the idea of RFC 2507, in a form that RFC2507Decomp understands: see engine/rfc2507.h.
 * The IP header must be marked. Fourteen connections are compressed at a time, and of these
 * TCP packets with an acknowledgement and without IP options, fragments, SYN, FIN and RST.
 * Nothing is said twice: a link that loses or reorders packets breaks connections until the
 * next whole header, which comes when a number goes back.
 */

#include "engine/element.h"
#include "engine/rfc2507.h"

struct rfc2507_comp {
    struct rfc2507_connection connections[RFC2507_CONNECTIONS]; /* [0] is not used */
};

enum { C_COMPRESSED, C_FULL, C_OTHER, C_DROPS };
static const struct counter_spec rfc2507_comp_counters[] = {
    [C_COMPRESSED] = {"compressed", "packets with compressed headers"},
    [C_FULL] = {"full", "packets of a connection with whole headers"},
    [C_OTHER] = {"other", "packets that belong to none"},
    [C_DROPS] = {"drops", "packets that do not begin with an IP header"},
    {NULL, NULL},
};

enum { HEADERS = sizeof(struct rfc2507_headers) };

static bool can_compress(const struct pkt *p, const struct rfc2507_headers *h)
{
    return p->len >= HEADERS && h->ip.vhl == 0x45 && h->ip.proto == IP_PROTO_TCP &&
           !(h->ip.off & BE16(IP_OFFMASK | IP_MF)) && be16(h->ip.len) == p->len &&
           (h->tcp.flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
}

static bool same_connection(const struct rfc2507_headers *a,
                            const struct rfc2507_headers *b)
{
    return a->ip.src == b->ip.src && a->ip.dst == b->ip.dst &&
           a->tcp.sport == b->tcp.sport && a->tcp.dport == b->tcp.dport;
}

/* Its number; 0: it is new. */
static unsigned find(const struct rfc2507_comp *s, const struct rfc2507_headers *h)
{
    for (unsigned i = 1; i < RFC2507_CONNECTIONS; i++)
        if (s->connections[i].used && same_connection(&s->connections[i].last, h))
            return i;
    return 0;
}

/* One that is free, or any. */
static unsigned take_number(struct element *e)
{
    const struct rfc2507_comp *s = element_state(e);

    for (unsigned i = 1; i < RFC2507_CONNECTIONS; i++)
        if (!s->connections[i].used)
            return i;
    return 1 + element_random(e) % (RFC2507_CONNECTIONS - 1);
}

struct changes {
    uint8_t bytes[5 * RFC2507_CHANGE_MAX];
    uint32_t n;
    uint8_t flags;
};

/* False: the change cannot be said. */
static bool add_change(struct changes *c, uint8_t flag, uint32_t was, uint32_t is)
{
    uint32_t change = is - was;

    if (is == was)
        return true;
    if (is < was || change > 65535)
        return false;
    c->flags |= flag;
    if (change > 255) {
        c->bytes[c->n++] = 0;
        c->bytes[c->n++] = (uint8_t)(change >> 8);
    }
    c->bytes[c->n++] = (uint8_t)change;
    return true;
}

static bool find_changes(struct changes *c, const struct rfc2507_headers *was,
                         const struct rfc2507_headers *is)
{
    const uint8_t told = TCP_PSH | TCP_URG;
    uint16_t id = be16(is->ip.id), next_id = (uint16_t)(be16(was->ip.id) + 1);

    if (was->ip.tos != is->ip.tos || was->ip.off != is->ip.off ||
        was->ip.ttl != is->ip.ttl || was->tcp.off != is->tcp.off ||
        (was->tcp.flags & ~told) != (is->tcp.flags & ~told))
        return false;
    if (!add_change(c, RFC2507_URGENT, be16(was->tcp.urp), be16(is->tcp.urp)) ||
        !add_change(c, RFC2507_WINDOW, be16(was->tcp.win), be16(is->tcp.win)) ||
        !add_change(c, RFC2507_ACK, be32(was->tcp.ack), be32(is->tcp.ack)) ||
        !add_change(c, RFC2507_SEQ, be32(was->tcp.seq), be32(is->tcp.seq)))
        return false;
    if (is->tcp.flags & TCP_PSH)
        c->flags |= RFC2507_PUSH;
    /* the other side takes the one for the other */
    if (!(is->tcp.flags & TCP_URG) != !(c->flags & RFC2507_URGENT))
        return false;
    return id == next_id ||
           (id != be16(was->ip.id) && add_change(c, RFC2507_ID, be16(was->ip.id), id));
}

static bool put_front(struct pkt *p, const uint8_t *bytes, uint32_t n)
{
    if (!pkt_push(p, n))
        return false;
    memcpy(p->data, bytes, n);
    p->network = p->transport = NULL;
    return true;
}

static bool compress(struct pkt *p, unsigned number, const struct changes *c,
                     uint16_t tcp_sum)
{
    uint8_t front[RFC2507_FIXED + sizeof c->bytes] = {RFC2507_COMPRESSED,
                                                      (uint8_t)number, c->flags};

    memcpy(front + 3, &tcp_sum, sizeof tcp_sum);
    memcpy(front + RFC2507_FIXED, c->bytes, c->n);
    pkt_pull(p, HEADERS);
    return put_front(p, front, RFC2507_FIXED + c->n);
}

/* Of a connection: as changes, or whole. */
static verdict_t send_connection(struct element *e, struct pkt *p,
                                 const struct rfc2507_headers *h)
{
    struct rfc2507_comp *s = element_state(e);
    struct changes c = {.n = 0};
    unsigned number = find(s, h);
    bool known = number && find_changes(&c, &s->connections[number].last, h);
    struct rfc2507_connection *to;
    bool ok;

    number = number ? number : take_number(e);
    to = &s->connections[number];
    to->last = *h;
    to->used = true;
    ok = known ? compress(p, number, &c, h->tcp.sum)
               : put_front(p, (uint8_t[]){RFC2507_FULL, (uint8_t)number}, 2);
    if (!ok) {
        to->used = false; /* the other side does not learn of it */
        return drop(e, C_DROPS);
    }
    element_count(e, known ? C_COMPRESSED : C_FULL, 1);
    return 0;
}

static inline verdict_t rfc2507_comp_one(struct element *e, struct pkt *p)
{
    struct rfc2507_headers h;

    if (!pkt_has_ip4(p) || p->network != p->data)
        return drop(e, C_DROPS);
    memcpy(&h, p->data, p->len < HEADERS ? p->len : HEADERS);
    if (can_compress(p, &h))
        return send_connection(e, p, &h);
    if (!put_front(p, (uint8_t[]){RFC2507_OTHER}, 1))
        return drop(e, C_DROPS);
    element_count(e, C_OTHER, 1);
    return 0;
}
ELEMENT_LOOP(rfc2507_comp)

ELEMENT(RFC2507Comp) = {
    .name = "RFC2507Comp",
    .state_size = sizeof(struct rfc2507_comp),
    .ports = "1/1",
    .counters = rfc2507_comp_counters,
    .push = rfc2507_comp_push,
    .pull = rfc2507_comp_pull,
};
