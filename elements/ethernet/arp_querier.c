// SPDX-License-Identifier: BSD-3-Clause
/*
 * ARPQuerier -- put Ethernet headers on IPv4 packets, asking by ARP where to
 *
 * Usage:    ARPQuerier(IP, ETH [, keywords]) or ARPQuerier(NAME [, keywords])
 * Ports:    2 in (IP packets, ARP answers), 1-2 out (Ethernet; queries); push
 * Args:     IP     this host's address, or ADDR/MASK
 *           ETH    this host's Ethernet address; NAME of AddressInfo gives both
 *           TABLE  an ARPTable to share; otherwise the element has its own, with
 *           CAPACITY, ENTRY_CAPACITY, ENTRY_PACKET_CAPACITY, CAPACITY_SLIM_FACTOR, TIMEOUT
 *                  as there
 *           BROADCAST       the network's broadcast address; default from MASK
 *           POLL_TIMEOUT    ask again about an address in use after this, default 60s;
 *                           0: not
 *           BROADCAST_POLL  ask so by broadcast, default false
 * Counters: queries    ARP queries sent
 *           responses  ARP answers seen
 *           drops      IP packets dropped here, those in the table not counted
 * Handlers: table      (r) as ARPTable's
 *           stats      (r) packets killed and queries sent, in words
 *           count      (r) addresses
 *           length     (r) packets that wait
 *           ipaddr     (rw) IP
 *           broadcast  (rw) BROADCAST
 *           insert     (w) "IP ETH"
 *           delete     (w) "IP"
 *           clear      (w) forget all and zero the counters
 * Example:  q :: ARPQuerier(10.0.0.1/24, 00:00:00:00:00:01) -> ToDevice(0);
 *           c :: Classifier(12/0806 20/0002, 12/0800); c[0] -> [1]q;
 * See also: ARPTable, ARPResponder, EtherEncap
 *
 * The next hop is the destination address annotation. Packets whose next hop is not yet
 * known wait in the table; queries leave by the last output, at most ten a second for one
 * address. Broadcast and multicast addresses need no query. When a configuration is
 * exchanged and IP, ETH and BROADCAST stay, the table moves to the new one.
 */

#include "engine/arp_table.h"
#include "engine/element.h"
#include "engine/net_headers.h"

struct arp_querier {
    uint32_t ip, broadcast;
    struct ether_addr eth;
    bool own_table, broadcast_poll, zero_warned;
    bool have_broadcast;
    int64_t poll_timeout_ns;
    struct arp_table *table;
    struct element *table_element;
    struct arp_table own; /* also holds the arguments of a table of our own */
    struct timer expire;
};

static const struct arg_spec arp_querier_args[] = {
    ARG_U32(arp_querier, own.packet_capacity, "CAPACITY", 0, "2048",
            "packets that may wait"),
    ARG_U32(arp_querier, own.entry_capacity, "ENTRY_CAPACITY", 0, "0",
            "addresses kept"),
    ARG_U32(arp_querier, own.entry_packet_capacity, "ENTRY_PACKET_CAPACITY", 0, "0",
            "packets that may wait for one address"),
    ARG_U32(arp_querier, own.slim_factor, "CAPACITY_SLIM_FACTOR", 0, "2",
            "share of packets that go when full"),
    ARG_TIME(arp_querier, own.timeout_ns, "TIMEOUT", 0, "300",
             "time that an answer is good for"),
    {.name = "BROADCAST",
     .kind = ARG_KIND_IP,
     .offset = offsetof(struct arp_querier, broadcast),
     .seen = 1 + offsetof(struct arp_querier, have_broadcast),
     .help = "the network's broadcast address"},
    ARG_ELEMENT(arp_querier, table_element, "TABLE", 0, NULL, "an ARPTable to share"),
    ARG_TIME(arp_querier, poll_timeout_ns, "POLL_TIMEOUT", 0, "60",
             "ask again about an address in use"),
    ARG_BOOL(arp_querier, broadcast_poll, "BROADCAST_POLL", 0, "false",
             "ask so by broadcast"),
    ARG_END,
};

