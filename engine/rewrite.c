// SPDX-License-Identifier: BSD-3-Clause
/* rewrite.c -- address translation: packets and mappings; see rewrite.h */

#include "engine/rewrite.h"

#include "engine/checksum.h"
#include "engine/spread.h"

#define MS 1000000ll

enum {
    MAX_TIMEOUT_MS = 1 << 30, /* 12 days: differences of the table's clock stay below */
    /* flow.state, for forward; twice that for replies */
    TCP_DONE = 1,
    TCP_DATA = 4,
    UDP_SEEN = 1,
    BOTH = 3,
};

uint32_t rewriter_now_ms(const struct element *e)
{
    return (uint32_t)(element_coarse_now(e) / MS);
}

/* --- setting up ------------------------------------------------------------------------- */

static uint32_t to_ms(int64_t ns)
{
    int64_t ms = ns / MS;

    return ms < 0 ? 0 : ms > MAX_TIMEOUT_MS ? MAX_TIMEOUT_MS : (uint32_t)ms;
}

static void set_timeouts(struct rewriter *rw)
{
    int64_t first = rw->timeout_ns, guarantee = rw->guarantee_ns;
    bool by_protocol = rw->kind == REWRITE_TCP_UDP;

    rw->udp.first_ms = to_ms(by_protocol ? rw->udp_timeout_ns : first);
    rw->udp.both_ms = rw->udp.first_ms;
    if (rw->have_udp_streaming)
        rw->udp.both_ms = to_ms(rw->udp_streaming_ns);
    rw->udp.guarantee_ms = to_ms(by_protocol ? rw->udp_guarantee_ns : guarantee);

    rw->tcp.first_ms = to_ms(rw->tcp_nodata_ns);
    rw->tcp.both_ms = to_ms(rw->have_timeout && !rw->have_tcp_timeout
                                ? rw->timeout_ns
                                : rw->tcp_timeout_ns);
    rw->tcp.done_ms = to_ms(rw->tcp_done_ns);
    rw->tcp.guarantee_ms = to_ms(rw->have_guarantee ? guarantee : rw->tcp_guarantee_ns);
}

static int set_capacity(struct rewriter *rw, struct diag *d)
{
    const struct text *t = rw->mapping_capacity_text.s ? &rw->mapping_capacity_text
                                                       : &rw->capacity_text;
    uint64_t n = INT32_MAX;

    if (t->s && (!parse_u64(t->s, 0, &n) || n > INT32_MAX))
        return diag_err(d, "bad MAPPING_CAPACITY");
    rw->capacity = (uint32_t)n;
    return 0;
}

int rewriter_configure(struct element *e, struct conf *c, enum rewriter_kind kind,
                       struct diag *d)
{
    struct rewriter *rw = element_state(e);
    int rc = 0;

    rw->e = e;
    rw->kind = kind;
    flow_table_init(&rw->flows, (uint64_t)element_random(e) << 32 | element_random(e),
                    rewriter_now_ms(e));
    set_timeouts(rw);
    if (set_capacity(rw, d) < 0)
        return -1;
    if (c->argc != e->n_in)
        return diag_err(d, "need %d arguments, one per input port", e->n_in);
    rw->inputs = element_alloc(e, ((size_t)c->argc + 1) * sizeof *rw->inputs);
    if (!rw->inputs)
        return diag_err(d, "out of memory");
    rw->n_inputs = (uint32_t)c->argc;
    for (int i = 0; i < c->argc; i++)
        if (rewrite_input_parse(e, c->argv[i], (unsigned)i, &rw->inputs[i], d) < 0)
            rc = -1;
    return rc;
}

static void reap(struct element *e, struct timer *t)
{
    struct rewriter *rw = element_state(e);

    rewriter_shrink(rw, false);
    timer_after(t, rw->reap_ns);
}

int rewriter_initialize(struct element *e, struct diag *d)
{
    struct rewriter *rw = element_state(e);

    timer_init(&rw->reap, e, reap);
    if (rw->reap_ns)
        timer_after(&rw->reap, rw->reap_ns);
    return 0;
}

/* Mappings go on whatever the new specifications say, as long as their input and outputs
 * exist: those who talk through them must not notice. */
