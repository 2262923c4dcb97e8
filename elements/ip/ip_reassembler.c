// SPDX-License-Identifier: BSD-3-Clause
/*
 * IPReassembler -- put fragments together again
 *
 * Usage:    IPReassembler([HIMEM 262144, MAX_MTU_ANNO])
 * Ports:    1 in, 1-2 out; push or pull, output 1 push
 * Args:     HIMEM         bytes of fragments that are kept before old ones have to go
 *           MAX_MTU_ANNO  2-byte annotation that gets the length of the longest fragment
 * Handlers: dump  (r) numbers of fragments and packets, and what is kept
 * Example:  ... -> CheckIPHeader -> r :: IPReassembler -> ...;
 *           r[1] -> ICMPError(1.0.0.1, timeexceeded, reassembly) -> ...
 * See also: IPFragmenter
 *
 * What is no fragment passes unchanged. A packet that is whole again has the annotations and
 * everything up to the IP header from its first fragment, the timestamp of the fragment
 * that came last, and a right length and checksum; the IPREASSEMBLER annotation is 0. Where
 * fragments overlap, the later one counts. Wants the IP header to be marked.
 *
 * Packets of which nothing has come for 30 s, and old ones when there is too much, are
 * dropped, or leave by output 1: what there is, at its place, zeros between. Too much is
 * more than HIMEM bytes, or 512 packets; then the oldest go until a quarter is free.
 *
 * Memory: what has come lies in one packet, and the list of its pieces in the holes between
 *         them (as in RFC 815, with pieces instead of holes): all holes are multiples of 8
 *         bytes but one at the end.
 */

#include "engine/checksum.h"
#include "engine/element.h"

enum {
    BUCKETS = 256,
    QUEUES = 512,      /* packets that are put together at once */
    QUEUE_BYTES = 40,  /* that each counts beside its data */
    REAP_TIMEOUT = 30, /* seconds */
    REAP_INTERVAL = 10,
    SLACK = 8, /* bytes behind the data, for a piece's entry that comes and goes */
};

/* Bytes off ... lastoff-1 of the data have come. The next entry lies in the data, at
 * lastoff, unless that is the end. */
struct ip_reassembler_piece {
    uint16_t off, lastoff;
};

struct ip_reassembler_queue {
    uint32_t src, dst;
    uint16_t id;
    uint8_t proto;
    bool ended;    /* the last fragment has come */
    uint16_t next; /* number plus one, in the bucket or the free list */
    uint16_t most; /* length of the longest fragment */
    struct ip_reassembler_piece first;
    struct pkt *p;   /* owned; its transport length is the furthest `lastoff` */
    int64_t seconds; /* time of the last fragment */
};

struct ip_reassembler {
    uint32_t himem, lomem, used;
    bool have_anno;
    struct anno_ref mtu_anno;
    int64_t reap_seconds;
    uint32_t seen, good, failed, bad;
    uint32_t n_queues;
    uint16_t free; /* number plus one */
    uint16_t bucket[BUCKETS];
    struct ip_reassembler_queue *queues; /* in the router's arena */
};

static const struct arg_spec ip_reassembler_args[] = {
    ARG_U32(ip_reassembler, himem, "HIMEM", 0, "262144", "bytes of fragments kept"),
    {.name = "MAX_MTU_ANNO",
     .kind = ARG_KIND_ANNO,
     .offset = offsetof(struct ip_reassembler, mtu_anno),
     .seen = 1 + offsetof(struct ip_reassembler, have_anno),
     .max = 2,
     .help = "annotation for the length of the longest fragment"},
    ARG_END,
};

static int ip_reassembler_configure(struct element *e, struct conf *c, struct diag *d)
{
    struct ip_reassembler *s = element_state(e);

    s->lomem = (s->himem >> 2) * 3;
    s->queues = element_alloc(e, QUEUES * sizeof *s->queues);
    if (!s->queues)
        return diag_err(d, "out of memory");
    for (uint32_t i = QUEUES; i--;) {
        s->queues[i].next = s->free;
        s->free = (uint16_t)(i + 1);
    }
    return 0;
}

/* --- queues ------------------------------------------------------------------------------- */

static uint32_t ip_reassembler_len(const struct pkt *p)
{
    return pkt_left(p, p->transport);
}

