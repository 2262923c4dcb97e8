// SPDX-License-Identifier: BSD-3-Clause
/*
 * arp_table.h -- IPv4 addresses and the Ethernet addresses behind them, with the packets
 * that wait for an answer
 *
 * Shared by ARPTable and ARPQuerier. The entries live on the heap and not in a router's
 * arena, so that a table moves to the next configuration as it is: arp_table_move().
 *
 * Order:  entries are kept by the time they were last confirmed, oldest first; that is the
 *         order in which they expire and in which packets are given up for room.
 * Time:   the caller's clock in ns; only differences count.
 * Threads: one at a time.
 */

#ifndef ENGINE_ARP_TABLE_H
#define ENGINE_ARP_TABLE_H

#include "base/diag.h"
#include "base/sbuf.h"
#include "engine/parse.h"
#include "engine/pkt.h"

#include <stdbool.h>
#include <stdint.h>

struct arp_entry {
    struct arp_entry *next; /* in the hash chain */
    uint32_t ip;
    struct ether_addr eth;
    bool known;
    uint8_t polls; /* since the last reply, up to 255 */
    int64_t live_at_ns, polled_at_ns;
    struct arp_entry *older, *newer;
    struct pkt *head, *tail; /* packets that wait, owned */
    uint32_t n_packets;
};

struct arp_table {
    struct arp_entry **chains; /* owned; NULL while empty */
    uint32_t n_chains;         /* power of two */
    uint32_t n_entries, n_packets;
    struct arp_entry *oldest, *newest;
    uint64_t drops; /* packets given up */

    uint32_t packet_capacity;       /* 0: no limit */
    uint32_t entry_capacity;        /* 0: no limit */
    uint32_t entry_packet_capacity; /* 0: no limit */
    uint32_t slim_factor;           /* 1 / slim_factor of the packets go when full */
    int64_t timeout_ns;             /* 0: entries do not expire */
};

/* Release all entries and packets, which count as drops. The limits stay. */
void arp_table_clear(struct arp_table *t);

/* Move entries, packets and drops to `t`, which is empty, from `old`. */
void arp_table_move(struct arp_table *t, struct arp_table *old);

/* Whether the address is known; then `*eth` is set. `*poll` is set if it has not been
 * confirmed for `poll_after_ns` (0: never) and it is time to ask again. */
bool arp_table_lookup(struct arp_table *t, int64_t now_ns, uint32_t ip,
                      int64_t poll_after_ns, struct ether_addr *eth, bool *poll);

/* Enter an answer. The packets that waited for it are handed over as a list, in order,
 * if `waiting` is not NULL. A broadcast address makes the entry unknown. Returns -1 when
 * memory ran out. */
int arp_table_insert(struct arp_table *t, int64_t now_ns, uint32_t ip,
                     const struct ether_addr *eth, struct pkt **waiting);

/* Let `p` wait for the answer, taking it over. Returns 1 if a query should be sent, 0 if
 * not, -1 if there is no room (`p` is still the caller's). */
int arp_table_wait(struct arp_table *t, int64_t now_ns, uint32_t ip, struct pkt *p);

/* Remove what has expired or is beyond the limits. */
void arp_table_slim(struct arp_table *t, int64_t now_ns);

/* "IP known ETH age" lines, oldest first. */
void arp_table_dump(const struct arp_table *t, int64_t now_ns, struct sbuf *out);

/* Text commands of the insert ("IP ETH") and delete ("IP") handlers. */
int arp_table_write_insert(struct arp_table *t, struct element *e, int64_t now_ns,
                           const char *text, struct diag *d);
int arp_table_write_delete(struct arp_table *t, struct element *e, int64_t now_ns,
                           const char *text, struct diag *d);

#endif
