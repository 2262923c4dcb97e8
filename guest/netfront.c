// SPDX-License-Identifier: BSD-3-Clause
/* The guest's network interfaces; see netfront.h. */

#include "guest/netfront.h"

#include <stdlib.h>
#include <string.h>

#include "base/prefetch.h"
#include "guest/guest.h"

/* Buffers an idle interface keeps in its ring, and how fast they become more: when one in
 * RX_GROW was filled before we came to look, RX_GROW times as many are wanted. So pings
 * stay with the few, and the first burst of a stream brings room for the second. */
enum { RX_FEW = 16, RX_GROW = 4, RX_AHEAD = 8 };

enum { PLACES = NETMEM_BUFFER / NETMEM_SHORT }; /* of a buffer */
#define NETFRONT_NONE UINT32_MAX

static struct netmem_slot *slot(struct netmem_ring *r, uint32_t i)
{
    return &r->slots[i % NETMEM_SLOTS];
}

/* ---- receive ------------------------------------------------------------------------ */

/* Buffers of a kind that are in our hands: what came out of the ring unused goes into it
 * again, without a look at what describes it. */
struct hand {
    uint32_t n, number[BATCH_MAX];
};

/* One to offer, where `more` will be; NETFRONT_NONE when none is free. */
static inline uint32_t hand_take(struct netfront *nf, struct hand *h,
                                 enum pkt_kind kind, uint32_t more)
{
    if (!h->n)
        h->n = pkt_post(nf->pool, kind, h->number, more < BATCH_MAX ? more : BATCH_MAX);
    return h->n ? h->number[--h->n] : NETFRONT_NONE;
}

static inline void hand_put(struct hand *h, uint32_t number)
{
    if (number != NETFRONT_NONE)
        h->number[h->n++] = number;
}

/* Keep empty buffers in the ring; an idle VM has few, whose pages are then all that packet
 * memory costs. Empties the hands. */
static void offer_buffers(struct netfront *nf, struct hand h[PKT_KINDS])
{
    struct netmem_ring *r = &nf->shared->rx;
    uint32_t at = nf->rx_offered, end = nf->rx_done + nf->rx_wanted;

    for (; at != end; at++) {
        uint32_t *have = nf->slots[at % NETMEM_SLOTS].rx;

        have[PKT_WHOLE] = hand_take(nf, &h[PKT_WHOLE], PKT_WHOLE, end - at);
        if (have[PKT_WHOLE] == NETFRONT_NONE)
            break;
        have[PKT_SHORT] = hand_take(nf, &h[PKT_SHORT], PKT_SHORT, end - at);
        *slot(r, at) = have[PKT_SHORT] == NETFRONT_NONE
                           ? netmem_offer(have[PKT_WHOLE])
                           : netmem_offer_short(have[PKT_WHOLE],
                                                nf->first_short * PLACES +
                                                    have[PKT_SHORT]);
    }
    for (int kind = 0; kind < PKT_KINDS; kind++)
        pkt_unpost(nf->pool, (enum pkt_kind)kind, h[kind].number, h[kind].n);
    if (at == nf->rx_offered)
        return;
    nf->rx_offered = at;
    atomic_store_explicit(&r->offered, at, memory_order_release);
}

static void offer_new(struct netfront *nf)
{
    struct hand none[PKT_KINDS];

    none[PKT_WHOLE].n = none[PKT_SHORT].n = 0;
    offer_buffers(nf, none);
}

/* The new ones are offered at once: the rest of the burst is on its way. */
static void want_more(struct netfront *nf)
{
    uint32_t more = nf->rx_wanted * RX_GROW;

    nf->rx_wanted = more < nf->rx_most ? more : nf->rx_most;
    offer_new(nf);
}

/* What of its offer was used. */
static inline enum pkt_kind kind_of(const struct netfront *nf,
                                    const struct netmem_slot *s)
{
    return s->buffer >= nf->first_short ? PKT_SHORT : PKT_WHOLE;
}

/* A received packet is cold: another processor wrote it, and with many VMs each of them
 * finds the caches full of the others'. Ask for it and for what describes its buffer
 * RX_AHEAD packets before its turn; slots up to `done` are ours. */
static inline void ask_ahead(const struct netfront *nf, uint32_t at, uint32_t done)
{
    const struct netmem_slot *s = slot(&nf->shared->rx, at + RX_AHEAD);
    enum pkt_kind kind;

    if (done - at <= RX_AHEAD)
        return;
    prefetch(nf->buffers + (size_t)s->buffer * NETMEM_BUFFER + s->offset);
    kind = kind_of(nf, s);
    prefetch(&nf->bufs[kind][nf->slots[(at + RX_AHEAD) % NETMEM_SLOTS].rx[kind]]);
}

static void take_offload(struct pkt *p, const struct netmem_slot *s)
{
    p->offload = s->flags;
    p->gso_size = s->gso_size;
    p->csum_start = s->csum_start;
    p->csum_offset = s->csum_offset;
}

