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

static struct netmem_slot *slot(struct netmem_ring *r, uint32_t i)
{
    return &r->slots[i % NETMEM_SLOTS];
}

/* ---- receive ------------------------------------------------------------------------ */

/* Keep empty buffers in the ring; an idle VM has few, whose pages are then all that packet
 * memory costs. */
static void offer_buffers(struct netfront *nf)
{
    struct netmem_ring *r = &nf->shared->rx;
    uint32_t at = nf->rx_offered, numbers[BATCH_MAX];

    for (uint32_t more; (more = nf->rx_wanted - (at - nf->rx_done)) > 0;) {
        uint32_t n = pkt_post(nf->pool, numbers, more < BATCH_MAX ? more : BATCH_MAX);

        for (uint32_t i = 0; i < n; i++, at++) {
            nf->slots[at % NETMEM_SLOTS].rx = numbers[i];
            *slot(r, at) = (struct netmem_slot){.buffer = numbers[i]};
        }
        if (!n)
            break;
    }
    if (at == nf->rx_offered)
        return;
    nf->rx_offered = at;
    atomic_store_explicit(&r->offered, at, memory_order_release);
}

/* The new ones are offered at once: the rest of the burst is on its way. */
static void want_more(struct netfront *nf)
{
    uint32_t more = nf->rx_wanted * RX_GROW;

    nf->rx_wanted = more < nf->rx_most ? more : nf->rx_most;
    offer_buffers(nf);
}

/* A received packet is cold: another processor wrote it, and with many VMs each of them
 * finds the caches full of the others'. Ask for it and for what describes its buffer
 * RX_AHEAD packets before its turn; slots up to `done` are ours. */
static inline void ask_ahead(const struct netfront *nf, uint32_t at, uint32_t done)
{
    const struct netmem_slot *s = slot(&nf->shared->rx, at + RX_AHEAD);

    if (done - at <= RX_AHEAD)
        return;
    prefetch(nf->buffers + (size_t)s->buffer * NETMEM_BUFFER + s->offset);
    prefetch(&nf->bufs[nf->slots[(at + RX_AHEAD) % NETMEM_SLOTS].rx]);
}

static void take_offload(struct pkt *p, const struct netmem_slot *s)
{
    p->offload = s->flags;
    p->gso_size = s->gso_size;
    p->csum_start = s->csum_start;
    p->csum_offset = s->csum_offset;
}

/* Append the packets of the next `n` slots, or of those before one that came back empty.
 * Returns how many slots that used up. */
static uint32_t take_packets(struct netfront *nf, struct batch *b, uint32_t n,
                             uint32_t done)
{
    uint32_t at = nf->rx_done, k, flags = 0, made;
    struct pkt **p = b->p + b->n;
    struct pkt_arrival a[BATCH_MAX];

    for (k = 0; k < n; k++) {
        const struct netmem_slot *s = slot(&nf->shared->rx, at + k);

        ask_ahead(nf, at + k, done);
        a[k] = (struct pkt_arrival){nf->slots[(at + k) % NETMEM_SLOTS].rx, s->offset,
                                    s->len};
        if (__builtin_expect(!s->len, 0))
            break;
        flags |= s->flags;
        nf->rx_bytes += s->len;
    }
    made = k ? batch_arrive(nf->pool, b, a, k) : 0;
    for (uint32_t i = 0; flags && i < made; i++)
        take_offload(p[i], slot(&nf->shared->rx, at + i));
    nf->rx_no_memory += k - made;
    k += k < n; /* the host could not use it */
    for (uint32_t i = made; i < k; i++)
        pkt_unpost(nf->pool, &a[i].number, 1);
    nf->rx_done += k;
    return k;
}

static uint32_t rx(void *dev, struct batch *b, uint32_t max)
{
    struct netfront *nf = dev;
    uint32_t done = atomic_load_explicit(&nf->shared->rx.done, memory_order_acquire);
    uint32_t n = done - nf->rx_done, before = b->n;

    nf->polled = true;
    if (!n) {
        /* There may have been none to offer the last time. */
        if (__builtin_expect(nf->rx_offered - nf->rx_done < nf->rx_wanted, 0))
            offer_buffers(nf);
        return 0;
    }
    if (__builtin_expect(nf->rx_wanted < nf->rx_most, 0) &&
        n >= nf->rx_wanted / RX_GROW)
        want_more(nf);
    n = n < max ? n : max;
    while (n)
        n -= take_packets(nf, b, n, done);
    nf->rx_count += b->n - before;
    offer_buffers(nf);
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

    nf->slots[nf->tx_offered % NETMEM_SLOTS].tx = p;
    nf->tx_offered++;
    *s = (struct netmem_slot){.buffer = p->buf->number,
                              .offset = (uint16_t)pkt_headroom(p),
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

static void init_one(struct netfront *nf, struct netdev *dev, struct pkt_pool *pool,
                     unsigned i)
{
    /* Half of all buffers are for packets inside the configuration. */
    uint32_t most = GUEST_NET->n_buffers / 2 / GUEST_NET->n_ifs;

    most = most < 1 ? 1 : most < NETMEM_SLOTS ? most : NETMEM_SLOTS;
    *nf = (struct netfront){.shared = netmem_if(GUEST_NET, i),
                            .head = GUEST_NET,
                            .pool = pool,
                            .buffers = (uint8_t *)GUEST_NET + GUEST_NET->buffers_at,
                            .bufs = pkt_pool_bufs(pool),
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
    offer_buffers(nf);
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
    if (pkt_pool_add_buffers(pool, (uint8_t *)GUEST_NET + h->buffers_at, NETMEM_BUFFER,
                             h->n_buffers) < 0)
        guest_panic("the heap is too small for the packet buffers");
    pkt_pool_on_empty(pool, reclaim_all, nf);
    for (unsigned i = 0; i < h->n_ifs; i++)
        init_one(&nf[i], &dev[i], pool, i);
    return h->n_ifs;
}
