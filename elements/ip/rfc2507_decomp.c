// SPDX-License-Identifier: BSD-3-Clause
/*
 * RFC2507Decomp -- give TCP packets their headers back
 *
 * Usage:    RFC2507Decomp()
 * Ports:    1 in, 1 out; push or pull
 * Args:     none
 * Counters: drops  packets that are too short, of unknown connections or without memory
 * Handlers: none
 * Example:  slow link -> RFC2507Decomp -> CheckIPHeader -> ...
 * See also: RFC2507Comp
 *
 * Takes what RFC2507Comp has made, see engine/rfc2507.h. Packets that come out are IP packets;
 * their header is not marked. A checksum of IP is computed anew, that of TCP is what it was:
 * after a lost packet it shows that the headers are wrong, and the receiver drops it.
 */

#include "engine/checksum.h"
#include "engine/element.h"
#include "engine/rfc2507.h"

struct rfc2507_decomp {
    struct rfc2507_connection connections[RFC2507_CONNECTIONS]; /* [0] is not used */
};

enum { C_DROPS };
static const struct counter_spec rfc2507_decomp_counters[] = {
    [C_DROPS] = {"drops", "packets that cannot be understood"},
    {NULL, NULL},
};

enum { HEADERS = sizeof(struct rfc2507_headers) };

struct reader {
    const uint8_t *at, *end;
    bool failed;
};

/* `value` with the next change added. */
static uint32_t changed(struct reader *r, uint32_t value)
{
    bool is_long = r->at < r->end && *r->at == 0;

    if (r->end - r->at < (is_long ? RFC2507_CHANGE_MAX : 1)) {
        r->failed = true;
        return value;
    }
    if (!is_long)
        return value + *r->at++;
    r->at += RFC2507_CHANGE_MAX;
    return value + (uint32_t)(r->at[-2] << 8 | r->at[-1]);
}

static void apply(struct reader *r, uint8_t flags, struct rfc2507_headers *h)
{
    h->tcp.flags &= (uint8_t) ~(TCP_PSH | TCP_URG);
    if (flags & RFC2507_PUSH)
        h->tcp.flags |= TCP_PSH;
    if (flags & RFC2507_URGENT) {
        h->tcp.flags |= TCP_URG;
        h->tcp.urp = be16((uint16_t)changed(r, be16(h->tcp.urp)));
    }
    if (flags & RFC2507_WINDOW)
        h->tcp.win = be16((uint16_t)changed(r, be16(h->tcp.win)));
    if (flags & RFC2507_ACK)
        h->tcp.ack = be32(changed(r, be32(h->tcp.ack)));
    if (flags & RFC2507_SEQ)
        h->tcp.seq = be32(changed(r, be32(h->tcp.seq)));
    if (flags & RFC2507_ID)
        h->ip.id = be16((uint16_t)changed(r, be16(h->ip.id)));
    else
        h->ip.id = be16((uint16_t)(be16(h->ip.id) + 1));
}

static bool decompress(struct pkt *p, struct rfc2507_connection *c)
{
    struct rfc2507_headers h = c->last;
    struct reader r = {p->data + RFC2507_FIXED, p->data + p->len, false};
    uint32_t front;

    if (p->len < RFC2507_FIXED || !c->used)
        return false;
    memcpy(&h.tcp.sum, p->data + 3, sizeof h.tcp.sum);
    apply(&r, p->data[2], &h);
    front = (uint32_t)(r.at - p->data);
    if (r.failed || p->len - front > 65535 - HEADERS)
        return false;
    h.ip.len = be16((uint16_t)(p->len - front + HEADERS));
    h.ip.sum = 0;
    h.ip.sum = csum_ip4_20(&h.ip);
    pkt_pull(p, front);
    if (!pkt_push(p, HEADERS))
        return false;
    memcpy(p->data, &h, HEADERS);
    c->last = h;
    return true;
}

/* A whole packet; the connection learns its headers. */
static bool learn(struct pkt *p, struct rfc2507_connection *c)
{
    if (p->len < 2 + HEADERS || p->data[2] != 0x45)
        return false;
    pkt_pull(p, 2);
    memcpy(&c->last, p->data, HEADERS);
    c->used = true;
    return true;
}

static inline verdict_t rfc2507_decomp_one(struct element *e, struct pkt *p)
{
    struct rfc2507_decomp *s = element_state(e);
    struct rfc2507_connection *c;
    bool ok;

    p->network = p->transport = NULL;
    if (p->len < 2)
        return drop(e, C_DROPS);
    if (p->data[0] == RFC2507_OTHER) {
        pkt_pull(p, 1);
        return 0;
    }
    if (p->data[1] == 0 || p->data[1] >= RFC2507_CONNECTIONS)
        return drop(e, C_DROPS);
    c = &s->connections[p->data[1]];
    ok = p->data[0] == RFC2507_FULL         ? learn(p, c)
         : p->data[0] == RFC2507_COMPRESSED ? decompress(p, c)
                                            : false;
    return ok ? 0 : drop(e, C_DROPS);
}
ELEMENT_LOOP(rfc2507_decomp)

ELEMENT(RFC2507Decomp) = {
    .name = "RFC2507Decomp",
    .state_size = sizeof(struct rfc2507_decomp),
    .ports = "1/1",
    .counters = rfc2507_decomp_counters,
    .push = rfc2507_decomp_push,
    .pull = rfc2507_decomp_pull,
};