enum { C_QUERIES, C_RESPONSES, C_DROPS };
static const struct counter_spec arp_querier_counters[] = {
    [C_QUERIES] = {"queries", "ARP queries sent"},
    [C_RESPONSES] = {"responses", "ARP answers seen"},
    [C_DROPS] = {"drops", "IP packets dropped"},
    {NULL, NULL},
};

/* Our addresses, by position or keyword: "IP, ETH" or one name for both. */
static int arp_querier_own_address(struct element *e, struct conf *c, struct diag *d)
{
    struct arp_querier *s = element_state(e);
    const char *text[2] = {NULL, NULL};
    char bare[64];
    struct ip_prefix net;
    int n = 0, rc = 0;

    for (int i = 0; i < c->argc; i++) {
        const char *a = c->argv[i];
        if (strncmp(a, "IP ", 3) == 0)
            text[0] = a + 3;
        else if (strncmp(a, "ETH ", 4) == 0)
            text[1] = a + 4;
        else if (n < 2)
            text[n++] = a;
        else
            return diag_err(d, "too many arguments");
    }
    if (!text[0])
        return diag_err(d, "IP: required argument missing");
    if (!text[1])
        text[1] = text[0];
    if (!parse_ip_prefix(e, text[0], true, &net))
        rc = diag_err(d, "IP: parse error");
    if (!parse_ether(e, text[1], &s->eth))
        rc = diag_err(d, "ETH: parse error");
    if (rc < 0)
        return -1;
    /* The address with its host part, which the prefix may have lost. */
    size_t len = strcspn(text[0], "/");
    s->ip = net.addr;
    if (len < sizeof bare) {
        memcpy(bare, text[0], len);
        bare[len] = '\0';
        (void)parse_ip(e, bare, &s->ip);
    }
    if (!s->have_broadcast) {
        s->broadcast = s->ip | ~net.mask;
        if (s->broadcast == s->ip)
            s->broadcast = 0xffffffffu;
    }
    return 0;
}

/* The table to use: chosen once, for good. */
static int arp_querier_table(struct element *e, struct diag *d)
{
    struct arp_querier *s = element_state(e);
    struct element *t = s->table_element;

    if (e->configured)
        return 0;
    s->own_table = t == NULL;
    s->table = &s->own;
    if (t)
        s->table = t->cls->cast ? t->cls->cast(t, "ARPTable") : NULL;
    return s->table ? 0
                    : diag_err(d, "TABLE: element type mismatch, expected ARPTable");
}

static int arp_querier_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct arp_querier *s = element_state(e);
    struct ether_addr eth = s->eth;
    uint32_t ip = s->ip;

    if (s->own.slim_factor == 0)
        return diag_err(d, "CAPACITY_SLIM_FACTOR cannot be zero");
    if (arp_querier_table(e, d) < 0 || arp_querier_own_address(e, c, d) < 0)
        return -1;
    /* what was learnt may not hold for another address */
    if (e->configured && s->own_table && (s->ip != ip || !ether_equal(&s->eth, &eth)))
        arp_table_clear(&s->own);
    return 0;
}

static void arp_querier_expire(struct element *e, struct timer *t)
{
    struct arp_querier *s = element_state(e);

    arp_table_slim(s->table, element_now(e));
    if (s->own.timeout_ns)
        timer_after(t, s->own.timeout_ns + 1000000000);
}

static int arp_querier_initialize(struct element *e, struct diag *d)
{
    struct arp_querier *s = element_state(e);

    timer_init(&s->expire, e, arp_querier_expire);
    if (s->own_table && s->own.timeout_ns)
        timer_after(&s->expire, s->own.timeout_ns);
    return 0;
}

static void arp_querier_take_state(struct element *e, struct element *old)
{
    struct arp_querier *s = element_state(e), *o = element_state(old);

    if (s->ip == o->ip && s->broadcast == o->broadcast &&
        ether_equal(&s->eth, &o->eth) && s->own_table && o->own_table)
        arp_table_move(&s->own, &o->own);
}

static void arp_querier_cleanup(struct element *e)
{
    struct arp_querier *s = element_state(e);

    arp_table_clear(&s->own);
}

