// SPDX-License-Identifier: BSD-3-Clause
/*
 * AggregateIPFlows -- number the flows of TCP and UDP
 *
 * Usage:    AggregateIPFlows([TCP_TIMEOUT 24h, UDP_TIMEOUT 1min, FRAGMENTS, ICMP false, ...])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     TCP_TIMEOUT       a TCP flow that was silent for longer is over, default 24h
 *           TCP_DONE_TIMEOUT  the same for TCP flows that were closed, default 30s
 *           UDP_TIMEOUT       the same for UDP, default 1min
 *           FRAGMENT_TIMEOUT  how long fragments wait for their first one, default 30s
 *           REAP              how often flows that are over are looked for, default 20min
 *           ICMP              true: ICMP errors belong to the flow that they are about
 *           FRAGMENTS         false: drop later fragments; default: true in push context
 *           TRACEINFO         file into which flows are written, as XML
 *           SOURCE            element whose `filename` and `packet_filepos` go there too
 * Counters: drops  packets that belong to no flow, if there is no output 1
 * Handlers: clear  (write) forget all flows
 *           flows  (read) flows known now
 * Example:  FromDump(t.pcap, FORCE_IP true) -> AggregateIPFlows -> ToIPFlowDumps(%n.dump)
 * See also: AggregateIPAddrPair, AggregateIP, AggregateFirst, ToIPFlowDumps
 *
 * Sets the aggregate annotation to the flow's number, from 1 on, and the paint annotation to
 * 0 in the direction of its first packet, 1 in the other, and 2 and 3 for ICMP errors. A SYN
 * after a flow was closed begins a new one. All times are those of the packets' timestamps;
 * packets without one get the time of day. Later fragments carry no ports: they and all
 * that follows between the same hosts wait until FRAGMENT_TIMEOUT has passed, then take
 * over what the other fragments of their packet had. Packets of no flow leave by output 1.
 * Flows survive an exchange of configurations.
 */

#include "engine/agg_notifier.h"
#include "engine/agg_table.h"
#include "engine/net_headers.h"
#include "engine/out_file.h"
#include "engine/platform.h"
#include "engine/subject.h"
#include "engine/unparse.h"

#include <stdlib.h>

enum {
    NS_PER_S = 1000000000,
    WAITING_MAX = 4096,
    NEAR_BUCKETS = 256, /* so many are in the nearest cache */
};

/* Packets between two hosts that wait because of a fragment among them. */
struct waiting_pair {
    struct waiting_pair *next; /* owned */
    uint32_t a, b;
    bool udp;
    struct pkt *head, *tail; /* owned */
};

/* What TRACEINFO tells about a flow, by its aggregate. */
struct flow_stats {
    int64_t first_ns, last_ns;
    uint32_t packets[2], filepos; /* 0: not known */
};

struct aggregate_ip_flows {
    struct agg_table table;
    struct agg_notifier notifier;
    struct waiting_pair *waiting; /* owned */
    uint32_t n_waiting;
    int64_t tcp_timeout, tcp_done_timeout, udp_timeout, fragment_timeout, reap;
    int64_t timeout_s[AGG_FLAGS]; /* of flows with those flags */
    uint32_t next, active_s, gc_s;
    struct text traceinfo;
    struct element *source;
    struct flow_stats *stats; /* owned; by aggregate number; NULL without TRACEINFO */
    uint32_t n_stats;
    struct out_file trace; /* TRACEINFO, but for standard output */
    bool fragments_arg, have_fragments, fragments, icmp, warned;
};

static const struct arg_spec aggregate_ip_flows_args[] = {
    ARG_TIME(aggregate_ip_flows, tcp_timeout, "TCP_TIMEOUT", 0, "24h", "TCP's silence"),
    ARG_TIME(aggregate_ip_flows, tcp_done_timeout, "TCP_DONE_TIMEOUT", 0, "30s",
             "closed TCP's silence"),
    ARG_TIME(aggregate_ip_flows, udp_timeout, "UDP_TIMEOUT", 0, "1min",
             "UDP's silence"),
    ARG_TIME(aggregate_ip_flows, fragment_timeout, "FRAGMENT_TIMEOUT", 0, "30s",
             "how long fragments wait"),
    ARG_TIME(aggregate_ip_flows, reap, "REAP", 0, "20min", "between clean-ups"),
    ARG_BOOL(aggregate_ip_flows, icmp, "ICMP", 0, "false", "number ICMP errors"),
    {.name = "FRAGMENTS",
     .kind = ARG_KIND_BOOL,
     .offset = offsetof(struct aggregate_ip_flows, fragments_arg),
     .seen = 1 + offsetof(struct aggregate_ip_flows, have_fragments),
     .help = "keep later fragments"},
    ARG_FILENAME(aggregate_ip_flows, traceinfo, "TRACEINFO", 0, NULL, "file for flows"),
    ARG_ELEMENT(aggregate_ip_flows, source, "SOURCE", 0, NULL, "whose file name"),
    ARG_END,
};

