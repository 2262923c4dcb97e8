// SPDX-License-Identifier: BSD-3-Clause
/*
 * lot.c -- where interfaces of VMs are parked that nobody keeps running
 *
 * All parked interfaces of a network share one port, the lot. It takes the packets that
 * their own ports would have got, keeps them, and says which interface is wanted; whoever
 * keeps the VMs brings that one back, and its new port gets the kept packets first. An
 * interface here costs some hundred bytes and no descriptor, so a hundred thousand fit.
 *
 *     key: address of the interface, or learned behind it -> who
 *     key: IPv4 address of an interface that minds only its own packets -> who
 *     all others: those that get whatever a switch floods
 *
 * While the daemon still reads which interfaces are parked, a packet that nobody known
 * should get is kept for a stranger: a record with its key and no owner. Whoever is parked
 * with that key takes over what waits there.
 *
 * This is not the data path of anything that runs: the first packet for a parked VM costs
 * its start, a thousand times what is done here. So packets are kept in the heap, a
 * bounded number of them; what comes beyond is counted as dropped at the lot.
 *
 * Threads: tx() under tx_lock; all else with the workers standing still, or under the
 *          event lock where it says so.
 */

#include "switch/plane.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    KEEP_EACH = 64,   /* packets, of an interface */
    KEEP_ALL = 16384, /* of a lot */
    KEEP_BYTES = NETMEM_BUFFER - NETMEM_HEADROOM,
    ARP_TARGET = 14 + 24, /* of the frame */
    MAX_LEARNED = 64,     /* addresses behind one interface */
    FIRST_KEYS = 64
};

#define IP_KEY  (UINT64_C(1) << 63) /* a MAC address is below */
#define ANY_KEY UINT64_MAX          /* a stranger's: what is for all */

/* A packet that several wait for. */
struct kept {
    uint32_t users;
    uint16_t len, flags;
    uint8_t bytes[];
};

struct parked {
    struct lot *lot; /* borrowed */
    char name[BACKPLANE_NAME];
    void *ctx; /* the daemon's */
    bool own_only;
    bool stranger; /* nobody, so far; with one key, and on no list but `strangers` */
    bool wanted;   /* on the list; under the event lock, as the next */
    struct parked *next_wanted;
    struct parked *prev_any, *next_any; /* of those that get what is flooded */
    struct parked *prev, *next;         /* of all in the lot */
    struct key *keys;                   /* owned; that lead here, by next_own */
    struct kept **kept;                 /* owned; room for KEEP_EACH, or NULL */
    unsigned n_kept;
};

struct key {
    uint64_t key;
    struct parked *who; /* borrowed */
    struct key *next, *next_own;
};

struct lot {
    struct port port;
    struct key **keys; /* owned; hash table */
    uint32_t n_keys, room;
    struct parked *any, *all; /* `all`: owned */
    struct parked *strangers; /* owned */
    bool expecting;
    uint32_t n_all, n_kept;
    uint8_t scratch[KEEP_BYTES];
};

/* ---- keys --------------------------------------------------------------------------- */

static uint32_t place_of(const struct lot *lot, uint64_t key)
{
    uint64_t h = key * 0x9e3779b97f4a7c15ull;

    return (uint32_t)(h >> 32) & (lot->room - 1);
}

static int grow_keys(struct lot *lot)
{
    uint32_t room = lot->room ? 2 * lot->room : FIRST_KEYS, old = lot->room;
    struct key **had = lot->keys, **fresh = calloc(room, sizeof *fresh);

    if (!fresh)
        return -1;
    lot->keys = fresh;
    lot->room = room;
    for (uint32_t i = 0; i < old; i++)
        while (had[i]) {
            struct key *k = had[i];
            uint32_t at = place_of(lot, k->key);

            had[i] = k->next;
            k->next = fresh[at];
            fresh[at] = k;
        }
    free(had);
    return 0;
}