/* Ask about the next hop of `p`; a poll goes to the address that we know. */
static void arp_querier_ask(struct element *e, const struct pkt *p, uint32_t want,
                            const struct ether_addr *to)
{
    const struct arp_querier *s = element_state(e);
    enum { LEN = sizeof(struct eth_hdr) + sizeof(struct arp_hdr) };
    struct pkt *q = pkt_new(element_pool(e), PKT_HEADROOM - sizeof(struct eth_hdr),
                            NULL, LEN, 0);
    struct eth_hdr *h;

    if (!q) {
        element_say(e, "in arp querier: cannot make packet!\n");
        return;
    }
    h = (struct eth_hdr *)(void *)q->data;
    pkt_set_mac(q, q->data, sizeof *h);
    memset(&h->dst, 0xff, sizeof h->dst);
    if (to && !s->broadcast_poll)
        h->dst = *to;
    h->src = s->eth;
    h->type = BE16(ETHERTYPE_ARP);
    *(struct arp_hdr *)(void *)(h + 1) = (struct arp_hdr){
        .hrd = BE16(ARP_HRD_ETHER),
        .pro = BE16(ETHERTYPE_IP),
        .hln = 6,
        .pln = 4,
        .op = BE16(ARP_REQUEST),
        .sha = s->eth,
        .spa = s->ip,
        .tpa = want,
    };
    q->timestamp = p->timestamp;
    q->anno_u16[ANNO_VLAN_TCI / 2] = p->anno_u16[ANNO_VLAN_TCI / 2];
    element_count(e, C_QUERIES, 1);
    out_push_one(e, e->n_out - 1u, q);
}

static bool arp_querier_needs_no_query(const struct arp_querier *s, uint32_t ip,
                                       struct ether_addr *eth)
{
    uint32_t host = be32(ip);

    if (host == 0xffffffffu || ip == s->broadcast) {
        memset(eth, 0xff, sizeof *eth);
        return true;
    }
    if (host >> 28 != 14)
        return false;
    *eth = (struct ether_addr){{0x01, 0x00, 0x5e, (uint8_t)(host >> 16 & 0x7f),
                                (uint8_t)(host >> 8), (uint8_t)host}};
    return true;
}

/* No address for `p`, which has its header: let it wait, or drop it. */
static void arp_querier_unknown(struct element *e, struct pkt *p, uint32_t ip,
                                struct batch *ready)
{
    struct arp_querier *s = element_state(e);
    int r;

    element_not_plain(e);
    if (ip == 0) {
        if (!s->zero_warned)
            element_say(e,
                        "%s: would query for 0.0.0.0; missing dest IP addr "
                        "annotation?\n",
                        element_declaration(e));
        s->zero_warned = true;
        element_count(e, C_DROPS, 1);
        pkt_free(p);
        return;
    }
    r = arp_table_wait(s->table, element_coarse_now(e), ip, p);
    if (r < 0)
        pkt_free(p);
    if (r > 0) {
        /* What was ready before goes out before the query. */
        out_push(e, 0, ready);
        ready->n = 0;
        arp_querier_ask(e, p, ip, NULL);
    }
}

/* The next hop of the packet before, at one and the same time: most go there, too. */
struct hop {
    bool known;
    uint32_t ip;
    struct eth_hdr h;
};

/* Send `p`, which has its header, or let it wait. */
static void arp_querier_resolve(struct element *e, struct pkt *p, struct batch *ready,
                                struct hop *last)
{
    struct arp_querier *s = element_state(e);
    uint32_t ip = pkt_dst_ip(p);
    struct eth_hdr *h = pkt_eth(p);
    bool poll = false;

    last->known = false;
    if (!arp_table_lookup(s->table, element_coarse_now(e), ip, s->poll_timeout_ns,
                          &h->dst, &poll) &&
        !arp_querier_needs_no_query(s, ip, &h->dst)) {
        arp_querier_unknown(e, p, ip, ready);
        return;
    }
    h->src = s->eth;
    if (__builtin_expect(poll, 0)) {
        element_not_plain(e);
        out_push(e, 0, ready);
        ready->n = 0;
        arp_querier_ask(e, p, ip, &h->dst);
    } else {
        *last = (struct hop){.known = true, .ip = ip, .h = *h};
    }
    batch_add(ready, p);
}

/* Give packets from `i` on their header, as far as they go to the hop before and have room
 * for it. Returns the first that does not. */
