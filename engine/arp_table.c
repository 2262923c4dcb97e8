// SPDX-License-Identifier: BSD-3-Clause
/* arp_table.c -- IPv4 addresses and the Ethernet addresses behind them: see arp_table.h */

#include "engine/arp_table.h"

#include "engine/net_headers.h"
#include "engine/unparse.h"
#include "engine/words.h"

#include <stdlib.h>

#define MS 1000000ll

enum { FIRST_CHAINS = 64 };

static const struct ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Addresses of one network differ in their last byte most of all. */
static uint32_t chain_of(const struct arp_table *t, uint32_t ip)
{
    return (be32(ip) * 0x9e3779b1u >> 8) & (t->n_chains - 1);
}

static struct arp_entry *find(const struct arp_table *t, uint32_t ip)
{
    struct arp_entry *a;

    if (!t->n_chains)
        return NULL;
    for (a = t->chains[chain_of(t, ip)]; a && a->ip != ip; a = a->next)
        ;
    return a;
}

static void age_unlink(struct arp_table *t, struct arp_entry *a)
{
    *(a->older ? &a->older->newer : &t->oldest) = a->newer;
    *(a->newer ? &a->newer->older : &t->newest) = a->older;
}

/* `before` NULL: as the newest. */
static void age_link(struct arp_table *t, struct arp_entry *a, struct arp_entry *before)
{
    a->newer = before;
    a->older = before ? before->older : t->newest;
    *(a->older ? &a->older->newer : &t->oldest) = a;
    *(before ? &before->older : &t->newest) = a;
}

static void drop_first(struct arp_table *t, struct arp_entry *a)
{
    struct pkt *p = a->head;

    a->head = p->next;
    if (!a->head)
        a->tail = NULL;
    pkt_free(p);
    a->n_packets--;
    t->n_packets--;
    t->drops++;
}

static void remove_entry(struct arp_table *t, struct arp_entry *a)
{
    struct arp_entry **at = &t->chains[chain_of(t, a->ip)];

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    age_unlink(t, a);
    while (a->head)
        drop_first(t, a);
    t->n_entries--;
    free(a);
}

void arp_table_clear(struct arp_table *t)
{
    while (t->oldest)
        remove_entry(t, t->oldest);
    free(t->chains);
    t->chains = NULL;
    t->n_chains = 0;
}

void arp_table_move(struct arp_table *t, struct arp_table *old)
{
    t->chains = old->chains;
    t->n_chains = old->n_chains;
    t->n_entries = old->n_entries;
    t->n_packets = old->n_packets;
    t->oldest = old->oldest;
    t->newest = old->newest;
    t->drops = old->drops;
    old->chains = NULL;
    old->oldest = old->newest = NULL;
    old->n_chains = old->n_entries = old->n_packets = 0;
}

static bool expired(const struct arp_table *t, const struct arp_entry *a, int64_t now)
{
    return t->timeout_ns && a->live_at_ns + t->timeout_ns < now;
}

/* At most ten queries a second, and after ten without an answer one in two seconds. */
static bool may_poll(const struct arp_entry *a, int64_t now)
{
    return now >= a->polled_at_ns + (a->polls >= 10 ? 2000 * MS : 100 * MS);
}

static void mark_poll(struct arp_entry *a, int64_t now)
{
    a->polled_at_ns = now;
    if (a->polls < 255)
        a->polls++;
}

bool arp_table_lookup(struct arp_table *t, int64_t now, uint32_t ip,
                      int64_t poll_after_ns, struct ether_addr *eth, bool *poll)
{
    struct arp_entry *a = find(t, ip);

    if (!a || !a->known || expired(t, a, now))
        return false;
    *eth = a->eth;
    *poll = poll_after_ns && now >= a->live_at_ns + poll_after_ns && may_poll(a, now);
    if (*poll)
        mark_poll(a, now);
    return true;
}

static int grow(struct arp_table *t)
{
    struct arp_table bigger = {.n_chains = t->n_chains ? 2 * t->n_chains
                                                       : FIRST_CHAINS};

    bigger.chains = calloc(bigger.n_chains, sizeof *bigger.chains);
    if (!bigger.chains)
        return -1;
    for (struct arp_entry *a = t->oldest; a; a = a->newer) {
        struct arp_entry **chain = &bigger.chains[chain_of(&bigger, a->ip)];
        a->next = *chain;
        *chain = a;
    }
    free(t->chains);
    t->chains = bigger.chains;
    t->n_chains = bigger.n_chains;
    return 0;
}

/* The entry for `ip`, a new one if need be; NULL when memory ran out. */
static struct arp_entry *ensure(struct arp_table *t, int64_t now, uint32_t ip)
{
    struct arp_entry *a = find(t, ip), **chain;