static int add_key(struct lot *lot, uint64_t key, struct parked *who)
{
    struct key *k;
    uint32_t at;

    if (lot->n_keys >= lot->room && grow_keys(lot) < 0)
        return -1;
    k = malloc(sizeof *k);
    if (!k)
        return -1;
    at = place_of(lot, key);
    *k = (struct key){key, who, lot->keys[at], who->keys};
    lot->keys[at] = who->keys = k;
    lot->n_keys++;
    return 0;
}

static void unlink_key(struct lot *lot, const struct key *k)
{
    struct key **at = &lot->keys[place_of(lot, k->key)];

    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    lot->n_keys--;
}

/* ---- packets ------------------------------------------------------------------------ */

static void kept_put(struct lot *lot, struct kept *k)
{
    if (--k->users)
        return;
    lot->n_kept--;
    free(k);
}

static void want(struct parked *p)
{
    struct backplane *bp = p->lot->port.bp;

    pthread_mutex_lock(&bp->event_lock);
    if (!p->wanted) {
        p->wanted = true;
        p->next_wanted = NULL;
        if (bp->last_wanted)
            bp->last_wanted->next_wanted = p;
        else
            bp->first_wanted = p;
        bp->last_wanted = p;
        events_ring(bp);
    }
    pthread_mutex_unlock(&bp->event_lock);
}

static void keep(struct parked *p, struct kept *k)
{
    if (!p->kept)
        p->kept = malloc(KEEP_EACH * sizeof(struct kept *));
    if (p->kept && p->n_kept < KEEP_EACH) {
        p->kept[p->n_kept++] = k;
        k->users++;
        if (!p->stranger)
            count_add(&p->lot->port.count.out_packets, 1);
    } else {
        port_drop(&p->lot->port, DROP_FULL, 1);
    }
    if (!p->stranger)
        want(p);
}

/* A copy of the packet; NULL, and counted, when it cannot be kept. */
static struct kept *copy_of(struct lot *lot, const struct frame *f)
{
    struct kept *k = NULL;

    if (f->total > KEEP_BYTES) {
        port_drop(&lot->port, DROP_TOO_LONG, 1);
        return NULL;
    }
    if (lot->n_kept < KEEP_ALL)
        k = malloc(sizeof *k + f->total);
    if (!k) {
        port_drop(&lot->port, DROP_FULL, 1);
        return NULL;
    }
    frame_gather(k->bytes, f);
    if (f->flags & NETMEM_CSUM)
        frame_finish_checksum(k->bytes, f);
    k->len = (uint16_t)f->total;
    k->flags = f->flags & (NETMEM_CSUM | NETMEM_CSUM_OK) ? NETMEM_CSUM_OK : 0;
    k->users = 1;
    lot->n_kept++;
    return k;
}

static bool give_by_key(struct lot *lot, uint64_t key, struct kept *k)
{
    bool found = false;

    for (struct key *at = lot->room ? lot->keys[place_of(lot, key)] : NULL; at;
         at = at->next)
        if (at->key == key) {
            keep(at->who, k);
            found = true;
        }
    return found;
}

static void keep_for_stranger(struct lot *lot, uint64_t key, struct kept *k)
{
    struct parked *p;

    if (!lot->expecting)
        return;
    p = calloc(1, sizeof *p);
    if (!p || add_key(lot, key, p) < 0) {
        free(p);
        port_drop(&lot->port, DROP_FULL, 1);
        return;
    }
    p->lot = lot;
    p->stranger = true;
    p->next = lot->strangers;
    if (p->next)
        p->next->prev = p;
    lot->strangers = p;
    keep(p, k);
}

static void give_by_key_or_later(struct lot *lot, uint64_t key, struct kept *k)
{
    if (!give_by_key(lot, key, k))
        keep_for_stranger(lot, key, k);
}

static bool is_arp_request(const struct kept *k)
{
    const uint8_t *b = k->bytes;

    return k->len >= ARP_TARGET + 4 && b[12] == 8 && b[13] == 6 && b[20] == 0 &&
           b[21] == 1;
}

