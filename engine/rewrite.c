// SPDX-License-Identifier: BSD-3-Clause
/* rewrite.c -- address translation: packets and mappings; see rewrite.h */

#include "engine/rewrite.h"

#include "engine/checksum.h"
#include "engine/spread.h"

#define INLINE inline __attribute__((always_inline))

enum {
    /* flow.state, for forward; twice that for replies */
    TCP_DONE = 1,
    TCP_DATA = 4,
    BOTH = 3,
    /* ... of datagrams: whether there was a reply, and twice their number up to 3 */
    UDP_REPLY = 1,
    UDP_PACKET = 2,
    UDP_ENOUGH = 6,
    TCP_SUM_END = 18, /* bytes of a TCP header with its checksum */
};

/* --- mappings --------------------------------------------------------------------------- */

static INLINE bool is_tcp(enum rewriter_kind kind, const struct flow *f)
{
    return f->proto == IP_PROTO_TCP && (kind == REWRITE_TCP_UDP || kind == REWRITE_TCP);
}

/* A packet was seen, and f->state is up to date: put the deadline off. */
static INLINE void touch(const struct rewriter *rw, struct flow *f, bool tcp,
                         uint32_t now_ms)
{
    const struct rewriter_timeouts *t = tcp ? &rw->tcp : &rw->udp;
    uint32_t life = t->first_ms;

    if (tcp && (f->state & BOTH) == BOTH)
        life = t->done_ms;
    else if (tcp ? (f->state & BOTH * TCP_DATA) == BOTH * TCP_DATA
                 : f->state == (UDP_ENOUGH | UDP_REPLY))
        life = t->both_ms;
    f->expiry_ms = now_ms + life;
    f->guarantee_ms = now_ms + t->guarantee_ms;
}

static void set_deltas(struct flow *f)
{
    struct flow_id now = flow_id_reverse(f->id[1]);
    uint64_t delta = csum_delta32(f->id[0].src, now.src);

    delta += csum_delta32(f->id[0].dst, now.dst);
    f->ip_delta = csum_fold(delta);
    delta += csum_delta16(f->id[0].sport, now.sport);
    delta += csum_delta16(f->id[0].dport, now.dport);
    f->l4_delta = csum_fold(delta);
}

void rewriter_remove(struct rewriter *rw, struct flow *f)
{
    rw->inputs[f->input].count--;
    flow_remove(&rw->flows, f);
}

/* The mapping of any member that expires next and has no guarantee. */
static struct flow *find_victim(struct rewrite_heap *h, uint32_t now_ms,
                                struct rewriter **owner)
{
    struct flow *best = NULL;

    for (struct rewriter *rw = h->members; rw; rw = rw->next_member) {
        struct flow *f = flow_victim(&rw->flows, now_ms);
        if (f && (!best || flow_before(f->expiry_ms, best->expiry_ms))) {
            best = f;
            *owner = rw;
        }
    }
    return best;
}

static bool over_capacity(const struct rewrite_heap *h)
{
    return rewrite_heap_size(h) > (h->capacity < 0 ? 0 : (uint32_t)h->capacity);
}

/* Keep within the capacity; false when `f`, the newest, had to go itself. */
static bool make_room(struct rewriter *rw, struct flow *f, uint32_t now_ms)
{
    struct rewriter *owner = rw;
    struct flow *victim;

    if (!over_capacity(rw->heap))
        return true;
    victim = find_victim(rw->heap, now_ms, &owner);
    if (!victim)
        victim = f;
    rewriter_remove(owner, victim);
    return victim != f;
}

/* What a mapping of such a rewriter cannot change. */
static bool fits_kind(const struct rewriter *rw, const struct flow_id *out)
{
    if (rw->kind != REWRITE_ADDR && rw->kind != REWRITE_PAIR)
        return true;
    return !out->sport && !out->dport && (rw->kind == REWRITE_PAIR || !out->dst);
}