enum { C_DROPS };
static const struct counter_spec aggregate_ip_flows_counters[] = {
    [C_DROPS] = {"drops", "packets that belong to no flow"},
    {NULL, NULL},
};

/* --- TRACEINFO --------------------------------------------------------------------------- */

static void trace_add(struct element *e, const struct sbuf *text)
{
    struct aggregate_ip_flows *s = element_state(e);
    const struct platform *p = element_platform(e);

    if (!out_file_write(&s->trace, e, text))
        (p->output ? p->output : p->console)(p->ctx, sbuf_text(text), text->len);
}

/* What a handler of SOURCE says; false: nothing. */
static bool trace_ask(struct element *e, const char *handler, struct sbuf *value)
{
    const struct aggregate_ip_flows *s = element_state(e);
    struct sbuf name = SBUF_INIT;
    struct diag ignored = DIAG_INIT;
    bool ok = false;

    if (s->source) {
        sbuf_printf(&name, "%s.%s", s->source->name, handler);
        ok = !handler_read(e->router, NULL, sbuf_text(&name), NULL, value, &ignored);
    }
    sbuf_fini(&name);
    diag_fini(&ignored);
    return ok;
}

static int trace_begin(struct element *e, struct diag *d)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct sbuf text = SBUF_INIT, value = SBUF_INIT;

    if (!s->traceinfo.len)
        return 0;
    if (strcmp(s->traceinfo.s, "-") != 0) {
        s->trace.name = s->traceinfo;
        if (out_file_open(&s->trace, e, d) < 0)
            return -1;
    }
    sbuf_puts(&text, "<?xml version='1.0' standalone='yes'?>\n<trace");
    if (trace_ask(e, "filename", &value))
        sbuf_printf(&text, " file='%s'", sbuf_text(&value));
    sbuf_puts(&text, ">\n");
    trace_add(e, &text);
    sbuf_fini(&text);
    sbuf_fini(&value);
    return 0;
}

static struct flow_stats *trace_stats(struct aggregate_ip_flows *s, uint32_t agg)
{
    if (!s->traceinfo.len)
        return NULL;
    if (agg >= s->n_stats) {
        uint32_t n = agg + agg / 2 + 64;
        struct flow_stats *more = realloc(s->stats, n * sizeof *more);

        if (!more)
            return NULL;
        memset(more + s->n_stats, 0, (n - s->n_stats) * sizeof *more);
        s->stats = more;
        s->n_stats = n;
    }
    return &s->stats[agg];
}

/* Where SOURCE read the packet that it emits just now. */
static uint32_t trace_filepos(struct element *e)
{
    struct sbuf value = SBUF_INIT;
    uint64_t pos = 0;

    if (!trace_ask(e, "packet_filepos", &value) ||
        !parse_u64(sbuf_text(&value), 0, &pos))
        pos = 0;
    sbuf_fini(&value);
    return (uint32_t)pos;
}

static void print_time(struct sbuf *out, const char *name, int64_t ns)
{
    int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;

    if (rest < 0) {
        rest += NS_PER_S;
        s--;
    }
    sbuf_printf(out, " %s='%lld.%09lld'", name, (long long)s, (long long)rest);
}

