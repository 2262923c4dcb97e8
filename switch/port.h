// SPDX-License-Identifier: BSD-3-Clause
/*
 * port.h -- what stands behind every kind of port
 *
 * A kind is a table of functions. The worker that owns a port calls rx() in its turn,
 * forwards what it got, and calls rx_done() once the frames are no longer used; tx() is
 * called by whichever worker has packets for the port, one at a time. Everything else
 * (rates, statistics in, captures, learning) is done by the switch.
 *
 *     rx() -> frames that point into the port's memory -> tx() of others copies them
 *                                                      -> rx_done() gives them back
 *
 * Sleeping: a port with nothing to do is armed and leaves the worker's list. When its
 * `fd` becomes readable (edge-triggered, never read by the worker) it is disarmed and
 * polled again. A port that knows when it will have something sets `due_ns`.
 *
 * Trust: a frame's bytes may be in memory that the peer can change at any moment. What
 * must not change between check and use is copied to `head` first.
 */

#ifndef SWITCH_PORT_H
#define SWITCH_PORT_H

#include "abi/netmem.h"
#include "switch/backplane.h"
#include "switch/bucket.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FRAME_BATCH     128u         /* frames of a batch, at most */
#define FRAME_MAX_PARTS 40u          /* frames of a packet, at most */
#define FRAME_HEAD      128u         /* bytes of a checked copy: see spoof.c */
#define FRAME_MAX       65600u       /* bytes of a packet, at most */
#define FRAME_SCRATCH   (8u * 65536) /* bytes of a worker's memory for received packets */

/* A packet, or a part of one: the parts of a packet follow each other in the batch. */
struct frame {
    const uint8_t *data;
    const uint8_t
        *head;      /* NULL, or the checked copy of the first FRAME_HEAD bytes, which
                          * goes out instead of what is at `data` by then */
    uint32_t len;   /* of this part */
    uint32_t total; /* of the packet; first part only, as all below */
    uint16_t parts; /* 1: a packet of its own */
    uint16_t flags; /* NETMEM_CSUM, NETMEM_CSUM_OK, NETMEM_TSO4, NETMEM_TSO6 */
    uint16_t gso_size, csum_start, csum_offset;
};

struct network;
struct port;
struct tap_list;
struct worker;

struct port_ops {
    enum port_kind kind;

    /* Up to `max` packets, in at most FRAME_BATCH frames, each packet of at least 14 and
     * at most FRAME_MAX bytes. Returns the number of frames. NULL: nothing ever comes. */
    unsigned (*rx)(struct port *p, struct worker *w, struct frame *frames,
                   unsigned max);
    void (*rx_done)(struct port *p); /* NULL: nothing to give back */

    /* Deliver the `n` packets that begin at frames[list[0]], ...; counts what it delivers
     * and what it drops, publishes and wakes once. NULL: drops all. */
    void (*tx)(struct port *p, struct worker *w, const struct frame *frames,
               const uint16_t *list, unsigned n);

    /* tx() will be called soon, twice, so that the memory it will touch is asked for: step 0
     * is for what says where the rest is, and that is for step 1. NULL: not needed. What
     * these read first should stand in the line behind struct port. */
    void (*expect)(struct port *p, unsigned step);

    /* Deliver a packet that was kept for whoever is behind the port: before all that come
     * later, as soon as there is room for it. With the workers standing still. NULL: tx()
     * will do. */
    void (*deliver_kept)(struct port *p, struct worker *w, const struct frame *f);

    /* Packets that tx() would take now; NULL: always some. */
    unsigned (*tx_room)(struct port *p);

    /* arm(): say that we sleep; false: there is work, do not sleep. NULL: may sleep at
     * any time (the kernel tells us). disarm() takes it back. */
    bool (*arm)(struct port *p);
    void (*disarm)(struct port *p);

    /* Whether the peer sleeps, so that nothing will come before somebody wakes it: then
     * polling for it is waste, and keeps the processor from it. NULL: not known. */
    bool (*peer_sleeps)(struct port *p);

    void (*wake)(struct port *p);  /* the peer, if it sleeps: see worker_owe_wake() */
    void (*flush)(struct port *p); /* write out what was held back; NULL: nothing is */
    void (*offload)(struct port *p, bool on); /* what rx() may return; NULL: never */
    void (*free)(struct port *p);             /* close and free, the port included */
    void (*settle)(struct port *p, uint64_t now); /* became active again; may be NULL */
};

/* Statistics have one writer at a time and are read by other threads. */
struct port_counters {
    _Atomic uint64_t in_packets, in_bytes, waits, bad_rings, doorbells, sleeps;
    _Atomic uint64_t floods[STORMS];
    alignas(64) _Atomic uint64_t out_packets, out_bytes, wakes;
    _Atomic uint64_t drops[DROP_REASONS];
};