void rewriter_take_state(struct element *e, struct element *old)
{
    struct rewriter *rw = element_state(e), *o = element_state(old);
    struct flow *f;
    uint32_t at = 0;

    if (rw->kind != o->kind)
        return;
    flow_table_fini(&rw->flows);
    rw->flows = o->flows;
    flow_table_init(&o->flows, 0, 0);
    while ((f = flow_next(&rw->flows, &at)))
        if (f->input < rw->n_inputs && f->out[0] < e->n_out && f->out[1] < e->n_out)
            rw->inputs[f->input].count++;
        else
            flow_remove(&rw->flows, f);
    for (uint32_t i = 0; i < rw->n_inputs && i < o->n_inputs; i++)
        rw->inputs[i].failures = o->inputs[i].failures;
    rewriter_shrink(rw, false);
}

void rewriter_cleanup(struct element *e)
{
    struct rewriter *rw = element_state(e);

    flow_table_fini(&rw->flows);
}

void *rewriter_cast(struct element *e, const char *kind)
{
    return strcmp(kind, "IPRewriterBase") == 0 ? element_state(e) : NULL;
}

/* --- mappings --------------------------------------------------------------------------- */

static bool is_tcp(const struct rewriter *rw, const struct flow *f)
{
    return f->proto == IP_PROTO_TCP &&
           (rw->kind == REWRITE_TCP_UDP || rw->kind == REWRITE_TCP);
}

