// SPDX-License-Identifier: BSD-3-Clause
/*
 * forward.c -- from the batch of one port to its receivers
 *
 * The whole batch is looked up, then grouped into a chain of packets for each receiver,
 * then each receiver takes its packets in one go: it publishes and wakes once. Order from
 * one sender to one receiver is kept, between unicast and flooded packets too.
 *
 * Trust: destination and source are read once from memory that the sender may change.
 *        A sender that changes them in between misleads only about its own packet, within
 *        its own network; where sources are checked, spoof.c takes a copy first.
 */

#include "base/prefetch.h"
#include "switch/plane.h"

#define relaxed memory_order_relaxed

enum { AHEAD = 3 }; /* receivers that are being prepared at a time, in each step */

/* The first bytes of packet `i` of the list. */
static const uint8_t *packet_head(const struct worker *w, unsigned i)
{
    const struct frame *f = &w->frames[w->list[i]];

    return f->head ? f->head : f->data;
}

/* ---- one receiver ----------------------------------------------------------------- */

/* Drop what is above the receiver's rates. A segment of 64 KiB may be more than a burst:
 * it passes and those after it pay. Returns how many packets are left in `list`. */
static unsigned police(struct worker *w, struct port *to, uint16_t *list, unsigned n)
{
    unsigned kept = 0;

    bucket_fill(&to->out_packets, w->now_ns);
    bucket_fill(&to->out_bits, w->now_ns);
    for (unsigned i = 0; i < n; i++) {
        double bits = 8.0 * w->frames[list[i]].total;

        if ((bucket_limits(&to->out_packets) && to->out_packets.tokens < 1) ||
            (bucket_limits(&to->out_bits) && to->out_bits.tokens <= 0))
            continue;
        to->out_packets.tokens -= 1;
        to->out_bits.tokens -= bits;
        list[kept++] = list[i];
    }
    if (kept < n)
        port_drop(to, DROP_RATE, n - kept);
    return kept;
}

/* Segments for those who cannot take them apart. */
static unsigned drop_segments(struct worker *w, struct port *to, uint16_t *list,
                              unsigned n)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n; i++)
        if (!(w->frames[list[i]].flags & (NETMEM_TSO4 | NETMEM_TSO6)))
            list[kept++] = list[i];
    if (kept < n)
        port_drop(to, DROP_OFFLOAD, n - kept);
    return kept;
}

/* `list` holds first frames, and may be shortened. */
static void deliver(struct worker *w, struct port *to, uint16_t *list, unsigned n)
{
    plane_lock_tx(w->bp, to);
    if (to->closed) {
        port_drop(to, DROP_DISABLED, n);
        n = 0;
    }
    if (n && !to->takes_offload)
        n = drop_segments(w, to, list, n);
    if (n && to->limited)
        n = police(w, to, list, n);
    if (n && to->taps)
        capture_frames(w, to, CAPTURE_OUT, list, n);
    if (n && to->ops->tx)
        to->ops->tx(to, w, w->frames, list, n);
    else if (n)
        port_drop(to, DROP_DEVICE, n);
    plane_unlock_tx(w->bp, to);
}

static void deliver_all(struct worker *w, struct port *to)
{
    memcpy(w->out, w->list, w->n_list * sizeof w->out[0]);
    deliver(w, to, w->out, w->n_list);
}

/* A chain and the flooded packets, in the order in which they came. */
static void deliver_merged(struct worker *w, struct port *to, bool with_flood)
{
    struct chain *c = &w->chains[to->index];
    uint16_t at = c->head;
    unsigned n = 0, f = 0;

    while (at != CHAIN_END || (with_flood && f < w->n_flood)) {
        if (at == CHAIN_END || (with_flood && f < w->n_flood && w->flood[f] < at)) {
            w->out[n++] = w->list[w->flood[f++]];
        } else {
            w->out[n++] = w->list[at];
            at = w->next[at];
        }
    }
    if (n)
        deliver(w, to, w->out, n);
}

/* ---- grouping --------------------------------------------------------------------- */

