// SPDX-License-Identifier: BSD-3-Clause
/*
 * netfront.h -- the guest's network interfaces: rings of abi/netmem.h behind the engine's
 * struct netdev
 *
 * A packet is its buffer's number on both rings: receiving and sending copy nothing. Only
 * a packet that does not lie in packet memory (made from the heap because all buffers
 * were taken) is copied once on its way out.
 */

#ifndef GUEST_NETFRONT_H
#define GUEST_NETFRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/netmem.h"
#include "engine/pkt.h"
#include "engine/platform.h"

/* What lies in the slots of one number: side by side, so that an idle VM touches one page
 * for both rings. */
struct netfront_slot {
    struct pkt *tx;
    uint32_t rx[PKT_KINDS]; /* from pkt_post(): the buffer, the place */
};

struct netfront {
    struct netmem_if *shared;          /* borrowed */
    struct netmem_head *head;          /* borrowed */
    struct pkt_pool *pool;             /* borrowed */
    const uint8_t *buffers;            /* borrowed: of packet memory, number 0 */
    const struct buf *bufs[PKT_KINDS]; /* borrowed: the pool's */
    uint32_t first_short; /* buffers from this one on are divided into places */
    unsigned number;
    char name[4];

    /* Our own indices, and what they belong to: what lies in the slots. */
    uint32_t tx_offered, tx_done, rx_offered, rx_done;
    uint32_t rx_wanted; /* empty buffers we keep in the ring: more under load */
    uint32_t rx_most;   /* that many at most */
    bool polled;        /* since the last sleep: some element receives here */
    bool tx_refused;    /* some packets found no room, and may still wait for it */
    uint32_t rung;      /* the sleep of the host's that we have ended already */
    struct netfront_slot *slots; /* NETMEM_SLOTS, of the heap */

    uint64_t rx_count, tx_count, rx_bytes, tx_bytes;
    uint64_t tx_too_long, tx_no_buffer, rx_no_memory; /* dropped */
    uint64_t doorbells;
};

/* Find out what there is; returns the number of interfaces. `nf` and `dev` have room for
 * NETMEM_MAX_IFS. */
unsigned netfront_init(struct netfront *nf, struct netdev *dev, struct pkt_pool *pool);

/* Read (again) what the host says about interface `nf`: address and MTU. */
void netfront_identify(const struct netfront *nf, struct netdev *dev);

/* Take back what the host has sent. */
void netfront_reclaim(struct netfront *nf);

/* Whether the host has put packets into the ring that were not received yet. */
bool netfront_waiting(const struct netfront *nf);

/* Whether packets were refused and there is room now. The host wakes only a guest that had
 * NETMEM_TX_WAKE slots out, so this is to be asked before going to sleep: false means that
 * nothing waits, or that so many are out that a wake-up will come. True is said once. */
bool netfront_has_room(struct netfront *nf);

#endif