static void trace_end_flow(struct element *e, const struct agg_slot *slot)
{
    struct aggregate_ip_flows *s = element_state(e);
    const struct agg_bucket *f = slot->bucket;
    const uint32_t a = f->a[slot->way], b = f->b[slot->way],
                   ports = f->ports[slot->way], agg = *agg_aggregate(slot);
    const struct flow_stats *st = trace_stats(s, agg);
    bool back = (*agg_flags(slot) & AGG_REVERSE) != 0;
    char src[64], dst[64];
    unsigned pa = be16((uint16_t)ports), pb = be16((uint16_t)(ports >> 16));
    struct sbuf text = SBUF_INIT;

    if (!st)
        return;
    sbuf_printf(&text, "<flow aggregate='%u' src='%s' sport='%u' dst='%s' dport='%u'",
                agg, unparse_ip(back ? b : a, src), back ? pb : pa,
                unparse_ip(back ? a : b, dst), back ? pa : pb);
    print_time(&text, "begin", st->first_ns);
    print_time(&text, "duration", st->last_ns - st->first_ns);
    if (st->filepos)
        sbuf_printf(&text, " filepos='%u'", st->filepos);
    sbuf_printf(&text,
                ">\n  <stream dir='0' packets='%u' /><stream dir='1' packets='%u' />\n"
                "</flow>\n",
                st->packets[0], st->packets[1]);
    trace_add(e, &text);
    sbuf_fini(&text);
}

/* --- flows ------------------------------------------------------------------------------ */

static void flow_new(struct element *e, struct agg_slot *slot, bool back,
                     const struct pkt *p)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct flow_stats *st;

    *agg_aggregate(slot) = s->next;
    if (++s->next == 0)
        s->next = 1;
    *agg_flags(slot) = (uint8_t)((*agg_flags(slot) & (AGG_USED | AGG_UDP)) |
                                 (back ? AGG_REVERSE : 0));
    if ((st = trace_stats(s, *agg_aggregate(slot))))
        *st = (struct flow_stats){.first_ns = p->timestamp,
                                  .filepos = trace_filepos(e)};
    agg_notify(&s->notifier, *agg_aggregate(slot), AGG_NEW);
}

static void flow_end(struct element *e, const struct agg_slot *slot)
{
    struct aggregate_ip_flows *s = element_state(e);

    agg_notify(&s->notifier, *agg_aggregate(slot), AGG_DELETE);
    trace_end_flow(e, slot);
}

static bool flow_is_over(const struct agg_slot *slot)
{
    return (*agg_flags(slot) & (AGG_OVER_0 | AGG_OVER_1)) == (AGG_OVER_0 | AGG_OVER_1);
}

/* For flows with those flags, in seconds. */
static int64_t flow_timeout(const struct aggregate_ip_flows *s, unsigned flags)
{
    const unsigned over = AGG_OVER_0 | AGG_OVER_1;

    return (flags & AGG_UDP          ? s->udp_timeout
            : (flags & over) == over ? s->tcp_done_timeout
                                     : s->tcp_timeout) /
           NS_PER_S;
}

static inline bool flow_expired(const struct aggregate_ip_flows *s,
                                const struct agg_slot *slot, uint32_t now_s)
{
    return (int32_t)(now_s - *agg_last_s(slot)) >
           s->timeout_s[*agg_flags(slot) % AGG_FLAGS];
}

/* Those of TCP first. */
static void flows_clear(struct element *e, bool all)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct agg_slot slot;

    for (int udp = 0; udp < 2; udp++)
        for (uint32_t at = 0; agg_table_next(&s->table, &at, &slot);)
            if (!(*agg_flags(&slot) & AGG_UDP) == !udp &&
                (all || flow_expired(s, &slot, s->active_s))) {
                flow_end(e, &slot);
                agg_table_remove(&s->table, &slot);
            }
}

/* Look the conversation up; a dead one begins anew. False when memory ran out. */
static bool flow_find(struct element *e, const struct agg_key *k, bool back, bool syn,
                      const struct pkt *p, struct agg_slot *slot)
{
    struct aggregate_ip_flows *s = element_state(e);

    if (agg_table_get(&s->table, k, slot)) {
        if (!flow_expired(s, slot, (uint32_t)(p->timestamp / NS_PER_S)) &&
            !(syn && flow_is_over(slot)))
            return true;
        flow_end(e, slot);
    } else if (!agg_table_put(&s->table, k, slot)) {
        return false;
    }
    flow_new(e, slot, back, p);
    return true;
}

