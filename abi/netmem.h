// SPDX-License-Identifier: BSD-3-Clause
/*
 * netmem.h -- packet memory: the region that a VM shares with the switch
 *
 * One memfd a VM, mapped by the guest and by the switch, by nobody else:
 *
 *     0             struct netmem_head
 *     4096          struct netmem_if [n_ifs]   a pair of rings for each interface
 *     buffers_at    buffers: n_buffers x NETMEM_BUFFER bytes
 *
 * A ring is a circle of slots that the guest offers and the host hands back:
 *
 *            done        offered          slots [done, offered) belong to the host,
 *             v           v               the others to the guest
 *     [ guest ][   host   ][ guest ]
 *
 *     tx: the guest offers full buffers, the host has read those it hands back
 *     rx: the guest offers empty buffers, the host fills in offset, length, flags and
 *         offload fields of those it hands back
 *
 * Both indices run freely modulo 2^32; slot i is slots[i % NETMEM_SLOTS]. Each has one
 * writer and a cache line of its own, and is published (release) once a batch.
 *
 * Sleeping. Each side has a counter that is odd while it sleeps or is about to. To go to
 * sleep: make the counter odd, full fence, look at the rings once more, and sleep only if
 * they are still empty. To wake the other: publish, full fence, load its counter; if it
 * is odd and not the value that was answered last, ring once. Awake again, make it even.
 * The guest sleeps as a whole (head.guest_sleep); the host sleeps for each interface
 * (netmem_if.host_sleep), because it stops visiting ports that have nothing to do.
 * What is published for a sleeping guest: received packets, always; handed back tx slots
 * only when the guest had NETMEM_TX_WAKE of them out, so that one that sends now and then
 * is not woken for nothing, and not before all but NETMEM_TX_LOW are handed back, so that
 * one that sends all the time is woken once a ring and not once a batch. A guest that
 * sleeps until it can send must have NETMEM_TX_WAKE out.
 *
 * Buffers: the host writes a received packet at NETMEM_HEADROOM of the buffer; it takes
 * packets at any offset. A slot of rx that is handed back with length 0 holds no packet:
 * the guest had offered a buffer that does not exist.
 *
 * Short packets. With an empty buffer of rx the guest may offer a place, NETMEM_SHORT bytes
 * of another buffer that it keeps for such places (netmem_offer()). The host writes a packet
 * of up to NETMEM_SHORT_MAX bytes there, at NETMEM_HEADROOM of the place, and says so by the
 * buffer and offset that it hands back; the other of the two is the guest's again as well.
 * So short packets lie eight or sixteen to a page: with two to a page, and a hundred VMs,
 * finding the pages takes both sides longer than moving the bytes. A place that does not
 * exist counts as none.
 *
 * Trust: the host trusts nothing here. It loads a field once, bounds the copy, and keeps
 * its own index in private memory. The guest may trust the host.
 */

#ifndef ABI_NETMEM_H
#define ABI_NETMEM_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define NETMEM_MAGIC       0x6d656d74656e6b63ull /* any constant */
#define NETMEM_ABI         2u                    /* bump when a byte below moves */
#define NETMEM_BUFFER      2048u                 /* bytes of a buffer */
#define NETMEM_SLOTS       1024u                 /* slots of a ring, a power of two */
#define NETMEM_MAX_IFS     16u
#define NETMEM_MAX_BUFFERS 65536u
#define NETMEM_IFS_AT      4096u /* bytes from the start to the first interface */
#define NETMEM_HEADROOM    128u  /* offset at which the host puts a received packet */
#define NETMEM_SHORT       256u /* bytes of a place for a short packet; divides a buffer */
#define NETMEM_SHORT_MAX   (NETMEM_SHORT - NETMEM_HEADROOM)
#define NETMEM_TX_WAKE     (NETMEM_SLOTS / 2) /* see "Sleeping" */
#define NETMEM_TX_LOW      (NETMEM_SLOTS / 4)