static uint16_t *ip_reassembler_bucket(struct ip_reassembler *s, uint16_t id)
{
    return &s->bucket[id % BUCKETS];
}

static struct ip_reassembler_queue *ip_reassembler_find(struct ip_reassembler *s,
                                                        const struct ip4_hdr *h)
{
    for (uint16_t n = *ip_reassembler_bucket(s, h->id); n; n = s->queues[n - 1].next) {
        struct ip_reassembler_queue *q = &s->queues[n - 1];

        if (q->id == h->id && q->src == h->src && q->dst == h->dst &&
            q->proto == h->proto)
            return q;
    }
    return NULL;
}

/* The piece behind `c`, NULL at the end. Entries are our own: packets cannot write there. */
static struct ip_reassembler_piece *ip_reassembler_next(struct pkt *p,
                                                        struct ip_reassembler_piece *c)
{
    if (c->lastoff >= ip_reassembler_len(p))
        return NULL;
    return (struct ip_reassembler_piece *)(void *)(p->transport + c->lastoff);
}

/* Take the queue out of its bucket. The packet is the caller's. */
static struct pkt *ip_reassembler_take(struct ip_reassembler *s,
                                       struct ip_reassembler_queue *q)
{
    uint16_t number = (uint16_t)(q - s->queues + 1);
    uint16_t *link = ip_reassembler_bucket(s, q->id);
    struct pkt *p = q->p;

    while (*link != number)
        link = &s->queues[*link - 1].next;
    *link = q->next;
    s->used -= QUEUE_BYTES + ip_reassembler_len(p);
    s->n_queues--;
    q->p = NULL;
    q->next = s->free;
    s->free = number;
    return p;
}

/* A queue for `h`, at the head of its bucket. There is one: see ip_reassembler_push_out. */
static struct ip_reassembler_queue *ip_reassembler_put(struct ip_reassembler *s,
                                                       const struct ip4_hdr *h)
{
    uint16_t number = s->free;
    struct ip_reassembler_queue *q = &s->queues[number - 1];
    uint16_t *head = ip_reassembler_bucket(s, h->id);

    s->free = q->next;
    *q = (struct ip_reassembler_queue){
        .src = h->src, .dst = h->dst, .id = h->id, .proto = h->proto, .next = *head};
    *head = number;
    s->n_queues++;
    return q;
}

/* Overwrite the entries in the holes, so that they do not leave with the packet. */
static void ip_reassembler_wipe(struct pkt *p, struct ip_reassembler_piece first)
{
    struct ip_reassembler_piece c = first, *next;

    while ((next = ip_reassembler_next(p, &c))) {
        struct ip_reassembler_piece copy = *next;

        memset(next, 0, sizeof *next);
        c = copy;
    }
}

/* Give the queue up. */
static void ip_reassembler_fail(struct element *e, struct ip_reassembler_queue *q)
{
    struct ip_reassembler_piece first = q->first;
    struct pkt *p = ip_reassembler_take(element_state(e), q);

    ip_reassembler_wipe(p, first);
    if (e->n_out > 1)
        out_push_one(e, 1, p);
    else
        pkt_free(p);
}

/* Give up all queues that are older than `seconds`, until enough of them are gone. */
static void ip_reassembler_reap(struct element *e, int64_t seconds, bool overfull)
{
    struct ip_reassembler *s = element_state(e);

    for (uint32_t b = 0; b < BUCKETS; b++)
        for (uint16_t n = s->bucket[b], next; n; n = next) {
            struct ip_reassembler_queue *q = &s->queues[n - 1];

            next = q->next;
            if (q->seconds >= seconds)
                continue;
            ip_reassembler_fail(e, q);
            s->failed += overfull;
            if (overfull && s->used <= s->lomem && s->n_queues <= QUEUES / 4 * 3)
                return;
        }
}

/* First those that are 10 s old, then 5 s, then any. */
static void ip_reassembler_push_out(struct element *e, int64_t now)
{
    struct ip_reassembler *s = element_state(e);

    for (int64_t delta = 10; delta >= 0; delta -= 5) {
        if (s->used <= s->lomem && s->n_queues <= QUEUES / 4 * 3)
            return;
        ip_reassembler_reap(e, delta ? now - delta : INT64_MAX, true);
    }
}