/* A packet is about to leave: note what it says about its flow. */
static void flow_account(struct element *e, const struct agg_slot *slot,
                         const struct pkt *p, const struct ip4_hdr *h, uint32_t n)
{
    struct aggregate_ip_flows *s = element_state(e);
    const struct tcp_hdr *t = (const void *)((const uint8_t *)h + ip4_hlen(h));
    uint8_t paint = pkt_paint(p);
    struct flow_stats *st = trace_stats(s, *agg_aggregate(slot));

    *agg_last_s(slot) = (uint32_t)(p->timestamp / NS_PER_S);
    if (st) {
        st->last_ns = p->timestamp;
        st->packets[paint & 1] += paint < 2;
    }
    if (h->proto != IP_PROTO_TCP || ip4_is_later_fragment(h) || paint >= 2 ||
        n < ip4_hlen(h) + 14)
        return;
    if (t->flags & TCP_RST)
        *agg_flags(slot) |= AGG_OVER_0 | AGG_OVER_1;
    else if (t->flags & TCP_FIN)
        *agg_flags(slot) |= paint ? AGG_OVER_1 : AGG_OVER_0;
    else if (t->flags & TCP_SYN)
        *agg_flags(slot) &= (uint8_t) ~(AGG_OVER_0 | AGG_OVER_1);
}

/* --- packets ---------------------------------------------------------------------------- */

static struct waiting_pair *waiting_find(struct aggregate_ip_flows *s,
                                         const struct agg_key *k)
{
    struct waiting_pair *w = s->waiting;

    while (w && (w->a != k->a || w->b != k->b || w->udp != k->udp))
        w = w->next;
    return w;
}

static uint16_t waiting_id(const struct aggregate_ip_flows *s, const struct pkt *p)
{
    struct subject u;

    return subject_find(p, s->icmp, &u) ? u.h->id : 0;
}

/* Take the first packet off; give it, or the ones behind it, the flow of its kin. */
static void waiting_emit(struct element *e, struct waiting_pair *w)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct pkt *head = w->head;
    uint16_t id = waiting_id(s, head);
    uint32_t *agg = &head->anno_u32[ANNO_AGGREGATE / 4];

    w->head = head->next;
    head->next = NULL;
    s->n_waiting--;
    for (struct pkt *p = w->head; p; p = p->next) {
        if (waiting_id(s, p) != id)
            continue;
        if (*agg) {
            p->anno_u32[ANNO_AGGREGATE / 4] = *agg;
            pkt_set_paint(p, pkt_paint(head));
        } else if (p->anno_u32[ANNO_AGGREGATE / 4]) {
            *agg = p->anno_u32[ANNO_AGGREGATE / 4];
            pkt_set_paint(head, pkt_paint(p));
            break;
        }
    }
    if (*agg) {
        out_push_one(e, 0, head);
    } else {
        element_count(e, C_DROPS, 1);
        pkt_free(head);
    }
}

static bool waiting_done(const struct aggregate_ip_flows *s, const struct pkt *p,
                         uint32_t now_s)
{
    struct subject u;

    if (!subject_find(p, s->icmp, &u) || !ip4_is_fragment(u.h))
        return true;
    return (int32_t)(now_s - (uint32_t)(p->timestamp / NS_PER_S)) >
           s->fragment_timeout / NS_PER_S;
}

static void waiting_flush(struct element *e, struct waiting_pair *w)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct waiting_pair **at = &s->waiting;

    while (w->head &&
           (waiting_done(s, w->head, s->active_s) || s->n_waiting > WAITING_MAX))
        waiting_emit(e, w);
    if (w->head)
        return;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    free(w);
}

/* Append a packet to those that wait between its hosts. */
static verdict_t waiting_add(struct element *e, const struct agg_key *k,
                             struct waiting_pair *w, struct pkt *p)
{
    struct aggregate_ip_flows *s = element_state(e);

    if (!w) {
        if (!(w = calloc(1, sizeof *w)))
            return drop(e, C_DROPS);
        *w = (struct waiting_pair){
            .next = s->waiting, .a = k->a, .b = k->b, .udp = k->udp};
        s->waiting = w;
    }
    p->next = NULL;
    if (w->head)
        w->tail->next = p;
    else
        w->head = p;
    w->tail = p;
    s->n_waiting++;
    waiting_flush(e, w);
    return VERDICT_KEEP;
}

static void flows_timestamp(struct element *e, struct pkt *p)
{
    struct aggregate_ip_flows *s = element_state(e);

    if (!s->warned)
        element_say(e, "%s: warning: packet received without timestamp\n",
                    element_declaration(e));
    s->warned = true;
    p->timestamp = element_wall_now(e);
}

