// SPDX-License-Identifier: BSD-3-Clause
/*
 * FQCoDel -- a queue for each flow, served in turns, each kept short by CoDel
 *
 * Usage:    FQCoDel([CAPACITY 10240, FLOWS 1024, TARGET 5ms, ...])
 * Ports:    1 in, 1-2 out; push in, pull out, output 1 push
 * Args:     CAPACITY  most packets that are stored, default 10240
 *           FLOWS     number of queues that flows are spread over, default 1024
 *           TARGET    longest acceptable waiting time, default 5ms
 *           INTERVAL  how long it must be exceeded before drops begin, default 100ms
 *           QUANTUM   bytes a queue may send before it is the next one's turn, default
 *                     1514
 *           ECN       mark packets that can be marked instead of dropping them, default
 *                     true
 * Counters: drops      packets dropped because they came too late
 *           overflows  packets dropped because all was full
 *           marks      packets marked with congestion experienced
 * Handlers: length    (read) packets stored now
 *           flows     (read) queues with packets in them
 *           capacity  (read) the argument CAPACITY
 *           codel_target, codel_interval  (rw) TARGET and INTERVAL
 *           reset     (write) drop all packets
 * Example:  FromDevice(0) -> CheckIPHeader(14) -> FQCoDel -> ToDevice(1);
 * See also: CoDel, Queue, DRRSched
 *
 * RFC 8290. A flow is what has the same addresses, protocol and ports, of IPv4 or IPv6; other
 * packets are one flow for each first bytes. Flows that have just begun are served first, so
 * that what is sparse (DNS, a first SYN, a keystroke) does not wait behind bulk. When all
 * is full, the oldest packets of the longest queue go. Dropped packets leave by output 1
 * if that is connected. The network header must be marked for IP to be recognised.
 */

#include "engine/aqm.h"
#include "engine/checksum.h"
#include "engine/queue_element.h"

enum { FLOWS_MAX = 65536, NO_FLOW = UINT32_MAX, OVERFLOW_BATCH = 16 };

/* 64 bytes, a cache line: all that the decision about a packet needs. */
struct fq_flow {
    struct pkt *head, *tail; /* owned, linked by pkt.next */
    uint32_t bytes, packets;
    int32_t deficit;
    uint32_t next; /* flow on the same list */
    bool listed;
    int64_t first_above_ns, drop_next_ns;
    uint16_t count, last_count;
    bool dropping;
};
_Static_assert(sizeof(struct fq_flow) <= 64, "a cache line");

struct flow_list {
    uint32_t head, tail;
};

struct fq_co_del {
    struct codel law; /* for the parameters */
    struct notifier empty;
    struct fq_flow *flows; /* in the router's arena */
    struct flow_list fresh, old;
    uint32_t capacity, n_flows, quantum, n, seed;
    bool ecn;
};

static const struct arg_spec fq_co_del_args[] = {
    ARG_U32(fq_co_del, capacity, "CAPACITY", ARG_POS, "10240", "most packets stored"),
    {.name = "FLOWS",
     .kind = ARG_KIND_U32,
     .flags = ARG_POS,
     .offset = offsetof(struct fq_co_del, n_flows),
     .def = "1024",
     .help = "number of queues",
     .min = 1,
     .max = FLOWS_MAX},
    ARG_TIME(fq_co_del, law.target_ns, "TARGET", 0, "5ms", "longest waiting time"),
    ARG_TIME(fq_co_del, law.interval_ns, "INTERVAL", 0, "100ms",
             "how long it is tolerated"),
    {.name = "QUANTUM",
     .kind = ARG_KIND_U32,
     .offset = offsetof(struct fq_co_del, quantum),
     .def = "1514",
     .help = "bytes a turn",
     .min = 64,
     .max = 1 << 20},
    ARG_BOOL(fq_co_del, ecn, "ECN", 0, "true", "mark instead of dropping"),
    ARG_END,
};

enum { C_DROPS, C_OVERFLOWS, C_MARKS };
static const struct counter_spec fq_co_del_counters[] = {
    [C_DROPS] = {"drops", "packets dropped because they came too late"},
    [C_OVERFLOWS] = {"overflows", "packets dropped because all was full"},
    [C_MARKS] = {"marks", "packets marked with congestion experienced"},
    {NULL, NULL},
};