/* --- fragments ---------------------------------------------------------------------------- */

/* A first fragment is the packet that others are put into; for others one is made. */
static struct pkt *ip_reassembler_begin(struct element *e, struct pkt *p, uint32_t off)
{
    uint32_t len = ip_reassembler_len(p), hlen = sizeof(struct ip4_hdr);
    struct pkt *q;

    if (!off)
        return pkt_expand(p, 0, SLACK) == 0 ? p : NULL;
    q = pkt_new(element_pool(e), PKT_HEADROOM, NULL, hlen + off + len, SLACK);
    if (!q)
        return NULL;
    memcpy(q->data, p->network, hlen);
    q->data[0] = 0x45;
    pkt_set_ip4(q, q->data, hlen);
    memset(q->transport, 0, off);
    memcpy(q->transport + off, p->transport, len);
    q->timestamp = p->timestamp;
    return q;
}

/* The first fragment of a packet that is not known. */
static void ip_reassembler_new(struct element *e, struct pkt *p, uint32_t off)
{
    struct ip_reassembler *s = element_state(e);
    struct ip_reassembler_queue *q;
    struct pkt *to = ip_reassembler_begin(e, p, off);
    struct ip4_hdr *h;

    if (!to) {
        pkt_free(p);
        return;
    }
    h = pkt_ip4(to);
    q = ip_reassembler_put(s, h);
    q->p = to;
    q->ended = !(h->off & BE16(IP_MF));
    q->most = (uint16_t)pkt_network_len(p);
    q->seconds = p->timestamp / 1000000000;
    q->first.off = (uint16_t)off;
    q->first.lastoff = (uint16_t)ip_reassembler_len(to);
    h->off &= (uint16_t)~BE16(IP_OFFMASK);
    s->used += QUEUE_BYTES + ip_reassembler_len(to);
    if (to != p)
        pkt_free(p);
}

/* Lengthen the data to `lastoff`, with an empty piece at its end. -1 without memory. */
static int ip_reassembler_lengthen(struct ip_reassembler *s,
                                   struct ip_reassembler_queue *q, uint32_t lastoff,
                                   bool last)
{
    struct pkt *p = q->p;
    uint32_t was = ip_reassembler_len(p), more = lastoff - was;
    struct ip_reassembler_piece *end;

    /* Twice the room, if more is to come: the copies stay linear in the length. */
    if ((pkt_tailroom(p) < more + SLACK || pkt_shared(p)) &&
        pkt_expand(p, 0, last ? more + SLACK : more + was + SLACK) < 0)
        return -1;
    memset(pkt_put(p, more), 0, more);
    end = (struct ip_reassembler_piece *)(void *)(p->transport + was);
    end->off = end->lastoff = (uint16_t)lastoff;
    s->used += more;
    return 0;
}

/* Enter `off` ... `lastoff`-1 in the list of pieces, joined with those that it touches. */
static void ip_reassembler_enter(struct ip_reassembler_queue *q, uint32_t off,
                                 uint32_t lastoff)
{
    struct ip_reassembler_piece *c = &q->first, *last;

    while (c->lastoff < off)
        c = ip_reassembler_next(q->p, c);
    for (last = c; last->lastoff < lastoff;)
        last = ip_reassembler_next(q->p, last);
    if (lastoff <
        last->off) { /* there is a hole behind: the entry of `last` goes there */
        struct ip_reassembler_piece copy = *last;

        memcpy(q->p->transport + lastoff, &copy, sizeof copy);
        c->lastoff = (uint16_t)lastoff;
    } else {
        c->lastoff = last->lastoff;
    }
    if (off < c->off)
        c->off = (uint16_t)off;
}

/* Everything in front of the data, and the annotations, from the first fragment `p`. -1
 * without memory. */