static void chain_add(struct worker *w, uint32_t index, unsigned i)
{
    struct chain *c = &w->chains[index];

    w->next[i] = CHAIN_END;
    if (c->head == CHAIN_END) {
        c->head = (uint16_t)i;
        w->dests[w->n_dests++] = (uint16_t)index;
    } else {
        w->next[c->tail] = (uint16_t)i;
    }
    c->tail = (uint16_t)i;
}

static enum storm storm_of(uint64_t mac)
{
    if (mac == MAC_BROADCAST)
        return STORM_BROADCAST;
    return mac_is_group(mac) ? STORM_MULTICAST : STORM_UNKNOWN;
}

_Static_assert(DROP_STORM + STORM_UNKNOWN == DROP_UNKNOWN, "one drop reason a limit");

/* False, and counted as dropped: there were too many. */
static bool storm_allows(const struct worker *w, struct port *from, enum storm kind)
{
    struct bucket *b = &from->storm[kind];

    if (!bucket_limits(b))
        return true;
    bucket_fill(b, w->now_ns);
    if (bucket_take(b, 1))
        return true;
    port_drop(from, DROP_STORM + kind, 1);
    return false;
}

static void flood_add(struct worker *w, struct port *from, uint64_t mac, unsigned i)
{
    enum storm kind = storm_of(mac);

    count_add(&from->count.floods[kind], 1);
    if (storm_allows(w, from, kind) && storm_allows(w, from, STORM_ALL))
        w->flood[w->n_flood++] = (uint16_t)i;
}

/* Who has the address; NULL: all. The table's word is not enough to leave the network. */
static struct port *look_up(const struct worker *w, const struct network *net,
                            uint64_t mac, uint64_t hash, uint32_t oldest)
{
    uint32_t index = mac_is_group(mac) ? 0
                                       : mac_table_find(&net->table, mac, hash, oldest);
    struct port *to = index < w->bp->ports_room ? w->bp->ports[index] : NULL;

    return to && to->net == net ? to : NULL;
}

static void group_one(struct worker *w, struct port *from, struct port *to,
                      uint64_t mac, unsigned i)
{
    if (!to)
        flood_add(w, from, mac, i);
    else if (to == from)
        port_drop(from, DROP_SAME_PORT, 1);
    else
        chain_add(w, to->index, i);
}

static uint32_t oldest_second(const struct network *net, uint64_t now_ns)
{
    uint32_t now_s = (uint32_t)(now_ns / 1000000000u);

    return now_s > net->config.age_s ? now_s - net->config.age_s : 0;
}

/* ---- learning --------------------------------------------------------------------- */

static void count_address(struct backplane *bp, uint32_t index, bool more)
{
    struct port *p = index && index < bp->ports_room ? bp->ports[index] : NULL;

    if (p && more)
        atomic_fetch_add_explicit(&p->n_addresses, 1, relaxed);
    else if (p)
        atomic_fetch_sub_explicit(&p->n_addresses, 1, relaxed);
}

/* What it learned last is behind another port now, and may come back within the second. */
static void must_learn_again(struct backplane *bp, uint32_t index)
{
    struct port *p = index && index < bp->ports_room ? bp->ports[index] : NULL;

    if (p)
        atomic_store_explicit(&p->last_src, 0, relaxed);
}

static void learn(struct worker *w, struct port *from, uint64_t mac)
{
    struct network *net = from->net;
    uint32_t now_s = (uint32_t)(w->now_ns / 1000000000u), before, evicted;
    uint32_t limit = net->config.port_limit;
    /* Both only grow: the sum is another when one of them is. */
    uint32_t tick = now_s + atomic_load_explicit(&net->forgotten, relaxed);
    bool may = !limit || atomic_load_explicit(&from->n_addresses, relaxed) < limit;

    if (mac_is_group(mac) || (mac == atomic_load_explicit(&from->last_src, relaxed) &&
                              tick == atomic_load_explicit(&from->last_tick, relaxed)))
        return;
    atomic_store_explicit(&from->last_src, mac, relaxed);
    atomic_store_explicit(&from->last_tick, tick, relaxed);
    switch (mac_table_learn(&net->table, mac, mac_hash(&net->table, mac), from->index,
                            now_s, may, &before, &evicted)) {
    case MAC_NEW:
        count_address(w->bp, from->index, true);
        count_address(w->bp, evicted, false);
        break;
    case MAC_MOVED:
        count_address(w->bp, from->index, true);
        count_address(w->bp, before, false);
        must_learn_again(w->bp, before);
        break;
    case MAC_REFUSED:
        /* Room may be taken by addresses that are long silent; look once a second. */
        if (net->sweep_s != now_s)
            forward_age(w->bp, net, now_s);
        break;
    case MAC_KNOWN:
        break;
    }
}

