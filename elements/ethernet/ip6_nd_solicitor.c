// SPDX-License-Identifier: BSD-3-Clause
/*
 * IP6NDSolicitor -- find the Ethernet address of IPv6 neighbours
 *
 * Usage:    IP6NDSolicitor(IP, ETH [, keywords CAPACITY, TIMEOUT])
 * Ports:    2 in, 1-2 out; push
 * Args:     IP        our IPv6 address
 *           ETH       our Ethernet address
 *           CAPACITY  most neighbours that are remembered, default 2048
 *           TIMEOUT   how long an answer is believed, default 120s; 0: for ever
 * Counters: drops     packets dropped
 *           queries   solicitations sent
 *           answers   advertisements that told something
 * Handlers: table  (read) "ADDRESS known ETH" lines
 *           stats  (read) packets killed and solicitations sent, in words
 *           clear  (write) forget everything
 * Example:  rt -> [0] nd :: IP6NDSolicitor(2001:db8::1, 0:11:22:33:44:55) -> q; c[1] -> [1] nd;
 * See also: IP6NDAdvertiser, ARPQuerier
 *
 * Input 0 takes IPv6 packets whose destination annotation is the next hop; they leave by
 * output 0 in Ethernet frames. While the neighbour is not known its last packet waits, and
 * each packet makes a solicitation leave, by output 1 if that is connected, else by output
 * 0. When half of TIMEOUT is over the next packet asks again. Input 1 takes frames with
 * advertisements (RFC 4861). Multicast packets need no question. What is known moves to the
 * next configuration if the addresses stay.
 */

#include "engine/nd6.h"

#include <stdlib.h>

enum { SLOTS = 256 };

struct neighbour {
    struct neighbour *next; /* owned */
    struct ip6_addr addr;
    struct ether_addr ether;
    bool known, asked;   /* asked: again, since it was told */
    struct pkt *waiting; /* owned; NULL: none */
    int64_t told_ns;
    uint64_t age; /* the larger, the younger */
};

struct ip6_nd_solicitor {
    struct ip6_addr ip6;
    struct ether_addr ether;
    uint32_t capacity, n, seed;
    int64_t timeout_ns;
    uint64_t ages;                  /* how many entries there have been */
    struct neighbour *slots[SLOTS]; /* owned */
};

static const struct arg_spec ip6_nd_solicitor_args[] = {
    ARG_IP6(ip6_nd_solicitor, ip6, "IP", ARG_M, NULL, "our IPv6 address"),
    ARG_ETHER(ip6_nd_solicitor, ether, "ETH", ARG_M, NULL, "our Ethernet address"),
    ARG_U32(ip6_nd_solicitor, capacity, "CAPACITY", 0, "2048", "most neighbours"),
    ARG_TIME(ip6_nd_solicitor, timeout_ns, "TIMEOUT", 0, "120", "how long to believe"),
    ARG_END,
};

enum { C_DROPS, C_QUERIES, C_ANSWERS };
static const struct counter_spec ip6_nd_solicitor_counters[] = {
    [C_DROPS] = {"drops", "packets dropped"},
    [C_QUERIES] = {"queries", "solicitations sent"},
    [C_ANSWERS] = {"answers", "advertisements that told something"},
    {NULL, NULL},
};

static struct neighbour **nd_slot(struct ip6_nd_solicitor *s, const uint8_t *addr)
{
    uint64_t a, b;

    memcpy(&a, addr, 8);
    memcpy(&b, addr + 8, 8);
    a = (a ^ s->seed) * 0x9e3779b97f4a7c15u;
    a = (a ^ a >> 32 ^ b) * 0x9e3779b97f4a7c15u;
    return &s->slots[a >> 56];
}

static void nd_forget(struct element *e, struct neighbour **at)
{
    struct ip6_nd_solicitor *s = element_state(e);
    struct neighbour *x = *at;

    *at = x->next;
    if (x->waiting) {
        element_count(e, C_DROPS, 1);
        pkt_free(x->waiting);
    }
    free(x);
    s->n--;
}

static struct neighbour *nd_find(struct ip6_nd_solicitor *s, const uint8_t *addr)
{
    struct neighbour *x = *nd_slot(s, addr);

    while (x && memcmp(x->addr.b, addr, 16) != 0)
        x = x->next;
    return x;
}

/* A new entry; when all are taken, one of the same slot or of the next ones has to go. */
static struct neighbour *nd_make(struct element *e, const uint8_t *addr)
{
    struct ip6_nd_solicitor *s = element_state(e);
    struct neighbour **slot = nd_slot(s, addr), *x;