static int ip_reassembler_head(struct pkt *to, struct pkt *p)
{
    uint32_t front = (uint32_t)(p->transport - p->data);
    uint32_t have = (uint32_t)(to->transport - to->data);

    if (front > have && !pkt_push(to, front - have))
        return -1;
    if (front < have)
        pkt_pull(to, have - front);
    memcpy(to->data, p->data, front);
    to->network = to->data + (p->network - p->data);
    to->transport = to->data + front;
    to->mac = p->mac && p->mac >= p->data && p->mac <= p->network
                  ? to->data + (p->mac - p->data)
                  : NULL;
    memcpy(to->anno, p->anno, sizeof to->anno);
    to->type = p->type;
    to->device = p->device;
    pkt_ip4(to)->off &= (uint16_t)~BE16(IP_OFFMASK);
    return 0;
}

/* The packet is whole. */
static struct pkt *ip_reassembler_emit(struct ip_reassembler *s,
                                       struct ip_reassembler_queue *q,
                                       int64_t timestamp)
{
    uint16_t most = q->most;
    struct pkt *p = ip_reassembler_take(s, q);
    struct ip4_hdr *h = pkt_ip4(p);

    s->good++;
    h->len = be16((uint16_t)pkt_network_len(p));
    h->off &= (uint16_t)~BE16(IP_MF);
    h->sum = 0;
    h->sum = csum_ip4(h);
    store32(p->anno + ANNO_IPREASSEMBLER, 0);
    if (s->have_anno)
        store16(p->anno + s->mtu_anno.offset, most);
    p->timestamp = timestamp;
    return p;
}

/* One more fragment of a known packet, which stays the caller's. Returns the packet if it
 * is whole. */
static struct pkt *ip_reassembler_add(struct element *e, struct ip_reassembler_queue *q,
                                      struct pkt *p, uint32_t off, uint32_t lastoff)
{
    struct ip_reassembler *s = element_state(e);
    uint32_t was = ip_reassembler_len(q->p), most = pkt_network_len(p);
    bool last = !(pkt_ip4(p)->off & BE16(IP_MF));

    if ((lastoff > was && q->ended) || (lastoff < was && last)) {
        s->bad += lastoff < was; /* an end that has been passed already */
        return NULL;
    }
    if (!off && (pkt_network_len(p) - ip_reassembler_len(p)) + was > 0xffff) {
        s->bad++; /* with these options it would be too long */
        return NULL;
    }
    if ((lastoff > was && ip_reassembler_lengthen(s, q, lastoff, last) < 0) ||
        (!off && ip_reassembler_head(q->p, p) < 0)) {
        ip_reassembler_fail(e, q);
        return NULL;
    }
    ip_reassembler_enter(q, off, lastoff);
    memcpy(q->p->transport + off, p->transport, lastoff - off);
    q->ended |= last;
    q->most = most > q->most ? (uint16_t)most : q->most;
    q->seconds = p->timestamp / 1000000000;
    if (q->ended && !q->first.off && q->first.lastoff == ip_reassembler_len(q->p))
        return ip_reassembler_emit(s, q, p->timestamp);
    return NULL;
}

/* A fragment, which is taken over. */
static struct pkt *ip_reassembler_fragment(struct element *e, struct pkt *p)
{
    struct ip_reassembler *s = element_state(e);
    const struct ip4_hdr *h = pkt_ip4(p);
    uint32_t off = (uint32_t)(be16(h->off) & IP_OFFMASK) << 3;
    uint32_t data = ip4_hlen(h) < be16(h->len) ? be16(h->len) - ip4_hlen(h) : 0;
    uint32_t lastoff = off + data;
    struct ip_reassembler_queue *q;
    struct pkt *whole = NULL;
    int64_t now;

    s->seen++;
    if (p->timestamp < 1000000000)
        p->timestamp = element_wall_now(e);
    now = p->timestamp / 1000000000;
    if (now >= s->reap_seconds) {
        ip_reassembler_reap(e, now - REAP_TIMEOUT, false);
        s->reap_seconds = now + REAP_INTERVAL;
    }
    if (!data || lastoff + ip4_hlen(h) > 0xffff ||
        ((lastoff & 7) && (h->off & BE16(IP_MF))) ||
        pkt_avail(p, p->transport) < data) {
        s->bad++;
        pkt_free(p);
        return NULL;
    }
    pkt_take(p, pkt_avail(p, p->transport) - data);
    if (s->used > s->himem || !s->free)
        ip_reassembler_push_out(e, now);
    q = ip_reassembler_find(s, h);
    if (!q) {
        ip_reassembler_new(e, p, off);
        return NULL;
    }
    whole = ip_reassembler_add(e, q, p, off, lastoff);
    pkt_free(p);
    return whole;
}