struct sweep {
    struct backplane *bp;
    uint32_t port, oldest;
};

static bool is_old(void *ctx, uint64_t mac, uint32_t port, uint32_t stamp)
{
    struct sweep *s = ctx;

    (void)mac;
    if (stamp >= s->oldest)
        return false;
    count_address(s->bp, port, false);
    return true;
}

void forward_age(struct backplane *bp, struct network *net, uint32_t now_s)
{
    struct sweep s = {.bp = bp};

    s.oldest = now_s > net->config.age_s ? now_s - net->config.age_s : 0;
    net->sweep_s = now_s;
    mac_table_sweep(&net->table, is_old, &s);
}

static bool is_of_port(void *ctx, uint64_t mac, uint32_t port, uint32_t stamp)
{
    (void)mac;
    (void)stamp;
    return port == ((struct sweep *)ctx)->port;
}

void forward_forget_port(struct network *net, struct port *p)
{
    struct sweep s = {.port = p->index};

    /* A big table takes a while to go through, and most VMs that come and go have said
     * nothing, or what they said was moved. */
    if (net->config.mode == NETWORK_LEARN && (p->n_addresses || p->has_fixed))
        mac_table_sweep(&net->table, is_of_port, &s);
    p->n_addresses = 0;
    p->last_src = 0;
    net->forgotten++;
}

/* ---- a batch ---------------------------------------------------------------------- */

/* First frames into w->list; counts what came in. */
static void list_packets(struct worker *w, struct port *from, unsigned n)
{
    uint64_t bytes = 0;

    w->n_list = 0;
    for (unsigned i = 0; i < n; i += w->frames[i].parts) {
        w->list[w->n_list++] = (uint16_t)i;
        bytes += w->frames[i].total;
    }
    count_add(&from->count.in_packets, w->n_list);
    count_add(&from->count.in_bytes, bytes);
    from->in_packets.tokens -= w->n_list;
    from->in_bits.tokens -= 8.0 * (double)bytes;
}

static void forward_wire(struct worker *w, struct port *from)
{
    struct network *net = from->net;

    if (net->n_ports < 2)
        port_drop(from, DROP_NO_PORT, w->n_list);
    else
        deliver_all(w, net->ports[net->ports[0] == from]);
}

static void group(struct worker *w, struct port *from)
{
    uint64_t macs[FRAME_BATCH], last = 0;
    uint32_t oldest = oldest_second(from->net, w->now_ns);
    struct port *to = NULL;

    w->n_dests = w->n_flood = 0;
    for (unsigned i = 0; i < w->n_list; i++) {
        const uint8_t *h = packet_head(w, i);

        macs[i] = mac_load(h);
        if (i == 0 || macs[i] != last) { /* many in a row are of one flow */
            last = macs[i];
            w->hashes[i] = mac_hash(&from->net->table, last);
            mac_table_prefetch(&from->net->table, w->hashes[i]);
        }
        learn(w, from,
              mac_load(h + 4) >> 16 | (uint64_t)h[10] << 32 | (uint64_t)h[11] << 40);
    }
    for (unsigned i = 0; i < w->n_list; i++) {
        if (i == 0 || macs[i] != macs[i - 1])
            to = look_up(w, from->net, macs[i], w->hashes[i], oldest);
        group_one(w, from, to, macs[i], i);
    }
}