/* --- which flow ------------------------------------------------------------------------- */

static inline uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static uint64_t hash_bytes(uint64_t h, const uint8_t *at, uint32_t n)
{
    uint64_t word;

    for (; n >= 8; n -= 8, at += 8) {
        memcpy(&word, at, 8);
        h = mix(h, word);
    }
    for (; n; n--)
        h = mix(h, *at++);
    return h;
}

static uint32_t fq_hash(const struct fq_co_del *s, const struct pkt *p)
{
    uint32_t n = pkt_avail(p, p->network);
    uint64_t h = s->seed;
    const uint8_t *at = p->network;

    if (n >= 20 && at[0] >> 4 == 4) {
        const struct ip4_hdr *ip = pkt_ip4(p);

        h = hash_bytes(mix(h, ip->proto), at + 12, 8);
        if ((ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP) &&
            !ip4_is_fragment(ip) && n >= ip4_hlen(ip) + 4)
            h = mix(h, load32(at + ip4_hlen(ip)));
    } else if (n >= 40 && at[0] >> 4 == 6) {
        h = hash_bytes(mix(h, at[6]), at + 8, 32);
        if ((at[6] == IP_PROTO_TCP || at[6] == IP_PROTO_UDP) && n >= 44)
            h = mix(h, load32(at + 40));
    } else {
        h = hash_bytes(h, p->data, p->len < 14 ? p->len : 14);
    }
    return (uint32_t)((h & 0xffffffffu) * s->n_flows >> 32);
}

/* --- lists of flows --------------------------------------------------------------------- */

static void list_add(struct fq_co_del *s, struct flow_list *l, uint32_t f)
{
    s->flows[f].next = NO_FLOW;
    if (l->head == NO_FLOW)
        l->head = f;
    else
        s->flows[l->tail].next = f;
    l->tail = f;
}

static void list_take_head(struct fq_co_del *s, struct flow_list *l)
{
    l->head = s->flows[l->head].next;
}

static struct pkt *flow_take(struct fq_co_del *s, struct fq_flow *f)
{
    struct pkt *p = f->head;

    if (!p)
        return NULL;
    f->head = p->next;
    p->next = NULL;
    f->bytes -= p->len;
    f->packets--;
    s->n--;
    return p;
}

static void fq_release(struct element *e, struct pkt *p, unsigned counter)
{
    struct batch b;

    element_count(e, counter, 1);
    b.n = 1;
    b.p[0] = p;
    out_push_or_free(e, 1, &b);
}

/* Half of the longest queue goes, but not more than a few packets at once. */
static void fq_overflow(struct element *e)
{
    struct fq_co_del *s = element_state(e);
    struct fq_flow *fattest = &s->flows[0];
    uint32_t n;

    for (uint32_t i = 1; i < s->n_flows; i++)
        if (s->flows[i].bytes > fattest->bytes ||
            (!fattest->packets && s->flows[i].packets))
            fattest = &s->flows[i];
    n = (fattest->packets + 1) / 2;
    for (n = n < OVERFLOW_BATCH ? n : OVERFLOW_BATCH; n; n--)
        fq_release(e, flow_take(s, fattest), C_OVERFLOWS);
}

static void fq_co_del_push(struct element *e, unsigned port, struct batch *b)
{
    struct fq_co_del *s = element_state(e);
    int64_t now = element_now(e);

    for (uint32_t i = 0; i < b->n; i++) {
        struct pkt *p = b->p[i];
        uint32_t number = fq_hash(s, p);
        struct fq_flow *f = &s->flows[number];

        /* The annotation is not looked at by others between here and the pull. */
        p->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = (uint64_t)now;
        p->next = NULL;
        if (f->head)
            f->tail->next = p;
        else
            f->head = p;
        f->tail = p;
        f->bytes += p->len;
        f->packets++;
        s->n++;
        if (!f->listed) {
            f->listed = true;
            f->deficit = (int32_t)s->quantum;
            list_add(s, &s->fresh, number);
        }
        if (s->n > s->capacity)
            fq_overflow(e);
    }
    if (s->n)
        notifier_wake(&s->empty);
}

/* --- out -------------------------------------------------------------------------------- */