flow_ref rewriter_add(struct rewriter *rw, uint32_t now_ms, unsigned input,
                      uint8_t proto, const struct flow_id *in,
                      const struct flow_id *out)
{
    struct rewrite_input *is = &rw->inputs[input];
    struct flow f = {.proto = proto, .input = (uint16_t)input};
    flow_ref ref, old;

    if (is->out < 0 || is->out >= rw->e->n_out || is->reply_out < 0 ||
        is->reply_out >= rw->e->n_out || !fits_kind(rw, out))
        return 0;
    f.id[0] = *in;
    f.id[1] = flow_id_reverse(*out);
    f.out[0] = (uint16_t)is->out;
    f.out[1] = (uint16_t)is->reply_out;
    set_deltas(&f);
    touch(rw, &f, is_tcp(rw->kind, &f), now_ms);
    /* Its replies cannot be told from those of an older mapping, which goes. */
    old = flow_lookup(&rw->flows, &f.id[1], proto);
    if (old)
        rewriter_remove(rw, flow_ref_flow(&rw->flows, old));
    ref = flow_insert(&rw->flows, &f);
    if (!ref)
        return 0;
    is->count++;
    if (!make_room(rw, flow_ref_flow(&rw->flows, ref), now_ms)) {
        is->failures++;
        return 0;
    }
    return ref;
}

static void clear(struct rewriter *rw)
{
    flow_table_clear(&rw->flows);
    rw->reaping = false;
    for (uint32_t i = 0; i < rw->n_inputs; i++)
        rw->inputs[i].count = 0;
}

void rewriter_shrink(struct rewriter *rw, bool all)
{
    uint32_t now = rewriter_now_ms(rw->e);
    struct rewriter *m, *owner = rw;
    struct flow *f;

    for (m = rw->heap->members; m; m = m->next_member) {
        if (all) {
            clear(m);
            continue;
        }
        flow_reap_begin(&m->flows, now);
        while (flow_reap_some(&m->flows, now, UINT32_MAX, rewriter_count_gone, m))
            ;
        m->reaping = false;
    }
    while (over_capacity(rw->heap) && (f = find_victim(rw->heap, now, &owner)))
        rewriter_remove(owner, f);
    for (m = rw->heap->members; m; m = m->next_member)
        for (uint32_t at = 0;
             over_capacity(rw->heap) && (f = flow_next(&m->flows, &at));)
            rewriter_remove(m, f);
}

/* --- packets ---------------------------------------------------------------------------- */

/* An echo request or reply: its flow has the identifier in place of the source's port. */
static bool ping_id(const struct pkt *p, struct flow_id *id)
{
    const struct icmp_hdr *icmp = pkt_icmp(p);

    if (pkt_ip4(p)->proto != IP_PROTO_ICMP)
        return false;
    if (icmp->type == ICMP_ECHO)
        id->sport = icmp->id;
    else
        id->dport = icmp->id;
    return icmp->type == ICMP_ECHO || icmp->type == ICMP_ECHOREPLY;
}

static bool has_ports(const struct rewriter *rw, uint8_t proto)
{
    return proto == IP_PROTO_TCP ||
           (proto == IP_PROTO_UDP && rw->kind != REWRITE_TCP) ||
           (proto == IP_PROTO_DCCP && rw->kind == REWRITE_UDP);
}

/* packet_key() of a packet that is no plain one. */
static bool packet_key_other(const struct rewriter *rw, const struct pkt *p,
                             struct flow_key *key)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t least = rw->kind == REWRITE_PING ? 6 : 8;
    struct flow_id id;

    *key = (struct flow_key){0, 0};
    if (!pkt_has_ip4(p))
        return false;
    id = (struct flow_id){h->src, rw->kind == REWRITE_ADDR ? 0 : h->dst, 0, 0};
    *key = flow_key(&id, 0);
    if (rw->kind == REWRITE_ADDR || rw->kind == REWRITE_PAIR)
        return true;
    if (ip4_is_later_fragment(h) || pkt_avail(p, p->transport) < least)
        return false;
    if (rw->kind == REWRITE_PING) {
        bool ping = ping_id(p, &id);

        *key = flow_key(&id, h->proto);
        return ping;
    }
    key->ports = load32(p->transport) | (uint64_t)h->proto << 32;
    return has_ports(rw, h->proto);
}