/* All ones if it is true. Compilers see no condition in it, and make no branch where nobody
 * can predict which way it goes. */
static inline uint64_t mask_of(bool is_true)
{
    uint64_t mask = -(uint64_t)is_true;

    __asm__("" : "+r"(mask));
    return mask;
}

/* Both directions of a conversation have one key, that of the smaller source; `*back` says
 * which this is. */
static inline struct agg_key flow_key(const struct ip4_hdr *h, uint32_t ports,
                                      bool *back)
{
    uint64_t from = (uint64_t)h->src << 16 | (uint16_t)ports;
    uint64_t to = (uint64_t)h->dst << 16 | ports >> 16, swap;

    *back = from > to;
    swap = mask_of(*back) & (from ^ to);
    from ^= swap;
    to ^= swap;
    return (struct agg_key){(uint32_t)(from >> 16), (uint32_t)(to >> 16),
                            (uint16_t)from | (uint32_t)to << 16,
                            h->proto == IP_PROTO_UDP};
}

static void flows_reap(struct element *e)
{
    struct aggregate_ip_flows *s = element_state(e);

    if (__builtin_expect((int32_t)(s->active_s - s->gc_s) <= 0, 1))
        return;
    if (s->gc_s)
        flows_clear(e, false);
    s->gc_s = s->active_s + (uint32_t)(s->reap / NS_PER_S);
}

/* Any packet. */
static verdict_t flows_any(struct element *e, struct pkt *p)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct waiting_pair *w;
    struct agg_slot slot;
    struct subject u;
    struct agg_key k;
    bool back, later, syn;

    if (__builtin_expect(!p->timestamp, 0))
        flows_timestamp(e, p);
    if (!subject_find(p, s->icmp, &u))
        return spill(e, 1, C_DROPS);
    later = ip4_is_later_fragment(u.h);
    if (!later && u.n < ip4_hlen(u.h) + 8)
        return spill(e, 1, C_DROPS);
    k = flow_key(u.h, later ? 0 : load32((const uint8_t *)u.h + ip4_hlen(u.h)), &back);
    s->active_s = (uint32_t)(p->timestamp / NS_PER_S);
    if (later) {
        if (!s->fragments)
            return spill(e, 1, C_DROPS);
        p->anno_u32[ANNO_AGGREGATE / 4] = 0;
        return waiting_add(e, &k, waiting_find(s, &k), p);
    }
    syn = u.h->proto == IP_PROTO_TCP && !u.paint && u.n >= ip4_hlen(u.h) + 14 &&
          ((const uint8_t *)u.h)[ip4_hlen(u.h) + 13] & TCP_SYN;
    if (!flow_find(e, &k, back, syn, p, &slot))
        return drop(e, C_DROPS);
    /* An error travels against the packet that it is about. */
    pkt_set_paint(
        p, (uint8_t)(u.paint ^ (back != ((*agg_flags(&slot) & AGG_REVERSE) != 0))));
    p->anno_u32[ANNO_AGGREGATE / 4] = *agg_aggregate(&slot);
    flow_account(e, &slot, p, u.h, u.n);
    flows_reap(e);
    w = s->waiting ? waiting_find(s, &k) : NULL;
    if (__builtin_expect(w || (s->fragments && ip4_is_fragment(u.h)), 0))
        return waiting_add(e, &k, w, p);
    return 0;
}

/* What a first look at a packet has found out. */
struct flow_look {
    struct agg_key key;
    uint32_t hash;
    bool back;
    bool plain; /* the rest is true, and it does not begin or end its flow by itself */
};

static inline bool flow_is_plain(const struct pkt *p, const struct ip4_hdr *h)
{
    const uint32_t n = pkt_avail(p, p->network);
    const struct tcp_hdr *t;

    if (n < sizeof *h + 8 || h->vhl != 0x45 || ip4_is_fragment(h) || !(h->src | h->dst))
        return false;
    t = (const void *)(h + 1);
    return h->proto == IP_PROTO_UDP ||
           (h->proto == IP_PROTO_TCP && n >= sizeof *h + 14 &&
            !(t->flags & (TCP_SYN | TCP_FIN | TCP_RST)));
}

/* Whether the packet, or the one that it tells of, may be a fragment. */
static bool flow_may_wait(const struct pkt *p)
{
    return pkt_has_ip4(p) &&
           (ip4_is_fragment(pkt_ip4(p)) || pkt_ip4(p)->proto == IP_PROTO_ICMP);
}