/* Tell the receiver at place `i`, if there is one, that it will get packets. */
static void expect(struct worker *w, unsigned i, unsigned step)
{
    struct port *to;

    if (i >= w->n_dests)
        return;
    to = w->bp->ports[w->dests[i]];
    if (to->ops->expect)
        to->ops->expect(to, step);
}

/* Its record: what all kinds have, the counters, and the first line of the kind's own. */
static void ask_for_port(struct worker *w, unsigned i)
{
    struct port *to;

    if (i >= w->n_dests)
        return;
    to = w->bp->ports[w->dests[i]];
    prefetch(to);
    prefetch(&to->count.out_packets);
    prefetch(to + 1);
}

/* Of many receivers nothing is in the caches, and each of them is looked up by what was
 * read of it before: asked for in three steps, while others get their packets. */
static void deliver_chains(struct worker *w)
{
    for (unsigned i = 0; i < w->n_dests; i++) {
        ask_for_port(w, i + 3 * AHEAD);
        expect(w, i + 2 * AHEAD, 0);
        expect(w, i + AHEAD, 1);
        deliver_merged(w, w->bp->ports[w->dests[i]], false);
    }
}

static void forward_switch(struct worker *w, struct port *from)
{
    struct network *net = from->net;

    group(w, from);
    if (w->n_flood && net->n_ports < 2)
        port_drop(from, DROP_NO_PORT, w->n_flood);
    if (w->n_flood || net->n_promiscuous) {
        for (uint32_t i = 0; i < net->n_ports; i++) {
            struct port *to = net->ports[i];

            if (to != from && to->settings.promiscuous)
                deliver_all(w, to);
            else if (to != from &&
                     (w->n_flood || w->chains[to->index].head != CHAIN_END))
                deliver_merged(w, to, true);
        }
    } else {
        deliver_chains(w);
    }
    for (unsigned i = 0; i < w->n_dests; i++)
        w->chains[w->dests[i]].head = CHAIN_END;
}

unsigned forward_batch(struct worker *w, struct port *from, unsigned n)
{
    unsigned packets;

    list_packets(w, from, n);
    packets = w->n_list;
    if (from->checked)
        spoof_filter(w, from);
    if (from->taps)
        capture_frames(w, from, CAPTURE_IN, w->list, w->n_list);
    if (w->n_list == 0)
        return packets;
    if (from->net->config.mode == NETWORK_WIRE)
        forward_wire(w, from);
    else
        forward_switch(w, from);
    return packets;
}

/* ---- limits ----------------------------------------------------------------------- */

static void limit_init(struct bucket *packets, struct bucket *bits,
                       const struct rate_limit *l, uint64_t now_ns)
{
    double burst = (double)l->burst_packets;

    if (!l->burst_packets)
        burst = (double)l->pps / 100 < 64 ? 64 : (double)l->pps / 100;
    bucket_init(packets, (double)l->pps, burst, now_ns);
    burst = 8.0 * (double)l->burst_bytes;
    if (!l->burst_bytes)
        burst = (double)l->bps / 100 < 64 * 12112 ? 64 * 12112 : (double)l->bps / 100;
    bucket_init(bits, (double)l->bps, burst, now_ns);
}

static void storm_init(struct port *p, int kind, uint64_t now_ns)
{
    double pps = (double)p->settings.storm_pps[kind];

    if (pps == 0)
        pps = p->net->config.storm_pps[kind];
    bucket_init(&p->storm[kind], pps, pps / 10 < 16 ? 16 : pps / 10, now_ns);
}

void forward_set_limits(struct port *p, uint64_t now_ns)
{
    const struct port_allow *a = &p->settings.allow;

    limit_init(&p->in_packets, &p->in_bits, &p->settings.in, now_ns);
    limit_init(&p->out_packets, &p->out_bits, &p->settings.out, now_ns);
    for (int i = 0; i < STORMS; i++)
        storm_init(p, i, now_ns);
    p->limited = bucket_limits(&p->out_packets) || bucket_limits(&p->out_bits);
    p->checked = a->n_macs || a->n_ip4 || a->n_ip6;
}