/* Mark congestion; false when the packet cannot be marked. */
static bool fq_mark(struct element *e, struct pkt *p)
{
    const struct fq_co_del *s = element_state(e);
    uint32_t n = pkt_avail(p, p->network);

    if (!s->ecn || n < 20)
        return false;
    if (p->network[0] >> 4 == 4 && (p->network[1] & IP_ECN_MASK)) {
        if (pkt_writable(p) < 0)
            return false;
        struct ip4_hdr *h = pkt_ip4(p);
        uint16_t was = load16(h);

        h->tos |= IP_ECN_CE;
        h->sum = csum_replace16(h->sum, was, load16(h));
    } else if (n >= 40 && p->network[0] >> 4 == 6 && (p->network[1] >> 4 & 3)) {
        if (pkt_writable(p) < 0)
            return false;
        p->network[1] |= IP_ECN_CE << 4;
    } else {
        return false;
    }
    element_count(e, C_MARKS, 1);
    return true;
}

/* CoDel's view of one flow, for the time of one pull. */
static struct codel flow_law(const struct fq_co_del *s, const struct fq_flow *f)
{
    struct codel c = s->law;

    c.first_above_ns = f->first_above_ns;
    c.drop_next_ns = f->drop_next_ns;
    c.count = f->count;
    c.last_count = f->last_count;
    c.dropping = f->dropping;
    return c;
}

static void flow_keep_law(struct fq_flow *f, const struct codel *c)
{
    f->first_above_ns = c->first_above_ns;
    f->drop_next_ns = c->drop_next_ns;
    f->count = (uint16_t)(c->count < UINT16_MAX ? c->count : UINT16_MAX);
    f->last_count = (uint16_t)(c->last_count < UINT16_MAX ? c->last_count : UINT16_MAX);
    f->dropping = c->dropping;
}

static struct pkt *flow_next(struct fq_co_del *s, struct fq_flow *f, struct codel *c,
                             int64_t now, bool *late)
{
    struct pkt *p = flow_take(s, f);

    *late = p && codel_late(c, now - (int64_t)p->anno_u64[ANNO_FIRST_TIMESTAMP / 8],
                            now, f->head != NULL);
    if (!*late)
        c->dropping = false;
    if (!p)
        c->first_above_ns = 0;
    return p;
}

/* The next packet of a flow that may leave; NULL when it has none. */
static struct pkt *flow_pull(struct element *e, struct fq_flow *f, int64_t now)
{
    struct fq_co_del *s = element_state(e);
    struct codel c = flow_law(s, f);
    bool late;
    struct pkt *p = flow_next(s, f, &c, now, &late);

    if (late && !c.dropping) {
        codel_enter(&c, now);
        if (!fq_mark(e, p)) {
            fq_release(e, p, C_DROPS);
            p = flow_next(s, f, &c, now, &late);
            c.dropping = late;
        }
    } else {
        while (late && c.dropping && now >= c.drop_next_ns) {
            c.count++;
            c.drop_next_ns = codel_next(&c, c.drop_next_ns);
            if (fq_mark(e, p))
                break;
            fq_release(e, p, C_DROPS);
            p = flow_next(s, f, &c, now, &late);
        }
    }
    flow_keep_law(f, &c);
    return p;
}

/* One packet by the rules of RFC 8290, section 4.2; NULL when nothing is stored. */
static struct pkt *fq_next(struct element *e, int64_t now)
{
    struct fq_co_del *s = element_state(e);

    for (;;) {
        bool fresh = s->fresh.head != NO_FLOW;
        struct flow_list *l = fresh ? &s->fresh : &s->old;
        uint32_t number = l->head;
        struct fq_flow *f;
        struct pkt *p;

        if (number == NO_FLOW)
            return NULL;
        f = &s->flows[number];
        if (f->deficit <= 0) {
            f->deficit += (int32_t)s->quantum;
            list_take_head(s, l);
            list_add(s, &s->old, number);
            continue;
        }
        p = flow_pull(e, f, now);
        if (p) {
            f->deficit -= (int32_t)p->len;
            return p;
        }
        list_take_head(s, l);
        /* A fresh flow that has run empty waits a round, so that it cannot be fresh
         * again at once and starve the old ones. */
        if (fresh && s->old.head != NO_FLOW)
            list_add(s, &s->old, number);
        else
            f->listed = false;
    }
}