/* An IPv4 header without options, not of a later fragment, the transport header behind it and
 * 8 bytes of that. (No pointer at all does not pass.) */
static INLINE bool is_plain(const struct pkt *p)
{
    const uint64_t mask = 0xff | (uint64_t)be16(IP_OFFMASK) << 48;

    return (uintptr_t)p->transport == (uintptr_t)p->network + 20 &&
           p->data + p->len - p->network >= 28 && (load64(p->network) & mask) == 0x45;
}

/* What identifies the packet's flow; false when it belongs to none. Most are UDP or TCP
 * without options in the IP header. */
static INLINE bool packet_key(const struct rewriter *rw, enum rewriter_kind kind,
                              const struct pkt *p, struct flow_key *key)
{
    const struct ip4_hdr *h = pkt_ip4(p);

    if (__builtin_expect(kind != REWRITE_TCP_UDP || !is_plain(p) ||
                             (h->proto != IP_PROTO_UDP && h->proto != IP_PROTO_TCP),
                         0)) {
        struct flow_key k; /* so that the caller's may stay in registers */
        bool known = packet_key_other(rw, p, &k);

        *key = k;
        return known;
    }
    key->addrs = load64(&h->src);
    key->ports = load32(h + 1) | (uint64_t)h->proto << 32;
    return true;
}

static struct flow_id key_id(struct flow_key key)
{
    struct flow_id id;

    memcpy(&id.src, &key.addrs, 8);
    memcpy(&id.sport, &key.ports, 4);
    return id;
}

/* A change of a sum, as it is in that direction. */
static inline uint16_t turn(uint16_t delta, unsigned direction)
{
    return (uint16_t)(delta ^ -direction);
}

static inline uint16_t apply_delta(uint16_t sum, uint16_t delta, unsigned direction)
{
    return csum_apply16(sum, turn(delta, direction));
}

/* A number of 32 bits in the TCP header, at any offset, becomes another. */
static void replace_number(struct tcp_hdr *t, uint8_t *at, uint32_t is)
{
    uint32_t was = load32(at);
    uint16_t delta;

    is = be32(is);
    if (was == is)
        return;
    store32(at, is);
    delta = csum_fold(csum_delta32(was, is));
    if ((at - (uint8_t *)t) % 2) /* its bytes are the other halves of the sum's words */
        delta = (uint16_t)(delta << 8 | delta >> 8);
    t->sum = csum_apply(t->sum, delta);
}

/* The edges in a SACK option are acknowledgements too. */
static void rewrite_sack(const struct flow_seq *seq, unsigned direction,
                         struct tcp_hdr *t, uint8_t *opt, uint32_t len)
{
    for (uint32_t at = 2; at + 4 <= len; at += 4)
        replace_number(t, opt + at,
                       flow_seq_new_ack(seq, direction, be32(load32(opt + at))));
}

static void rewrite_sacks(const struct flow_seq *seq, unsigned direction,
                          struct tcp_hdr *t)
{
    uint8_t *b = (uint8_t *)t;
    uint32_t end = tcp_hlen(t);

    for (uint32_t at = sizeof *t; at < end && b[at] != TCPOPT_EOL;) {
        if (b[at] == TCPOPT_NOP) {
            at++;
            continue;
        }
        if (end - at < 2 || b[at + 1] < 2 || b[at + 1] > end - at)
            return;
        if (b[at] == TCPOPT_SACK && b[at + 1] % 8 == 2)
            rewrite_sack(seq, direction, t, b + at, b[at + 1]);
        at += b[at + 1];
    }
}