/* What lies in slot `at`, which was handed back; what was not used of it is in our hands. */
static inline struct pkt_arrival arrival(const struct netfront *nf, uint32_t at,
                                         struct hand h[PKT_KINDS])
{
    const struct netmem_slot *s = slot(&nf->shared->rx, at);
    const uint32_t *had = nf->slots[at % NETMEM_SLOTS].rx;
    enum pkt_kind kind = kind_of(nf, s);

    if (kind == PKT_SHORT) {
        hand_put(&h[PKT_WHOLE], had[PKT_WHOLE]);
        return (struct pkt_arrival){had[PKT_SHORT], s->offset % NETMEM_SHORT, s->len,
                                    PKT_SHORT};
    }
    hand_put(&h[PKT_SHORT], had[PKT_SHORT]);
    return (struct pkt_arrival){had[PKT_WHOLE], s->offset, s->len, PKT_WHOLE};
}

/* Append the packets of the next `n` slots, or of those before one that came back empty.
 * Returns how many slots that used up. */
static uint32_t take_packets(struct netfront *nf, struct batch *b, uint32_t n,
                             uint32_t done, struct hand h[PKT_KINDS])
{
    uint32_t at = nf->rx_done, k, flags = 0, made;
    struct pkt **p = b->p + b->n;
    struct pkt_arrival a[BATCH_MAX];

    for (k = 0; k < n; k++) {
        ask_ahead(nf, at + k, done);
        a[k] = arrival(nf, at + k, h);
        if (__builtin_expect(!a[k].len, 0))
            break;
        flags |= slot(&nf->shared->rx, at + k)->flags;
        nf->rx_bytes += a[k].len;
    }
    made = k ? batch_arrive(nf->pool, b, a, k) : 0;
    for (uint32_t i = 0; flags && i < made; i++)
        take_offload(p[i], slot(&nf->shared->rx, at + i));
    nf->rx_no_memory += k - made;
    k += k < n; /* the host could not use it */
    for (uint32_t i = made; i < k; i++)
        hand_put(&h[a[i].kind], a[i].number);
    nf->rx_done += k;
    return k;
}

static uint32_t rx(void *dev, struct batch *b, uint32_t max)
{
    struct netfront *nf = dev;
    uint32_t done = atomic_load_explicit(&nf->shared->rx.done, memory_order_acquire);
    uint32_t n = done - nf->rx_done, before = b->n;
    struct hand h[PKT_KINDS];

    nf->polled = true;
    if (!n) {
        /* There may have been none to offer the last time. */
        if (__builtin_expect(nf->rx_offered - nf->rx_done < nf->rx_wanted, 0))
            offer_new(nf);
        return 0;
    }
    if (__builtin_expect(nf->rx_wanted < nf->rx_most, 0) &&
        n >= nf->rx_wanted / RX_GROW)
        want_more(nf);
    n = n < max ? n : max;
    h[PKT_WHOLE].n = h[PKT_SHORT].n = 0;
    while (n)
        n -= take_packets(nf, b, n, done, h);
    nf->rx_count += b->n - before;
    offer_buffers(nf, h);
    return b->n - before;
}

bool netfront_waiting(const struct netfront *nf)
{
    return atomic_load_explicit(&nf->shared->rx.done, memory_order_acquire) !=
           nf->rx_done;
}

/* ---- send --------------------------------------------------------------------------- */

void netfront_reclaim(struct netfront *nf)
{
    uint32_t done = atomic_load_explicit(&nf->shared->tx.done, memory_order_acquire);

    while (nf->tx_done != done)
        pkt_free(nf->slots[nf->tx_done++ % NETMEM_SLOTS].tx);
}

/* The same packet in a buffer that the switch can see; takes `p` over. NULL: dropped. */
static struct pkt *into_packet_memory(struct netfront *nf, struct pkt *p)
{
    struct pkt *q = NULL;

    if (p->len > NETMEM_BUFFER - PKT_HEADROOM) {
        nf->tx_too_long++;
    } else if (!(q = pkt_new_numbered(nf->pool))) {
        nf->tx_no_buffer++;
    } else {
        memcpy(q->data, p->data, p->len);
        q->len = p->len;
        q->offload = p->offload;
        q->gso_size = p->gso_size;
        q->csum_start = p->csum_start;
        q->csum_offset = p->csum_offset;
    }
    pkt_free(p);
    return q;
}

bool netfront_has_room(struct netfront *nf)
{
    uint32_t done;

    if (!nf->tx_refused)
        return false;
    done = atomic_load_explicit(&nf->shared->tx.done, memory_order_acquire);
    if (nf->tx_offered - done >= NETMEM_TX_WAKE)
        return false;
    nf->tx_refused = false;
    return true;
}

static void offer_packet(struct netfront *nf, struct pkt *p)
{
    struct netmem_slot *s = slot(&nf->shared->tx, nf->tx_offered);
    size_t at = (size_t)(p->data - nf->buffers);

    nf->slots[nf->tx_offered % NETMEM_SLOTS].tx = p;
    nf->tx_offered++;
    *s = (struct netmem_slot){.buffer = p->buf->number,
                              .offset = (uint16_t)(at % NETMEM_BUFFER),
                              .len = (uint16_t)p->len,
                              .flags = p->offload,
                              .gso_size = p->gso_size,
                              .csum_start = p->csum_start,
                              .csum_offset = p->csum_offset};
    nf->tx_bytes += p->len;
}