static void ip_reassembler_batch(struct element *e, struct batch *b, uint32_t from)
{
    uint32_t kept = from;

    for (uint32_t i = from; i < b->n; i++) {
        struct pkt *p = b->p[i];

        if (pkt_has_ip4(p) && ip4_is_fragment(pkt_ip4(p))) {
            /* headers that are not where the IP header says are of no use */
            p->transport = p->network + ip4_hlen(pkt_ip4(p));
            p = p->network >= p->data ? ip_reassembler_fragment(e, p)
                                      : (pkt_free(p), NULL);
        }
        if (p)
            b->p[kept++] = p;
    }
    b->n = kept;
}
ELEMENT_BATCH(ip_reassembler)

/* --- the rest ----------------------------------------------------------------------------- */

/* Fragments wait on in the new configuration. */
static void ip_reassembler_take_state(struct element *e, struct element *old)
{
    struct ip_reassembler *s = element_state(e), *o = element_state(old);
    struct ip_reassembler_queue *queues = s->queues;

    memcpy(queues, o->queues, QUEUES * sizeof *queues);
    memset(o->queues, 0, QUEUES * sizeof *queues);
    memcpy(s->bucket, o->bucket, sizeof s->bucket);
    memset(o->bucket, 0, sizeof o->bucket);
    s->free = o->free;
    o->free = 0;
    s->n_queues = o->n_queues;
    s->used = o->used;
    s->seen = o->seen;
    s->good = o->good;
    s->failed = o->failed;
    s->bad = o->bad;
    s->reap_seconds = o->reap_seconds;
}

static void ip_reassembler_cleanup(struct element *e)
{
    struct ip_reassembler *s = element_state(e);

    for (uint32_t i = 0; s->queues && i < QUEUES; i++) {
        pkt_free(s->queues[i].p);
        s->queues[i].p = NULL;
    }
}

static void ip_reassembler_unparse(struct ip_reassembler_queue *q, struct sbuf *out)
{
    struct ip_reassembler_piece *c = &q->first;
    const uint8_t *t = q->p->transport;
    bool ports = !c->off && c->lastoff >= 4;
    char src[64], dst[64];

    sbuf_printf(out, " (%s, %u, %s, %u) %u", unparse_ip(q->src, src),
                ports ? be16(load16(t)) : 0, unparse_ip(q->dst, dst),
                ports ? be16(load16(t + 2)) : 0, be16(q->id));
    for (; c; c = ip_reassembler_next(q->p, c))
        sbuf_printf(out, " (%u,%u)", c->off, c->lastoff);
    sbuf_putc(out, '\n');
}

static int ip_reassembler_dump(struct element *e, const struct handler_spec *h,
                               const char *param, struct sbuf *out, struct diag *d)
{
    struct ip_reassembler *s = element_state(e);

    sbuf_printf(out, "frags seen total:    %u\n", s->seen);
    sbuf_printf(out, "good reassemblies:   %u\n", s->good);
    sbuf_printf(out, "failed reassemblies: %u\n", s->failed);
    sbuf_printf(out, "bad fragments seen:  %u\n", s->bad);
    sbuf_puts(out, "cached chunk data:\n");
    for (uint32_t b = 0; b < BUCKETS; b++)
        for (uint16_t n = s->bucket[b]; n; n = s->queues[n - 1].next)
            ip_reassembler_unparse(&s->queues[n - 1], out);
    return 0;
}

static const struct handler_spec ip_reassembler_handlers[] = {
    HANDLER_READER(ip_reassembler_dump, "dump", "numbers, and what is kept"),
    HANDLER_END,
};

ELEMENT(IPReassembler) = {
    .name = "IPReassembler",
    .state_size = sizeof(struct ip_reassembler),
    .ports = "1/1-2",
    .processing = "a/ah",
    .args = ip_reassembler_args,
    .handlers = ip_reassembler_handlers,
    .configure = ip_reassembler_configure,
    .take_state = ip_reassembler_take_state,
    .cleanup = ip_reassembler_cleanup,
    .push = ip_reassembler_push,
    .pull = ip_reassembler_pull,
};