/* Sequence numbers of a flow whose data was changed. */
static void rewrite_seq(struct flow_seq *seq, unsigned direction, struct pkt *p)
{
    struct tcp_hdr *t = pkt_tcp(p);

    if (tcp_hlen(t) < sizeof *t || pkt_avail(p, p->transport) < tcp_hlen(t))
        return;
    flow_seq_forget(seq, direction, be32(t->seq));
    replace_number(t, (uint8_t *)t + offsetof(struct tcp_hdr, seq),
                   flow_seq_new(seq, direction, be32(t->seq)));
    replace_number(t, (uint8_t *)t + offsetof(struct tcp_hdr, ack),
                   flow_seq_new_ack(seq, direction, be32(t->ack)));
    rewrite_sacks(seq, direction, t);
}

/* Of a header of which 18 bytes are there. */
static void rewrite_tcp(const struct rewriter *rw, struct flow *f, unsigned direction,
                        struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    struct tcp_hdr *t = pkt_tcp(p);
    bool data = ip4_hlen(h) + tcp_hlen(t) < be16(h->len);

    t->sum = apply_delta(t->sum, f->l4_delta, direction);
    if (!is_tcp(rw->kind, f))
        return;
    if (t->flags & TCP_RST)
        f->state |= BOTH * TCP_DONE;
    else if (t->flags & TCP_FIN)
        f->state |= (uint8_t)(TCP_DONE << direction);
    else if ((t->flags & TCP_SYN) || data)
        f->state &= (uint8_t) ~(TCP_DONE << direction);
    if (data)
        f->state |= (uint8_t)(TCP_DATA << direction);
    if (__builtin_expect(f->seq != 0, 0))
        rewrite_seq(flow_seq_of(&rw->flows, f), direction, p);
}

static INLINE void rewrite_udp(struct udp_hdr *u, uint16_t delta)
{
    uint16_t sum = u->sum;

    if (!sum) /* there is none */
        return;
    sum = csum_apply16(sum, delta);
    u->sum = sum ? sum : 0xffff;
}

static void rewrite_ping(struct flow *f, unsigned direction, struct pkt *p)
{
    struct icmp_hdr *icmp = pkt_icmp(p);
    const struct flow_id *other = &f->id[!direction];
    uint16_t id = icmp->type == ICMP_ECHO ? other->dport : other->sport;

    icmp->sum = csum_replace16(icmp->sum, icmp->id, id);
    icmp->id = id;
}

static INLINE void rewrite_ports(const struct flow *f, unsigned direction,
                                 struct pkt *p)
{
    uint32_t both = load32(&f->id[!direction].sport);

    store32(p->transport, both << 16 | both >> 16);
}

static INLINE void count_datagram(struct flow *f, unsigned direction)
{
    uint8_t state = (uint8_t)(f->state | (direction ? UDP_REPLY : 0));

    f->state = (uint8_t)(state + (state < UDP_ENOUGH ? UDP_PACKET : 0));
}

/* Ports and checksum behind the IP header. */
static INLINE void rewrite_transport(const struct rewriter *rw, enum rewriter_kind kind,
                                     struct flow *f, bool tcp, unsigned direction,
                                     struct pkt *p)
{
    bool ports = kind == REWRITE_TCP_UDP || kind == REWRITE_TCP || kind == REWRITE_UDP;
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t left;

    if (ports && h->proto == IP_PROTO_UDP) { /* all of the header is there */
        count_datagram(f, direction);
        rewrite_ports(f, direction, p);
        rewrite_udp(pkt_udp(p), turn(f->l4_delta, direction));
        return;
    }
    if (kind == REWRITE_PING) {
        rewrite_ping(f, direction, p);
        return;
    }
    if (!ports && ip4_is_later_fragment(h)) /* there is no sum with the addresses */
        return;
    left = pkt_avail(p, p->transport);
    if (ports && !tcp)
        count_datagram(f, direction);
    if (ports && (left >= TCP_SUM_END || !tcp))
        rewrite_ports(f, direction, p);
    if (h->proto == IP_PROTO_TCP && left >= TCP_SUM_END)
        rewrite_tcp(rw, f, direction, p);
    else if (h->proto == IP_PROTO_UDP && left >= sizeof(struct udp_hdr))
        rewrite_udp(pkt_udp(p), turn(f->l4_delta, direction));
}