static void give_to_any(struct lot *lot, struct kept *k)
{
    for (struct parked *p = lot->any; p; p = p->next_any)
        keep(p, k);
}

/* To those that a switch floods, and who will be parked among them. */
static void flood(struct lot *lot, struct kept *k)
{
    give_to_any(lot, k);
    if (lot->expecting)
        give_by_key_or_later(lot, ANY_KEY, k);
}

/* Whoever would have got it by a port of its own. */
static void give(struct lot *lot, struct kept *k)
{
    uint8_t mac[8] = {0};
    uint32_t ip;

    memcpy(mac, k->bytes, 6);
    if (lot->port.net->config.mode == NETWORK_WIRE) {
        for (struct parked *p = lot->all; p; p = p->next)
            keep(p, k);
        if (lot->expecting)
            give_by_key_or_later(lot, ANY_KEY, k);
        return;
    }
    if (!(mac[0] & 1)) {
        if (give_by_key(lot, mac_load(mac), k))
            return;
        if (lot->expecting)
            keep_for_stranger(lot, mac_load(mac), k);
        else
            give_to_any(lot, k);
        return;
    }
    flood(lot, k);
    if (is_arp_request(k)) {
        memcpy(&ip, k->bytes + ARP_TARGET, sizeof ip);
        give_by_key_or_later(lot, IP_KEY | ip, k);
    }
}

static void lot_tx(struct port *p, struct worker *w, const struct frame *frames,
                   const uint16_t *list, unsigned n)
{
    struct lot *lot = (struct lot *)p;

    (void)w;
    for (unsigned i = 0; i < n; i++) {
        struct kept *k = copy_of(lot, &frames[list[i]]);

        if (!k)
            continue;
        give(lot, k);
        kept_put(lot, k);
    }
}

/* ---- the port ------------------------------------------------------------------------ */

static void forget(struct parked *p)
{
    struct backplane *bp = p->lot->port.bp;
    struct parked **at;

    for (unsigned i = 0; i < p->n_kept; i++)
        kept_put(p->lot, p->kept[i]);
    free(p->kept);
    pthread_mutex_lock(&bp->event_lock);
    bp->last_wanted = NULL;
    for (at = &bp->first_wanted; *at;) {
        if (*at == p) {
            *at = p->next_wanted;
            continue;
        }
        bp->last_wanted = *at;
        at = &(*at)->next_wanted;
    }
    pthread_mutex_unlock(&bp->event_lock);
    free(p);
}

static void lot_free(struct port *port)
{
    struct lot *lot = (struct lot *)port;

    while (lot->all) {
        struct parked *p = lot->all;

        lot->all = p->next;
        forget(p);
    }
    while (lot->strangers) {
        struct parked *p = lot->strangers;

        lot->strangers = p->next;
        forget(p);
    }
    for (uint32_t i = 0; i < lot->room; i++)
        while (lot->keys[i]) {
            struct key *k = lot->keys[i];

            lot->keys[i] = k->next;
            free(k);
        }
    free(lot->keys);
    free(lot);
}

static const struct port_ops lot_ops = {
    .kind = PORT_LOT, .tx = lot_tx, .free = lot_free};

struct port *lot_new(struct diag *d)
{
    struct lot *lot = aligned_alloc(64, (sizeof *lot + 63) & ~(size_t)63);

    if (!lot) {
        diag_err(d, "out of memory");
        return NULL;
    }
    memset(lot, 0, sizeof *lot);
    lot->port.ops = &lot_ops;
    lot->port.fd = -1;
    return &lot->port;
}

const char *lot_first_name(const struct port *port)
{
    const struct lot *lot = (const struct lot *)port;

    return lot->all ? lot->all->name : port->name;
}

uint32_t lot_size(const struct network *net)
{
    return net->lot ? ((const struct lot *)net->lot)->n_all : 0;
}