static inline uint32_t arp_querier_run(struct batch *b, uint32_t i,
                                       const struct hop *last)
{
    const uint32_t n = b->n, ip = last->ip;
    const struct eth_hdr h = last->h;

    while (i < n && pkt_dst_ip(b->p[i]) == ip && pkt_push_eth_ready(b->p[i], &h))
        i++;
    return i;
}

/* The first packets of a batch that go to one hop. Returns how many that are, not 0 only if
 * the hop is known; `last` is set. */
static uint32_t arp_querier_first(struct element *e, struct batch *b, struct hop *last)
{
    struct arp_querier *s = element_state(e);
    bool poll = false;
    uint32_t n;

    *last = (struct hop){.ip = pkt_dst_ip(b->p[0])};
    if (!s->ip || pkt_headroom(b->p[0]) < sizeof last->h ||
        !arp_table_lookup(s->table, element_coarse_now(e), last->ip, s->poll_timeout_ns,
                          &last->h.dst, &poll))
        return 0;
    last->known = true;
    last->h.src = s->eth;
    last->h.type = BE16(ETHERTYPE_IP);
    if (__builtin_expect(poll, 0)) {
        element_not_plain(e);
        arp_querier_ask(e, b->p[0], last->ip, &last->h.dst);
    }
    n = arp_querier_run(b, 0, last);
    if (n == b->n || !pkt_shared(b->p[n]))
        return n;
    batch_make_writable(b, n);
    return arp_querier_run(b, n, last);
}

/* Packets from `i` on, one by one where they go to different hops, behind those before. */
static __attribute__((noinline)) void
arp_querier_rest(struct element *e, struct batch *b, uint32_t i, struct hop *last)
{
    const struct arp_querier *s = element_state(e);
    struct batch ready;

    ready.n = i;
    pkts_copy(ready.p, b->p, i);
    while (i < b->n) {
        struct eth_hdr *h;
        uint32_t same = last->known ? arp_querier_run(b, i, last) : i;

        pkts_copy(ready.p + ready.n, b->p + i, same - i);
        ready.n += same - i;
        if ((i = same) == b->n)
            break;
        if (pkt_shared(b->p[i]) && s->ip)
            batch_make_writable(b, i);
        h = s->ip ? pkt_push_eth(b->p[i]) : NULL;
        if (__builtin_expect(!h, 0)) {
            element_count(e, C_DROPS, 1);
            pkt_free(b->p[i++]);
            continue;
        }
        h->type = BE16(ETHERTYPE_IP);
        arp_querier_resolve(e, b->p[i++], &ready, last);
    }
    out_push(e, 0, &ready);
}

static void arp_querier_ip(struct element *e, struct batch *b)
{
    struct hop last;
    uint32_t n = b->n ? arp_querier_first(e, b, &last) : 0;

    if (__builtin_expect(n == b->n, 1))
        out_push(e, 0, b);
    else
        arp_querier_rest(e, b, n, &last);
}

/* The packets that an answer has set free, in the order in which they came. */
static void arp_querier_release(struct element *e, struct pkt *waiting)
{
    struct hop last;
    struct batch ready;

    ready.n = 0;
    while (waiting) {
        struct pkt *p = waiting;
        waiting = p->next;
        if (ready.n == BATCH_MAX) {
            out_push(e, 0, &ready);
            ready.n = 0;
        }
        if (pkt_writable(p) < 0) {
            element_count(e, C_DROPS, 1);
            pkt_free(p);
            continue;
        }
        arp_querier_resolve(e, p, &ready, &last);
    }
    out_push(e, 0, &ready);
}

static void arp_querier_answer(struct element *e, const struct pkt *p)
{
    struct arp_querier *s = element_state(e);
    const struct eth_hdr *h = (const void *)p->data;
    const struct arp_hdr *a = (const void *)(h + 1);
    struct ether_addr eth;
    struct pkt *waiting;

    if (p->len < sizeof *h + sizeof *a)
        return;
    element_count(e, C_RESPONSES, 1);
    eth = a->sha;
    if (h->type != BE16(ETHERTYPE_ARP) || a->hrd != BE16(ARP_HRD_ETHER) ||
        a->pro != BE16(ETHERTYPE_IP) || a->op != BE16(ARP_REPLY) ||
        ether_is_group(&eth))
        return;
    if (arp_table_insert(s->table, element_coarse_now(e), a->spa, &eth, &waiting) == 0)
        arp_querier_release(e, waiting);
}