    for (size_t i = (size_t)(slot - s->slots); s->n && s->n >= s->capacity; i++)
        if (s->slots[i % SLOTS])
            nd_forget(e, &s->slots[i % SLOTS]);
    if (!s->capacity || !(x = calloc(1, sizeof *x)))
        return NULL;
    memcpy(x->addr.b, addr, 16);
    x->age = ++s->ages;
    x->next = *slot;
    *slot = x;
    s->n++;
    return x;
}

static verdict_t nd_wrap(struct element *e, struct pkt *p, const struct ether_addr *to)
{
    const struct ip6_nd_solicitor *s = element_state(e);
    struct eth_hdr *h = pkt_push_eth(p);

    if (!h)
        return drop(e, C_DROPS);
    h->dst = *to;
    h->src = s->ether;
    h->type = BE16(ETHERTYPE_IP6);
    return 0;
}

/* Ask for a neighbour: to its solicited-node multicast address. */
static void nd_ask(struct element *e, const struct neighbour *x)
{
    const struct ip6_nd_solicitor *s = element_state(e);
    struct nd6_frame f = {.to = {{0x33, 0x33, 0xff}},
                          .from = s->ether,
                          .src = s->ip6,
                          .dst = {{0xff, 2, [11] = 1, [12] = 0xff}},
                          .target = x->addr,
                          .type = ND6_SOLICIT,
                          .option = ND6_SOURCE};
    struct pkt *q;

    memcpy(f.to.b + 3, x->addr.b + 13, 3);
    memcpy(f.dst.b + 13, x->addr.b + 13, 3);
    q = nd6_make(e, &f);
    if (!q)
        return;
    element_count(e, C_QUERIES, 1);
    out_push_one(e, e->n_out - 1u, q);
}

/* Solicitations leave behind the packets that were ready before. */
static void nd_flush(struct element *e, struct batch *ready)
{
    out_push(e, 0, ready);
    ready->n = 0;
}

/* Whether the answer is to be believed; if it has become old, ask whether it still holds. */
static bool nd_is_known(struct element *e, struct neighbour *x, int64_t now,
                        struct batch *ready)
{
    const struct ip6_nd_solicitor *s = element_state(e);

    if (!x->known || (s->timeout_ns && now - x->told_ns > s->timeout_ns))
        return false;
    if (s->timeout_ns && !x->asked && now - x->told_ns > s->timeout_ns / 2) {
        x->asked = true;
        nd_flush(e, ready);
        nd_ask(e, x);
    }
    return true;
}

static verdict_t nd_send(struct element *e, struct pkt *p, int64_t now,
                         struct batch *ready)
{
    struct ip6_nd_solicitor *s = element_state(e);
    const uint8_t *hop = p->anno + ANNO_DST_IP6;
    struct neighbour *x;

    if (hop[0] == 0xff) {
        struct ether_addr group = {{0x33, 0x33, hop[12], hop[13], hop[14], hop[15]}};

        return nd_wrap(e, p, &group);
    }
    x = nd_find(s, hop);
    if (x && nd_is_known(e, x, now, ready))
        return nd_wrap(e, p, &x->ether);
    if (!x && !(x = nd_make(e, hop)))
        return drop(e, C_DROPS);
    x->known = false;
    if (x->waiting) {
        element_count(e, C_DROPS, 1);
        pkt_free(x->waiting);
    }
    x->waiting = p;
    nd_flush(e, ready);
    nd_ask(e, x);
    return VERDICT_KEEP;
}

/* The Ethernet address that an advertisement tells; NULL when it is not right. */
static const uint8_t *nd_told(const struct pkt *p)
{
    const uint8_t *nd = p->data + ND6_AT;
    uint32_t len = nd6_message(p, ND6_ADVERTISE);

    if (!len)
        return NULL;
    for (uint32_t at = ND6_SIZE; at + 8 <= len && nd[at + 1]; at += nd[at + 1] * 8u)
        if (nd[at] == ND6_TARGET)
            return nd + at + 2;
    return p->data + 6;
}

static void nd_hear(struct element *e, const struct pkt *p, int64_t now)
{
    struct ip6_nd_solicitor *s = element_state(e);
    const uint8_t *ether = nd_told(p);
    struct neighbour *x = ether ? nd_find(s, nd6_target(p)) : NULL;
    struct pkt *waiting;

    if (!x) /* nobody has asked */
        return;
    if (x->known && memcmp(x->ether.b, ether, 6) != 0)
        element_say(e, "IP6NDSolicitor overwriting an entry\n");
    memcpy(x->ether.b, ether, 6);
    x->known = true;
    x->asked = false;
    x->told_ns = now;
    element_count(e, C_ANSWERS, 1);
    waiting = x->waiting;
    x->waiting = NULL;
    if (!waiting)
        return;
    if (nd_wrap(e, waiting, &x->ether) == 0)
        out_push_one(e, 0, waiting);
    else
        pkt_free(waiting);
}

