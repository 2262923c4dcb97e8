// SPDX-License-Identifier: BSD-3-Clause
/*
 * fake_guest.h -- plays the guest's side of abi/netmem.h, for tests and benchmarks of the
 *                 switch
 *
 * Slot i of a ring always uses the same buffer, so there is nothing to allocate. The
 * struct is open: tests that play a hostile guest write into `mem` as they like.
 *
 * Threads: one thread a guest.
 */

#ifndef TESTS_FAKE_GUEST_H
#define TESTS_FAKE_GUEST_H

#include "abi/netmem.h"
#include "switch/backplane.h"

struct fake_guest {
    uint8_t *mem; /* owned mapping of the packet memory */
    size_t size;
    int memory_fd, wake_fd, doorbell_fds[NETMEM_MAX_IFS];
    uint32_t n_ifs;
    uint32_t tx_offered[NETMEM_MAX_IFS], rx_offered[NETMEM_MAX_IFS];
    uint32_t rx_next[NETMEM_MAX_IFS];  /* next received slot to look at */
    uint32_t answered[NETMEM_MAX_IFS]; /* host_sleep that we rang for */
    uint32_t sleeping;                 /* guest_sleep */
    uint64_t doorbells;                /* rung */
};

/* NULL when the system refuses. Receive buffers are offered already. */
struct fake_guest *fake_guest_new(uint32_t n_ifs);
void fake_guest_free(struct fake_guest *g);

/* The configuration of a port for interface `n`. */
struct vm_port_config fake_guest_port(const struct fake_guest *g, uint32_t n);

/* Add a port named `name`; returns its id, 0 with a message on stderr. */
uint32_t fake_guest_attach(struct fake_guest *g, uint32_t n, struct backplane *bp,
                           uint32_t network, const char *name);

/* Put a packet into the ring without telling; false when it is full. */
bool fake_guest_put(struct fake_guest *g, uint32_t n, const void *data, uint32_t len);

/* Tell the host what was put, and ring if it sleeps. */
void fake_guest_kick(struct fake_guest *g, uint32_t n);

/* Free slots of the tx ring. */
uint32_t fake_guest_room(const struct fake_guest *g, uint32_t n);

/* Look at the next received packet: its length, or -1 when there is none; *data borrowed
 * until fake_guest_take(), which gives its slot back (told by fake_guest_offer()). */
int fake_guest_peek(struct fake_guest *g, uint32_t n, const uint8_t **data);
void fake_guest_take(struct fake_guest *g, uint32_t n);
void fake_guest_offer(struct fake_guest *g, uint32_t n);

/* Sleep by the protocol until something was received on any interface, or `ms` have
 * passed; true when something is there. */
bool fake_guest_wait(struct fake_guest *g, int ms);

/* An Ethernet frame of `len` bytes from 02::src to 02::dst (0: broadcast), the rest
 * filled with `fill`. */
void fake_frame(uint8_t *frame, uint32_t len, uint16_t dst, uint16_t src, uint8_t fill);

#endif