/* ---- strangers ------------------------------------------------------------------------ */

static void forget_stranger(struct lot *lot, struct parked *s)
{
    unlink_key(lot, s->keys);
    free(s->keys);
    if (s->prev)
        s->prev->next = s->next;
    else
        lot->strangers = s->next;
    if (s->next)
        s->next->prev = s->prev;
    forget(s);
}

static struct parked *stranger_of(const struct lot *lot, uint64_t key)
{
    if (!lot->strangers)
        return NULL;
    for (struct key *k = lot->keys[place_of(lot, key)]; k; k = k->next)
        if (k->key == key && k->who->stranger)
            return k->who;
    return NULL;
}

static void take_from(struct parked *p, const struct parked *s)
{
    for (unsigned i = 0; s && i < s->n_kept; i++)
        keep(p, s->kept[i]);
}

/* What came for it before it was here. */
static void take_over(struct lot *lot, struct parked *p)
{
    for (struct key *k = p->keys; k; k = k->next_own) {
        struct parked *s = stranger_of(lot, k->key);

        take_from(p, s);
        if (s)
            forget_stranger(lot, s);
    }
    if (!p->own_only || lot->port.net->config.mode == NETWORK_WIRE)
        take_from(p, stranger_of(lot, ANY_KEY));
}

/* All have come. What is for an address that nobody here has would have been flooded, if
 * it has not turned out to be somebody else's. */
static void settle_stranger(struct lot *lot, struct parked *s)
{
    struct network *net = lot->port.net;
    uint64_t key = s->keys->key;

    if (!(key & IP_KEY) &&
        !mac_table_find(&net->table, key, mac_hash(&net->table, key), 0))
        for (unsigned i = 0; i < s->n_kept; i++)
            give_to_any(lot, s->kept[i]);
    forget_stranger(lot, s);
}

/* ---- in and out ----------------------------------------------------------------------- */

struct behind {
    uint32_t port;
    unsigned n;
    uint64_t macs[MAX_LEARNED];
};

static bool note_behind(void *ctx, uint64_t mac, uint32_t port, uint32_t stamp)
{
    struct behind *b = ctx;

    (void)stamp;
    if (port == b->port && b->n < MAX_LEARNED)
        b->macs[b->n++] = mac;
    return false;
}

static uint64_t mac_of(const uint8_t mac[6])
{
    uint8_t bytes[8] = {0};

    memcpy(bytes, mac, 6);
    return mac_load(bytes);
}

/* The switch finds the lot by the address, without flooding, if its table has room. */
static int add_mac(struct lot *lot, uint64_t mac, struct parked *p)
{
    struct network *net = lot->port.net;
    uint32_t evicted = 0;

    if (add_key(lot, mac, p) < 0)
        return -1;
    lot->port.has_fixed = true;
    if (net->config.mode == NETWORK_LEARN)
        mac_table_fix(&net->table, mac, lot->port.index, &evicted);
    return 0;
}

static void remove_keys(struct lot *lot, struct parked *p)
{
    struct network *net = lot->port.net;
    bool fixed;

    while (p->keys) {
        struct key *k = p->keys;

        p->keys = k->next_own;
        unlink_key(lot, k);
        if (!(k->key & IP_KEY) && net->config.mode == NETWORK_LEARN)
            mac_table_remove(&net->table, k->key, &fixed);
        free(k);
    }
}

static void enter_lists(struct lot *lot, struct parked *p)
{
    p->next = lot->all;
    if (lot->all)
        lot->all->prev = p;
    lot->all = p;
    lot->n_all++;
    if (p->own_only)
        return;
    p->next_any = lot->any;
    if (lot->any)
        lot->any->prev_any = p;
    lot->any = p;
}

static void leave_lists(struct lot *lot, struct parked *p)
{
    if (p->prev)
        p->prev->next = p->next;
    else
        lot->all = p->next;
    if (p->next)
        p->next->prev = p->prev;
    lot->n_all--;
    if (p->own_only)
        return;
    if (p->prev_any)
        p->prev_any->next_any = p->next_any;
    else
        lot->any = p->next_any;
    if (p->next_any)
        p->next_any->prev_any = p->prev_any;
}