/* IPAddrRewriter: one of the two addresses stays what it is. */
static void rewrite_addr(struct flow *f, unsigned direction, struct pkt *p)
{
    struct ip4_hdr *h = pkt_ip4(p);

    if (!direction) {
        h->src = f->id[1].dst;
        return;
    }
    h->dst = f->id[0].src;
    pkt_set_dst_ip(p, h->dst);
}

static INLINE int32_t rewrite_packet(struct rewriter *rw, enum rewriter_kind kind,
                                     struct flow *f, unsigned direction, struct pkt *p,
                                     uint32_t now_ms)
{
    bool tcp = is_tcp(kind, f);
    struct ip4_hdr *h;

    if (pkt_writable(p) < 0)
        return -1;
    h = pkt_ip4(p);
    if (kind == REWRITE_ADDR) {
        rewrite_addr(f, direction, p);
    } else {
        uint64_t both = load64(&f->id[!direction].src);

        store64(&h->src, both << 32 | both >> 32);
        if (rw->dst_anno)
            pkt_set_dst_ip(p, (uint32_t)both);
    }
    if (direction && rw->have_reply_anno)
        p->anno[rw->reply_anno.offset] = f->reply_anno;
    h->sum = apply_delta(h->sum, f->ip_delta, direction);
    rewrite_transport(rw, kind, f, tcp, direction, p);
    touch(rw, f, tcp, now_ms);
    return f->out[direction];
}

/* Make a mapping for a flow that is not known. `*how` is RW_MAP if there is one then. */
static flow_ref make_mapping(struct rewriter *rw, unsigned input,
                             const struct flow_id *id, uint8_t proto, uint32_t now_ms,
                             int *how)
{
    struct flow_id out;

    *how = rewrite_input_map(rw, &rw->inputs[input], id, proto, &out);
    if (*how != RW_MAP)
        return 0;
    if (rw->kind == REWRITE_PING)
        out.dport = id->dport;
    return rewriter_add(rw, now_ms, input, proto, id, &out);
}

static int32_t new_flow(struct rewriter *rw, unsigned port, struct pkt *p,
                        struct flow_key key, uint32_t now_ms)
{
    struct flow_id id = key_id(key);
    int how;
    struct flow *f;
    flow_ref ref;

    if (rw->kind == REWRITE_PING && pkt_icmp(p)->type != ICMP_ECHO)
        return rw->inputs[port].what == RW_KIND_PASS ? rw->inputs[port].out : -1;
    ref = make_mapping(rw, port, &id, (uint8_t)(key.ports >> 32), now_ms, &how);
    if (!ref)
        return how == RW_MAP ? -1 : how;
    f = flow_ref_flow(&rw->flows, ref);
    if (rw->have_reply_anno)
        f->reply_anno = p->anno[rw->reply_anno.offset];
    return rewrite_packet(rw, rw->kind, f, 0, p, now_ms);
}

/* Packets to an address that IPAddrRewriter has given out. */
static flow_ref find_reply_addr(const struct rewriter *rw, uint32_t dst)
{
    struct flow_id id = {0, dst, 0, 0};

    return rw->kind == REWRITE_ADDR ? flow_lookup(&rw->flows, &id, 0) : 0;
}