static inline void count_add(_Atomic uint64_t *c, uint64_t n)
{
    uint64_t v = atomic_load_explicit(c, memory_order_relaxed);

    atomic_store_explicit(c, v + n, memory_order_relaxed);
}

/* Reasons of the sender and of the receiver are counted by different workers, each reason
 * by one at a time: see enum drop_reason. */
#define port_drop(p, why, n) count_add(&(p)->count.drops[why], n)

enum { NOT_IN_HEAP = UINT32_MAX };

/* What a packet for it needs to know is in the first line, before the kind's own. */
struct port {
    const struct port_ops *ops;
    struct network *net;   /* borrowed */
    struct worker *worker; /* borrowed: who polls it */
    struct tap_list *taps; /* owned; NULL: nobody captures */
    uint32_t id;
    uint16_t index;       /* into the backplane's table */
    bool takes_offload;   /* tx() understands NETMEM_CSUM and NETMEM_TSO* */
    bool limited;         /* settings.out has a rate */
    _Atomic bool closed;  /* nothing goes out of it */
    _Atomic bool stopped; /* disabled, done or down: not polled */
    bool alone;           /* its wire has backpressure and no other end: not polled */
    atomic_flag tx_lock;  /* taken when there are several workers */

    /* The worker's, for scheduling. */
    bool active, dirty, owed;
    _Atomic bool armed;
    int fd;           /* readable when there is something to receive; -1: none */
    uint32_t heap_at; /* place among the timers or NOT_IN_HEAP */
    uint64_t due_ns;  /* not before this time; 0: any time */
    uint64_t busy_ns; /* when it last had something */
    uint64_t armed_ns;
    uint64_t poll_ns;  /* how long to poll without success, adapts */
    uint64_t retry_ns; /* how long to wait for a full receiver */

    /* Checks and limits. */
    struct port_settings settings;
    struct bucket in_packets, in_bits, out_packets, out_bits, storm[STORMS];
    bool checked; /* settings.allow has an entry */
    _Atomic uint64_t
        last_src; /* address learned last, and when, to learn it once a second
                   * unless it was forgotten meanwhile */
    _Atomic uint32_t last_tick;
    _Atomic uint32_t n_addresses; /* learned; never less than there are */
    bool has_fixed;               /* or may have */

    /* For people. */
    struct backplane *bp; /* borrowed */
    char name[BACKPLANE_NAME], device[BACKPLANE_NAME];
    enum port_state state;
    char trouble[256]; /* under the event lock */

    struct port_counters count;
};

/* What kinds tell the switch, from a worker. Down and done end the polling. */
__attribute__((format(printf, 3, 4))) void
port_report(struct port *p, enum backplane_event_kind kind, const char *fmt, ...);

/* Make a port of a kind: opens devices, touches no other port; NULL and a message on
 * failure. The caller fills in the common part. */
struct port *vm_port_new(const struct vm_port_config *c, struct diag *d);
struct port *tap_port_new(const struct tap_port_config *c, struct diag *d);
struct port *packet_port_new(const struct packet_port_config *c, struct diag *d);
struct port *xdp_port_new(const struct xdp_port_config *c, struct diag *d);
struct port *pcap_in_new(const struct pcap_in_config *c, struct diag *d);
struct port *pcap_out_new(const struct pcap_out_config *c, struct diag *d);
struct port *generator_new(const struct generator_config *c, struct diag *d);
struct port *sink_new(const struct sink_config *c, struct diag *d);

/* The sink's part of backplane_sink_report(), with the workers standing still. */
void sink_report_fill(struct port *p, struct sink_report *report);
void sink_reset(struct port *p);

/* Put the packet together at `to`, which has room for frame->total bytes. */
void frame_gather(uint8_t *to, const struct frame *f);

/* Finish a checksum that the sender left to us, in the copy at `to`. */
void frame_finish_checksum(uint8_t *to, const struct frame *f);

/* Memory of the worker for packets that a kind receives by system call; FRAME_SCRATCH
 * bytes, valid until rx_done(). The clock of this round, steady. */
uint8_t *worker_scratch(struct worker *w);
uint64_t worker_now(struct worker *w);

/* The port's peer sleeps and has something to receive: have wake() called soon. While
 * this worker has more to hand out that waits a little, so that one wake-up serves many
 * packets; otherwise it is done at the end of the round. */
void worker_owe_wake(struct worker *w, struct port *p);

/* Ask for flush() before the worker sleeps, and at least a few times a second. */
void worker_mark_dirty(struct worker *w, struct port *p);

#endif