/* A packet was seen, and f->state is up to date: put the deadline off. */
static inline void touch(const struct rewriter *rw, struct flow *f, uint32_t now_ms)
{
    bool tcp = is_tcp(rw, f);
    const struct rewriter_timeouts *t = tcp ? &rw->tcp : &rw->udp;
    uint32_t life = t->first_ms;

    if (tcp && (f->state & BOTH) == BOTH)
        life = t->done_ms;
    else if (tcp ? (f->state & BOTH * TCP_DATA) == BOTH * TCP_DATA
                 : (f->state & BOTH) == BOTH)
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

/* Keep within the capacity; false when `f`, the newest, had to go itself. */
static bool make_room(struct rewriter *rw, struct flow *f, uint32_t now_ms)
{
    struct flow *victim;

    if (rw->flows.count <= rw->capacity)
        return true;
    victim = flow_victim(&rw->flows, now_ms);
    if (!victim)
        victim = f;
    rewriter_remove(rw, victim);
    return victim != f;
}

flow_ref rewriter_add(struct rewriter *rw, uint32_t now_ms, unsigned input,
                      uint8_t proto, const struct flow_id *in,
                      const struct flow_id *out)
{
    struct rewrite_input *is = &rw->inputs[input];
    struct flow f = {.proto = proto, .input = (uint16_t)input};
    flow_ref ref, old;

    if (is->out < 0 || is->out >= rw->e->n_out || is->reply_out < 0 ||
        is->reply_out >= rw->e->n_out)
        return 0;
    f.id[0] = *in;
    f.id[1] = flow_id_reverse(*out);
    f.out[0] = (uint16_t)is->out;
    f.out[1] = (uint16_t)is->reply_out;
    set_deltas(&f);
    touch(rw, &f, now_ms);
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

void rewriter_shrink(struct rewriter *rw, bool all)
{
    uint32_t now = rewriter_now_ms(rw->e), at = 0;
    struct flow *f;

    (void)flow_reap(&rw->flows, now);
    while (!all && rw->flows.count > rw->capacity && (f = flow_victim(&rw->flows, now)))
        flow_remove(&rw->flows, f);
    if (all)
        flow_table_clear(&rw->flows);
    while (rw->flows.count > rw->capacity && (f = flow_next(&rw->flows, &at)))
        flow_remove(&rw->flows, f);
    for (uint32_t i = 0; i < rw->n_inputs; i++)
        rw->inputs[i].count = 0;
    for (at = 0; (f = flow_next(&rw->flows, &at));)
        rw->inputs[f->input].count++;
}

/* --- packets ---------------------------------------------------------------------------- */

/* What identifies the packet's flow; false when it belongs to none. */
static inline bool packet_id(const struct rewriter *rw, const struct pkt *p,
                             struct flow_id *id, uint8_t *proto)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    const struct icmp_hdr *icmp;
    bool ports = h && (h->proto == IP_PROTO_TCP || h->proto == IP_PROTO_UDP);

    if (!pkt_has_ip4(p))
        return false;
    *id = (struct flow_id){h->src, h->dst, 0, 0};
    *proto = 0;
    if (rw->kind == REWRITE_ADDR)
        id->dst = 0;
    if (rw->kind == REWRITE_ADDR || rw->kind == REWRITE_PAIR)
        return true;
    if (ip4_is_later_fragment(h) || pkt_avail(p, p->transport) < 8)
        return false;
    *proto = h->proto;
    if (rw->kind == REWRITE_PING) {
        icmp = pkt_icmp(p);
        if (h->proto != IP_PROTO_ICMP)
            return false;
        if (icmp->type == ICMP_ECHO)
            id->sport = icmp->id;
        else
            id->dport = icmp->id;
        return icmp->type == ICMP_ECHO || icmp->type == ICMP_ECHOREPLY;
    }
    if (!ports || (rw->kind == REWRITE_TCP && h->proto != IP_PROTO_TCP))
        return false;
    id->sport = load16(p->transport);
    id->dport = load16(p->transport + 2);
    return true;
}

static uint16_t apply_delta(uint16_t sum, uint16_t delta, unsigned direction)
{
    return csum_apply(sum, direction ? (uint16_t)~delta : delta);
}

static void rewrite_tcp(struct flow *f, unsigned direction, struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    struct tcp_hdr *t = pkt_tcp(p);
    bool data = ip4_hlen(h) + tcp_hlen(t) < be16(h->len);

    t->sum = apply_delta(t->sum, f->l4_delta, direction);
    if (t->flags & TCP_RST)
        f->state |= BOTH * TCP_DONE;
    else if (t->flags & TCP_FIN)
        f->state |= (uint8_t)(TCP_DONE << direction);
    else if ((t->flags & TCP_SYN) || data)
        f->state &= (uint8_t) ~(TCP_DONE << direction);
    if (data)
        f->state |= (uint8_t)(TCP_DATA << direction);
}

static void rewrite_udp(struct flow *f, unsigned direction, struct udp_hdr *u)
{
    if (!u->sum) /* there is none */
        return;
    u->sum = apply_delta(u->sum, f->l4_delta, direction);
    if (!u->sum)
        u->sum = 0xffff;
}

static void rewrite_ping(struct flow *f, unsigned direction, struct pkt *p)
{
    struct icmp_hdr *icmp = pkt_icmp(p);
    const struct flow_id *other = &f->id[!direction];
    uint16_t id = icmp->type == ICMP_ECHO ? other->dport : other->sport;

    icmp->sum = csum_replace16(icmp->sum, icmp->id, id);
    icmp->id = id;
}

/* Ports and checksum behind the IP header. */
static void rewrite_transport(const struct rewriter *rw, struct flow *f,
                              unsigned direction, struct pkt *p)
{
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t left = pkt_avail(p, p->transport);

    if (rw->kind == REWRITE_PING) {
        rewrite_ping(f, direction, p);
        return;
    }
    if (rw->kind == REWRITE_ADDR || rw->kind == REWRITE_PAIR) {
        /* Addresses are in the sums of TCP and UDP too. */
        if (ip4_is_later_fragment(h))
            return;
    } else {
        store16(p->transport, f->id[!direction].dport);
        store16(p->transport + 2, f->id[!direction].sport);
    }
    if (!is_tcp(rw, f))
        f->state |= (uint8_t)(UDP_SEEN << direction);
    if (h->proto == IP_PROTO_TCP && left >= sizeof(struct tcp_hdr)) {
        if (is_tcp(rw, f))
            rewrite_tcp(f, direction, p);
        else
            pkt_tcp(p)->sum = apply_delta(pkt_tcp(p)->sum, f->l4_delta, direction);
    } else if (h->proto == IP_PROTO_UDP && left >= sizeof(struct udp_hdr)) {
        rewrite_udp(f, direction, pkt_udp(p));
    }
}

/* IPAddrRewriter: one of the two addresses stays what it is. */
static void rewrite_addr(struct flow *f, unsigned direction, struct ip4_hdr *h)
{
    if (direction)
        h->dst = f->id[0].src;
    else
        h->src = f->id[1].dst;
}

static int32_t rewrite_packet(struct rewriter *rw, struct flow *f, unsigned direction,
                              struct pkt *p, uint32_t now_ms)
{
    const struct flow_id *other = &f->id[!direction];
    struct ip4_hdr *h;

    if (pkt_writable(p) < 0)
        return -1;
    h = pkt_ip4(p);
    if (rw->kind == REWRITE_ADDR) {
        rewrite_addr(f, direction, h);
    } else {
        h->src = other->dst;
        h->dst = other->src;
    }
    if (rw->dst_anno)
        pkt_set_dst_ip(p, h->dst);
    if (direction && rw->have_reply_anno)
        p->anno[rw->reply_anno.offset] = f->reply_anno;
    h->sum = apply_delta(h->sum, f->ip_delta, direction);
    rewrite_transport(rw, f, direction, p);
    touch(rw, f, now_ms);
    return f->out[direction];
}

/* A packet of a flow that is not known. */
static int32_t new_flow(struct rewriter *rw, unsigned port, struct pkt *p,
                        const struct flow_id *id, uint8_t proto, uint32_t now_ms)
{
    struct flow_id out;
    int r = rewrite_input_map(rw, &rw->inputs[port], id, proto, &out);
    struct flow *f;
    flow_ref ref;

    if (r != RW_MAP)
        return r;
    ref = rewriter_add(rw, now_ms, port, proto, id, &out);
    if (!ref)
        return -1;
    f = flow_ref_flow(&rw->flows, ref);
    if (rw->have_reply_anno)
        f->reply_anno = p->anno[rw->reply_anno.offset];
    return rewrite_packet(rw, f, 0, p, now_ms);
}

/* Packets to an address that IPAddrRewriter has given out. */
static flow_ref find_reply_addr(const struct rewriter *rw, const struct pkt *p)
{
    struct flow_id id = {0, pkt_ip4(p)->dst, 0, 0};

    return rw->kind == REWRITE_ADDR ? flow_lookup(&rw->flows, &id, 0) : 0;
}

void rewriter_push(struct element *e, unsigned port, struct batch *b)
{
    struct rewriter *rw = element_state(e);
    const struct rewrite_input *is = &rw->inputs[port];
    int32_t out[BATCH_MAX];
    struct flow_id id[BATCH_MAX];
    uint64_t hash[BATCH_MAX];
    uint8_t proto[BATCH_MAX];
    uint32_t now_ms = rewriter_now_ms(e);

    /* Three rounds: fetch all buckets, then all flows, then work; a miss of the cache in
     * one packet does not hold up the others. */
    for (uint32_t i = 0; i < b->n; i++) {
        out[i] = packet_id(rw, b->p[i], &id[i], &proto[i]) ? 0 : -1;
        if (out[i] == 0) {
            hash[i] = flow_hash(&rw->flows, &id[i], proto[i]);
            flow_prefetch(&rw->flows, hash[i]);
        }
    }
    for (uint32_t i = 0; b->n > 1 && i < b->n; i++)
        if (out[i] == 0)
            flow_peek(&rw->flows, hash[i]);
    for (uint32_t i = 0; i < b->n; i++) {
        flow_ref ref;
        if (out[i] < 0) {
            out[i] = is->what == RW_KIND_PASS ? is->out : -1;
            continue;
        }
        ref = flow_find(&rw->flows, hash[i], &id[i], proto[i]);
        if (!ref)
            ref = find_reply_addr(rw, b->p[i]);
        if (__builtin_expect(ref != 0, 1))
            out[i] = rewrite_packet(rw, flow_ref_flow(&rw->flows, ref),
                                    flow_ref_direction(ref), b->p[i], now_ms);
        else
            out[i] = new_flow(rw, port, b->p[i], &id[i], proto[i], now_ms);
    }
    spread_push(e, b, out);
}
