// SPDX-License-Identifier: BSD-3-Clause
/*
 * SnoopTCP -- send again to a mobile host what its wireless link has lost
 *
 * Usage:    SnoopTCP([CAPACITY 64])
 * Ports:    2 in, 2-4 out; push or pull, outputs 2 and 3 push
 * Args:     CAPACITY  connections that are watched, at most 4096
 * Counters: retransmitted  packets sent again
 *           suppressed     duplicate acknowledgements that were kept from the server
 * Handlers: connections  (r) how many are watched now
 * Example:  server -> s :: SnoopTCP -> mobile;  mobile2 -> [1]s[1] -> server2;
 *           s[2] -> mobile3;
 * See also: TCPFragmenter, TCPMSS
 *
 * Packets from server to mobile host go from input 0 to output 0, those from the mobile host
 * from input 1 to output 1. Copies of the server's data are kept until they have been
 * acknowledged, at most 256 packets of a connection. Where duplicate acknowledgements say
 * that one is lost, and the server has not sent it again itself, it leaves by output 2 and
 * they are dropped, so that the server does not slow down (Balakrishnan, Seshan, Amir and
 * Katz, "Improving TCP/IP performance over wireless networks", MobiCom 1995). There are no
 * timers: what no acknowledgement asks for is the server's to send again. Nothing leaves by
 * output 3. Without output 2 all packets pass. When there are too many connections, the one
 * that has been quiet longest is forgotten. Wants the IP header to be marked.
 */

#include "engine/element.h"
#include "engine/net_headers.h"

enum {
    CACHE = 256, /* packets of a connection */
    HIGH_WATER = CACHE * 9 / 10,
    BUCKETS = 256,
    CAPACITY_MAX = 4096,
    DUP_THRESHOLD = 1, /* duplicates that may come of reordering */
};

struct snoop_tcp_packet {
    struct pkt *p; /* owned clone */
    uint32_t seq, size;
    uint8_t sent_again; /* by us */
    bool by_server;     /* the server has sent it again */
};

struct snoop_tcp_conn {
    uint32_t server, mobile;
    uint16_t server_port, mobile_port;
    uint32_t next; /* number plus one, in its bucket */
    uint64_t used; /* when, in packets */
    bool alive;
    uint16_t last_win;
    uint32_t s_max, last_ack, dups, expected;
    uint32_t tail, n; /* of the ring `cache` */
    struct snoop_tcp_packet cache[CACHE];
};

struct snoop_tcp {
    uint32_t capacity, connections;
    uint64_t now;
    uint32_t bucket[BUCKETS];
    struct snoop_tcp_conn *conns; /* in the router's arena */
};

static const struct arg_spec snoop_tcp_args[] = {
    {.name = "CAPACITY",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .def = "64",
     .min = 1,
     .max = CAPACITY_MAX,
     .offset = offsetof(struct snoop_tcp, capacity),
     .help = "connections that are watched"},
    ARG_END,
};

enum { C_RETRANSMITTED, C_SUPPRESSED };
static const struct counter_spec snoop_tcp_counters[] = {
    [C_RETRANSMITTED] = {"retransmitted", "packets sent again"},
    [C_SUPPRESSED] = {"suppressed", "acknowledgements that were dropped"},
    {NULL, NULL},
};

static int snoop_tcp_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct snoop_tcp *s = element_state(e);

    s->conns = element_alloc(e, s->capacity * sizeof *s->conns);
    return s->conns ? 0 : diag_err(d, "out of memory");
}

static bool snoop_tcp_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* --- connections -------------------------------------------------------------------------- */

static struct snoop_tcp_packet *snoop_tcp_at(struct snoop_tcp_conn *c, uint32_t i)
{
    return &c->cache[(c->tail + i) % CACHE];
}

static void snoop_tcp_drop_first(struct snoop_tcp_conn *c)
{
    pkt_free(c->cache[c->tail].p);
    c->cache[c->tail].p = NULL;
    c->tail = (c->tail + 1) % CACHE;
    c->n--;
}

static void snoop_tcp_forget(struct snoop_tcp_conn *c)
{
    while (c->n)
        snoop_tcp_drop_first(c);
    c->alive = false;
    c->dups = c->expected = 0;
}

static uint32_t *snoop_tcp_bucket(struct snoop_tcp *s, const struct snoop_tcp_conn *c)
{
    uint32_t h = c->server ^ c->mobile ^ (uint32_t)c->server_port << 16 ^
                 c->mobile_port;

    return &s->bucket[(h * 0x9e3779b1u) >> 24];
}

/* A place for a connection: a free one, or that of the one that has been quiet longest. */
static struct snoop_tcp_conn *snoop_tcp_place(struct snoop_tcp *s)
{
    struct snoop_tcp_conn *c = &s->conns[0];
    uint32_t *link;

    if (s->connections < s->capacity)
        return &s->conns[s->connections++];
    for (uint32_t i = 1; i < s->capacity; i++)
        if (s->conns[i].used < c->used)
            c = &s->conns[i];
    snoop_tcp_forget(c);
    for (link = snoop_tcp_bucket(s, c); &s->conns[*link - 1] != c;)
        link = &s->conns[*link - 1].next;
    *link = c->next;
    return c;
}