static void ip6_nd_solicitor_push(struct element *e, unsigned port, struct batch *b)
{
    int64_t now = element_coarse_now(e);
    struct batch ready;

    ready.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i];
        verdict_t v;

        if (port == 1) {
            nd_hear(e, p, now);
            pkt_free(p);
            continue;
        }
        v = nd_send(e, p, now, &ready);
        if (v == 0)
            batch_add(&ready, p);
        else if (v == VERDICT_DROP)
            pkt_free(p);
    }
    out_push(e, 0, &ready);
}

static int ip6_nd_solicitor_configure(struct element *e, struct conf *c, struct diag *d)
{
    ((struct ip6_nd_solicitor *)element_state(e))->seed = element_random(e);
    return 0;
}

static void nd_clear(struct element *e)
{
    struct ip6_nd_solicitor *s = element_state(e);

    for (unsigned i = 0; i < SLOTS; i++)
        while (s->slots[i])
            nd_forget(e, &s->slots[i]);
}

static void ip6_nd_solicitor_take_state(struct element *e, struct element *old)
{
    struct ip6_nd_solicitor *s = element_state(e), *from = element_state(old);

    if (!ether_equal(&s->ether, &from->ether) || memcmp(&s->ip6, &from->ip6, 16) != 0)
        return;
    memcpy(s->slots, from->slots, sizeof s->slots);
    memset(from->slots, 0, sizeof from->slots);
    s->seed = from->seed;
    s->ages = from->ages;
    s->n = from->n;
    from->n = 0;
}

/* The order of Click's table: by a sum of two bytes, the youngest first. Ours is hashed with
 * a secret, so that nobody can fill one slot. */
static int nd_compare(const void *a, const void *b)
{
    const struct neighbour *x = *(const struct neighbour *const *)a;
    const struct neighbour *y = *(const struct neighbour *const *)b;
    int slot = (uint8_t)(x->addr.b[0] + x->addr.b[15]) -
               (uint8_t)(y->addr.b[0] + y->addr.b[15]);

    return slot ? slot : x->age < y->age ? 1 : -1;
}

static int nd_read_table(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    const struct ip6_nd_solicitor *s = element_state(e);
    const struct neighbour **all = calloc(s->n + 1u, sizeof(struct neighbour *));
    int64_t now = element_now(e);
    char addr[64], ether[64];
    uint32_t n = 0;

    if (!all)
        return diag_err(d, "out of memory");
    for (unsigned i = 0; i < SLOTS; i++)
        for (const struct neighbour *x = s->slots[i]; x; x = x->next)
            if (!x->known || !s->timeout_ns || now - x->told_ns <= s->timeout_ns)
                all[n++] = x;
    qsort(all, n, sizeof *all, nd_compare);
    for (uint32_t i = 0; i < n; i++)
        sbuf_printf(out, "%s %d %s\n", unparse_ip6(&all[i]->addr, addr), all[i]->known,
                    unparse_ether(&all[i]->ether, ether));
    free(all);
    return 0;
}

static int nd_read_stats(struct element *e, const struct handler_spec *h,
                         const char *param, struct sbuf *out, struct diag *d)
{
    sbuf_printf(out, "%llu packets killed\n%llu ND Solicitation Message sent\n",
                (unsigned long long)e->counters[C_DROPS],
                (unsigned long long)e->counters[C_QUERIES]);
    return 0;
}

static int nd_write_clear(struct element *e, const struct handler_spec *h,
                          const char *value, size_t len, struct diag *d)
{
    nd_clear(e);
    return 0;
}

static const struct handler_spec ip6_nd_solicitor_handlers[] = {
    HANDLER_READER(nd_read_table, "table", "what is known"),
    HANDLER_READER(nd_read_stats, "stats", "packets killed and solicitations sent"),
    HANDLER_PRESS(nd_write_clear, "clear", "forget everything"),
    HANDLER_END,
};

ELEMENT(IP6NDSolicitor) = {
    .name = "IP6NDSolicitor",
    .state_size = sizeof(struct ip6_nd_solicitor),
    .ports = "2/1-2",
    .processing = "h/h",
    .flow = "xy/x",
    .args = ip6_nd_solicitor_args,
    .counters = ip6_nd_solicitor_counters,
    .handlers = ip6_nd_solicitor_handlers,
    .configure = ip6_nd_solicitor_configure,
    .take_state = ip6_nd_solicitor_take_state,
    .cleanup = nd_clear,
    .push = ip6_nd_solicitor_push,
};