flow_ref rewriter_get(struct rewriter *rw, uint8_t proto, const struct flow_id *id,
                      int input)
{
    struct flow_id key = *id;
    flow_ref ref;
    int how;

    if (rw->kind == REWRITE_ADDR || rw->kind == REWRITE_PAIR) {
        key = (struct flow_id){id->src, rw->kind == REWRITE_PAIR ? id->dst : 0, 0, 0};
        proto = 0;
    } else if (rw->kind == REWRITE_PING) {
        key.sport = input == REWRITE_REPLY ? 0 : id->sport;
        key.dport = input == REWRITE_REPLY ? id->sport : 0;
        if (proto != IP_PROTO_ICMP)
            return 0;
    } else if (!has_ports(rw, proto)) {
        return 0;
    }
    ref = flow_lookup(&rw->flows, &key, proto);
    if (!ref)
        ref = find_reply_addr(rw, id->dst);
    if (ref || input < 0 || (uint32_t)input >= rw->n_inputs)
        return ref;
    return make_mapping(rw, (unsigned)input, &key, proto, rewriter_now_ms(rw->e), &how);
}

/* What is the same for all packets of a batch. */
struct round {
    struct rewriter *rw;
    uint32_t now_ms;
    bool dst_anno, reply_anno;
    /* Deadline and guarantee of datagrams, as they lie in a flow: with packets both ways and
     * enough of them, and before. */
    uint64_t udp_both, udp_first;
};

static struct round round_begin(struct rewriter *rw)
{
    uint32_t now_ms = rewriter_now_ms(rw->e);
    uint64_t guarantee = (uint64_t)(now_ms + rw->udp.guarantee_ms) << 32;

    return (struct round){.rw = rw,
                          .now_ms = now_ms,
                          .dst_anno = rw->dst_anno,
                          .reply_anno = rw->have_reply_anno,
                          .udp_both = guarantee | (now_ms + rw->udp.both_ms),
                          .udp_first = guarantee | (now_ms + rw->udp.first_ms)};
}
_Static_assert(offsetof(struct flow, guarantee_ms) ==
                   offsetof(struct flow, expiry_ms) + 4,
               "one store");
_Static_assert(offsetof(struct flow, l4_delta) == offsetof(struct flow, ip_delta) + 2,
               "one load");

/* As rewrite_packet() for a datagram behind a header without options, of a rewriter that
 * changes ports. */
static INLINE int32_t rewrite_datagram(const struct round *r, flow_mark mark,
                                       struct pkt *p)
{
    struct flow *f = flow_mark_flow(mark);
    unsigned direction = flow_mark_direction(mark);
    const struct flow_id *to = &f->id[!direction];
    uint64_t addrs = load64(&to->src);
    uint32_t ports = load32(&to->sport), delta = load32(&f->ip_delta) ^ -direction;
    struct ip4_hdr *h;

    if (pkt_writable(p) < 0)
        return -1;
    h = pkt_ip4(p);
    store64(&h->src, addrs << 32 | addrs >> 32);
    store32(h + 1, ports << 16 | ports >> 16);
    h->sum = csum_apply16(h->sum, (uint16_t)delta);
    rewrite_udp((struct udp_hdr *)(h + 1), (uint16_t)(delta >> 16));
    if (r->dst_anno)
        pkt_set_dst_ip(p, (uint32_t)addrs);
    if (direction && r->reply_anno)
        p->anno[r->rw->reply_anno.offset] = f->reply_anno;
    if (__builtin_expect(f->state < UDP_ENOUGH + direction, 0))
        count_datagram(f, direction);
    store64(&f->expiry_ms,
            f->state == (UDP_ENOUGH | UDP_REPLY) ? r->udp_both : r->udp_first);
    return f->out[direction];
}