/* The connection of a packet that comes in by `port`; made if it carries data. */
static struct snoop_tcp_conn *snoop_tcp_find(struct snoop_tcp *s, const struct pkt *p,
                                             unsigned port, bool make)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct tcp_hdr *t = pkt_tcp(p);
    struct snoop_tcp_conn key = {.server = port ? h->dst : h->src,
                                 .mobile = port ? h->src : h->dst,
                                 .server_port = port ? t->dport : t->sport,
                                 .mobile_port = port ? t->sport : t->dport};
    uint32_t *head = snoop_tcp_bucket(s, &key);
    struct snoop_tcp_conn *c;

    for (uint32_t n = *head; n; n = s->conns[n - 1].next) {
        c = &s->conns[n - 1];
        if (c->server == key.server && c->mobile == key.mobile &&
            c->server_port == key.server_port && c->mobile_port == key.mobile_port)
            return c;
    }
    if (!make)
        return NULL;
    c = snoop_tcp_place(s);
    c->server = key.server;
    c->mobile = key.mobile;
    c->server_port = key.server_port;
    c->mobile_port = key.mobile_port;
    c->next = *head;
    *head = (uint32_t)(c - s->conns) + 1;
    return c;
}

static void snoop_tcp_begin(struct snoop_tcp_conn *c, uint32_t seq, uint32_t len)
{
    snoop_tcp_forget(c);
    c->alive = true;
    c->s_max = seq + len;
    c->last_ack = seq - 1;
    c->last_win = 0;
}

/* --- data --------------------------------------------------------------------------------- */

/* Where among what is kept `seq` belongs: the first that does not come before it. */
static uint32_t snoop_tcp_where(struct snoop_tcp_conn *c, uint32_t seq)
{
    uint32_t i = 0;

    while (i < c->n && snoop_tcp_before(snoop_tcp_at(c, i)->seq, seq))
        i++;
    return i;
}

static void snoop_tcp_data(struct snoop_tcp_conn *c, struct pkt *p, uint32_t seq,
                           uint32_t len)
{
    struct snoop_tcp_packet new = {.seq = seq, .size = len};
    uint32_t i = c->n;
    bool again = snoop_tcp_before(seq, c->s_max);

    if (!again && c->n >= HIGH_WATER) /* the rest is for earlier ones */
        return;
    if (snoop_tcp_before(seq, c->last_ack))
        return;
    if (again)
        i = snoop_tcp_where(c, seq);
    new.p = pkt_clone(p);
    if (!new.p)
        return;
    if (i < c->n && snoop_tcp_at(c, i)->seq == seq) {
        new.by_server = true;
        pkt_free(snoop_tcp_at(c, i)->p);
    } else if (c->n == CACHE) {
        pkt_free(new.p);
        return;
    } else {
        new.by_server = again &&i == 0;
        for (uint32_t j = c->n++; j > i; j--)
            *snoop_tcp_at(c, j) = *snoop_tcp_at(c, j - 1);
    }
    *snoop_tcp_at(c, i) = new;
    if (!again)
        c->s_max = seq + len;
}

/* --- acknowledgements --------------------------------------------------------------------- */

static void snoop_tcp_send_again(struct element *e, struct snoop_tcp_conn *c)
{
    struct snoop_tcp_packet *first = snoop_tcp_at(c, 0);
    struct pkt *p = pkt_clone(first->p);

    if (!p)
        return;
    first->sent_again++;
    element_count(e, C_RETRANSMITTED, 1);
    out_push_one(e, 2, p);
}

static void snoop_tcp_new_ack(struct element *e, struct snoop_tcp_conn *c, uint32_t ack)
{
    bool recovering = c->n && snoop_tcp_at(c, 0)->sent_again;

    while (c->n &&
           !snoop_tcp_before(ack, snoop_tcp_at(c, 0)->seq + snoop_tcp_at(c, 0)->size))
        snoop_tcp_drop_first(c);
    /* what was lost has come, and the next one is missing too */
    if (recovering && c->expected && c->n > 1 && snoop_tcp_at(c, 0)->seq == ack &&
        !snoop_tcp_at(c, 0)->sent_again)
        snoop_tcp_send_again(e, c);
    c->dups = c->expected = 0;
    c->last_ack = ack;
}

/* Whether a duplicate goes on to the server. */
static bool snoop_tcp_dup_ack(struct element *e, struct snoop_tcp_conn *c, uint32_t ack,
                              uint16_t win)
{
    struct snoop_tcp_packet *first = snoop_tcp_at(c, 0);

    if (!c->n || win != c->last_win || snoop_tcp_before(ack, first->seq) ||
        first->by_server)
        return true;
    c->dups++;
    if (c->dups <= DUP_THRESHOLD)
        return false;
    if (c->dups == DUP_THRESHOLD + 1) {
        c->expected = c->n > c->dups ? c->n - c->dups : 0;
        if (!first->sent_again)
            snoop_tcp_send_again(e, c);
        return false;
    }
    if (c->dups < c->expected)
        return false;
    if (first->sent_again >= 2)
        return true;
    snoop_tcp_send_again(e, c);
    return false;
}