static uint32_t fq_co_del_pull(struct element *e, unsigned port, struct batch *b,
                               uint32_t max)
{
    struct fq_co_del *s = element_state(e);
    int64_t now = element_now(e);
    uint32_t n = 0;
    struct pkt *p;

    for (; n < max && (p = fq_next(e, now)); n++) {
        p->anno_u64[ANNO_FIRST_TIMESTAMP / 8] = 0;
        batch_add(b, p);
    }
    if (!n)
        notifier_sleep(&s->empty);
    return n;
}

/* --- life ------------------------------------------------------------------------------- */

static int fq_co_del_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct fq_co_del *s = element_state(e);

    s->flows = element_alloc(e, s->n_flows * sizeof *s->flows);
    if (!s->flows)
        return diag_err(d, "out of memory");
    s->fresh.head = s->old.head = NO_FLOW;
    s->seed = element_random(e);
    notifier_init(&s->empty, false);
    return 0;
}

static void fq_co_del_take_state(struct element *e, struct element *old)
{
    struct fq_co_del *from = element_state(old);
    struct batch b;
    struct pkt *p;

    for (uint32_t i = 0; i < from->n_flows; i++)
        while ((p = flow_take(from, &from->flows[i]))) {
            b.n = 1;
            b.p[0] = p;
            fq_co_del_push(e, 0, &b);
        }
}

static void fq_co_del_cleanup(struct element *e)
{
    struct fq_co_del *s = element_state(e);
    struct pkt *p;

    for (uint32_t i = 0; s->flows && i < s->n_flows; i++)
        while ((p = flow_take(s, &s->flows[i])))
            pkt_free(p);
}

static void *fq_co_del_cast(struct element *e, const char *kind)
{
    struct fq_co_del *s = element_state(e);

    return strcmp(kind, NOTIFIER_EMPTY) ? NULL : &s->empty;
}

static int fq_co_del_read_flows(struct element *e, const struct handler_spec *h,
                                const char *param, struct sbuf *out, struct diag *d)
{
    const struct fq_co_del *s = element_state(e);
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_flows; i++)
        n += s->flows[i].packets > 0;
    sbuf_printf(out, "%u", n);
    return 0;
}

static int fq_co_del_reset(struct element *e, const struct handler_spec *h,
                           const char *value, size_t len, struct diag *d)
{
    struct fq_co_del *s = element_state(e);
    struct pkt *p;

    for (uint32_t i = 0; i < s->n_flows; i++)
        while ((p = flow_take(s, &s->flows[i])))
            fq_release(e, p, C_DROPS);
    return 0;
}

static const struct handler_spec fq_co_del_handlers[] = {
    HANDLER_VALUE(fq_co_del, n, ARG_KIND_U32, HANDLER_READ, "length",
                  "packets stored now"),
    HANDLER_READER(fq_co_del_read_flows, "flows", "queues with packets in them"),
    HANDLER_VALUE(fq_co_del, capacity, ARG_KIND_U32, HANDLER_READ, "capacity",
                  "most packets stored"),
    HANDLER_VALUE(fq_co_del, law.target_ns, ARG_KIND_TIME, HANDLER_READ | HANDLER_WRITE,
                  "codel_target", "longest waiting time"),
    HANDLER_VALUE(fq_co_del, law.interval_ns, ARG_KIND_TIME,
                  HANDLER_READ | HANDLER_WRITE, "codel_interval",
                  "how long it is tolerated"),
    HANDLER_PRESS(fq_co_del_reset, "reset", "drop all packets"),
    HANDLER_END,
};

ELEMENT(FQCoDel) = {
    .name = "FQCoDel",
    .state_size = sizeof(struct fq_co_del),
    .ports = "1/1-2",
    .processing = "h/lh",
    .args = fq_co_del_args,
    .counters = fq_co_del_counters,
    .handlers = fq_co_del_handlers,
    .configure = fq_co_del_configure,
    .take_state = fq_co_del_take_state,
    .cleanup = fq_co_del_cleanup,
    .cast = fq_co_del_cast,
    .push = fq_co_del_push,
    .pull = fq_co_del_pull,
};