/* Find and rewrite, or make, the flow of one packet; where it goes. */
static INLINE int32_t rewriter_one(const struct round *r, enum rewriter_kind kind,
                                   unsigned port, struct pkt *p, uint64_t hash,
                                   flow_mark mark, struct flow_key key)
{
    struct rewriter *rw = r->rw;
    flow_ref ref;

    if (__builtin_expect(!mark || !flow_is(mark, key), 0)) {
        ref = flow_find(&rw->flows, hash, key);
        if (ref) /* the hint was another flow's */
            flow_hint_set(&rw->flows, hash, ref);
        if (!ref)
            ref = find_reply_addr(rw, pkt_ip4(p)->dst);
        if (!ref)
            return new_flow(rw, port, p, key, r->now_ms);
        mark = flow_mark_of(&rw->flows, ref);
    }
    return rewrite_packet(rw, kind, flow_mark_flow(mark), flow_mark_direction(mark), p,
                          r->now_ms);
}

/* The keys of a batch, and of which packets they are. */
struct round_keys {
    uint64_t addrs[BATCH_MAX], ports[BATCH_MAX], hash[BATCH_MAX];
    uint64_t none,
        datagrams; /* a bit for each: belongs to no flow; is a plain datagram */
};
_Static_assert(BATCH_MAX <= 64, "one bit for each");

static INLINE void find_keys(const struct rewriter *rw, enum rewriter_kind kind,
                             const struct batch *b, struct round_keys *k)
{
    uint64_t none = 0, datagrams = 0;

    for (uint32_t i = 0, n = b->n; i < n; i++) {
        const struct pkt *p = b->p[i];
        const struct ip4_hdr *h = pkt_ip4(p);
        struct flow_key key;

        if (__builtin_expect(kind == REWRITE_TCP_UDP && is_plain(p) &&
                                 h->proto == IP_PROTO_UDP,
                             1)) {
            key = (struct flow_key){load64(&h->src),
                                    load32(h + 1) | (uint64_t)IP_PROTO_UDP << 32};
            datagrams |= 1ull << i;
        } else if (!packet_key(rw, kind, p, &key)) {
            none |= 1ull << i;
        }
        k->addrs[i] = key.addrs;
        k->ports[i] = key.ports;
        k->hash[i] = flow_hash(&rw->flows, key);
    }
    k->none = none;
    k->datagrams = datagrams;
}

/* Three rounds: fetch all buckets, then all flows, then work; a miss of the cache in one
 * packet does not hold up the others. Returns whether all packets go the same way. */
static INLINE bool rewriter_batch(struct rewriter *rw, enum rewriter_kind kind,
                                  unsigned port, const struct batch *b, int32_t *out)
{
    const struct rewrite_input *is = &rw->inputs[port];
    struct round r = round_begin(rw);
    struct round_keys k;
    flow_mark mark[BATCH_MAX];
    int32_t ways = 0;

    find_keys(rw, kind, b, &k);
    flow_guess(&rw->flows, k.hash, b->n, mark);
    for (uint32_t i = 0, n = b->n; i < n; i++) {
        struct flow_key key = {k.addrs[i], k.ports[i]};
        int32_t way;

        if (__builtin_expect(k.datagrams >> i & 1 && mark[i] && flow_is(mark[i], key),
                             1))
            way = rewrite_datagram(&r, mark[i], b->p[i]);
        else if (k.none >> i & 1)
            way = is->what == RW_KIND_PASS ? is->out : -1;
        else
            way = rewriter_one(&r, kind, port, b->p[i], k.hash[i], mark[i], key);
        out[i] = way;
        ways |= way ^ out[0];
    }
    return !ways;
}

/* Whether all are plain packets of one flow of TCP or UDP. */
static INLINE bool all_same(const struct batch *b, struct flow_key *key)
{
    const struct ip4_hdr *h = pkt_ip4(b->p[0]);
    uint8_t proto;

    if (!is_plain(b->p[0]) || (h->proto != IP_PROTO_UDP && h->proto != IP_PROTO_TCP))
        return false;
    proto = h->proto;
    *key = (struct flow_key){load64(&h->src), load32(h + 1) | (uint64_t)proto << 32};
    for (uint32_t i = 1; i < b->n; i++) {
        h = pkt_ip4(b->p[i]);
        if (!is_plain(b->p[i]) || h->proto != proto || load64(&h->src) != key->addrs ||
            load32(h + 1) != (uint32_t)key->ports)
            return false;
    }
    return true;
}