/* Flows of a whole batch are fetched at once: a large table is in no near cache. Returns
 * whether packets may wait, or go on that have waited. */
static inline bool flows_look(struct element *e, const struct batch *b, uint32_t from,
                              struct flow_look *look)
{
    const struct aggregate_ip_flows *s = element_state(e);
    const bool far = s->table.n_buckets > NEAR_BUCKETS;
    bool wait = s->waiting;

    for (uint32_t i = from; i < b->n; i++) {
        const struct ip4_hdr *h = pkt_ip4(b->p[i]);
        struct flow_look *l = &look[i];

        l->plain = !s->traceinfo.len && flow_is_plain(b->p[i], h);
        if (!l->plain) {
            wait |= s->fragments && flow_may_wait(b->p[i]);
            continue;
        }
        l->key = flow_key(h, load32((const uint8_t *)(h + 1)), &l->back);
        l->hash = agg_hash(&s->table, &l->key);
        if (far)
            agg_table_prefetch(&s->table, l->hash);
    }
    return wait;
}

/* The next packet of a flow. Where nobody listens, the flow may have expired: with many of
 * them that is as likely as not, so there is no branch. */
static inline void flow_goes_on(struct aggregate_ip_flows *s, struct pkt *p,
                                const struct agg_slot *slot, bool back, bool over)
{
    const uint32_t mask = (uint32_t)mask_of(over);
    uint32_t agg = *agg_aggregate(slot), flags = *agg_flags(slot);
    uint32_t anew = (flags & (AGG_USED | AGG_UDP)) | (back ? AGG_REVERSE : 0);

    agg ^= (agg ^ s->next) & mask;
    flags ^= (flags ^ anew) & mask;
    s->next += over;
    s->next += !s->next;
    *agg_aggregate(slot) = agg;
    *agg_flags(slot) = (uint8_t)flags;
    *agg_last_s(slot) = s->active_s;
    p->anno_u32[ANNO_AGGREGATE / 4] = agg;
    pkt_set_paint(p, back != ((flags & AGG_REVERSE) != 0));
}

static inline __attribute__((always_inline)) verdict_t
aggregate_ip_flows_one(struct element *e, struct pkt *p, const struct flow_look *l)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct agg_slot slot;
    bool over;

    if (__builtin_expect(!l->plain || !p->timestamp || s->waiting, 0) ||
        !agg_table_find(&s->table, &l->key, l->hash, &slot))
        return flows_any(e, p);
    s->active_s = (uint32_t)(p->timestamp / NS_PER_S);
    over = flow_expired(s, &slot, s->active_s);
    if (__builtin_expect(s->notifier.first != NULL, 0) && over)
        return flows_any(e, p);
    flow_goes_on(s, p, &slot, l->back, over);
    flows_reap(e);
    return 0;
}

static void flows_batch(struct element *e, struct batch *b, uint32_t from,
                        const struct flow_look *look)
{
    struct strays s;
    uint32_t kept = from;

    s.n = 0;
    ELEMENT_LOOP_BODY_(aggregate_ip_flows_one(e, p, &look[i]))
    b->n = kept;
    strays_deliver(e, &s);
}

static void aggregate_ip_flows_push(struct element *e, unsigned port, struct batch *b)
{
    struct flow_look look[BATCH_MAX];

    (void)port;
    if (__builtin_expect(flows_look(e, b, 0, look) && b->n > 1, 0)) {
        /* Those that have waited go on behind those that came before. */
        for (uint32_t i = 0; i < b->n; i++) {
            struct batch one;

            one.n = 1;
            one.p[0] = b->p[i];
            flows_batch(e, &one, 0, &look[i]);
            out_push(e, 0, &one);
        }
        return;
    }
    flows_batch(e, b, 0, look);
    out_push(e, 0, b);
}

static uint32_t aggregate_ip_flows_pull(struct element *e, unsigned port,
                                        struct batch *b, uint32_t max)
{
    struct flow_look look[BATCH_MAX];
    uint32_t from = b->n;

    (void)port;
    if (in_pull(e, 0, b, max)) {
        (void)flows_look(e, b, from, look);
        flows_batch(e, b, from, look);
    }
    return b->n - from;
}

/* --- life ------------------------------------------------------------------------------- */