/* Ring once for each sleep of the host's. */
static void wake_host(struct netfront *nf)
{
    uint32_t sleep;

    atomic_thread_fence(memory_order_seq_cst);
    sleep = atomic_load_explicit(&nf->shared->host_sleep, memory_order_relaxed);
    if (!(sleep & 1) || sleep == nf->rung)
        return;
    nf->rung = sleep;
    nf->doorbells++;
    guest_ring_net(nf->number);
}

static uint32_t tx(void *dev, struct batch *b)
{
    struct netfront *nf = dev;
    uint32_t i, sent = 0;

    netfront_reclaim(nf);
    for (i = 0; i < b->n && nf->tx_offered - nf->tx_done < NETMEM_SLOTS; i++) {
        struct pkt *p = b->p[i];

        if (__builtin_expect(p->buf->number == BUF_PRIVATE, 0) &&
            !(p = into_packet_memory(nf, p)))
            continue;
        offer_packet(nf, p);
        sent++;
    }
    b->n -= i;
    if (b->n) {
        memmove(b->p, b->p + i, b->n * sizeof b->p[0]);
        nf->tx_refused = true;
    }
    if (sent) {
        nf->tx_count += sent;
        atomic_store_explicit(&nf->shared->tx.offered, nf->tx_offered,
                              memory_order_release);
        wake_host(nf);
    }
    return i;
}

/* ---- set up ------------------------------------------------------------------------- */

static const struct netdev_ops netfront_ops = {.rx = rx, .tx = tx};

/* All interfaces share the pool, and any of them may hold the buffers. */
static void reclaim_all(void *ctx)
{
    struct netfront *nf = ctx;

    for (unsigned i = 0; i < GUEST_NET->n_ifs; i++)
        netfront_reclaim(&nf[i]);
}

/* The others are divided into places. */
static uint32_t whole_buffers(void)
{
    return GUEST_NET->n_buffers - GUEST_NET->n_buffers / PLACES;
}

static int add_buffers(struct pkt_pool *pool, const struct netmem_head *h)
{
    uint8_t *base = (uint8_t *)GUEST_NET + h->buffers_at;
    uint32_t whole = whole_buffers();

    if (pkt_pool_add_buffers(pool, base, NETMEM_BUFFER, whole) < 0)
        return -1;
    return pkt_pool_add_short(pool, base + (size_t)whole * NETMEM_BUFFER, NETMEM_SHORT,
                              (h->n_buffers - whole) * PLACES, whole, PLACES);
}

static void init_one(struct netfront *nf, struct netdev *dev, struct pkt_pool *pool,
                     unsigned i)
{
    /* Half of all buffers are for packets inside the configuration. */
    uint32_t most = GUEST_NET->n_buffers / 2 / GUEST_NET->n_ifs;

    most = most < 1 ? 1 : most < NETMEM_SLOTS ? most : NETMEM_SLOTS;
    *nf = (struct netfront){
        .shared = netmem_if(GUEST_NET, i),
        .head = GUEST_NET,
        .pool = pool,
        .buffers = (uint8_t *)GUEST_NET + GUEST_NET->buffers_at,
        .bufs = {pkt_pool_bufs(pool, PKT_WHOLE), pkt_pool_bufs(pool, PKT_SHORT)},
        .first_short = whole_buffers(),
        .number = i,
        .slots = calloc(NETMEM_SLOTS, sizeof *nf->slots),
        .rx_most = most,
        .rx_wanted = most < RX_FEW ? most : RX_FEW};
    if (!nf->slots)
        guest_panic("the heap is too small for the interfaces");
    if (i >= 10)
        nf->name[0] = '1';
    nf->name[i >= 10] = (char)('0' + i % 10);
    *dev = (struct netdev){.ops = &netfront_ops, .dev = nf, .name = nf->name};
    netfront_identify(nf, dev);
    offer_new(nf);
}

void netfront_identify(const struct netfront *nf, struct netdev *dev)
{
    dev->mtu = nf->shared->mtu;
    memcpy(dev->mac, nf->shared->mac, sizeof dev->mac);
}

unsigned netfront_init(struct netfront *nf, struct netdev *dev, struct pkt_pool *pool)
{
    const struct netmem_head *h = GUEST_NET;

    if (!GUEST_BOOT->netmem)
        return 0;
    if (h->magic != NETMEM_MAGIC || h->abi != NETMEM_ABI)
        guest_panic("packet memory is of another version than this image");
    if (add_buffers(pool, h) < 0)
        guest_panic("the heap is too small for the packet buffers");
    pkt_pool_on_empty(pool, reclaim_all, nf);
    for (unsigned i = 0; i < h->n_ifs; i++)
        init_one(&nf[i], &dev[i], pool, i);
    return h->n_ifs;
}