static void leave(struct lot *lot, struct parked *p)
{
    remove_keys(lot, p);
    leave_lists(lot, p);
    forget(p);
}

/* Workers stand still; `old` may be NULL: nothing was learned yet. */
static int enter(struct lot *lot, struct parked *p, const struct park_config *c,
                 const struct port *old)
{
    struct behind behind = {.port = old ? old->index : 0};
    struct network *net = lot->port.net;
    uint64_t own = mac_of(c->mac);
    int rc = add_mac(lot, own, p);

    if (old && net->config.mode == NETWORK_LEARN &&
        (old->n_addresses || old->has_fixed))
        mac_table_sweep(&net->table, note_behind, &behind);
    for (unsigned i = 0; i < behind.n && rc == 0; i++)
        if (behind.macs[i] != own)
            rc = add_mac(lot, behind.macs[i], p);
    for (unsigned i = 0; i < c->n_ip4 && rc == 0; i++)
        rc = add_key(lot, IP_KEY | c->ip4[i], p);
    if (rc == 0) {
        enter_lists(lot, p);
        take_over(lot, p);
    } else {
        remove_keys(lot, p);
    }
    return rc;
}

static struct lot *lot_of(struct backplane *bp, struct network *net, struct diag *d)
{
    char name[BACKPLANE_NAME];
    struct port_config c = {.name = name, .network = net->id, .kind = PORT_LOT};

    snprintf(name, sizeof name, ".parked-%u", net->id);
    if (!net->lot)
        plane_add_port(bp, net, &c, d);
    return (struct lot *)net->lot;
}

static struct parked *parked_new(struct lot *lot, const struct park_config *c)
{
    struct parked *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->lot = lot;
    p->ctx = c->ctx;
    p->own_only = c->own_only;
    snprintf(p->name, sizeof p->name, "%s", c->name);
    return p;
}

/* What has nobody left to wait for it is not needed; nor is it on a wire between two. */
static void drop_empty_lot(struct backplane *bp, struct lot *lot)
{
    const struct network *net = lot->port.net;

    if (!lot->n_all &&
        (!lot->expecting || (net->config.mode == NETWORK_WIRE && net->n_ports > 2)))
        plane_remove_port(bp, &lot->port);
}

bool lot_is_idle(const struct network *net)
{
    return net->lot && !((const struct lot *)net->lot)->n_all;
}

static void expect_in(struct backplane *bp, struct network *net)
{
    struct lot *lot = plane_has_room(net, NULL) ? lot_of(bp, net, NULL) : NULL;

    if (!lot)
        return;
    plane_pause(bp);
    lot->expecting = true;
    plane_resume(bp);
}

static void all_have_come(struct backplane *bp, struct network *net)
{
    struct lot *lot = (struct lot *)net->lot;

    if (!lot)
        return;
    plane_pause(bp);
    lot->expecting = false;
    while (lot->strangers)
        settle_stranger(lot, lot->strangers);
    plane_resume(bp);
    drop_empty_lot(bp, lot);
}

void backplane_expect_parked(struct backplane *bp, bool more)
{
    pthread_mutex_lock(&bp->lock);
    for (uint32_t i = 0; i < bp->all_networks.n; i++) {
        struct network *net = bp->all_networks.entries[i].thing;

        if (more)
            expect_in(bp, net);
        else
            all_have_come(bp, net);
    }
    pthread_mutex_unlock(&bp->lock);
}