struct netmem_head {
    uint64_t magic; /* all up to guest_sleep is written by the monitor, then constant */
    uint32_t abi;
    uint32_t n_ifs;
    uint32_t n_buffers;
    uint32_t pad;
    uint64_t buffers_at;                      /* bytes from the start, page-aligned */
    uint64_t size;                            /* bytes of the whole region */
    alignas(64) _Atomic uint32_t guest_sleep; /* guest: odd while it sleeps */
};
_Static_assert(offsetof(struct netmem_head, guest_sleep) == 64, "netmem ABI");
_Static_assert(sizeof(struct netmem_head) == 128, "netmem ABI");

/* Offload state of a packet, as virtio_net_hdr has it. */
enum {
    NETMEM_MORE = 1 << 0, /* the packet goes on in the next slot */
    NETMEM_CSUM = 1 << 1, /* checksum at csum_start + csum_offset is still to be done */
    NETMEM_CSUM_OK = 1 << 2, /* rx: checksums were verified or cannot be wrong */
    NETMEM_TSO4 = 1 << 3,    /* gso_size is the segment size: TCP over IPv4 */
    NETMEM_TSO6 = 1 << 4,
};

struct netmem_slot {
    uint32_t buffer; /* number */
    uint16_t offset; /* first byte, from the start of the buffer */
    uint16_t len;    /* bytes */
    uint16_t flags;
    uint16_t gso_size;
    uint16_t csum_start; /* from the first byte of the packet */
    uint16_t csum_offset;
};
_Static_assert(sizeof(struct netmem_slot) == 16, "netmem ABI");

/* An empty buffer for rx, and a place with it: places are counted in NETMEM_SHORT bytes from
 * the first buffer on. offset and len hold the place and one, 0 says that there is none. */
static inline struct netmem_slot netmem_offer(uint32_t buffer)
{
    return (struct netmem_slot){.buffer = buffer};
}

static inline struct netmem_slot netmem_offer_short(uint32_t buffer, uint32_t place)
{
    return (struct netmem_slot){.buffer = buffer,
                                .offset = (uint16_t)(place + 1),
                                .len = (uint16_t)((place + 1) >> 16)};
}

struct netmem_ring {
    alignas(64) _Atomic uint32_t offered; /* guest: next slot it will offer */
    alignas(64) _Atomic uint32_t done;    /* host: next slot it will hand back */
    alignas(64) struct netmem_slot slots[NETMEM_SLOTS];
};
_Static_assert(offsetof(struct netmem_ring, done) == 64, "netmem ABI");
_Static_assert(offsetof(struct netmem_ring, slots) == 128, "netmem ABI");
_Static_assert(sizeof(struct netmem_ring) == 128 + 16 * NETMEM_SLOTS, "netmem ABI");

/* The MAC address is the interface's own: what a guest uses when its configuration names
 * none. */
struct netmem_if {
    uint8_t mac[6]; /* monitor, constant */
    uint8_t pad[2];
    uint32_t mtu; /* monitor, constant: bytes of an IP packet */
    alignas(64) _Atomic uint32_t host_sleep; /* host: odd while nobody looks at tx */
    struct netmem_ring tx, rx;
};
_Static_assert(offsetof(struct netmem_if, host_sleep) == 64, "netmem ABI");
_Static_assert(offsetof(struct netmem_if, tx) == 128, "netmem ABI");

/* Where things are. `n` must have been checked against n_ifs, and n_ifs and n_buffers
 * against the bounds above and the size of the mapping, by whoever mapped the region. */
static inline struct netmem_if *netmem_if(void *base, uint32_t n)
{
    return (struct netmem_if *)((uint8_t *)base + NETMEM_IFS_AT) + n;
}

/* First buffer for `n_ifs` interfaces: behind them, on a page boundary. */
static inline uint64_t netmem_buffers_at(uint32_t n_ifs)
{
    uint64_t end = NETMEM_IFS_AT + (uint64_t)n_ifs * sizeof(struct netmem_if);

    return (end + 4095) & ~4095ull;
}

static inline uint64_t netmem_size(uint32_t n_ifs, uint32_t n_buffers)
{
    return netmem_buffers_at(n_ifs) + (uint64_t)n_buffers * NETMEM_BUFFER;
}

#endif