static void arp_querier_push(struct element *e, unsigned port, struct batch *b)
{
    if (port == 0) {
        arp_querier_ip(e, b);
        return;
    }
    element_not_plain(e);
    for (uint32_t i = 0; i < b->n; i++)
        arp_querier_answer(e, b->p[i]);
    batch_free(b);
}

static void *arp_querier_cast(struct element *e, const char *kind)
{
    struct arp_querier *s = element_state(e);

    if (strcmp(kind, "ARPTable") == 0)
        return s->table;
    return strcmp(kind, "ARPQuerier") == 0 ? s : NULL;
}

enum { H_TABLE, H_STATS, H_COUNT, H_LENGTH, H_INSERT, H_DELETE, H_CLEAR };

static int arp_querier_read(struct element *e, const struct handler_spec *h,
                            const char *param, struct sbuf *out, struct diag *d)
{
    const struct arp_querier *s = element_state(e);

    if (h->user == H_TABLE)
        arp_table_dump(s->table, element_now(e), out);
    else if (h->user == H_STATS)
        sbuf_printf(out, "%llu packets killed\n%llu ARP queries sent\n",
                    (unsigned long long)(e->counters[C_DROPS] + s->table->drops),
                    (unsigned long long)e->counters[C_QUERIES]);
    else
        sbuf_printf(out, "%u",
                    h->user == H_COUNT ? s->table->n_entries : s->table->n_packets);
    return 0;
}

static int arp_querier_write(struct element *e, const struct handler_spec *h,
                             const char *value, size_t len, struct diag *d)
{
    struct arp_querier *s = element_state(e);

    if (h->user == H_INSERT)
        return arp_table_write_insert(s->table, e, element_now(e), value, d);
    if (h->user == H_DELETE)
        return arp_table_write_delete(s->table, e, element_now(e), value, d);
    memset(e->counters, 0, (C_DROPS + 1) * sizeof *e->counters);
    arp_table_clear(s->table);
    return 0;
}

#define QUERIER_READER(name_, user_, help_)                                            \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_READ, .user = user_,            \
        .read = arp_querier_read                                                       \
    }
#define QUERIER_WRITER(name_, user_, help_)                                            \
    {                                                                                  \
        .name = name_, .help = help_, .flags = HANDLER_WRITE, .user = user_,           \
        .write = arp_querier_write                                                     \
    }
static const struct handler_spec arp_querier_handlers[] = {
    QUERIER_READER("table", H_TABLE, "\"IP known ETH age\" lines"),
    QUERIER_READER("stats", H_STATS, "packets killed and queries sent"),
    QUERIER_READER("count", H_COUNT, "addresses"),
    QUERIER_READER("length", H_LENGTH, "packets that wait"),
    HANDLER_VALUE(arp_querier, ip, ARG_KIND_IP, HANDLER_READ | HANDLER_WRITE, "ipaddr",
                  "this host's address"),
    HANDLER_VALUE(arp_querier, broadcast, ARG_KIND_IP, HANDLER_READ | HANDLER_WRITE,
                  "broadcast", "the network's broadcast address"),
    QUERIER_WRITER("insert", H_INSERT, "add \"IP ETH\""),
    QUERIER_WRITER("delete", H_DELETE, "forget \"IP\""),
    QUERIER_WRITER("clear", H_CLEAR, "forget all, zero the counters"),
    HANDLER_END,
};

ELEMENT(ARPQuerier) = {
    .name = "ARPQuerier",
    .state_size = sizeof(struct arp_querier),
    .plain = true,
    .ports = "2/1-2",
    .processing = "h/h",
    .flow = "xy/x",
    .args = arp_querier_args,
    .any_args = true,
    .live = true,
    .counters = arp_querier_counters,
    .handlers = arp_querier_handlers,
    .configure = arp_querier_configure,
    .initialize = arp_querier_initialize,
    .take_state = arp_querier_take_state,
    .cleanup = arp_querier_cleanup,
    .push = arp_querier_push,
    .cast = arp_querier_cast,
};