    if (a)
        return a;
    /* A table that cannot grow gets longer chains, unless it has none at all. */
    if (t->n_entries >= t->n_chains && grow(t) < 0 && !t->n_chains)
        return NULL;
    a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    t->n_entries++;
    if (t->entry_capacity && t->n_entries > t->entry_capacity)
        arp_table_slim(t, now);
    a->ip = ip;
    a->eth = broadcast;
    a->live_at_ns = now;
    a->polled_at_ns = now - 1000 * MS;
    chain = &t->chains[chain_of(t, ip)];
    a->next = *chain;
    *chain = a;
    age_link(t, a, NULL);
    return a;
}

int arp_table_insert(struct arp_table *t, int64_t now, uint32_t ip,
                     const struct ether_addr *eth, struct pkt **waiting)
{
    struct arp_entry *a = ensure(t, now, ip);

    if (waiting)
        *waiting = NULL;
    if (!a)
        return -1;
    a->eth = *eth;
    a->known = !ether_is_broadcast(eth);
    a->live_at_ns = now;
    a->polls = 0;
    a->polled_at_ns = now - 1000 * MS;
    age_unlink(t, a);
    age_link(t, a, NULL);
    if (waiting) {
        *waiting = a->head;
        a->head = a->tail = NULL;
        t->n_packets -= a->n_packets;
        a->n_packets = 0;
    }
    return 0;
}

/* An entry that is still asked for does not expire: keep it this side of it. */
static void keep_from_expiring(struct arp_table *t, struct arp_entry *a, int64_t now)
{
    struct arp_entry *before = a->newer;

    if (!t->timeout_ns || a->live_at_ns >= now - t->timeout_ns)
        return;
    a->live_at_ns = now - t->timeout_ns;
    while (before && before->live_at_ns < a->live_at_ns)
        before = before->newer;
    age_unlink(t, a);
    age_link(t, a, before);
}

int arp_table_wait(struct arp_table *t, int64_t now, uint32_t ip, struct pkt *p)
{
    struct arp_entry *a = ensure(t, now, ip);

    if (!a)
        return -1;
    keep_from_expiring(t, a, now);
    if (t->entry_packet_capacity && a->n_packets >= t->entry_packet_capacity) {
        t->drops++;
        return -1;
    }
    if (t->packet_capacity && t->n_packets >= t->packet_capacity) {
        t->n_packets++; /* room for this one too */
        arp_table_slim(t, now);
        t->n_packets--;
    }
    p->next = NULL;
    *(a->tail ? &a->tail->next : &a->head) = p;
    a->tail = p;
    a->n_packets++;
    t->n_packets++;
    if (!may_poll(a, now))
        return 0;
    mark_poll(a, now);
    return 1;
}

void arp_table_slim(struct arp_table *t, int64_t now)
{
    uint32_t keep;

    while (t->oldest && (expired(t, t->oldest, now) ||
                         (t->entry_capacity && t->n_entries > t->entry_capacity)))
        remove_entry(t, t->oldest);
    if (!t->packet_capacity || t->n_packets <= t->packet_capacity)
        return;
    keep = t->packet_capacity - t->packet_capacity / t->slim_factor;
    keep = keep ? keep : 1; /* the packet that is about to be added */
    for (struct arp_entry *a = t->oldest; a && t->n_packets > keep; a = a->newer)
        while (a->head && t->n_packets > keep)
            drop_first(t, a);
}

void arp_table_dump(const struct arp_table *t, int64_t now, struct sbuf *out)
{
    char ip[64], eth[64], age[64];

    for (const struct arp_entry *a = t->oldest; a; a = a->newer) {
        int64_t age_ms = (now - a->live_at_ns) / MS;
        sbuf_printf(out, "%s %d %s %s\n", unparse_ip(a->ip, ip),
                    a->known && !expired(t, a, now), unparse_ether(&a->eth, eth),
                    unparse_timestamp(age_ms * MS, age));
    }
}

int arp_table_write_insert(struct arp_table *t, struct element *e, int64_t now,
                           const char *text, struct diag *d)
{
    char word[WORD_ROOM];
    struct ether_addr eth;
    uint32_t ip;

    if (!word_next(&text, word))
        return diag_err(d, "IP: required argument missing");
    if (!parse_ip(e, word, &ip))
        return diag_err(d, "IP: parse error");
    if (!word_next(&text, word))
        return diag_err(d, "ETH: required argument missing");
    if (!parse_ether(e, word, &eth))
        return diag_err(d, "ETH: parse error");
    if (word_next(&text, word))
        return diag_err(d, "too many arguments");
    if (arp_table_insert(t, now, ip, &eth, NULL) < 0)
        return diag_err(d, "out of memory");
    return 0;
}

int arp_table_write_delete(struct arp_table *t, struct element *e, int64_t now,
                           const char *text, struct diag *d)
{
    char word[WORD_ROOM];
    uint32_t ip;

    if (!word_next(&text, word))
        return diag_err(d, "IP: required argument missing");
    if (!parse_ip(e, word, &ip))
        return diag_err(d, "IP: parse error");
    if (word_next(&text, word))
        return diag_err(d, "too many arguments");
    if (arp_table_insert(t, now, ip, &broadcast, NULL) < 0)
        return diag_err(d, "out of memory");
    return 0;
}