static int aggregate_ip_flows_configure(struct element *e, struct conf *c,
                                        struct diag *d)
{
    struct aggregate_ip_flows *s = element_state(e);

    agg_table_init(&s->table, (uint64_t)element_random(e) << 32 | element_random(e));
    s->next = 1;
    for (unsigned flags = 0; flags < AGG_FLAGS; flags++)
        s->timeout_s[flags] = flow_timeout(s, flags);
    return 0;
}

static int aggregate_ip_flows_initialize(struct element *e, struct diag *d)
{
    struct aggregate_ip_flows *s = element_state(e);
    bool push = element_input_is_push(e, 0);

    s->fragments = s->have_fragments ? s->fragments_arg : push;
    if (s->fragments && !push)
        return diag_err(d, "'FRAGMENTS true' is incompatible with pull; run this "
                           "element in a push context");
    return trace_begin(e, d);
}

static void aggregate_ip_flows_take_state(struct element *e, struct element *old)
{
    struct aggregate_ip_flows *s = element_state(e), *from = element_state(old);
    struct agg_table mine = s->table;

    s->table = from->table;
    from->table = mine;
    s->next = from->next;
    s->active_s = from->active_s;
    s->gc_s = from->gc_s;
    if (!s->fragments)
        return;
    s->waiting = from->waiting;
    s->n_waiting = from->n_waiting;
    from->waiting = NULL;
}

static void aggregate_ip_flows_cleanup(struct element *e)
{
    struct aggregate_ip_flows *s = element_state(e);
    struct sbuf text = SBUF_INIT;
    struct agg_slot slot;

    for (int udp = 0; s->traceinfo.len && udp < 2; udp++)
        for (uint32_t at = 0; agg_table_next(&s->table, &at, &slot);)
            if (!(*agg_flags(&slot) & AGG_UDP) == !udp)
                trace_end_flow(e, &slot);
    if (s->trace.file) {
        sbuf_puts(&text, "</trace>\n");
        trace_add(e, &text);
        sbuf_fini(&text);
    }
    out_file_close(&s->trace, e);
    while (s->waiting) {
        struct waiting_pair *w = s->waiting;

        s->waiting = w->next;
        while (w->head) {
            struct pkt *p = w->head;

            w->head = p->next;
            pkt_free(p);
        }
        free(w);
    }
    agg_table_fini(&s->table);
    free(s->stats);
    s->stats = NULL;
    s->n_stats = 0;
}

static void *aggregate_ip_flows_cast(struct element *e, const char *kind)
{
    struct aggregate_ip_flows *s = element_state(e);

    return strcmp(kind, "AggregateNotifier") ? NULL : &s->notifier;
}

/* Unless others are told when flows begin and end. */
static bool aggregate_ip_flows_is_apart(const struct element *e)
{
    const struct aggregate_ip_flows *s = element_state(e);

    return !s->notifier.first;
}

static int aggregate_ip_flows_clear(struct element *e, const struct handler_spec *h,
                                    const char *value, size_t len, struct diag *d)
{
    flows_clear(e, true);
    return 0;
}

static int aggregate_ip_flows_read(struct element *e, const struct handler_spec *h,
                                   const char *param, struct sbuf *out, struct diag *d)
{
    const struct aggregate_ip_flows *s = element_state(e);

    sbuf_printf(out, "%u", s->table.count);
    return 0;
}

static const struct handler_spec aggregate_ip_flows_handlers[] = {
    HANDLER_WRITER(aggregate_ip_flows_clear, "clear", "forget all flows"),
    HANDLER_READER(aggregate_ip_flows_read, "flows", "flows known now"),
    HANDLER_END,
};

ELEMENT(AggregateIPFlows) = {
    .name = "AggregateIPFlows",
    .state_size = sizeof(struct aggregate_ip_flows),
    .apart = APART_ORDER,
    .is_apart = aggregate_ip_flows_is_apart,
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = aggregate_ip_flows_args,
    .counters = aggregate_ip_flows_counters,
    .handlers = aggregate_ip_flows_handlers,
    .configure = aggregate_ip_flows_configure,
    .initialize = aggregate_ip_flows_initialize,
    .take_state = aggregate_ip_flows_take_state,
    .cleanup = aggregate_ip_flows_cleanup,
    .cast = aggregate_ip_flows_cast,
    .push = aggregate_ip_flows_push,
    .pull = aggregate_ip_flows_pull,
};