static bool snoop_tcp_ack(struct element *e, struct snoop_tcp_conn *c,
                          const struct tcp_hdr *t, uint32_t len)
{
    uint32_t ack = be32(t->ack);
    bool pass = true;

    if (!c->alive || snoop_tcp_before(ack, c->last_ack))
        return true;
    if (ack != c->last_ack)
        snoop_tcp_new_ack(e, c, ack);
    else if (!len)
        pass = snoop_tcp_dup_ack(e, c, ack, t->win);
    c->last_win = t->win;
    return pass;
}

/* --- packets ------------------------------------------------------------------------------ */

/* Bytes of TCP data; -1: it is no TCP packet. */
static int64_t snoop_tcp_len(const struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t left = pkt_avail(p, p->transport), headers;

    if (!pkt_has_ip4(p) || h->proto != IP_PROTO_TCP || ip4_is_fragment(h) ||
        left < sizeof(struct tcp_hdr) || tcp_hlen(pkt_tcp(p)) < sizeof(struct tcp_hdr))
        return -1;
    headers = ip4_hlen(h) + tcp_hlen(pkt_tcp(p));
    return be16(h->len) > headers ? be16(h->len) - headers : 0;
}

/* Whether the packet goes on. */
static bool snoop_tcp_one(struct element *e, unsigned port, struct pkt *p)
{
    struct snoop_tcp *s = element_state(e);
    int64_t len = snoop_tcp_len(p);
    struct snoop_tcp_conn *c;
    const struct tcp_hdr *t = pkt_tcp(p);
    bool pass = true;

    if (len < 0 || e->n_out < 3)
        return true;
    c = snoop_tcp_find(s, p, port, len > 0 && port == 0);
    if (!c)
        return true;
    c->used = ++s->now;
    if (t->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
        if (port == 0)
            snoop_tcp_forget(c);
        return true;
    }
    if (port == 0) {
        if (len && !c->alive)
            snoop_tcp_begin(c, be32(t->seq), 0);
        if (len)
            snoop_tcp_data(c, p, be32(t->seq), (uint32_t)len);
    } else if (t->flags & TCP_ACK) {
        pass = snoop_tcp_ack(e, c, t, (uint32_t)len);
    }
    return pass;
}

/* Drop those of b->p[from ...] that do not go on. */
static void snoop_tcp_batch(struct element *e, unsigned port, struct batch *b,
                            uint32_t from)
{
    uint32_t kept = from;

    for (uint32_t i = from; i < b->n; i++) {
        if (snoop_tcp_one(e, port, b->p[i])) {
            b->p[kept++] = b->p[i];
        } else {
            element_count(e, C_SUPPRESSED, 1);
            pkt_free(b->p[i]);
        }
    }
    b->n = kept;
}

static void snoop_tcp_push(struct element *e, unsigned port, struct batch *b)
{
    snoop_tcp_batch(e, port, b, 0);
    out_push(e, port, b);
}

static uint32_t snoop_tcp_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    uint32_t from = b->n;

    if (port > 1)
        return 0;
    in_pull(e, port, b, max);
    snoop_tcp_batch(e, port, b, from);
    return b->n - from;
}

/* What is watched is handed over, if there is room for it. */
static void snoop_tcp_take_state(struct element *e, struct element *old)
{
    struct snoop_tcp *s = element_state(e), *o = element_state(old);

    if (o->connections > s->capacity)
        return;
    memcpy(s->conns, o->conns, o->connections * sizeof *s->conns);
    memcpy(s->bucket, o->bucket, sizeof s->bucket);
    s->connections = o->connections;
    s->now = o->now;
    memset(o->conns, 0, o->connections * sizeof *o->conns);
    o->connections = 0;
}

static void snoop_tcp_cleanup(struct element *e)
{
    struct snoop_tcp *s = element_state(e);

    for (uint32_t i = 0; i < s->connections; i++)
        snoop_tcp_forget(&s->conns[i]);
}

static const struct handler_spec snoop_tcp_handlers[] = {
    HANDLER_VALUE(snoop_tcp, connections, ARG_KIND_U32, HANDLER_READ, "connections",
                  "how many are watched"),
    HANDLER_END,
};

ELEMENT(SnoopTCP) = {
    .name = "SnoopTCP",
    .state_size = sizeof(struct snoop_tcp),
    .ports = "2/2-4",
    .processing = "aa/aahh",
    .flow = "xy/xyxy",
    .args = snoop_tcp_args,
    .counters = snoop_tcp_counters,
    .handlers = snoop_tcp_handlers,
    .configure = snoop_tcp_configure,
    .take_state = snoop_tcp_take_state,
    .cleanup = snoop_tcp_cleanup,
    .push = snoop_tcp_push,
    .pull = snoop_tcp_pull,
};