/* All packets, datagrams of one flow; those that cannot be written are dropped. */
static void rewrite_same(const struct round *r, struct flow *f, unsigned direction,
                         struct batch *b)
{
    uint64_t addrs = load64(&f->id[!direction].src);
    uint32_t ports = load32(&f->id[!direction].sport), kept = 0, dst = (uint32_t)addrs;
    uint16_t ip = turn(f->ip_delta, direction), l4 = turn(f->l4_delta, direction);
    bool reply_anno = direction && r->reply_anno;

    addrs = addrs << 32 | addrs >> 32;
    ports = ports << 16 | ports >> 16;
    for (uint32_t i = 0, n = b->n; i < n; i++) {
        struct pkt *p = b->p[i];
        struct ip4_hdr *h;

        if (pkt_writable(p) < 0) {
            pkt_free(p);
            continue;
        }
        h = pkt_ip4(p);
        store64(&h->src, addrs);
        store32(h + 1, ports);
        h->sum = csum_apply16(h->sum, ip);
        rewrite_udp((struct udp_hdr *)(h + 1), l4);
        if (r->dst_anno)
            pkt_set_dst_ip(p, dst);
        if (reply_anno)
            p->anno[r->rw->reply_anno.offset] = f->reply_anno;
        b->p[kept++] = p;
    }
    b->n = kept;
    for (uint32_t i = 0; i < kept && i < UDP_ENOUGH / UDP_PACKET; i++)
        count_datagram(f, direction);
    if (kept)
        touch(r->rw, f, false, r->now_ms);
}

/* The same for TCP, where each packet has its own say. */
static void rewrite_segments(const struct round *r, struct flow *f, unsigned direction,
                             struct batch *b)
{
    uint32_t kept = 0;

    for (uint32_t i = 0, n = b->n; i < n; i++)
        if (rewrite_packet(r->rw, REWRITE_TCP_UDP, f, direction, b->p[i], r->now_ms) <
            0)
            pkt_free(b->p[i]);
        else
            b->p[kept++] = b->p[i];
    b->n = kept;
}

/* A batch of one flow that is known: one look at the table. False: it is none. */
static bool rewriter_push_same(struct rewriter *rw, struct batch *b)
{
    struct flow_key key;
    struct round r;
    uint64_t hash;
    flow_mark mark;
    unsigned direction;

    if (b->n < 2 || !all_same(b, &key))
        return false;
    hash = flow_hash(&rw->flows, key);
    flow_guess(&rw->flows, &hash, 1, &mark);
    if (!mark || !flow_is(mark, key))
        return false;
    r = round_begin(rw);
    direction = flow_mark_direction(mark);
    if (key.ports >> 32 == IP_PROTO_UDP)
        rewrite_same(&r, flow_mark_flow(mark), direction, b);
    else
        rewrite_segments(&r, flow_mark_flow(mark), direction, b);
    out_push(rw->e, flow_mark_flow(mark)->out[direction], b);
    return true;
}

void rewriter_push(struct element *e, unsigned port, struct batch *b)
{
    struct rewriter *rw = element_state(e);
    int32_t out[BATCH_MAX];
    bool same;

    if (rw->kind == REWRITE_TCP_UDP && rewriter_push_same(rw, b))
        return;
    /* The most frequent kind has a loop of its own. */
    if (rw->kind == REWRITE_TCP_UDP)
        same = rewriter_batch(rw, REWRITE_TCP_UDP, port, b, out);
    else
        same = rewriter_batch(rw, rw->kind, port, b, out);
    if (same && b->n && out[0] >= 0)
        out_push(e, (unsigned)out[0], b);
    else
        spread_push(e, b, out);
}