struct parked *backplane_park(struct backplane *bp, uint32_t port,
                              const struct park_config *c, struct diag *d)
{
    struct port *old = NULL;
    struct network *net;
    struct lot *lot;
    struct parked *p = NULL;
    int rc = -1;

    pthread_mutex_lock(&bp->lock);
    net = plane_network(bp, c->network, d);
    if (!net || (port && !(old = plane_port(bp, port, d))))
        goto out;
    /* On a wire the lot takes the place of a port that goes. */
    if (!net->lot && !old && !plane_has_room(net, d))
        goto out;
    lot = lot_of(bp, net, d);
    p = lot ? parked_new(lot, c) : NULL;
    if (p) {
        plane_pause(bp);
        rc = enter(lot, p, c, old);
        if (rc == 0 && old)
            plane_remove_paused(bp, old);
        plane_match_ends(net);
        plane_resume(bp);
    }
    if (rc < 0) {
        free(p);
        p = NULL;
        if (lot)
            drop_empty_lot(bp, lot);
        if (d && !d->n_messages)
            diag_err(d, "out of memory");
    } else if (old) {
        plane_forget_port(bp, old);
    }
out:
    pthread_mutex_unlock(&bp->lock);
    return p;
}

/* Give the new port what was kept, before anything else comes, and let the switch know
 * that the addresses are there now. */
static void hand_over(struct parked *p, struct port *to)
{
    struct network *net = to->net;
    struct worker *w = to->worker;
    uint32_t now_s = (uint32_t)(plane_clock_ns() / 1000000000u), before, evicted;
    struct frame f;
    const uint16_t first = 0;

    for (struct key *k = p->keys; k; k = k->next_own) {
        bool fixed;

        if (k->key & IP_KEY || net->config.mode != NETWORK_LEARN)
            continue;
        mac_table_remove(&net->table, k->key, &fixed);
        mac_table_learn(&net->table, k->key, mac_hash(&net->table, k->key), to->index,
                        now_s, true, &before, &evicted);
        to->n_addresses++;
    }
    for (unsigned i = 0; i < p->n_kept; i++) {
        const struct kept *k = p->kept[i];

        f = (struct frame){.data = k->bytes,
                           .len = k->len,
                           .total = k->len,
                           .parts = 1,
                           .flags = k->flags};
        if (to->ops->deliver_kept)
            to->ops->deliver_kept(to, w, &f);
        else
            to->ops->tx(to, w, &f, &first, 1);
    }
}

/* The keys' addresses belong to the new port now. */
static void leave_to(struct lot *lot, struct parked *p)
{
    while (p->keys) {
        struct key *k = p->keys;

        p->keys = k->next_own;
        unlink_key(lot, k);
        free(k);
    }
    leave(lot, p);
}

int backplane_unpark(struct backplane *bp, struct parked *p,
                     const struct port_config *config, uint32_t *port, struct diag *d)
{
    struct lot *lot = p->lot;
    struct port *to = NULL;

    pthread_mutex_lock(&bp->lock);
    if (config) {
        struct port_config c = *config;

        /* Nothing goes out of it before it has what was kept, nor twice. Its place on a
         * wire is free for it. */
        c.settings.disabled = true;
        to = plane_add_port(bp, lot->port.net, &c, d);
        if (!to) {
            pthread_mutex_unlock(&bp->lock);
            return -1;
        }
        *port = to->id;
    }
    plane_pause(bp);
    if (to) {
        plane_change(to, &config->settings);
        hand_over(p, to);
        leave_to(lot, p);
    } else {
        leave(lot, p);
    }
    plane_match_ends(lot->port.net);
    plane_resume(bp);
    drop_empty_lot(bp, lot);
    pthread_mutex_unlock(&bp->lock);
    return 0;
}

void *backplane_next_wanted(struct backplane *bp)
{
    struct parked *p;
    void *ctx = NULL;

    pthread_mutex_lock(&bp->event_lock);
    p = bp->first_wanted;
    if (p) {
        bp->first_wanted = p->next_wanted;
        if (!bp->first_wanted)
            bp->last_wanted = NULL;
        p->wanted = false;
        ctx = p->ctx;
    }
    pthread_mutex_unlock(&bp->event_lock);
    return ctx;
}
